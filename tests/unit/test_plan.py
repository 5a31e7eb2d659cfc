"""What a run decides for each dataset, from the files and the ledger."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock.artifacts import Interval, RunKind, TableRef
from penstock.errors import ConfigurationError, GuardError
from penstock.ledger import LoadRecord
from penstock.pipeline import PIPELINES, PipelineSpec
from penstock.plan import DatasetPlan, RunOptions, RunRequest, Skip, backfill_zone, decide, select_datasets
from tests.fakes.records import load_record

AT = datetime(2026, 3, 20, 10, tzinfo=UTC)
TARGET = TableRef(schema_name="acme_bronze", name="rest__orders")


def pipeline(**changes: Any) -> PipelineSpec:
    orders = {"name": "orders", "path": "/orders", "window_parameters": {"start": "since", "end": "until"}}
    return PIPELINES["rest"].model_validate(
        {
            "version": 1,
            "pipeline": "acme-orders",
            "client": "acme",
            "source": {"kind": "rest", "connection": "acme-api"},
            "window": {"kind": "daily", "timezone": "America/New_York"},
            "load_strategy": {"kind": "append"},
            "datasets": [orders, {**orders, "name": "refunds", "path": "/refunds"}],
            **changes,
        }
    )


def request(**changes: Any) -> RunRequest:
    return RunRequest(**{"pipeline": "acme-orders", "scheduled_at": AT, "run_id": "run-1", **changes})


def record(start: datetime, end: datetime, run_kind: RunKind = RunKind.FORWARD) -> LoadRecord:
    interval = Interval(start=start, end=end, timezone="America/New_York", as_of=end)
    return load_record(interval, target=TARGET, run_kind=run_kind, batch_id="earlier")


YESTERDAY = (datetime(2026, 3, 19, 4, tzinfo=UTC), datetime(2026, 3, 20, 4, tzinfo=UTC))


def test_every_dataset_of_the_file_is_planned_for_the_windows_interval() -> None:
    decisions = decide(pipeline(), request(), {})
    assert [type(decision) for decision in decisions] == [DatasetPlan, DatasetPlan]
    assert [decision.interval.bounds() for decision in decisions] == [YESTERDAY, YESTERDAY]
    assert [str(decision.dataset.target) for decision in decisions] == [
        "acme_bronze.rest__orders",
        "acme_bronze.rest__refunds",
    ]


def test_only_what_the_ledger_lacks_is_planned() -> None:
    first, second = decide(pipeline(), request(), {TARGET: [record(*YESTERDAY)]})
    assert first == Skip(
        dataset="orders", target=TARGET, interval=first.interval, reason="already_loaded", has_rows=True
    )
    assert isinstance(second, DatasetPlan)


@pytest.mark.parametrize("options", [RunOptions(reload=True), RunOptions(reuse="ingest"), RunOptions(reuse="stage")])
def test_a_loaded_interval_is_loaded_again_when_the_run_asks_for_it(options: RunOptions) -> None:
    first, _ = decide(pipeline(), request(options=options), {TARGET: [record(*YESTERDAY)]})
    assert isinstance(first, DatasetPlan)
    assert first.load_plan(AT).reload


@pytest.mark.parametrize(("select", "is_refused"), [("new", True), ("window", False), ("all", False)])
@pytest.mark.parametrize("reuse", ["ingest", "stage"])
def test_batches_of_new_files_only_are_not_reused_for_a_whole_table(select: str, reuse: str, is_refused: bool) -> None:
    drops = {"name": "drops", "glob": "drops/*.csv", "select": select}
    spec = PIPELINES["s3_files"].model_validate(
        {
            "version": 1,
            "pipeline": "acme-drops",
            "client": "acme",
            "source": {"kind": "s3_files", "connection": "acme-drops"},
            "window": {"kind": "daily" if select == "window" else "full", "timezone": "UTC"},
            "load_strategy": {"kind": "append"},
            "datasets": [drops],
        }
    )
    asked = request(pipeline="acme-drops", options=RunOptions.model_validate({"reuse": reuse}))
    assert isinstance(decide(spec, request(pipeline="acme-drops"), {})[0], DatasetPlan)
    if not is_refused:
        assert isinstance(decide(spec, asked, {})[0], DatasetPlan)
        return
    with pytest.raises(ConfigurationError, match="cannot be reused") as caught:
        decide(spec, asked, {})
    assert caught.value.dataset == "drops"
    assert "without --reuse" in caught.value.guidance


def test_a_retry_of_a_run_has_the_same_batch_and_a_new_run_has_another() -> None:
    once, again, other = (decide(pipeline(), request(run_id=run_id), {})[0] for run_id in ("run-1", "run-1", "run-2"))
    assert once.batch_id == again.batch_id != other.batch_id
    assert once.batch_keys().ingest_prefix == again.batch_keys().ingest_prefix != other.batch_keys().ingest_prefix


def test_since_last_starts_where_the_last_forward_load_ended_and_ignores_backfills() -> None:
    window = {"kind": "since_last", "initial": "2026-03-01T00:00:00Z", "lag": "1h"}
    spec = pipeline(window=window)
    rows = [
        record(AT - timedelta(days=2), AT - timedelta(days=1)),
        record(AT - timedelta(hours=3), AT - timedelta(hours=2), RunKind.BACKFILL),
    ]
    first, second = decide(spec, request(), {TARGET: rows})
    assert first.interval.bounds() == (AT - timedelta(days=1), AT - timedelta(hours=1))
    assert second.interval.bounds() == (datetime(2026, 3, 1, tzinfo=UTC), AT - timedelta(hours=1))


def test_since_last_has_nothing_to_do_when_no_time_has_passed() -> None:
    spec = pipeline(window={"kind": "since_last", "initial": "2026-03-01T00:00:00Z"})
    first, _ = decide(spec, request(), {TARGET: [record(AT - timedelta(days=1), AT)]})
    assert isinstance(first, Skip)
    assert first.reason == "nothing_new"


def test_an_unknown_dataset_names_the_nearest_one() -> None:
    with pytest.raises(ConfigurationError, match=r"Did you mean orders\?"):
        select_datasets(pipeline(), ["order"])


def test_a_dataset_name_without_its_instance_means_all_instances() -> None:
    spec = pipeline(for_each=[{"name": "eu", "connection": "acme-eu"}, {"name": "us", "connection": "acme-us"}])
    assert [dataset.name for dataset in select_datasets(spec, ["orders"])] == ["eu__orders", "us__orders"]
    assert [dataset.connection for dataset in select_datasets(spec, ["us__orders"])] == ["acme-us"]


def test_a_backfill_refuses_a_dataset_that_ignores_its_window() -> None:
    whole = {"name": "countries", "path": "/countries", "window": {"kind": "full"}}
    spec = pipeline(datasets=[*pipeline().model_dump(exclude_unset=True)["datasets"], whole])
    with pytest.raises(ConfigurationError, match="without_window=countries"):
        backfill_zone(spec, None)
    assert backfill_zone(spec, ["orders"]) == "America/New_York"


def test_a_plan_crosses_processes_whole() -> None:
    plan = decide(pipeline(), request(), {})[0]
    copy = pickle.loads(pickle.dumps(plan))  # noqa: S301 - our own bytes
    assert copy == plan
    assert copy.dataset.spec.path == "/orders"


def test_after_a_full_refresh_another_strategy_loads_what_it_replaced_again() -> None:
    refreshed = record(AT - timedelta(days=3), AT - timedelta(days=2)).model_copy(update={"strategy": "full_refresh"})
    rows = {TARGET: [record(*YESTERDAY), refreshed]}
    appended, _ = decide(pipeline(), request(), rows)
    replaced, _ = decide(pipeline(load_strategy={"kind": "full_refresh"}), request(), rows)
    assert isinstance(appended, DatasetPlan)
    assert isinstance(replaced, Skip)


def test_a_window_for_one_run_leaves_a_dataset_alone_that_cannot_keep_to_it() -> None:
    whole = {"name": "countries", "path": "/countries", "window": {"kind": "full"}}
    spec = pipeline(datasets=[*pipeline().model_dump(exclude_unset=True)["datasets"], whole])
    window = {"kind": "interval", "start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
    decisions = decide(spec, request(window=window), {})
    assert [decision.interval.is_full for decision in decisions] == [False, False, True]


def test_a_reload_without_new_time_loads_the_last_interval_again() -> None:
    spec = pipeline(window={"kind": "since_last", "initial": "2026-03-01T00:00:00Z"})
    rows = {TARGET: [record(AT - timedelta(days=1), AT)]}
    first, _ = decide(spec, request(options=RunOptions(reload=True)), rows)
    assert isinstance(first, DatasetPlan)
    assert first.interval.bounds() == (AT - timedelta(days=1), AT)


def test_a_guard_for_one_run_leaves_the_others_as_the_file_says() -> None:
    orders = {
        "name": "orders",
        "path": "/orders",
        "window_parameters": {"start": "since", "end": "until"},
        "guards": {"minimum_fraction": 0.9, "maximum_rejected": 7},
    }
    options = RunOptions.model_validate({"guards": {"allow_empty": True}})
    (plan,) = decide(pipeline(datasets=[orders]), request(options=options), {})
    assert (plan.guards.allow_empty, plan.guards.minimum_fraction, plan.guards.maximum_rejected) == (True, 0.9, 7)


def test_a_strategy_that_cannot_work_on_the_runs_window_is_refused_before_anything_is_extracted() -> None:
    partition = pipeline(load_strategy={"kind": "partition", "column": "created_at"})
    with pytest.raises(ConfigurationError) as raised:
        decide(partition, request(window={"kind": "full", "timezone": "UTC"}), {})
    assert raised.value.context()["target"] == "acme_bronze.rest__orders"

    closing = pipeline(load_strategy={"kind": "historical", "keys": ["id"], "absent": "close"})
    with pytest.raises(GuardError):
        decide(closing, request(), {})
