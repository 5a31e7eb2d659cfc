from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from penstock.artifacts import Interval
from tasks.sources.sql.window import clock_of, column_bounds

NEW_YORK = ZoneInfo("America/New_York")
# Clocks in New York go back from 02:00 to 01:00 at this moment.
SET_BACK = datetime(2026, 11, 1, 6, tzinfo=UTC)


def interval(start: datetime, end: datetime, timezone: str = "UTC") -> Interval:
    return Interval(start=start, end=end, timezone=timezone, as_of=end)


def test_an_instant_is_compared_with_the_bounds_as_they_are() -> None:
    start, end = datetime(2026, 3, 1, 5, tzinfo=UTC), datetime(2026, 3, 2, 5, tzinfo=UTC)
    assert column_bounds(interval(start, end), "instant", "UTC") == (start, end, "")


def test_a_date_is_one_of_the_windows_own_zone() -> None:
    found = column_bounds(
        interval(datetime(2026, 3, 1, 5, tzinfo=UTC), datetime(2026, 3, 2, 5, tzinfo=UTC), "America/New_York"),
        "date",
        "UTC",
    )
    assert found == (date(2026, 3, 1), date(2026, 3, 2), "")


def test_a_part_of_a_day_reads_its_whole_date_and_says_so() -> None:
    found = column_bounds(
        interval(datetime(2026, 3, 1, 6, tzinfo=UTC), datetime(2026, 3, 2, 7, tzinfo=UTC)), "date", "UTC"
    )
    assert found[:2] == (date(2026, 3, 1), date(2026, 3, 3))
    assert found.widened


@pytest.mark.parametrize(
    ("clock", "factor"), [("epoch_seconds", 1), ("epoch_milliseconds", 10**3), ("epoch_microseconds", 10**6)]
)
def test_counts_since_1970_are_whole_and_half_open(clock: str, factor: int) -> None:
    start = datetime(2026, 3, 1, microsecond=1, tzinfo=UTC)
    found = column_bounds(interval(start, start + timedelta(days=1)), clock, "UTC")  # type: ignore[arg-type]
    whole = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * factor
    assert found.start == whole + 1
    assert found.end == whole + 1 + 86_400 * factor


@pytest.mark.parametrize("minutes", [15, 30, 60, 90, 1440])
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC"])
def test_no_row_of_a_local_clock_is_lost_however_the_windows_are_cut(zone: str, minutes: int) -> None:
    step = timedelta(minutes=minutes)
    for begin in (datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 4, 4, 10, tzinfo=UTC), SET_BACK - 3 * step):
        for number in range(8 if minutes == 1440 else 40):
            start, end = begin + number * step, begin + (number + 1) * step
            found = column_bounds(interval(start, end), "naive", zone)
            seconds = int(step.total_seconds())
            for offset in range(0, seconds, 300):
                shown = (start + timedelta(seconds=offset)).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
                assert found.start <= shown < found.end  # type: ignore[operator]


def test_local_windows_that_meet_outside_of_the_repeated_hour_do_not_overlap() -> None:
    days = [datetime(2026, 10, 31, tzinfo=NEW_YORK), datetime(2026, 11, 1, tzinfo=NEW_YORK)]
    days.append(datetime(2026, 11, 2, tzinfo=NEW_YORK))
    first, second = (
        column_bounds(interval(one.astimezone(UTC), two.astimezone(UTC)), "naive", "America/New_York")
        for one, two in pairwise(days)
    )
    assert first.end == second.start == datetime(2026, 11, 1)  # noqa: DTZ001
    assert not first.widened
    assert not second.widened


def test_an_hour_that_the_clock_shows_twice_is_read_with_both_and_told() -> None:
    half = timedelta(minutes=30)
    found = column_bounds(interval(SET_BACK - half, SET_BACK + half), "naive", "America/New_York")
    assert found[:2] == (datetime(2026, 11, 1, 1), datetime(2026, 11, 1, 2))  # noqa: DTZ001
    assert found.widened


def test_numbers_are_times_only_where_the_dataset_says_what_they_count() -> None:
    numbers = frozenset({"bigint"})
    assert clock_of("bigint", "auto", clocks={}, numbers=numbers) is None
    assert clock_of("bigint", "epoch_seconds", clocks={}, numbers=numbers) == "epoch_seconds"
    assert clock_of("text", "epoch_seconds", clocks={}, numbers=numbers) is None
    assert clock_of("date", "auto", clocks={"date": "date"}, numbers=numbers) == "date"
