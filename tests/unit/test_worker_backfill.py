"""How a backfill goes over its windows on workers: how many at once, in which order, and when it stops."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from deployments import worker_backfill
from deployments.backfilling import BackfillWindow
from deployments.worker_backfill import WindowRuns, run_key
from penstock.artifacts import Interval
from penstock.backfill import must_go_in_order, replaces_all
from penstock.pipeline import PIPELINES
from penstock.report import DatasetReport, TransformReport, WindowReport
from penstock.strategy import Append, Cdc, FullRefresh, Historical, Incremental, LoadStrategy, Partition

KEYS = ("id",)


class Ended(NamedTuple):
    run_id: str


class ScriptedRuns:
    """Runs that end, one a look, in the order they were started; those of some days fail."""

    deployment_id = "d"

    def __init__(self, *, own_limit: int = 100, failing: tuple[int, ...] = ()) -> None:
        self.own_limit, self.failing = own_limit, failing
        self.started: list[dict[str, Any]] = []
        self.most = 0

    def at_once(self, asked: int | None, default: int) -> int:
        return min(asked or default, self.own_limit)

    def start(self, key: str, parameters: dict[str, Any]) -> str:
        self.started.append(parameters)
        return parameters["window"]["start"]

    def ended(self, run_ids: list[str]) -> list[Ended]:
        self.most = max(self.most, len(run_ids))
        return [Ended(run_ids[0])]

    def window_report(self, ended: Ended, interval: Interval) -> WindowReport:
        start, _ = interval.bounds()
        assert datetime.fromisoformat(ended.run_id) == start, "each window gets the report of its own run"
        outcome = "failed" if start.day in self.failing else "loaded"
        return WindowReport(interval=interval, outcome=outcome)

    def transform_report(self, ended: Ended) -> TransformReport:
        return TransformReport(outcome="built")


def pipeline(strategy: str) -> Any:
    return PIPELINES["rest"].model_validate({
        "version": 1,
        "pipeline": "acme-shop",
        "client": "acme",
        "source": {"kind": "rest", "connection": "shop"},
        "window": {"kind": "daily", "timezone": "UTC"},
        "load_strategy": {"kind": strategy} | ({"keys": ["id"]} if strategy == "incremental" else {}),
        "datasets": [{"name": "orders", "path": "/orders", "window_parameters": {"start": "since", "end": "until"}}],
    })  # fmt: skip


def windows(count: int, *, loaded: tuple[int, ...] = ()) -> list[BackfillWindow]:
    first = datetime(2026, 3, 1, tzinfo=UTC)
    days = [(first + timedelta(days=day), first + timedelta(days=day + 1)) for day in range(count)]
    return [
        BackfillWindow(
            interval=Interval(start=start, end=end, as_of=end), missing=() if start.day in loaded else ("orders",)
        )
        for start, end in days
    ]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_backfill, "POLL_SECONDS", 0)


@pytest.mark.parametrize(
    ("strategy", "asked", "own_limit", "most"),
    [("append", None, 100, 4), ("append", 2, 100, 2), ("append", 5, 3, 3), ("incremental", 5, 100, 1)],
)
def test_as_many_go_at_once_as_are_asked_for_the_deployment_lets_and_the_tables_bear(
    strategy: str, asked: int | None, own_limit: int, most: int
) -> None:
    runs = ScriptedRuns(own_limit=own_limit)
    ask = WindowRuns(datasets=None, transform=False, reload=False, limit=asked)
    reports = worker_backfill._run_windows(runs, pipeline(strategy), windows(6), ask)  # type: ignore[arg-type]
    assert [one.outcome for one in reports] == ["loaded"] * 6
    assert runs.most == most
    assert [one["window"]["start"][8:10] for one in runs.started] == [f"0{day}" for day in range(1, 7)]
    assert {one["transform"] for one in runs.started} == {False}


def test_after_a_failure_what_is_under_way_ends_and_nothing_new_is_started() -> None:
    runs = ScriptedRuns(failing=(2,))
    ask = WindowRuns(datasets=None, transform=True, reload=False, limit=2)
    shop, days = pipeline("append"), windows(6, loaded=(1,))
    reports = worker_backfill._run_windows(runs, shop, days, ask)  # type: ignore[arg-type]
    assert [one.outcome for one in reports] == ["already_loaded", "failed", "loaded", *["not_started"] * 3]
    built = worker_backfill._transform(runs, shop, reports, ask)  # type: ignore[arg-type]
    assert built.outcome == "not_run"


def test_dbt_runs_once_over_the_whole_range_where_all_is_loaded_already() -> None:
    runs = ScriptedRuns()
    ask = WindowRuns(datasets=["orders"], transform=True, reload=False)
    shop, days = pipeline("append"), windows(3, loaded=(1, 2, 3))
    reports = worker_backfill._run_windows(runs, shop, days, ask)  # type: ignore[arg-type]
    assert runs.started == []
    assert worker_backfill._transform(runs, shop, reports, ask).outcome == "built"  # type: ignore[arg-type]
    (parameters,) = runs.started
    assert (parameters["window"]["start"], parameters["window"]["end"]) == (
        "2026-03-01T00:00:00Z",
        "2026-03-04T00:00:00Z",
    )
    assert (parameters["transform"], parameters["datasets"]) == (True, ["orders"])


def test_a_table_that_each_window_replaces_is_transformed_by_each_window() -> None:
    runs = ScriptedRuns()
    ask = WindowRuns(datasets=None, transform=True, reload=True, limit=3)
    shop, days = pipeline("full_refresh"), windows(3, loaded=(1,))
    reports = worker_backfill._run_windows(runs, shop, days, ask)  # type: ignore[arg-type]
    assert (runs.most, [one["transform"] for one in runs.started]) == (1, [True] * 3)
    assert {one["options"]["reload"] for one in runs.started} == {True}
    assert worker_backfill._transform(runs, shop, reports, ask).outcome == "not_run"  # type: ignore[arg-type]


def test_a_windows_key_is_its_own_and_stays() -> None:
    ask = WindowRuns(datasets=None, transform=False, reload=False)
    first, second = (one.interval for one in windows(2))
    parameters = [ask.parameters("acme-shop", one, transform=False, reload=False) for one in (first, second, first)]
    keys = [run_key("deployment", one) for one in parameters]
    assert keys[0] == keys[2] != keys[1]
    assert run_key("another", parameters[0]) != keys[0]
    reloading = ask.parameters("acme-shop", first, transform=False, reload=True)
    assert run_key("deployment", reloading) != keys[0]


@pytest.mark.parametrize(
    ("strategy", "replaces", "in_order"),
    [
        (FullRefresh(kind="full_refresh"), True, True),
        (Append(kind="append"), False, False),
        (Partition(kind="partition", column="day"), False, False),
        (Incremental(kind="incremental", key_columns=KEYS), False, True),
        (Incremental(kind="incremental", key_columns=KEYS, order_by="at"), False, False),
        (Historical(kind="historical", key_columns=KEYS), False, True),
        (Historical(kind="historical", key_columns=KEYS, order_by="at"), False, False),
        (Cdc(kind="cdc", key_columns=KEYS, order_by="at", delete_column="op"), False, False),
    ],
)
def test_windows_go_in_order_where_what_is_loaded_last_wins(
    strategy: LoadStrategy, replaces: bool, in_order: bool
) -> None:
    assert (replaces_all([strategy]), must_go_in_order([strategy])) == (replaces, in_order)


def test_a_window_is_as_good_as_the_worst_of_its_datasets() -> None:
    from penstock.report import window_report

    (window,) = windows(1)
    made = {
        outcome: DatasetReport(
            dataset=outcome, target="a.b", outcome=outcome, error="no" if outcome == "failed" else None
        )
        for outcome in ("loaded", "already_loaded", "nothing_new", "failed")
    }
    assert window_report(window.interval, made.values()).outcome == "failed"
    assert window_report(window.interval, made.values()).error == "failed: no"
    assert window_report(window.interval, [made["nothing_new"], made["loaded"]]).outcome == "loaded"
    assert window_report(window.interval, [made["nothing_new"], made["already_loaded"]]).outcome == "already_loaded"
    assert window_report(window.interval, []).outcome == "nothing_new"
