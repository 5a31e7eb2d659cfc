from __future__ import annotations

from typing import Any

import pytest

from penstock.findings import Finding, nearest
from penstock.pipeline import PIPELINES
from penstock.pipeline_checks import check_pipeline

REPORT = {"name": "contacts", "report": "ContactTimestampsReport"}
MINUTES_REPORT = {"name": "contacts", "report": "ContactExportReportV3"}
ENDPOINT = {"name": "orders", "path": "/orders"}


def findings(kind: str = "gladly", **changes: Any) -> list[Finding]:
    fields: dict[str, Any] = {
        "version": 1,
        "pipeline": "acme-daily",
        "client": "acme",
        "source": {"kind": kind, "connection": "acme"},
        "window": {"kind": "daily"},
        "load_strategy": {"kind": "append"},
        "datasets": [REPORT if kind == "gladly" else ENDPOINT],
    }
    return check_pipeline(PIPELINES[kind].model_validate({**fields, **changes}))


def only(kind: str = "gladly", **changes: Any) -> Finding:
    found = findings(kind, **changes)
    assert len(found) == 1, found
    return found[0]


def test_a_sound_pipeline_has_no_findings() -> None:
    assert findings() == []


def test_two_datasets_of_one_name_are_an_error_at_the_second() -> None:
    finding = only(datasets=[REPORT, {"name": "contacts", "report": "TaskTimestampsReport"}])
    assert finding.where == ("datasets", 1, "name")
    assert finding.is_error


def test_two_instances_of_one_name_are_an_error() -> None:
    found = findings(for_each=[{"name": "us", "connection": "a"}, {"name": "us", "connection": "b"}])
    assert found[0].where == ("for_each", 1, "name")


def test_two_datasets_in_one_table_are_an_error_that_names_both_and_the_table() -> None:
    finding = only(datasets=[REPORT, {"name": "others", "report": "TaskTimestampsReport", "table": "gladly__contacts"}])
    assert finding.where == ("datasets", 1, "table")
    assert all(word in finding.message for word in ("`contacts`", "`others`", "acme_bronze.gladly__contacts"))


def test_instances_that_share_a_named_table_are_an_error() -> None:
    finding = only(
        datasets=[{**REPORT, "table": "contacts"}],
        for_each=[{"name": "us", "connection": "a"}, {"name": "eu", "connection": "b"}],
    )
    assert all(word in finding.message for word in ("us__contacts", "eu__contacts"))


@pytest.mark.parametrize("key", ["window", "load_strategy"])
def test_a_missing_window_or_strategy_names_both_places(key: str) -> None:
    finding = only(**{key: None})
    assert finding.where == (key,)
    assert "top of the pipeline" in finding.guidance
    assert "in each dataset" in finding.guidance


def test_a_window_that_only_one_dataset_lacks_is_reported_there() -> None:
    other = {"name": "tasks", "report": "TaskTimestampsReport", "window": {"kind": "daily"}}
    finding = only(window=None, datasets=[other, REPORT])
    assert finding.where == ("datasets", 1, "window")
    assert "`contacts`" in finding.message


def test_append_is_allowed_where_runs_are_as_far_apart_as_their_windows_are_long() -> None:
    weekly = {"kind": "daily", "days": 7}
    schedules = [{"cron": "0 6 * * MON", "timezone": "UTC"}]
    assert findings(window=weekly, load_strategy={"kind": "append"}, schedules=schedules) == []


def test_append_is_refused_where_windows_overlap() -> None:
    finding = only(window={"kind": "daily", "days": 3})
    assert finding.where == ("load_strategy",)
    assert "overlap" in finding.message
    assert findings(window={"kind": "daily", "days": 3}, load_strategy={"kind": "incremental", "keys": ["id"]}) == []


def test_closing_absent_keys_is_refused_on_a_slice() -> None:
    strategy = {"kind": "historical", "keys": ["id"], "absent": "close"}
    assert only(load_strategy=strategy).where == ("load_strategy", "absent")
    assert findings("rest", load_strategy=strategy, window={"kind": "full"}) == []


def test_closing_absent_keys_is_refused_where_a_full_extraction_is_not_all_there_is() -> None:
    finding = only(
        "s3_files",
        datasets=[{"name": "drops", "glob": "*.csv"}],
        window={"kind": "full"},
        load_strategy={"kind": "historical", "keys": ["id"], "absent": "close"},
    )
    assert "does not hold every row" in finding.message


@pytest.mark.parametrize(
    ("kind", "dataset", "hint"),
    [
        ("rest", ENDPOINT, "window_parameters"),
        ("gladly", {"name": "agents", "collection": "agents"}, "report"),
        ("s3_files", {"name": "drops", "glob": "*.csv"}, "select: window"),
    ],
)
def test_a_window_on_a_dataset_that_ignores_it_is_an_error_that_says_what_to_do(
    kind: str, dataset: dict[str, Any], hint: str
) -> None:
    finding = only(kind, datasets=[dataset])
    assert finding.where == ("datasets", 0, "window")
    assert hint in finding.guidance
    assert "{kind: full}" in finding.guidance
    assert findings(kind, datasets=[dataset], window={"kind": "full"}, load_strategy={"kind": "full_refresh"}) == []


def test_an_endpoint_that_states_the_interval_may_have_a_window() -> None:
    assert findings("rest", datasets=[{**ENDPOINT, "window_parameters": {"start": "from", "end": "to"}}]) == []


@pytest.mark.parametrize("column", ["_loaded_at", "_window_start"])
def test_a_partition_by_a_column_that_penstock_adds_is_an_error(column: str) -> None:
    finding = only(load_strategy={"kind": "partition", "column": column})
    assert finding.where == ("load_strategy", "column")
    assert column in finding.message


def test_a_key_that_penstock_adds_is_an_error_at_the_key() -> None:
    finding = only(load_strategy={"kind": "incremental", "keys": ["id", "_batch_id"]})
    assert finding.where == ("load_strategy", "keys", 1)


def test_partition_needs_a_window_with_bounds() -> None:
    finding = only("rest", window={"kind": "full"}, load_strategy={"kind": "partition", "column": "created_at"})
    assert "`full`" in finding.message


def test_a_report_that_gladly_does_not_document_is_pointed_out_with_the_nearest_name() -> None:
    finding = only(datasets=[{"name": "contacts", "report": "ContactTimestampReport"}])
    assert not finding.is_error
    assert finding.suggestion == "ContactTimestampsReport"
    assert finding.where == ("datasets", 0, "report")


def test_a_report_of_events_cannot_be_aggregated() -> None:
    finding = only(datasets=[{**REPORT, "aggregation": "daily"}])
    assert finding.where == ("datasets", 0, "aggregation")
    assert findings(datasets=[{"name": "sums", "report": "ContactSummaryReportV2", "aggregation": "daily"}]) == []


def test_a_report_needs_a_window_with_bounds() -> None:
    finding = only(window={"kind": "full"}, load_strategy={"kind": "full_refresh"})
    assert finding.where == ("datasets", 0, "report")


@pytest.mark.parametrize(
    ("window", "is_pointed_out"),
    [
        ({"kind": "daily"}, False),
        ({"kind": "since_last", "initial": "2026-01-01T00:00:00Z"}, True),
        ({"kind": "intraday_relative", "lookback": "6h"}, True),
    ],
)
def test_a_window_of_minutes_on_a_report_of_days_is_a_warning(window: dict[str, Any], is_pointed_out: bool) -> None:
    found = findings(window=window)
    assert [(one.where, one.is_error) for one in found] == [(("datasets", 0, "window"), False)] * is_pointed_out
    assert findings(window=window, datasets=[MINUTES_REPORT]) == []


@pytest.mark.parametrize(("lag", "days", "is_gone"), [("1d", 13, False), ("1d", 14, True), ("2w", 1, True)])
def test_an_export_that_gladly_no_longer_keeps_is_an_error(lag: str, days: int, is_gone: bool) -> None:
    found = findings(
        window={"kind": "daily", "lag": lag, "days": days},
        load_strategy={"kind": "incremental", "keys": ["id"]},
        datasets=[{"name": "customers", "export": "customers"}],
    )
    assert [one.where for one in found] == [("datasets", 0, "window")] * is_gone
    assert all("14 days" in one.message for one in found)


def test_a_schedule_of_more_than_one_run_a_day_is_a_warning_where_clocks_change() -> None:
    finding = only(schedules=[{"cron": "0 * * * *", "timezone": "America/New_York"}])
    assert not finding.is_error
    assert finding.suggestion == "UTC"
    assert finding.where == ("schedules", 0, "timezone")


@pytest.mark.parametrize(
    ("cron", "zone"), [("0 * * * *", "UTC"), ("0 * * * *", "Asia/Tokyo"), ("0 6 * * *", "America/New_York")]
)
def test_a_schedule_that_no_clock_change_touches_is_no_warning(cron: str, zone: str) -> None:
    assert findings(schedules=[{"cron": cron, "timezone": zone}]) == []


def test_a_schedule_that_is_given_twice_is_one_error() -> None:
    schedule = {"cron": "0 6 * * *", "timezone": "UTC"}
    assert only(schedules=[schedule, schedule, {**schedule, "timezone": "Asia/Tokyo"}]).where[0] == "schedules"


@pytest.mark.parametrize(
    ("cron", "window", "words"),
    [
        ("0 6 * * 1-5", {"kind": "daily"}, ("3 days", "1 day")),
        ("0 6 1 * *", {"kind": "daily", "days": 30}, ("31 days", "30 days")),
        ("0 */6 * * *", {"kind": "intraday_relative", "lookback": "5h", "lag": "1h"}, ("360 minutes", "240 minutes")),
        ("0 9-17 * * *", {"kind": "intraday_relative", "lookback": "1h"}, ("960 minutes", "60 minutes")),
    ],
)
def test_a_window_shorter_than_the_time_between_runs_is_a_warning(
    cron: str, window: dict[str, Any], words: tuple[str, str]
) -> None:
    strategy = {"kind": "incremental", "keys": ["id"]}
    finding = only(schedules=[{"cron": cron}], window=window, load_strategy=strategy, datasets=[MINUTES_REPORT])
    assert not finding.is_error
    assert all(word in finding.message for word in words)


def test_a_schedule_that_is_switched_off_leaves_no_time_unread() -> None:
    window = {"kind": "intraday_relative", "lookback": "1h"}
    strategy = {"kind": "incremental", "keys": ["id"]}
    schedules = [{"cron": "0 6 1 * *", "active": False}]
    assert findings(schedules=schedules, window=window, load_strategy=strategy, datasets=[MINUTES_REPORT]) == []


@pytest.mark.parametrize(
    ("crons", "window"),
    [
        (["0 6 * * 1-5"], {"kind": "daily", "days": 3}),
        (["0 6 * * 1-5", "0 9 * * 6,0"], {"kind": "daily"}),
        (["0 */6 * * *"], {"kind": "intraday_relative", "lookback": "7h", "lag": "1h"}),
        (["0 6 1 * *"], {"kind": "since_last", "initial": "2026-01-01T00:00:00Z"}),
        ([], {"kind": "daily"}),
    ],
)
def test_a_window_that_reaches_back_to_the_run_before_is_no_warning(crons: list[str], window: dict[str, Any]) -> None:
    strategy = {"kind": "incremental", "keys": ["id"]}
    schedules = [{"cron": cron} for cron in crons]
    assert findings(schedules=schedules, window=window, load_strategy=strategy, datasets=[MINUTES_REPORT]) == []


@pytest.mark.parametrize(("key", "value"), [("description", "of {{ prefect.blocks.secret.x }}"), ("tags", ["{{x}}"])])
def test_a_text_that_prefect_would_fill_in_is_an_error(key: str, value: Any) -> None:
    assert only(**{key: value}).where[0] == key


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dayly", "daily"),
        ("loadStrategy", "load_strategy"),
        ("LOAD-STRATEGY", "load_strategy"),
        ("load strategy", "load_strategy"),
        ("zzz", None),
    ],
)
def test_the_nearest_name_forgives_spelling_case_and_joints(name: str, expected: str | None) -> None:
    assert nearest(name, ["daily", "full", "load_strategy"]) == expected
