from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.artifacts import Interval
from penstock.errors import ConfigurationError
from penstock.local_time import local_midnight
from penstock.sources.rest import WindowParameters
from tasks.sources.rest.window import asked_interval, parts_of, window_values

NEW_YORK = "America/New_York"


def _interval(start: str, end: str, timezone: str = "UTC") -> Interval:
    as_of = datetime(2027, 1, 1, tzinfo=UTC)
    return Interval(
        start=datetime.fromisoformat(start), end=datetime.fromisoformat(end), timezone=timezone, as_of=as_of
    )


def _values(interval: Interval, **spec: Any) -> dict[str, str | int]:
    return window_values(WindowParameters(start="since", end="until", **spec), interval)


DAY = _interval("2026-03-19T04:00:00Z", "2026-03-20T04:00:00Z", NEW_YORK)


@pytest.mark.parametrize(
    ("spec", "since", "until"),
    [
        ({}, "2026-03-19T00:00:00-04:00", "2026-03-20T00:00:00-04:00"),
        ({"timezone": "UTC"}, "2026-03-19T04:00:00Z", "2026-03-20T04:00:00Z"),
        ({"end_inclusive": True}, "2026-03-19T00:00:00-04:00", "2026-03-19T23:59:59-04:00"),
        (
            {"end_inclusive": True, "granularity": "millisecond"},
            "2026-03-19T00:00:00-04:00",
            "2026-03-19T23:59:59.999-04:00",
        ),
        ({"end_inclusive": True, "granularity": "minute"}, "2026-03-19T00:00:00-04:00", "2026-03-19T23:59:00-04:00"),
        ({"format": "date"}, "2026-03-19", "2026-03-20"),
        ({"format": "date", "end_inclusive": True}, "2026-03-19", "2026-03-19"),
        ({"format": "epoch"}, 1_773_892_800, 1_773_979_200),
        ({"format": "epoch", "end_inclusive": True}, 1_773_892_800, 1_773_979_199),
        ({"format": "epoch_ms"}, 1_773_892_800_000, 1_773_979_200_000),
        ({"format": "%Y-%m-%dT%H:%M:%SZ"}, "2026-03-19T04:00:00Z", "2026-03-20T04:00:00Z"),
        ({"format": "%d/%m/%Y %H:%M"}, "19/03/2026 00:00", "20/03/2026 00:00"),
        ({"format": "%d/%m/%Y", "granularity": "day", "end_inclusive": True}, "19/03/2026", "19/03/2026"),
        ({"format": "%Y-%m-%dT%H:%M:%S%z"}, "2026-03-19T00:00:00-0400", "2026-03-20T00:00:00-0400"),
    ],
)
def test_an_interval_is_said_in_the_apis_words(spec: dict[str, Any], since: str | int, until: str | int) -> None:
    assert _values(DAY, **spec) == {"since": since, "until": until}


def test_only_the_bounds_that_the_api_takes_are_said() -> None:
    assert window_values(WindowParameters(start="since"), DAY) == {"since": "2026-03-19T00:00:00-04:00"}
    assert window_values(WindowParameters(end="until"), DAY) == {"until": "2026-03-20T00:00:00-04:00"}


def test_a_full_interval_says_nothing() -> None:
    full = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, tzinfo=UTC))
    assert _values(full) == {}


@pytest.mark.parametrize(
    ("start", "end", "spec"),
    [
        ("2026-03-19T04:30:00Z", "2026-03-20T04:00:00Z", {"format": "date"}),
        ("2026-03-19T04:00:00Z", "2026-03-20T05:00:00Z", {"format": "date", "end_inclusive": True}),
        ("2026-03-19T04:00:00Z", "2026-03-20T04:00:00.500Z", {"format": "epoch"}),
        ("2026-03-19T04:00:00Z", "2026-03-20T04:00:00.0005Z", {"format": "epoch_ms"}),
        ("2026-03-19T04:00:30Z", "2026-03-20T04:00:00Z", {"format": "%Y-%m-%dT%H:%M"}),
        ("2026-03-19T04:00:00Z", "2026-03-20T04:00:30Z", {"end_inclusive": True, "granularity": "minute"}),
        ("2026-03-19T04:30:00Z", "2026-03-20T04:00:00Z", {"end_inclusive": True, "granularity": "hour"}),
        # The hour that New York's clocks repeat on 1 November 2026: 05:30Z and 06:30Z are both 01:30.
        ("2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", {"format": "%Y-%m-%dT%H:%M:%S"}),
    ],
)
def test_a_bound_that_the_api_cannot_be_told_stops_before_anything_is_asked(
    start: str, end: str, spec: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match="cannot be asked"):
        _values(_interval(start, end, NEW_YORK), **spec)


def test_the_repeated_hour_can_be_said_with_an_offset_or_in_utc() -> None:
    hour = _interval("2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", NEW_YORK)
    assert _values(hour) == {"since": "2026-11-01T01:30:00-04:00", "until": "2026-11-01T01:30:00-05:00"}
    assert _values(hour, format="%Y-%m-%dT%H:%M:%SZ") == {
        "since": "2026-11-01T05:30:00Z",
        "until": "2026-11-01T06:30:00Z",
    }


@given(
    zone=st.sampled_from(["Europe/Berlin", NEW_YORK, "Australia/Lord_Howe", "UTC", "America/Sao_Paulo", "Asia/Tehran"]),
    first=st.dates(date(2018, 1, 1), date(2027, 12, 1)),
    days=st.integers(2, 9),
    spec=st.sampled_from(
        [
            {"format": "date", "end_inclusive": True},
            {"format": "epoch", "end_inclusive": True},
            {"format": "epoch_ms", "end_inclusive": True, "granularity": "millisecond"},
        ]
    ),
)
def test_inclusive_windows_of_adjacent_days_tile_also_across_clock_changes(
    zone: str, first: Any, days: int, spec: dict[str, Any]
) -> None:
    step: Any = {"date": timedelta(days=1), "epoch": 1, "epoch_ms": 1}[spec["format"]]
    midnights = [local_midnight(first + timedelta(days=day), ZoneInfo(zone)) for day in range(days + 1)]
    asked = [_values(_interval(start.isoformat(), end.isoformat(), zone), **spec) for start, end in pairwise(midnights)]
    read: Any = datetime.fromisoformat if spec["format"] == "date" else int
    for earlier, later in pairwise(asked):
        assert read(earlier["until"]) + step == read(later["since"])


@pytest.mark.parametrize(
    "spec",
    [{}, {"start": "a", "format": "unixtime"}, {"start": "a", "format": "%H:%M:%SZ", "timezone": "Europe/Berlin"}],
)
def test_a_window_that_says_nothing_or_contradicts_itself_is_no_valid_file(spec: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"give `start`|strftime|ends in Z"):
        WindowParameters(**spec)


NARROWED = {"narrowed_by": "updated_at"}


@pytest.mark.parametrize(
    ("spec", "since", "until"),
    [
        ({"format": "date", "timezone": "UTC", "end_inclusive": True}, "2026-03-19", "2026-03-20"),
        ({"format": "date", "timezone": "UTC"}, "2026-03-19", "2026-03-21"),
        ({"format": "date", "timezone": "Asia/Tokyo", "end_inclusive": True}, "2026-03-19", "2026-03-20"),
        ({"granularity": "hour", "timezone": "UTC"}, "2026-03-19T12:00:00Z", "2026-03-20T03:00:00Z"),
        ({"format": "epoch"}, 1_773_924_120, 1_773_974_701),
    ],
)
def test_where_records_are_narrowed_bounds_move_outwards_to_what_the_api_can_say(
    spec: dict[str, Any], since: str | int, until: str | int
) -> None:
    interval = _interval("2026-03-19T12:42:00Z", "2026-03-20T02:45:00.500Z")
    assert _values(interval, **spec, **NARROWED) == {"since": since, "until": until}


def test_a_bound_that_can_be_said_stays_where_records_are_narrowed() -> None:
    assert _values(DAY, format="date", end_inclusive=True, **NARROWED) == {"since": "2026-03-19", "until": "2026-03-19"}


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    st.timedeltas(timedelta(microseconds=1), timedelta(days=3)),
    st.sampled_from(["UTC", NEW_YORK, "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.sampled_from(["day", "hour", "minute", "second", "millisecond"]),
)
def test_what_is_asked_for_holds_the_interval_and_little_more(
    start: datetime, length: timedelta, zone: str, granularity: Any
) -> None:
    interval = Interval(start=start, end=start + length, timezone=zone, as_of=start)
    spec = WindowParameters(start="since", granularity=granularity, **NARROWED)
    first, last = asked_interval(spec, interval).bounds()
    assert first <= start
    assert start + length <= last
    step = timedelta(hours=25) if granularity == "day" else timedelta(hours=1)
    assert start - first < step
    assert last - (start + length) < step


def test_pieces_are_whole_days_of_the_zone_also_when_its_clock_changes() -> None:
    spec = WindowParameters(start="from", end="to", format="epoch", longest="1d")
    three_days = _interval("2026-03-07T05:00:00Z", "2026-03-10T04:00:00Z", NEW_YORK)
    pieces = [piece.bounds() for piece in parts_of(spec, three_days)]
    assert [(end - start) / timedelta(hours=1) for start, end in pieces] == [24, 23, 24]
    assert (pieces[0][0], pieces[-1][1]) == three_days.bounds()
    assert all(one[1] == other[0] for one, other in pairwise(pieces))


def test_a_window_that_is_not_cut_or_full_is_one_piece() -> None:
    full = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, tzinfo=UTC))
    assert parts_of(None, DAY) == [DAY]
    assert parts_of(WindowParameters(start="from"), DAY) == [DAY]
    assert parts_of(WindowParameters(start="from", longest="1d"), full) == [full]
