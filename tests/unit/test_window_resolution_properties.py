"""Windows of consecutive runs meet exactly, through every clock change of 2020 to 2030."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.artifacts import Interval
from penstock.local_time import local_instant, local_midnight
from penstock.window import (
    DailyWindow,
    IntervalWindow,
    IntradayAbsoluteWindow,
    IntradayRelativeWindow,
    SinceLastWindow,
)
from penstock.window_resolution import resolve

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
FIRST, LAST = date(2020, 1, 1), date(2030, 12, 31)
ALL_DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
YEARS = 11


@cache
def _change_days(zone: str) -> list[date]:
    """Returns the days on which a zone's clocks change; a few ordinary ones where they never do."""
    info = ZoneInfo(zone)
    offsets = [local_midnight(day, info).astimezone(info).utcoffset() for day in ALL_DAYS]
    return [day for day, (before, after) in zip(ALL_DAYS, pairwise(offsets), strict=False) if before != after] or [
        date(2025, 6, 15)
    ]


@st.composite
def zone_and_moment(draw: st.DrawFn) -> tuple[str, datetime]:
    """Draws a zone and an instant, half of the time within two days of a clock change."""
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.one_of(st.sampled_from(_change_days(zone)), st.dates(FIRST, LAST)))
    minutes = draw(st.integers(-2 * 1440, 3 * 1440))
    return zone, datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minutes)


def _bounds(interval: Interval | None) -> tuple[datetime, datetime]:
    assert interval is not None
    return interval.bounds()


@pytest.mark.parametrize(
    ("zone", "short", "long"),
    [
        ("Europe/Berlin", 23, 25),
        ("America/New_York", 23, 25),
        ("Australia/Lord_Howe", 23.5, 24.5),
        ("Asia/Kathmandu", None, None),
    ],
)
def test_every_day_of_eleven_years_meets_the_next_and_is_as_long_as_its_clocks_say(
    zone: str, short: float | None, long: float | None
) -> None:
    window, info = DailyWindow(kind="daily", timezone=zone), ZoneInfo(zone)
    hours: Counter[float] = Counter()
    previous_end = local_midnight(FIRST, info)
    for day in ALL_DAYS:
        noon = local_instant(datetime(day.year, day.month, day.day, 12), info)  # noqa: DTZ001
        start, end = _bounds(resolve(window, noon + timedelta(days=1)))
        assert start == previous_end
        hours[(end - start) / timedelta(hours=1)] += 1
        previous_end = end
    assert previous_end == local_midnight(LAST + timedelta(days=1), info)
    if short is None:
        assert hours == {24: len(ALL_DAYS)}
    else:
        assert hours == {24: len(ALL_DAYS) - 2 * YEARS, short: YEARS, long: YEARS}


@given(zone_and_moment(), st.integers(1, 40), st.integers(1, 30))
def test_a_window_of_many_days_is_its_days_together(drawn: tuple[str, datetime], days: int, lag: int) -> None:
    zone, moment = drawn
    start, end = _bounds(resolve(DailyWindow(kind="daily", timezone=zone, days=days, lag=f"{lag}d"), moment))
    each = [
        _bounds(resolve(DailyWindow(kind="daily", timezone=zone, lag=f"{lag + back}d"), moment))
        for back in reversed(range(days))
    ]
    assert (each[0][0], each[-1][1]) == (start, end)
    assert all(earlier[1] == later[0] for earlier, later in pairwise(each))
    assert end <= moment


@given(zone_and_moment(), st.integers(0, 1439))
def test_a_late_run_or_a_retry_reads_what_its_scheduled_time_says(drawn: tuple[str, datetime], later: int) -> None:
    zone, moment = drawn
    window = DailyWindow(kind="daily", timezone=zone)
    first = resolve(window, moment)
    assert resolve(window, moment) == first
    late = moment + timedelta(minutes=later)
    same_day = late.astimezone(ZoneInfo(zone)).date() == moment.astimezone(ZoneInfo(zone)).date()
    assert (_bounds(resolve(window, late)) == _bounds(first)) is same_day


@given(
    zone_and_moment(),
    st.sampled_from([1, 5, 7, 15, 20, 30, 45, 60, 120, 360]),
    st.integers(1, 8),
    st.integers(0, 3000),
)
def test_relative_windows_meet_when_their_length_is_the_schedules_period(
    drawn: tuple[str, datetime], align: int, slots: int, lag: int
) -> None:
    zone, moment = drawn
    period = align * slots
    window = IntradayRelativeWindow(
        kind="intraday_relative", timezone=zone, lookback=f"{lag + period}m", lag=f"{lag}m", align=align
    )
    runs = [resolve(window, moment + timedelta(minutes=period * number)) for number in range(6)]
    bounds = [_bounds(run) for run in runs]
    assert all(earlier[1] == later[0] for earlier, later in pairwise(bounds))
    assert all(moment + timedelta(minutes=period * n - lag) >= end for n, (_, end) in enumerate(bounds))
    assert all(start < end for start, end in bounds)


@given(zone_and_moment(), st.integers(4, 23), st.integers(0, 59), st.integers(0, 3))
def test_relative_windows_of_a_day_meet_when_run_at_one_local_time(
    drawn: tuple[str, datetime], hour: int, minute: int, lag: int
) -> None:
    zone, moment = drawn
    info, day = ZoneInfo(zone), moment.date()
    window = IntradayRelativeWindow(
        kind="intraday_relative", timezone=zone, lookback=f"{lag + 1}d", lag=f"{lag}d", align=60
    )
    runs = [
        _bounds(resolve(window, local_instant(datetime(*_ymd(day + timedelta(days=n)), hour, minute), info)))  # noqa: DTZ001
        for n in range(4)
    ]
    assert all(earlier[1] == later[0] for earlier, later in pairwise(runs))


def _ymd(day: date) -> tuple[int, int, int]:
    return day.year, day.month, day.day


@given(zone_and_moment(), st.lists(st.times(), min_size=1, max_size=5, unique=True))
def test_fixed_local_times_that_share_their_edges_tile_the_days(drawn: tuple[str, datetime], edges: list[time]) -> None:
    zone, moment = drawn
    times = sorted(edges)
    windows = [
        IntradayAbsoluteWindow(kind="intraday_absolute", timezone=zone, start_time=start, end_time=end, lag="2d")
        for start, end in zip(times, [*times[1:], times[0]], strict=True)
    ]
    noons = [moment.replace(hour=12) + timedelta(days=number) for number in range(4)]
    assume(len({noon.astimezone(ZoneInfo(zone)).date() for noon in noons}) == len(noons))
    runs = [resolve(window, noon) for noon in noons for window in windows]
    # What lies wholly in a skipped hour has no time, and the others meet around it.
    bounds = [run.bounds() for run in runs if run is not None]
    assert all(earlier[1] == later[0] for earlier, later in pairwise(bounds))
    info = ZoneInfo(zone)
    first_day, last_day = (noon.astimezone(info).date() - timedelta(days=2) for noon in (noons[0], noons[-1]))
    assert bounds[0][0] == local_instant(datetime.combine(first_day, times[0]), info)
    assert bounds[-1][1] == local_instant(datetime.combine(last_day + timedelta(days=1), times[0]), info)


@given(zone_and_moment(), st.lists(st.integers(0, 4000), min_size=1, max_size=8), st.integers(0, 90))
def test_loads_since_the_last_one_tile_whatever_the_runs_times(
    drawn: tuple[str, datetime], waits: list[int], lag: int
) -> None:
    zone, initial = drawn
    window = SinceLastWindow(kind="since_last", timezone=zone, initial=initial, lag=f"{lag}m")
    last_end, moment = None, initial
    for wait in waits:
        moment += timedelta(minutes=wait)
        interval = resolve(window, moment, last_end=last_end)
        position = last_end or initial
        newest = moment - timedelta(minutes=lag)
        if interval is None:
            assert newest <= position
            continue
        assert interval.bounds() == (position, newest)
        assert resolve(window, moment, last_end=newest) is None
        last_end = newest


@given(
    zone_and_moment(),
    st.lists(st.integers(1, 4000), min_size=1, max_size=6),
    st.sampled_from(["90m", "6h", "1d", "1w", "1d12h"]),
)
def test_a_lookback_reads_again_without_ever_leaving_a_gap(
    drawn: tuple[str, datetime], waits: list[int], lookback: str
) -> None:
    zone, initial = drawn
    window = SinceLastWindow(kind="since_last", timezone=zone, initial=initial, lookback=lookback)
    last_end, moment = None, initial
    for wait in waits:
        moment += timedelta(minutes=wait)
        start, end = _bounds(resolve(window, moment, last_end=last_end))
        assert initial <= start <= (last_end or initial) < end == moment
        last_end = end


@given(zone_and_moment(), st.integers(1, 100_000))
def test_an_explicit_interval_is_the_same_instants_in_every_zone(drawn: tuple[str, datetime], minutes: int) -> None:
    zone, start = drawn
    end, info = start + timedelta(minutes=minutes), ZoneInfo(zone)
    window = IntervalWindow(kind="interval", timezone=zone, start=start.astimezone(info), end=end.astimezone(info))
    assert _bounds(resolve(window, end)) == (start, end)
