"""What each kind of window resolves to, by example."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from penstock.artifacts import Interval
from penstock.errors import ConfigurationError
from penstock.window import TimeWindow
from penstock.window_resolution import overlaps_itself, resolve

WINDOW: TypeAdapter[Any] = TypeAdapter(TimeWindow)
NEW_YORK = "America/New_York"


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _resolve(window: dict[str, Any], scheduled_at: str, last_end: str | None = None) -> Interval | None:
    last = None if last_end is None else _utc(last_end)
    return resolve(WINDOW.validate_python(window), _utc(scheduled_at), last_end=last)


def _assert_spans(interval: Interval | None, start: str, end: str) -> None:
    assert interval is not None
    assert interval.bounds() == (_utc(start), _utc(end))


@pytest.mark.parametrize(
    ("written", "scheduled_at", "start", "end"),
    [
        pytest.param({}, "2026-03-20T10:00Z", "2026-03-19T00:00Z", "2026-03-20T00:00Z", id="yesterday in UTC"),
        pytest.param(
            {"timezone": NEW_YORK}, "2026-03-20T10:00Z", "2026-03-19T04:00Z", "2026-03-20T04:00Z", id="yesterday"
        ),
        pytest.param(
            {"timezone": NEW_YORK}, "2026-03-20T03:59Z", "2026-03-18T04:00Z", "2026-03-19T04:00Z", id="still the 19th"
        ),
        pytest.param(
            {"timezone": NEW_YORK}, "2026-03-09T10:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z", id="23 hours"
        ),
        pytest.param(
            {"timezone": NEW_YORK}, "2026-11-02T11:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z", id="25 hours"
        ),
        pytest.param(
            {"timezone": NEW_YORK, "lag": "2d", "days": 30},
            "2026-03-20T10:00Z",
            "2026-02-17T05:00Z",
            "2026-03-19T04:00Z",
            id="thirty days that end two days ago",
        ),
        pytest.param(
            {"timezone": "Asia/Kathmandu", "lag": "1w"},
            "2026-03-20T10:00Z",
            "2026-03-12T18:15Z",
            "2026-03-13T18:15Z",
            id="a week ago",
        ),
    ],
)
def test_daily_windows(written: dict[str, Any], scheduled_at: str, start: str, end: str) -> None:
    _assert_spans(_resolve({"kind": "daily"} | written, scheduled_at), start, end)


def test_an_interval_says_its_zone_and_what_it_was_resolved_from() -> None:
    interval = _resolve({"kind": "daily", "timezone": NEW_YORK}, "2026-03-20T10:00:00.25Z")
    assert interval is not None
    assert interval.timezone == NEW_YORK
    assert interval.as_of == _utc("2026-03-20T10:00:00.25Z")
    assert {interval.as_of.tzinfo, *(bound.tzinfo for bound in interval.bounds())} == {UTC}


def test_a_relative_window_reads_from_lookback_to_lag() -> None:
    window = {"kind": "intraday_relative", "lookback": "75m", "lag": "15m", "align": 15}
    _assert_spans(_resolve(window, "2026-03-20T10:07:31Z"), "2026-03-20T08:45Z", "2026-03-20T09:45Z")


def test_a_relative_window_aligns_on_the_zones_own_clock() -> None:
    window = {"kind": "intraday_relative", "lookback": "1h", "align": 60, "timezone": "Asia/Kathmandu"}
    _assert_spans(_resolve(window, "2026-03-20T10:20Z"), "2026-03-20T09:15Z", "2026-03-20T10:15Z")


def test_a_relative_window_of_a_day_keeps_its_local_time_across_a_clock_change() -> None:
    window = {"kind": "intraday_relative", "lookback": "1d", "timezone": NEW_YORK}
    _assert_spans(_resolve(window, "2026-03-08T16:00Z"), "2026-03-07T17:00Z", "2026-03-08T16:00Z")


def test_a_relative_window_that_a_clock_change_leaves_empty_is_nothing() -> None:
    window = {"kind": "intraday_relative", "lookback": "1d", "lag": "23h", "timezone": NEW_YORK}
    assert _resolve(window, "2026-03-08T16:00Z") is None
    _assert_spans(_resolve(window, "2026-03-09T16:00Z"), "2026-03-08T16:00Z", "2026-03-08T17:00Z")


@pytest.mark.parametrize(
    ("start_time", "end_time", "lag", "start", "end"),
    [
        pytest.param("06:00", "12:30", "0d", "2026-03-20T10:00Z", "2026-03-20T16:30Z", id="today"),
        pytest.param("06:00", "12:30", "3d", "2026-03-17T10:00Z", "2026-03-17T16:30Z", id="three days ago"),
        pytest.param("22:00", "06:00", "1d", "2026-03-20T02:00Z", "2026-03-20T10:00Z", id="over midnight"),
        pytest.param("06:00", "06:00", "1d", "2026-03-19T10:00Z", "2026-03-20T10:00Z", id="a whole day"),
        pytest.param("00:00", "00:00", "1w", "2026-03-13T04:00Z", "2026-03-14T04:00Z", id="a whole calendar day"),
    ],
)
def test_a_fixed_local_time_of_day(start_time: str, end_time: str, lag: str, start: str, end: str) -> None:
    window = {"start_time": start_time, "end_time": end_time, "lag": lag, "timezone": NEW_YORK}
    _assert_spans(_resolve({"kind": "intraday_absolute"} | window, "2026-03-20T20:00Z"), start, end)


def test_a_fixed_time_that_a_clock_change_skipped_is_nothing_or_what_is_left_of_it() -> None:
    window = {"kind": "intraday_absolute", "timezone": NEW_YORK, "start_time": "02:15", "end_time": "02:45"}
    assert _resolve(window, "2026-03-08T20:00Z") is None
    half = window | {"end_time": "03:30"}
    _assert_spans(_resolve(half, "2026-03-08T20:00Z"), "2026-03-08T07:00Z", "2026-03-08T07:30Z")


def test_a_fixed_time_with_the_repeated_hour_holds_both_of_it() -> None:
    window = {"kind": "intraday_absolute", "timezone": NEW_YORK, "start_time": "01:00", "end_time": "02:00"}
    _assert_spans(_resolve(window, "2026-11-01T20:00Z"), "2026-11-01T05:00Z", "2026-11-01T07:00Z")


SINCE_LAST = {"kind": "since_last", "initial": "2026-03-01T00:00:00Z"}


def test_a_first_load_begins_at_initial() -> None:
    _assert_spans(_resolve(SINCE_LAST, "2026-03-20T10:00Z"), "2026-03-01T00:00Z", "2026-03-20T10:00Z")


def test_the_next_load_begins_where_the_last_ended() -> None:
    window = SINCE_LAST | {"lag": "5m"}
    seen = _resolve(window, "2026-03-20T10:00Z", "2026-03-20T08:55:00.5Z")
    _assert_spans(seen, "2026-03-20T08:55:00.5Z", "2026-03-20T09:55Z")


def test_a_load_ends_at_a_whole_second_as_apis_count_them() -> None:
    window = SINCE_LAST | {"lag": "1h"}
    seen = _resolve(window, "2026-03-20T10:00:12.345678Z")
    _assert_spans(seen, "2026-03-01T00:00Z", "2026-03-20T09:00:12Z")
    assert _resolve(window, "2026-03-20T10:00:12.9Z", "2026-03-20T09:00:12Z") is None


def test_a_lookback_reads_again_but_not_from_before_initial() -> None:
    window = SINCE_LAST | {"lookback": "2d", "timezone": NEW_YORK}
    _assert_spans(_resolve(window, "2026-03-10T10:00Z", "2026-03-09T10:00Z"), "2026-03-07T11:00Z", "2026-03-10T10:00Z")
    _assert_spans(_resolve(window, "2026-03-03T10:00Z", "2026-03-02T10:00Z"), "2026-03-01T00:00Z", "2026-03-03T10:00Z")


def test_raising_initial_later_opens_no_gap() -> None:
    window = SINCE_LAST | {"lookback": "1d"}
    _assert_spans(_resolve(window, "2026-03-20T10:00Z", "2026-02-20T10:00Z"), "2026-02-20T10:00Z", "2026-03-20T10:00Z")


@pytest.mark.parametrize("last_end", ["2026-03-20T10:00Z", "2026-03-20T11:00Z"])
@pytest.mark.parametrize("lookback", ["0m", "3d"])
def test_there_is_nothing_new_until_time_passes_the_last_end(last_end: str, lookback: str) -> None:
    assert _resolve(SINCE_LAST | {"lookback": lookback}, "2026-03-20T10:00Z", last_end) is None


def test_there_is_nothing_before_initial() -> None:
    assert _resolve(SINCE_LAST, "2026-02-20T10:00Z") is None
    assert _resolve(SINCE_LAST, "2026-03-01T00:00Z") is None


def test_only_since_last_looks_at_what_was_loaded() -> None:
    assert _resolve({"kind": "daily"}, "2026-03-20T10:00Z", "2026-03-20T00:00Z") == _resolve(
        {"kind": "daily"}, "2026-03-20T10:00Z"
    )


def test_an_explicit_interval_is_what_it_says() -> None:
    window = {"kind": "interval", "start": "2026-03-01T00:00:00-05:00", "end": "2026-03-02T00:00:00-05:00"}
    _assert_spans(_resolve(window, "2026-03-20T10:00Z"), "2026-03-01T05:00Z", "2026-03-02T05:00Z")
    _assert_spans(_resolve(window, "2026-03-02T05:00Z"), "2026-03-01T05:00Z", "2026-03-02T05:00Z")


def test_a_full_window_has_no_bounds_but_knows_when_it_was_asked() -> None:
    interval = _resolve({"kind": "full", "timezone": NEW_YORK}, "2026-03-20T10:00Z")
    assert interval == Interval(start=None, end=None, timezone=NEW_YORK, as_of=_utc("2026-03-20T10:00Z"))
    assert interval.is_full


@pytest.mark.parametrize(
    "window",
    [
        {"kind": "interval", "start": "2026-03-20T00:00:00Z", "end": "2026-03-20T10:00:01Z"},
        {"kind": "intraday_absolute", "start_time": "06:00", "end_time": "10:30"},
        {"kind": "intraday_absolute", "start_time": "22:00", "end_time": "06:00"},
    ],
)
def test_a_window_that_has_not_passed_is_refused_since_it_would_count_as_loaded(window: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="ends after the time it is read for") as caught:
        _resolve(window, "2026-03-20T10:00Z")
    assert caught.value.window == window["kind"]
    assert caught.value.scheduled_at == "2026-03-20T10:00:00+00:00"
    assert "Raise its lag" in str(caught.value)


@pytest.mark.parametrize("kind", ["daily", "full"])
def test_a_scheduled_time_without_a_zone_is_refused(kind: str) -> None:
    with pytest.raises(ConfigurationError, match="A time has no zone"):
        resolve(WINDOW.validate_python({"kind": kind}), datetime(2026, 3, 20, 10))  # noqa: DTZ001


def test_a_last_end_without_a_zone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="A time has no zone"):
        resolve(WINDOW.validate_python(SINCE_LAST), _utc("2026-03-20T10:00Z"), last_end=datetime(2026, 3, 19))  # noqa: DTZ001


@pytest.mark.parametrize("zone", [ZoneInfo("Asia/Kathmandu"), ZoneInfo(NEW_YORK), timezone(timedelta(hours=-11))])
def test_the_zone_in_which_the_scheduled_time_is_written_does_not_matter(zone: Any) -> None:
    window = WINDOW.validate_python({"kind": "daily", "timezone": NEW_YORK})
    scheduled_at = _utc("2026-11-01T06:30Z")
    assert resolve(window, scheduled_at.astimezone(zone)) == resolve(window, scheduled_at)


@pytest.mark.parametrize(
    ("window", "overlaps"),
    [
        ({"kind": "daily"}, False),
        ({"kind": "daily", "days": 2}, True),
        ({"kind": "intraday_relative", "lookback": "1d"}, False),
        ({"kind": "intraday_absolute", "start_time": "00:00", "end_time": "00:00"}, False),
        (SINCE_LAST, False),
        (SINCE_LAST | {"lookback": "1m"}, True),
        (SINCE_LAST | {"lookback": "1d"}, True),
        (SINCE_LAST | {"lookback": "0d0h"}, False),
        ({"kind": "interval", "start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}, False),
        ({"kind": "full"}, False),
    ],
)
def test_windows_that_read_time_twice_by_design_say_so(window: dict[str, Any], overlaps: bool) -> None:
    assert overlaps_itself(WINDOW.validate_python(window)) is overlaps
