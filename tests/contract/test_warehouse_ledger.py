"""The ledger of every warehouse: what a load leaves in it, and what is asked of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from penstock.artifacts import Interval, RunKind, TableRef
from penstock.errors import ConfigurationError, GuardError, PenstockError
from penstock.pipeline import PIPELINES, PipelineSpec
from penstock.plan import DatasetPlan, RunOptions, RunRequest, decide, explicit_window
from penstock.report import NodeReport, TransformReport
from penstock.transforms import TransformRun, transform_records
from tasks.staging.local import LocalStore
from tasks.warehouses.deciding import decide_by_ledger, decide_windows
from tests.contract.test_warehouse_contract import OPENERS
from tests.contract.warehouse_cases import TARGET, Loader, day

APPEND = {"kind": "append"}
FULL_REFRESH = {"kind": "full_refresh"}
OTHER = TableRef(schema_name="acme_bronze", name="rest__customers")


@pytest.fixture(params=sorted(OPENERS))
def loader(request: pytest.FixtureRequest, tmp_path: Path) -> Loader:
    return Loader(OPENERS[request.param](tmp_path), LocalStore(tmp_path / "lake"))


def test_a_load_leaves_one_row_that_tells_all_of_it(loader: Loader) -> None:
    plan = loader.plan(APPEND, at=(1, 3), timezone="America/New_York", run_kind=RunKind.BACKFILL, extracted=9)
    batch = loader.batch(plan, [{"csv": "id\n1\n2\n"}, {"csv": "id\n3\n"}])
    loader.warehouse.load(plan, batch, loader.store)
    (record,) = loader.warehouse.loads()
    assert record.batch_id == plan.batch_id
    assert (record.client, record.pipeline, record.source, record.dataset) == ("acme", "acme-orders", "rest", "orders")
    assert (record.target, record.strategy, record.run_kind) == (TARGET, "append", RunKind.BACKFILL)
    assert (record.interval_start, record.interval_end, record.timezone) == (day(1), day(3), "America/New_York")
    assert (record.extracted_at, record.as_of) == (day(9), plan.interval.as_of)
    assert (record.rows_staged, record.rows_landed, record.rows_rejected, record.rows_total) == (3, 3, 0, 3)
    assert (record.rows_inserted, record.rows_updated, record.rows_deleted) == (3, 0, 0)
    assert (record.file_count, record.size_bytes) == (2, sum(file.size_bytes for file in batch.files))
    assert record.loaded_at.tzinfo is UTC
    loaded_at = loader.warehouse.query(f"SELECT DISTINCT _loaded_at FROM {TARGET}").rows
    assert loaded_at == [(record.loaded_at,)]


def test_rows_come_in_the_order_of_their_commits_and_can_be_filtered(loader: Loader) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=3)
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=2, target=OTHER)
    ends = [record.interval_end for record in loader.warehouse.loads()]
    assert ends == [day(4), day(2), day(3)]
    assert [record.interval_end for record in loader.warehouse.loads(targets=[TARGET])] == [day(4), day(2)]
    assert [record.interval_end for record in loader.warehouse.loads(targets=[OTHER, TARGET])] == ends


def test_a_run_is_decided_from_few_rows_as_it_would_be_from_all(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[dict[str, str], object, dict[str, object]]] = [
        (APPEND, 1, {}),
        (APPEND, 3, {"run_kind": RunKind.BACKFILL}),
        (APPEND, (4, 6), {}),
        (FULL_REFRESH, 6, {"run_kind": RunKind.BACKFILL, "guards": {"minimum_fraction": 0}}),
        (APPEND, 6, {"reload": True}),
        (APPEND, (7, 7.5), {}),
        (APPEND, (7.5, 8), {}),
        (APPEND, 9, {"run_kind": RunKind.BACKFILL}),
        (FULL_REFRESH, None, {"target": OTHER, "as_of": day(9)}),
        (FULL_REFRESH, None, {"target": OTHER, "as_of": day(8), "run_kind": RunKind.BACKFILL, "reload": True}),
    ]
    for strategy, at, options in given:
        loader.load(strategy, [{"csv": "id\n1\n"}], at=at, **options)
    warehouse = loader.warehouse
    monkeypatch.setattr(warehouse, "loads", remembered(warehouse.loads))
    rows = warehouse.loads()
    assert len(rows) == len(given)
    records = {target: [row for row in rows if row.target == target] for target in (TARGET, OTHER)}
    windows = ({"kind": "daily"}, {"kind": "daily", "days": 3}, {"kind": "since_last", "lookback": "1d"})
    outcomes = set()
    for window, strategy, at in itertools.product(windows, (APPEND, FULL_REFRESH), range(2, 12)):
        asked = RunRequest(pipeline="acme-orders", scheduled_at=day(at), run_id="run", load_strategy=strategy)
        for options in (RunOptions(), RunOptions(reload=True)):
            request = asked.model_copy(update={"options": options})
            spec = two_tables(window)
            decisions = decide_by_ledger(spec, request, warehouse)
            assert decisions == decide(spec, request, records), (window, strategy, at)
            outcomes |= {(one.name if isinstance(one, DatasetPlan) else one.reason) for one in decisions}
    assert outcomes == {"orders", "customers", "already_loaded", "nothing_new"}
    few = warehouse.loads(targets=[TARGET], touching=(day(1.5), day(2)))
    assert [row.interval_start for row in few] == [day(1), day(6), day(7.5), day(9)]


@pytest.mark.parametrize(
    ("window", "options", "count"),
    [
        ({"kind": "daily"}, RunOptions(), 1),
        ({"kind": "daily"}, RunOptions(reload=True), 2),
        ({"kind": "since_last"}, RunOptions(), 2),
    ],
)
def test_the_ledger_is_asked_where_tables_stand_only_by_runs_that_depend_on_it(
    loader: Loader, monkeypatch: pytest.MonkeyPatch, window: dict[str, str], options: RunOptions, count: int
) -> None:
    asked: list[object] = []
    ask = loader.warehouse.loads
    monkeypatch.setattr(loader.warehouse, "loads", lambda **question: asked.append(question) or ask(**question))
    request = RunRequest(pipeline="acme-orders", scheduled_at=day(9), run_id="run", options=options)
    decide_by_ledger(two_tables(window), request, loader.warehouse)
    assert len(asked) == count


@pytest.mark.parametrize("options", [RunOptions(), RunOptions(reload=True)])
def test_windows_are_decided_from_one_reading_as_each_would_be_by_itself(
    loader: Loader, monkeypatch: pytest.MonkeyPatch, options: RunOptions
) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=2)
    loader.load(FULL_REFRESH, [{"csv": "id\n1\n"}], at=6, run_kind=RunKind.BACKFILL)
    for at in ((3, 5), 8):
        loader.load(APPEND, [{"csv": "id\n1\n"}], at=at)
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=4, target=OTHER)
    asked: list[object] = []
    ask = loader.warehouse.loads
    rows = ask()
    records = {target: [row for row in rows if row.target == target] for target in (TARGET, OTHER)}
    monkeypatch.setattr(loader.warehouse, "loads", lambda **question: asked.append(question) or ask(**question))
    request = RunRequest(
        pipeline="acme-orders",
        scheduled_at=day(12),
        run_id="run",
        run_kind=RunKind.BACKFILL,
        datasets=("orders",),
        options=options,
    )
    spec = two_tables({"kind": "daily"})
    intervals = [Interval(start=day(at), end=day(at + 1), timezone="UTC", as_of=day(at + 1)) for at in range(1, 10)]

    found = decide_windows(spec, request, intervals, loader.warehouse)

    assert len(asked) == 1
    windows = [explicit_window(*interval.bounds(), "UTC") for interval in intervals]
    assert list(found) == [decide(spec, request.model_copy(update={"window": window}), records) for window in windows]
    to_load = [at for at, (one,) in enumerate(found, start=1) if isinstance(one, DatasetPlan)]
    assert to_load == [at for at in range(1, 10) if options.reload or at not in {3, 4, 6, 8}]


def remembered(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a way to ask a ledger that does not change: the same question is asked once."""
    known: dict[str, Any] = {}

    def answer(**question: Any) -> Any:
        text = repr(question)
        if text not in known:
            known[text] = ask(**question)
        return known[text]

    return answer


def two_tables(window: dict[str, str]) -> PipelineSpec:
    """Returns a pipeline over both tables: one is read by a window, the other one whole."""
    timed = {"window_parameters": {"start": "since", "end": "until"}}
    more = {"initial": "2026-03-01T00:00:00Z"} if window["kind"] == "since_last" else {}
    return PIPELINES["rest"].model_validate(
        {
            "version": 1,
            "pipeline": "acme-orders",
            "client": "acme",
            "source": {"kind": "rest", "connection": "acme-api"},
            "load_strategy": APPEND,
            "datasets": [
                {"name": "orders", "path": "/orders", "window": {"timezone": "UTC", **window, **more}, **timed},
                {"name": "customers", "path": "/customers", "window": {"kind": "full", "timezone": "UTC"}},
            ],
        }
    )


def test_a_batch_that_is_in_the_ledger_is_not_loaded_again_even_by_a_reload(loader: Loader) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n"}], batch_id="one")
    again = loader.load(APPEND, [{"csv": "id\n2\n"}], batch_id="one", reload=True, at=5)
    assert (again.outcome, again.rows_landed, again.batch_id) == ("already_loaded", 0, "one")
    assert loader.rows() == [{"id": "1"}]
    assert len(loader.warehouse.loads()) == 1


def test_an_interval_is_covered_by_loads_of_its_own_table_only(loader: Loader) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    assert loader.load(APPEND, [{"csv": "id\n1\n"}], at=1, target=OTHER).outcome == "loaded"
    assert loader.load(APPEND, [{"csv": "id\n1\n"}], at=1, target=OTHER).outcome == "already_loaded"


def test_a_load_that_failed_leaves_nothing_and_can_be_tried_again(loader: Loader) -> None:
    plan = loader.plan(APPEND)
    with pytest.raises(PenstockError):
        loader.warehouse.load(plan, loader.batch(plan, [{"csv": "id\n1\n2,2\n"}]), loader.store)
    assert loader.warehouse.loads() == []
    assert not loader.is_there()
    good = loader.warehouse.load(plan, loader.batch(plan, [{"csv": "id\n1\n2\n"}]), loader.store)
    assert good.rows_landed == 2


def test_a_warehouse_without_loads_has_an_empty_ledger(loader: Loader) -> None:
    assert loader.warehouse.loads() == []
    assert loader.warehouse.seen_files(TARGET, [("a.csv", "1")]) == set()
    loader.warehouse.migrate()
    loader.warehouse.migrate()
    assert loader.warehouse.loads() == []
    assert loader.warehouse.query("SELECT count(*) FROM penstock.loads").rows == [(0,)]


def test_files_are_seen_while_the_table_holds_that_content_of_them(loader: Loader) -> None:
    both = [("a.csv", "1"), ("b.csv", "1"), ("a.csv", "2"), ("c.csv", "1")]
    loader.load(APPEND, [{"csv": "id\n1\n", "source": "a.csv", "etag": "1"}], at=None)
    assert loader.warehouse.seen_files(TARGET, both) == {("a.csv", "1")}
    loader.load(
        APPEND,
        [{"csv": "id\n2\n", "source": "a.csv", "etag": "2"}, {"csv": "", "source": "b.csv", "etag": "1"}],
        at=None,
    )
    assert loader.warehouse.seen_files(TARGET, both) == {("a.csv", "2"), ("b.csv", "1")}
    assert loader.warehouse.seen_files(OTHER, both) == set()
    assert loader.warehouse.seen_files(TARGET, []) == set()


def test_the_ledger_knows_of_a_file_what_was_at_its_source_and_an_archive_is_seen_as_a_whole(loader: Loader) -> None:
    moment = datetime(2026, 3, 19, 12, 30, tzinfo=UTC)
    whole = {"etag": "7", "source_key": "a.zip", "source_size_bytes": 99, "source_modified_at": moment}
    loader.load(
        APPEND,
        [{"csv": "id\n1\n", "source": "a.zip#x.csv", **whole}, {"csv": "id\n2\n", "source": "a.zip#y.csv", **whole}],
        at=None,
    )
    held = [("a.zip", "7"), ("a.zip", "6"), ("a.zip#x.csv", "7")]
    assert loader.warehouse.seen_files(TARGET, held) == {("a.zip", "7")}
    found = loader.warehouse.query(
        "SELECT source_name, source_key, source_etag, source_size_bytes, source_modified_at FROM penstock.files"
    )
    rows = sorted((*row[:4], row[4].astimezone(UTC)) for row in found.rows)
    assert rows == [(f"a.zip#{part}.csv", "a.zip", "7", 99, moment) for part in ("x", "y")]


def test_files_of_a_load_that_failed_are_not_seen(loader: Loader) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n", "source": "a.csv", "etag": "1"}], at=(1, 3))
    with pytest.raises(GuardError):
        loader.load(APPEND, [{"csv": "id\n2\n", "source": "b.csv", "etag": "1"}], at=(2, 4))
    assert loader.warehouse.seen_files(TARGET, [("b.csv", "1")]) == set()


PREVIEWS = [
    ({"kind": "append"}, "(INSERT INTO|COPY) {target}", "DELETE FROM {target}"),
    ({"kind": "full_refresh"}, "(CREATE OR REPLACE TABLE|INSERT( OVERWRITE)? INTO|COPY) {target}", "{target}"),
    ({"kind": "partition", "column": "day"}, "(INSERT INTO|COPY) {target}", "DELETE FROM {target}"),
    ({"kind": "incremental", "keys": ["id"], "order_by": "v"}, "INSERT INTO {target}", "DELETE FROM {target}"),
    ({"kind": "historical", "keys": ["id"]}, "INSERT INTO {target}", "(UPDATE|DELETE FROM) {target}"),
    (
        {"kind": "historical", "keys": ["id"], "absent": "close"},
        "INSERT INTO {target}",
        r"UPDATE {target} AS t\s+SET _valid_to = '?.*_is_current = false\s+WHERE t._is_current",
    ),
    (
        {"kind": "cdc", "keys": ["id"], "order_by": "v", "delete_column": "op"},
        "INSERT INTO {target}",
        "DELETE FROM {target}",
    ),
]


@pytest.mark.parametrize(("strategy", "first", "later"), PREVIEWS, ids=lambda value: str(value)[:24])
def test_a_preview_shows_what_a_load_would_do_to_the_table_as_it_is_and_touches_nothing(
    loader: Loader, strategy: dict[str, Any], first: str, later: str
) -> None:
    target = '"acme_bronze"."rest__orders"'
    statements = loader.warehouse.preview(loader.plan(strategy), [])
    assert any(one.startswith("BEGIN") for one in statements)
    assert statements[-1] == "COMMIT"
    assert any(re.search(first.format(target=target), one, re.IGNORECASE) for one in statements)
    assert any("<columns of the files>" in one.lower() for one in statements)
    assert any("penstock.loads" in one for one in statements)
    assert not any("rejected" in one or "MACRO" in one for one in statements)
    assert loader.warehouse.loads() == []
    assert not loader.is_there()

    loader.load(APPEND, [{"csv": "id,v,op,day\n1,1,i,2026-03-01\n"}])
    statements = loader.warehouse.preview(loader.plan(strategy), [])
    assert any(re.search(later.format(target=target), one, re.IGNORECASE) for one in statements)
    assert not any("<columns of the files>" in one.lower() for one in statements)
    assert len(loader.warehouse.loads()) == 1


def test_a_plan_and_files_of_different_batches_are_refused(loader: Loader) -> None:
    batch = loader.batch(loader.plan(APPEND), [])
    with pytest.raises(ConfigurationError, match="not of one batch"):
        loader.warehouse.load(loader.plan(APPEND), batch, loader.store)


def test_a_query_gives_columns_and_rows_in_its_order(loader: Loader) -> None:
    loader.load(APPEND, [{"csv": "id,name\n1,one\n2,\n"}])
    answer = loader.warehouse.query(f"SELECT name, id FROM {TARGET} WHERE id <> ? ORDER BY id DESC", ["9"])
    assert answer.columns == ("name", "id")
    assert answer.rows == [(None, "2"), ("one", "1")]


def test_a_query_cannot_write(loader: Loader) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n"}])
    with pytest.raises(PenstockError):
        loader.warehouse.query(f"DELETE FROM {TARGET}")
    assert loader.rows() == [{"id": "1"}]


def test_many_small_files_land_in_their_order(loader: Loader) -> None:
    files = [{"csv": f"id,at_file\n1,{number}\n", "source": f"{number:03}.csv"} for number in range(150)]
    loader.load({"kind": "incremental", "keys": ["id"]}, files)
    assert loader.rows() == [{"id": "1", "at_file": "149"}]


def test_a_runs_transform_is_recorded_once_however_often_it_is_told(loader: Loader) -> None:
    run = TransformRun("acme", "acme-orders", "run-1")
    failed = NodeReport(
        unique_id="test.p.unique_id",
        name="unique_id",
        resource_type="test",
        status="fail",
        seconds=0.25,
        message="Got 2 results, it's \\ 'bad'",
        failures=2,
        failing_rows_query="select 1 as \"id\"\nwhere 'a' = 'b\\n'",
    )
    built = NodeReport(
        unique_id="model.p.fct",
        name="fct",
        resource_type="model",
        status="success",
        seconds=1.5,
        rows=7,
        relation='"gold"."fct"',
        started_at=day(3),
        attempts=2,
    )
    for nodes in ([built], [built, failed]):
        report = TransformReport(outcome="failed", transform_id="t1", nodes=tuple(nodes))
        loader.warehouse.record_transform(transform_records(run, report, day(4)))
    other = TransformReport(outcome="built", transform_id="t1", nodes=(built,))
    loader.warehouse.record_transform(transform_records(run._replace(run_id="run-2"), other, day(5)))
    columns = "node_name, status, attempts, started_at, seconds, rows_affected, failures, message, failing_rows_query"
    rows = loader.warehouse.query(
        f"SELECT {columns}, recorded_at FROM penstock.transforms WHERE run_id = 'run-1' ORDER BY node_name"
    ).rows
    assert rows == [
        ("fct", "success", 2, day(3), 1.5, 7, None, None, None, day(4)),
        ("unique_id", "fail", 1, None, 0.25, None, 2, failed.message, failed.failing_rows_query, day(4)),
    ]
    assert loader.warehouse.query("SELECT count(*) FROM penstock.transforms").rows == [(3,)]
