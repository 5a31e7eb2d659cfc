"""Whole runs of a client's flow: isolation, honesty, repeats, and two at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock.errors import ConfigurationError
from sandbox.faults import Fault
from sandbox.rest.collection import Collection, Paging, TimeFilter
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings

NAMES = tuple(f"table_{number}" for number in range(10))
AT = datetime(2026, 3, 20, 10, tzinfo=UTC)
ROWS_A_DAY = 24


def hourly(name: str) -> Collection:
    """A record an hour, for ever."""

    def between(start: datetime | None, end: datetime | None) -> list[dict[str, Any]]:
        assert start is not None
        assert end is not None
        hours = int((end - start) / timedelta(hours=1))
        moments = [start + timedelta(hours=hour) for hour in range(hours)]
        return [{"id": f"{name}-{moment:%Y%m%d%H}", "updated_at": moment.isoformat()} for moment in moments]

    return Collection(
        records=between,
        paging=Paging(style="page", size=10),
        time_filter=TimeFilter(start_name="since", end_name="until"),
    )


@pytest.fixture(scope="session")
def hourly_api() -> Iterator[Sandbox]:
    with serve(SandboxSettings(collections={name: hourly(name) for name in NAMES})) as sandbox:
        yield sandbox


@pytest.fixture
def ten(project: Any, hourly_api: Sandbox) -> Iterator[Any]:
    datasets = "\n".join(
        f"              - {{name: {name}, path: /{name}, records: data,"
        " paging: {kind: page_number, size_parameter: per_page, size: 10},"
        " window_parameters: {start: since, end: until}}"
        for name in NAMES
    )
    project.write_platform(f"""hourly-api: {{kind: rest, base_url: "{hourly_api.url}/rest"}}""")
    project.write_pipeline(
        "ten",
        f"""
            source: {{kind: rest, connection: hourly-api}}
            window: {{kind: daily, timezone: UTC}}
            load_strategy: {{kind: append}}
            datasets:
{datasets}
            """,
    )
    hourly_api.reset()
    yield project
    hourly_api.reset()


def test_one_failing_dataset_of_ten_leaves_nine_loaded_and_the_rerun_loads_only_the_tenth(
    ten: Any, hourly_api: Sandbox
) -> None:
    hourly_api.faults.add(Fault(kind="server_error", path="/rest/table_4", status=403, times=None))

    report = ten.run("ten", options={"at": AT})

    assert not report.is_green
    assert [one.dataset for one in report.failed] == ["table_4"]
    assert report.failed[0].error_kind == "RejectedError"
    assert report.failed[0].guidance
    assert "1 of 10 datasets failed" in report.summary()
    assert "hourly-api" in report.summary()
    loaded = [one for one in report.datasets if one.outcome == "loaded"]
    assert [one.result.rows_landed for one in loaded] == [ROWS_A_DAY] * 9

    hourly_api.reset()
    again = ten.run("ten", options={"at": AT})

    assert again.is_green, again.summary()
    assert {one.dataset for one in again.datasets if one.outcome == "loaded"} == {"table_4"}
    assert {request.path for request in hourly_api.log.requests()} == {"/rest/table_4"}
    for name in NAMES:
        assert ten.query(f"select count(*), count(distinct id) from acme_bronze.rest__{name}") == [(24, 24)]


def test_the_flow_run_that_had_a_failure_is_failed_in_prefect_and_says_why(ten: Any, hourly_api: Sandbox) -> None:
    from flows.loading import client_flow
    from tasks.definitions.project import find_project

    hourly_api.faults.add(Fault(kind="server_error", path="/rest/table_7", status=403, times=None))
    state = client_flow(find_project(), "acme")("ten", options={"at": AT}, return_state=True)
    assert state.is_failed()
    assert "table_7" in (state.message or "")


def test_the_same_window_run_twice_changes_no_row(ten: Any) -> None:
    first = ten.run("ten", options={"at": AT})
    rows = ten.query("select * from acme_bronze.rest__table_0 order by id")
    second = ten.run("ten", options={"at": AT})
    assert first.is_green
    assert second.is_green
    assert {one.outcome for one in second.datasets} == {"already_loaded"}
    assert ten.query("select * from acme_bronze.rest__table_0 order by id") == rows


def test_reuse_loads_the_kept_bytes_without_asking_the_source(ten: Any, hourly_api: Sandbox) -> None:
    ten.run("ten", options={"at": AT}, datasets=["table_1"])
    columns = "id, updated_at"
    rows = ten.query(f"select {columns} from acme_bronze.rest__table_1 order by id")
    hourly_api.log.clear()
    for reuse in ("ingest", "stage"):
        report = ten.run("ten", options={"at": AT, "reuse": reuse}, datasets=["table_1"])
        assert report.is_green, report.summary()
        assert report.datasets[0].result.rows_landed == ROWS_A_DAY
        assert ten.query(f"select {columns} from acme_bronze.rest__table_1 order by id") == rows
    assert len(hourly_api.log) == 0
    assert len(ten.warehouse().loads()) == 3
    report = ten.run(
        "ten",
        load_strategy={"kind": "incremental", "keys": ["id"]},
        options={"at": AT, "reuse": "ingest"},
        datasets=["table_1"],
    )
    assert report.is_green, report.summary()
    assert ten.query(f"select {columns} from acme_bronze.rest__table_1 order by id") == rows
    assert len(hourly_api.log) == 0


def test_a_variable_that_another_connection_lacks_stops_only_who_uses_it(ten: Any, hourly_api: Sandbox) -> None:
    ten.write_platform(f"""
        hourly-api: {{kind: rest, base_url: "{hourly_api.url}/rest"}}
        other-api: {{kind: rest, base_url: "${{PENSTOCK_TEST_UNSET}}"}}
    """)
    ten.write_pipeline(
        "other",
        """
            source: {kind: rest, connection: hourly-api}
            for_each: [{name: one, connection: hourly-api}, {name: two, connection: other-api}]
            window: {kind: full, timezone: UTC}
            load_strategy: {kind: append}
            datasets: [{name: things, path: /things}]
        """,
    )
    assert ten.run("ten", options={"at": AT}, datasets=["table_3"]).is_green
    with pytest.raises(ConfigurationError, match="`PENSTOCK_TEST_UNSET` is not set"):
        ten.run("other", options={"at": AT})
    assert len(ten.warehouse().loads()) == 1


def test_columns_that_are_new_are_told_in_the_runs_report(ten: Any) -> None:
    from flows.run_report import table_row

    ten.run("ten", options={"at": AT}, datasets=["table_5"])
    with ten.warehouse()._file.writing() as sql:
        sql.run("ALTER TABLE acme_bronze.rest__table_5 DROP updated_at")
    report = ten.run("ten", options={"at": AT + timedelta(days=1)}, datasets=["table_5"])
    (dataset,) = report.datasets
    assert dataset.result.columns_added == ("updated_at",)
    assert table_row(dataset)["remarks"] == "columns that came for the first time and were added: updated_at"
    first = ten.run("ten", options={"at": AT}, datasets=["table_6"]).datasets[0]
    assert table_row(first)["remarks"] == "-"


def test_a_load_strategy_for_one_run_replaces_the_files(ten: Any) -> None:
    for day in (0, 1):
        ten.run("ten", options={"at": AT + timedelta(days=day)}, datasets=["table_2"])
    assert ten.query("select count(*) from acme_bronze.rest__table_2") == [(48,)]
    report = ten.run(
        "ten", load_strategy={"kind": "full_refresh"}, options={"at": AT + timedelta(days=2)}, datasets=["table_2"]
    )
    assert report.is_green, report.summary()
    assert ten.query("select min(updated_at)[:10], count(*) from acme_bronze.rest__table_2") == [("2026-03-21", 24)]


def test_two_processes_at_once_leave_one_result_and_no_error_trace(ten: Any) -> None:
    command = [sys.executable, "-m", "deployments.cli", "run", "ten", "--at", AT.isoformat(), "--no-transform"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert "Traceback" not in "".join(text for output in outputs for text in output)
    for name in NAMES:
        assert ten.query(f"select count(*), count(distinct id) from acme_bronze.rest__{name}") == [(24, 24)]
    assert len(ten.warehouse().loads()) == len(NAMES)
