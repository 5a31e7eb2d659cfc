from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.artifacts import Interval
from penstock.errors import ConfigurationError
from penstock.local_time import local_midnight
from tasks.sources.gladly.period import WORK_SESSION_EVENTS, halve, report_period

NEW_YORK = "America/New_York"
AS_OF = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS_ONLY, TAKES_MINUTES = "ContactTimestampsReport", "ContactExportReportV3"


def _interval(start: str, end: str, timezone: str = NEW_YORK) -> Interval:
    return Interval(
        start=datetime.fromisoformat(start), end=datetime.fromisoformat(end), timezone=timezone, as_of=AS_OF
    )


def _days(first: date, count: int, timezone: str) -> Interval:
    zone = ZoneInfo(timezone)
    return Interval(
        start=local_midnight(first, zone),
        end=local_midnight(first + timedelta(days=count), zone),
        timezone=timezone,
        as_of=AS_OF,
    )


def test_whole_days_become_inclusive_days_of_their_zone() -> None:
    day = _interval("2026-03-19T04:00:00Z", "2026-03-20T04:00:00Z")
    assert report_period(day, DAYS_ONLY) == {"startAt": "2026-03-19", "endAt": "2026-03-19", "timezone": NEW_YORK}


def test_a_day_of_23_or_25_hours_is_one_day() -> None:
    assert report_period(_interval("2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"), DAYS_ONLY)["endAt"] == "2026-03-08"
    assert report_period(_interval("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"), DAYS_ONLY)["endAt"] == "2026-11-01"


def test_days_of_utc_are_asked_in_utc_whatever_the_windows_zone() -> None:
    days = _interval("2026-03-19T00:00:00Z", "2026-03-21T00:00:00Z")
    assert report_period(days, DAYS_ONLY) == {"startAt": "2026-03-19", "endAt": "2026-03-20", "timezone": "UTC"}


def test_parts_of_days_become_inclusive_minutes_where_the_report_takes_them() -> None:
    hours = _interval("2026-03-19T13:00:00Z", "2026-03-19T15:30:00Z")
    assert report_period(hours, TAKES_MINUTES) == {"startAtTime": "2026-03-19T13:00Z", "endAtTime": "2026-03-19T15:29Z"}


def test_work_session_events_are_always_asked_by_the_minute() -> None:
    day = _interval("2026-03-19T04:00:00Z", "2026-03-20T04:00:00Z")
    assert report_period(day, WORK_SESSION_EVENTS) == {
        "startAtTime": "2026-03-19T04:00Z",
        "endAtTime": "2026-03-20T03:59Z",
    }


@pytest.mark.parametrize(
    ("report", "start", "end", "guidance"),
    [
        (DAYS_ONLY, "2026-03-19T13:00:00Z", "2026-03-19T15:00:00Z", "whole days"),
        (DAYS_ONLY, "2026-03-19T04:00:00Z", "2026-03-20T05:00:00Z", "whole days"),
        (TAKES_MINUTES, "2026-03-19T13:00:30Z", "2026-03-19T15:00:00Z", "whole minutes"),
    ],
)
def test_a_window_that_the_report_cannot_honour_is_refused_with_those_it_can(
    report: str, start: str, end: str, guidance: str
) -> None:
    with pytest.raises(ConfigurationError, match=guidance) as caught:
        report_period(_interval(start, end), report)
    assert caught.value.report == report


def test_a_report_without_bounds_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="window with bounds"):
        report_period(Interval(start=None, end=None, as_of=AS_OF), DAYS_ONLY)


@given(
    zone=st.sampled_from(["Europe/Berlin", NEW_YORK, "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]),
    first=st.dates(date(2018, 1, 1), date(2027, 1, 1)),
    counts=st.lists(st.integers(1, 5), min_size=2, max_size=5),
)
def test_adjacent_windows_of_days_ask_for_each_day_once(zone: str, first: date, counts: list[int]) -> None:
    asked: list[date] = []
    for count in counts:
        period = report_period(_days(first, count, zone), DAYS_ONLY)
        start, end = date.fromisoformat(period["startAt"]), date.fromisoformat(period["endAt"])
        asked += [start + timedelta(days=day) for day in range((end - start).days + 1)]
        first += timedelta(days=count)
    assert len(asked) == sum(counts)
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(asked))


@given(
    zone=st.sampled_from(["Europe/Berlin", NEW_YORK, "Australia/Lord_Howe", "UTC"]),
    first=st.dates(date(2020, 1, 1), date(2027, 1, 1)),
    count=st.integers(1, 40),
    report=st.sampled_from([DAYS_ONLY, TAKES_MINUTES, WORK_SESSION_EVENTS]),
)
def test_halves_meet_without_gap_or_overlap_and_can_be_asked_for(
    zone: str, first: date, count: int, report: str
) -> None:
    whole = _days(first, count, zone)
    halves = halve(whole, report)
    if halves is None:
        assert (report, count) == (DAYS_ONLY, 1)
        return
    left, right = halves
    assert (left.start, left.end, right.end) == (whole.start, right.start, whole.end)
    assert report_period(left, report)
    assert report_period(right, report)


def test_halving_ends_at_single_days_or_single_minutes() -> None:
    def pieces(interval: Interval, report: str) -> list[Interval]:
        halves = halve(interval, report)
        return [interval] if halves is None else [piece for half in halves for piece in pieces(half, report)]

    week = _days(date(2026, 3, 5), 7, NEW_YORK)
    assert [report_period(piece, DAYS_ONLY)["startAt"] for piece in pieces(week, DAYS_ONLY)] == [
        f"2026-03-{day:02d}" for day in range(5, 12)
    ]
    minutes = pieces(_interval("2026-03-19T13:00:00Z", "2026-03-19T13:05:00Z"), TAKES_MINUTES)
    assert [report_period(piece, TAKES_MINUTES)["startAtTime"][-6:-1] for piece in minutes] == [
        "13:00",
        "13:01",
        "13:02",
        "13:03",
        "13:04",
    ]
