"""The one rule by which local times become instants, beside every kind of clock change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.errors import ConfigurationError
from penstock.local_time import local_date, local_instant, local_midnight, round_down, shift_back, to_utc
from penstock.window import CalendarDuration

# Clock changes of one hour and of half an hour, at midnight (Cairo), and of a whole day (Apia has no 2011-12-30).
CHANGES = [
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Africa/Cairo", date(2024, 4, 26)),
    ("Africa/Cairo", date(2024, 10, 31)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Kathmandu", date(2026, 3, 29)),
]
changes = st.sampled_from(CHANGES)
minutes_around = st.integers(-36 * 60, 60 * 60)


def _wall(day: date, minutes: int) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001


def _instant(day: date, minutes: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minutes)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        pytest.param("America/New_York", "2026-03-08T02:00", "2026-03-08T07:00Z", id="first skipped minute"),
        pytest.param("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00Z", id="skipped"),
        pytest.param("America/New_York", "2026-03-08T02:59:59.999999", "2026-03-08T07:00Z", id="last skipped"),
        pytest.param("America/New_York", "2026-03-08T03:00", "2026-03-08T07:00Z", id="after the gap"),
        pytest.param("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30Z", id="twice: the first"),
        pytest.param("America/New_York", "2026-11-01T02:00", "2026-11-01T07:00Z", id="after the repeated hour"),
        pytest.param("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30Z", id="half an hour skipped"),
        pytest.param("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z", id="half an hour twice"),
        pytest.param("Africa/Cairo", "2024-04-26T00:00", "2024-04-25T22:00Z", id="no midnight"),
        pytest.param("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00Z", id="no such day"),
        pytest.param("Asia/Kathmandu", "2026-03-20T00:00", "2026-03-19T18:15Z", id="quarter of an hour"),
    ],
)
def test_a_local_time_means_one_instant(zone: str, wall: str, instant: str) -> None:
    seen = local_instant(datetime.fromisoformat(wall), ZoneInfo(zone))
    assert seen == _utc(instant)
    assert seen.tzinfo is UTC


@given(changes, minutes_around, minutes_around)
def test_the_rule_never_turns_time_back(change: tuple[str, date], one: int, other: int) -> None:
    zone, day = ZoneInfo(change[0]), change[1]
    earlier, later = sorted((one, other))
    assert local_instant(_wall(day, earlier), zone) <= local_instant(_wall(day, later), zone)


@given(changes, minutes_around)
def test_a_local_time_that_exists_is_what_the_zones_clock_shows(change: tuple[str, date], minutes: int) -> None:
    zone, moment = ZoneInfo(change[0]), _instant(change[1], minutes)
    wall = moment.astimezone(zone).replace(tzinfo=None)
    seen = local_instant(wall, zone)
    shown = seen.astimezone(zone)
    assert shown.replace(tzinfo=None) == wall
    assert shown.fold == 0
    assert seen <= moment


@given(changes, minutes_around, st.sampled_from([1, 5, 7, 15, 30, 45, 60, 120, 360, 1440]))
def test_rounding_down_gives_the_last_boundary(change: tuple[str, date], minutes: int, align: int) -> None:
    zone, moment = ZoneInfo(change[0]), _instant(change[1], minutes) + timedelta(seconds=31, microseconds=5)
    boundary = round_down(moment, align, zone)
    assert moment - timedelta(minutes=align) < boundary <= moment
    assert round_down(boundary, align, zone) == boundary
    shown, before = boundary.astimezone(zone), (boundary - timedelta(microseconds=1)).astimezone(zone)
    assert (shown.hour * 60 + shown.minute) % align == 0 or shown.utcoffset() != before.utcoffset()


@given(changes, minutes_around, minutes_around, st.sampled_from([1, 7, 15, 45, 60, 360, 1440]))
def test_rounding_down_keeps_order(change: tuple[str, date], one: int, other: int, align: int) -> None:
    zone, (earlier, later) = ZoneInfo(change[0]), sorted((one, other))
    assert round_down(_instant(change[1], earlier), align, zone) <= round_down(_instant(change[1], later), align, zone)


def test_quarter_hours_of_a_repeated_hour_are_all_boundaries() -> None:
    zone = ZoneInfo("America/New_York")
    second = _utc("2026-11-01T06:40Z")  # 01:40, for the second time
    assert round_down(second, 15, zone) == _utc("2026-11-01T06:30Z")
    assert round_down(second, 360, zone) == _utc("2026-11-01T06:00Z")  # the clock change


def test_shifting_counts_days_on_the_calendar_and_minutes_as_they_pass() -> None:
    zone, noon = ZoneInfo("America/New_York"), _utc("2026-03-08T16:00Z")
    assert shift_back(noon, CalendarDuration(1, 0), zone) == _utc("2026-03-07T17:00Z")
    assert shift_back(noon, CalendarDuration(0, 24 * 60), zone) == _utc("2026-03-07T16:00Z")
    assert shift_back(noon, CalendarDuration(1, 90), zone) == _utc("2026-03-07T15:30Z")
    assert shift_back(noon, CalendarDuration(7, 0), zone) == _utc("2026-03-01T17:00Z")


@given(changes, minutes_around)
@example(("America/New_York", date(2026, 11, 1)), 6 * 60 + 30)  # 01:30 for the second time
def test_shifting_by_nothing_changes_nothing_even_in_a_repeated_hour(change: tuple[str, date], minutes: int) -> None:
    moment = _instant(change[1], minutes)
    assert shift_back(moment, CalendarDuration(0, 0), ZoneInfo(change[0])) == moment


def test_a_local_day_begins_when_its_midnight_was_skipped() -> None:
    cairo = ZoneInfo("Africa/Cairo")
    assert local_midnight(date(2024, 4, 26), cairo) == _utc("2024-04-25T22:00Z")
    assert local_date(_utc("2024-04-25T22:00Z"), cairo) == date(2024, 4, 26)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"has no zone \(time=2026-03-20 10:00:00"):
        to_utc(datetime(2026, 3, 20, 10))  # noqa: DTZ001


def test_a_pendulum_time_becomes_a_plain_one() -> None:
    pendulum = pytest.importorskip("pendulum", reason="Prefect brings pendulum only where it needs it")
    seen = to_utc(pendulum.datetime(2026, 3, 20, 6, tz="America/New_York"))
    assert type(seen) is datetime
    assert seen == _utc("2026-03-20T10:00Z")
