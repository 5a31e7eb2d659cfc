"""A backfill's range is cut into windows that tile it, and only what the ledger lacks is left."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.artifacts import Interval, RunKind, TableRef
from penstock.backfill import cut, missing
from penstock.errors import ConfigurationError
from penstock.ledger import LoadRecord, covers
from penstock.local_time import local_midnight
from penstock.window import DailyWindow
from penstock.window_resolution import resolve
from tests.fakes.records import ORDERS, load_record

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
REFUNDS = TableRef(schema_name="acme_bronze", name="rest__refunds")
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _record(interval: Interval, *, target: TableRef = ORDERS, kind: RunKind = RunKind.BACKFILL) -> LoadRecord:
    return load_record(interval, target=target, run_kind=kind)


def _hours(intervals: list[Interval]) -> list[float]:
    return [(end - start) / timedelta(hours=1) for start, end in (interval.bounds() for interval in intervals)]


def _assert_tiles(pieces: list[Interval], start: datetime, end: datetime) -> None:
    assert pieces[0].start == start
    assert pieces[-1].end == end
    assert all(earlier.end == later.start for earlier, later in pairwise(pieces))
    assert all(left < right for left, right in (piece.bounds() for piece in pieces))


def test_days_are_cut_at_local_midnight_across_both_clock_changes() -> None:
    zone = "America/New_York"
    spring = cut(_utc("2026-03-07T05:00Z"), _utc("2026-03-10T04:00Z"), "1d", zone)
    assert _hours(spring) == [24, 23, 24]
    autumn = cut(_utc("2026-10-31T04:00Z"), _utc("2026-11-03T05:00Z"), "1d", zone)
    assert _hours(autumn) == [24, 25, 24]
    assert {piece.timezone for piece in spring + autumn} == {zone}
    assert [piece.as_of for piece in autumn] == [piece.end for piece in autumn]


def test_hours_are_elapsed_time_also_across_a_clock_change() -> None:
    pieces = cut(_utc("2026-03-08T05:00Z"), _utc("2026-03-09T04:00Z"), "6h", "America/New_York")
    assert _hours(pieces) == [6, 6, 6, 5]


def test_a_range_that_does_not_begin_at_midnight_gets_a_short_first_piece() -> None:
    pieces = cut(_utc("2026-03-01T15:00Z"), _utc("2026-03-04T06:00Z"), "1d", "UTC")
    assert _hours(pieces) == [9, 24, 24, 6]


def test_weeks_are_counted_from_the_first_day() -> None:
    pieces = cut(_utc("2026-03-03T00:00Z"), _utc("2026-03-20T00:00Z"), "1w", "UTC")
    assert _hours(pieces) == [168, 168, 72]


def test_a_range_shorter_than_its_windows_is_one_piece() -> None:
    assert _hours(cut(_utc("2026-03-03T01:00Z"), _utc("2026-03-03T02:30Z"), "1d", "Asia/Kathmandu")) == [1.5]


def test_a_day_that_the_calendar_skipped_has_no_piece() -> None:
    apia = ZoneInfo("Pacific/Apia")
    start, end = local_midnight(date(2011, 12, 28), apia), local_midnight(date(2012, 1, 1), apia)
    pieces = cut(start, end, "1d", "Pacific/Apia")
    assert _hours(pieces) == [24, 24, 24]
    _assert_tiles(pieces, start, end)


def test_a_range_that_begins_where_midnight_comes_again_still_tiles() -> None:
    start = _utc("2010-11-07T02:45Z")  # St. John's: 00:01 became 23:01, so that it is the 6th again
    pieces = cut(start, _utc("2010-11-09T03:30Z"), "1d", "America/St_Johns")
    _assert_tiles(pieces, start, _utc("2010-11-09T03:30Z"))
    assert _hours(pieces) == [24.75, 24]


def test_the_pieces_of_a_day_are_the_windows_that_a_daily_schedule_reads() -> None:
    pieces = cut(_utc("2026-10-30T04:00Z"), _utc("2026-11-04T05:00Z"), "1d", "America/New_York")
    window = DailyWindow(kind="daily", timezone="America/New_York")
    resolved = [resolve(window, piece.as_of + timedelta(hours=6)) for piece in pieces]
    assert [one.bounds() for one in resolved if one] == [piece.bounds() for piece in pieces]
    assert len(pieces) == 5


@given(
    moments,
    st.integers(1, 60 * 24 * 40),
    st.sampled_from(["1d", "2d", "1w", "90m", "6h", "1h", "24h"]),
    st.sampled_from(ZONES),
)
def test_the_pieces_tile_the_range_exactly(start: datetime, minutes: int, every: str, zone: str) -> None:
    end, info = start + timedelta(minutes=minutes), ZoneInfo(zone)
    pieces = cut(start, end, every, zone)
    _assert_tiles(pieces, start, end)
    if every[-1] in "dw":
        inner = [piece.end.astimezone(info) for piece in pieces[:-1] if piece.end]
        assert {(edge.hour, edge.minute, edge.second) for edge in inner} <= {(0, 0, 0)}
    else:
        assert len(set(_hours(pieces[:-1]))) <= 1
        assert _hours(pieces)[-1] <= _hours(pieces)[0]


@given(moments, st.integers(1, 30), st.sampled_from(ZONES))
def test_whole_days_give_one_piece_a_day(start: datetime, days: int, zone: str) -> None:
    first, info = start.date(), ZoneInfo(zone)
    pieces = cut(local_midnight(first, info), local_midnight(first + timedelta(days=days), info), "1d", zone)
    assert len(pieces) == days
    assert set(_hours(pieces)) <= {23, 23.5, 24, 24.5, 25}


@given(moments, st.integers(60, 60 * 24 * 20), st.data())
def test_a_backfill_that_stopped_anywhere_goes_on_with_exactly_the_rest(
    start: datetime, minutes: int, data: st.DataObject
) -> None:
    pieces = cut(start, start + timedelta(minutes=minutes), "7h", "Europe/Berlin")
    done = data.draw(st.lists(st.sampled_from(pieces), unique_by=lambda piece: piece.start))
    records = [_record(piece) for piece in done]
    left = missing(pieces, records, ORDERS)
    assert left == [piece for piece in pieces if piece not in done]
    assert left == [piece for piece in pieces if not covers(records, piece)]
    assert missing(pieces, records, REFUNDS) == pieces
    assert missing(pieces, records + [_record(piece) for piece in left], ORDERS) == []


def test_a_window_that_forward_runs_already_loaded_is_not_missing() -> None:
    pieces = cut(_utc("2026-03-01T00:00Z"), _utc("2026-03-05T00:00Z"), "2d", "UTC")
    days = cut(_utc("2026-03-01T00:00Z"), _utc("2026-03-04T00:00Z"), "1d", "UTC")
    assert missing(pieces, [_record(day, kind=RunKind.FORWARD) for day in days], ORDERS) == pieces[1:]


def test_a_full_interval_is_missing_until_its_own_time_was_loaded() -> None:
    full = Interval(start=None, end=None, as_of=_utc("2026-03-01T00:00Z"))
    later = full.model_copy(update={"as_of": _utc("2026-03-02T00:00Z")})
    assert missing([full, later], [_record(full)], ORDERS) == [later]


@pytest.mark.parametrize(
    ("start", "end", "every", "message"),
    [
        ("2026-03-02T00:00Z", "2026-03-01T00:00Z", "1d", "A range must end after it starts"),
        ("2026-03-01T00:00Z", "2026-03-01T01:00+01:00", "1d", "A range must end after it starts"),
        ("2026-03-01T00:00Z", "2026-03-02T00:00Z", "0d", "cannot be cut by this duration"),
        ("2026-03-01T00:00Z", "2026-03-02T00:00Z", "1d12h", "cannot be cut by this duration"),
        ("2026-03-01T00:00Z", "2026-03-02T00:00Z", "daily", "A duration cannot be read"),
        ("1990-03-01T00:00Z", "2026-03-02T00:00Z", "1m", "too many windows"),
    ],
)
def test_a_range_that_cannot_be_cut_is_refused(start: str, end: str, every: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        cut(datetime.fromisoformat(start), datetime.fromisoformat(end), every, "UTC")
    assert caught.value.guidance.endswith(".")


def test_a_bound_without_a_zone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="A time has no zone"):
        cut(datetime(2026, 3, 1), _utc("2026-03-02T00:00Z"), "1d", "UTC")  # noqa: DTZ001
