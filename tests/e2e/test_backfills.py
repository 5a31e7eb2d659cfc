"""Backfills: what they report, and their windows as runs on a real worker, killed half-way and begun again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, FlowRunFilter, FlowRunFilterTags
from prefect.settings import PREFECT_API_URL, temporary_settings

from penstock.artifacts import RunKind
from penstock.errors import ConfigurationError
from penstock.ledger import last_end
from sandbox.faults import Fault
from sandbox.rest.collection import Collection, TimeFilter
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings

BIN = Path(sys.executable).parent
RANGE = ("--from", "2026-03-01", "--to", "2026-03-05", "--no-transform", "--json")


def hourly(start: datetime | None, end: datetime | None) -> list[dict[str, Any]]:
    assert start is not None
    assert end is not None
    hours = int((end - start) / timedelta(hours=1))
    return [{"id": f"{start + timedelta(hours=hour):%Y%m%d%H}"} for hour in range(hours)]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    collection = Collection(records=hourly, time_filter=TimeFilter(start_name="since", end_name="until"))
    with serve(SandboxSettings(collections={"orders": collection})) as sandbox:
        yield sandbox


@pytest.fixture
def shop(project: Any, sandbox: Sandbox) -> Any:
    project.write_platform(
        f'shop-api: {{kind: rest, base_url: "{sandbox.url}/rest"}}', more="work_pool: shop\nconcurrent_runs: 2\n"
    )
    project.write_pipeline(
        "shop",
        """
            source: {kind: rest, connection: shop-api}
            window: {kind: daily, timezone: UTC}
            load_strategy: {kind: append}
            datasets:
              - {name: orders, path: /orders, records: data, window_parameters: {start: since, end: until}}
        """,
    )
    return project


@pytest.fixture
def client(prefect_url: str) -> Iterator[SyncPrefectClient]:
    with temporary_settings({PREFECT_API_URL: prefect_url}), get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def deployed(shop: Any) -> Any:
    done = subprocess.run(
        [str(BIN / "penstock"), "deploy", "--create-pool"], cwd=shop.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return shop


@contextmanager
def worker(folder: Path) -> Iterator[None]:
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [str(BIN / "prefect"), "worker", "start", "--pool", "shop"],
            cwd=folder,
            env={**os.environ, "PREFECT_WORKER_QUERY_SECONDS": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)


def backfill(*more: str, pipeline: str = "shop") -> subprocess.Popen[str]:
    command = [str(BIN / "penstock"), "backfill", pipeline, *RANGE, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def runs_of_windows(client: SyncPrefectClient) -> list[Any]:
    return client.read_flow_runs(flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=["backfill"])))


def test_windows_run_on_workers_and_a_killed_command_joins_what_is_under_way(
    deployed: Any, client: SyncPrefectClient
) -> None:
    shop = deployed
    first = backfill("--on-workers", "--limit", "2")
    while len(runs_of_windows(client)) < 2:
        assert first.poll() is None, first.communicate()
        time.sleep(0.2)
    first.kill()
    first.communicate()

    second = backfill("--on-workers", "--limit", "2")
    assert second.stderr is not None
    joined = [second.stderr.readline(), second.stderr.readline()]
    assert ["is joined" in line for line in joined] == [True, True], joined
    assert len(runs_of_windows(client)) == 2, "no more than two go at once, and none is started twice"
    with worker(shop.root):
        output, errors = second.communicate(timeout=250)
    assert second.returncode == 0, output + errors + (shop.root / "worker.log").read_text()[-4000:]
    assert [one["outcome"] for one in json.loads(output)["windows"]] == ["loaded"] * 4

    runs = runs_of_windows(client)
    assert sorted(run.parameters["window"]["start"][:10] for run in runs) == [f"2026-03-0{day}" for day in (1, 2, 3, 4)]
    assert {run.state.type.value for run in runs} == {"COMPLETED"}
    assert shop.query("select count(*), count(distinct id), min(id), max(id) from acme_bronze.rest__orders") == [
        (96, 96, "2026030100", "2026030423")
    ]
    loads = shop.warehouse().loads()
    assert sorted(load.interval_start for load in loads) == [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    assert {load.run_kind for load in loads} == {RunKind.BACKFILL}
    assert last_end(loads) is None, "a backfill moves no forward position"

    again = backfill("--on-workers")
    output, errors = again.communicate(timeout=100)
    assert again.returncode == 0, errors
    assert {one["outcome"] for one in json.loads(output)["windows"]} == {"already_loaded"}
    assert len(runs_of_windows(client)) == 4, "nothing was started for what the ledger has"


def test_a_pipeline_that_is_not_deployed_says_so(shop: Any) -> None:
    path = shop.root / "deployments/clients/acme/shop.yaml"
    text = path.read_text().replace("pipeline: shop", "pipeline: lost")
    path.unlink()
    path.with_name("lost.yaml").write_text(text)
    process = backfill("--on-workers", pipeline="lost")
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 2
    assert "acme/lost" in errors
    assert "penstock deploy" in errors


def test_a_backfill_here_reports_each_window_as_json_and_in_prefect(
    shop: Any, client: SyncPrefectClient, sandbox: Sandbox
) -> None:
    fault = Fault(kind="server_error", path="/rest/orders", status=403, contains="since=2026-03-03", times=None)
    sandbox.faults.add(fault)
    process = backfill()
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 1, output + errors
    report = json.loads(output)
    assert [one["outcome"] for one in report["windows"]] == ["loaded", "loaded", "failed", "not_started"]
    assert "403" in report["windows"][2]["error"] or "refused" in report["windows"][2]["error"]
    found = client.read_latest_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["shop-backfill"])))
    (artifact,) = found
    rows = json.loads(artifact.data)
    assert [(row["outcome"], row["rows"]) for row in rows] == [
        ("loaded", 24),
        ("loaded", 24),
        ("failed", 0),
        ("not started", 0),
    ]
    assert "2 of 4 windows; 2 loads, 48 rows. Stopped: orders:" in artifact.description

    sandbox.reset()
    process = backfill()
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 0, output + errors
    report = json.loads(output)
    assert [one["outcome"] for one in report["windows"]] == ["already_loaded"] * 2 + ["loaded"] * 2


def test_a_backfill_is_resolved_from_the_time_it_is_asked_to_be_of(shop: Any) -> None:
    from flows.backfill_flow import backfill as backfill_flow

    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    options = {"options": {"at": at}, "transform": False, "return_state": True}
    assert backfill_flow("shop", start, end, **options).is_completed()
    (load,) = shop.warehouse().loads()
    assert (load.as_of, load.interval_end) == (at, end)
    state = backfill_flow("shop", start, end + timedelta(days=1), **options)
    with pytest.raises(ConfigurationError, match="time that has not passed"):
        state.result()
    tomorrow = {**options, "options": {"at": datetime.now(UTC) + timedelta(days=1)}}
    with pytest.raises(ConfigurationError, match="time that has not passed"):
        backfill_flow("shop", start, end, **tomorrow).result()


def test_a_backfill_reads_the_ledger_once_for_many_windows_and_loads_what_it_lacks(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import backfill_flow
    from tasks.warehouses.duckdb.warehouse import DuckDBWarehouse

    readings: list[Any] = []
    read = DuckDBWarehouse.loads
    monkeypatch.setattr(
        DuckDBWarehouse, "loads", lambda self, **question: readings.append(question) or read(self, **question)
    )
    monkeypatch.setattr(backfill_flow, "_DECIDED_AT_ONCE", 2)
    march = [datetime(2026, 3, day, tzinfo=UTC) for day in range(1, 7)]
    options = {"transform": False, "return_state": True}
    assert backfill_flow.backfill("shop", march[2], march[3], **options).is_completed()
    assert len(readings) == 1

    assert backfill_flow.backfill("shop", march[0], march[5], **options).is_completed()

    assert len(readings) == 1 + 3, "five windows, two at once"
    loads = shop.warehouse().loads()
    assert [load.interval_start for load in loads] == [march[2], march[0], march[1], march[3], march[4]]
    assert shop.query("select count(*), count(distinct id) from acme_bronze.rest__orders") == [(120, 120)]
