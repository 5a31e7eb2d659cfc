"""What the ledger's rows say: loaded, missing, cut through, and where the next window starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.artifacts import Interval, RunKind
from penstock.ledger import LoadRecord, covers, gaps, last_end, loaded_spans, overlapping
from tests.fakes.records import load_record

DAY_ZERO = datetime(2026, 3, 1, tzinfo=UTC)
spans = st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1]))


def _day(number: float) -> datetime:
    return DAY_ZERO + timedelta(days=number)


def _record(
    start: float | None, end: float | None, *, kind: RunKind = RunKind.FORWARD, as_of: float = 40
) -> LoadRecord:
    days = [None if number is None else _day(number) for number in (start, end)]
    return load_record(Interval(start=days[0], end=days[1], as_of=_day(as_of)), run_kind=kind)


def _interval(start: float, end: float) -> Interval:
    return Interval(start=_day(start), end=_day(end), as_of=_day(40))


def _full(as_of: float) -> Interval:
    return Interval(start=None, end=None, as_of=_day(as_of))


def test_an_empty_ledger_holds_nothing_and_has_no_position() -> None:
    assert not covers([], _interval(0, 1))
    assert not covers([], _full(0))
    assert last_end([]) is None
    assert gaps([]) == []
    assert overlapping([], _interval(0, 1)) == []


def test_loads_that_touch_cover_an_interval_together() -> None:
    records = [_record(1, 2), _record(0, 1), _record(2, 3)]
    assert covers(records, _interval(0.5, 2.5))
    assert covers(records, _interval(0, 3))
    assert not covers(records, _interval(0, 3.001))
    assert not covers(records, _interval(-0.001, 1))


def test_a_gap_of_a_microsecond_is_not_covered() -> None:
    almost = _day(1) - timedelta(microseconds=1)
    records = [_record(0, 1).model_copy(update={"interval_end": almost}), _record(1, 2)]
    assert not covers(records, _interval(0, 2))
    assert gaps(records) == [(almost, _day(1))]


def test_what_a_backfill_loaded_counts_as_loaded() -> None:
    records = [_record(0, 1), _record(1, 2, kind=RunKind.BACKFILL), _record(2, 3)]
    assert covers(records, _interval(0, 3))
    assert gaps(records) == []


def test_a_full_load_is_known_by_its_scheduled_time_alone() -> None:
    records = [_record(None, None, as_of=5), _record(0, 1, as_of=6)]
    assert covers(records, _full(5))
    assert not covers(records, _full(6))
    assert not covers(records[:1], _interval(0, 1))
    assert gaps(records) == []
    assert overlapping(records, _full(5)) == []


def test_only_forward_loads_move_the_position() -> None:
    records = [_record(2, 3), _record(0, 1), _record(8, 9, kind=RunKind.BACKFILL), _record(None, None)]
    assert last_end(records) == _day(3)
    assert last_end(records[2:]) is None


def test_gaps_are_what_lies_between_loads_and_nothing_before_or_after() -> None:
    records = [_record(6, 7), _record(0, 1), _record(3, 5), _record(4, 4.5)]
    assert gaps(records) == [(_day(1), _day(3)), (_day(5), _day(6))]
    assert loaded_spans(records) == [(_day(0), _day(1)), (_day(3), _day(5)), (_day(6), _day(7))]


@pytest.mark.parametrize(
    ("start", "end", "cut"),
    [
        pytest.param(2, 4, False, id="the same"),
        pytest.param(1, 5, False, id="holds it"),
        pytest.param(0, 2, False, id="ends where it starts"),
        pytest.param(4, 5, False, id="starts where it ends"),
        pytest.param(2, 3, True, id="its first half"),
        pytest.param(3, 4, True, id="its second half"),
        pytest.param(2.5, 3.5, True, id="its middle"),
        pytest.param(1, 3, True, id="over its start"),
        pytest.param(3, 5, True, id="over its end"),
    ],
)
def test_an_interval_that_cuts_through_a_load_is_found(start: float, end: float, cut: bool) -> None:
    record = _record(2, 4)
    assert overlapping([record, _record(10, 11), _record(None, None)], _interval(start, end)) == [record] * cut


def test_an_interval_in_another_zone_is_the_same_time() -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    interval = Interval(start=_day(0).astimezone(zone), end=_day(1).astimezone(zone), as_of=_day(2))
    assert covers([_record(0, 1)], interval)


@given(st.lists(spans, max_size=12), spans)
def test_the_answers_agree_with_counting_days(loaded: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    records = [_record(start, end) for start, end in loaded]
    days = {day for start, end in loaded for day in range(start, end)}
    wanted = set(range(*asked))
    assert covers(records, _interval(*asked)) is (wanted <= days)
    missing = {day for start, end in gaps(records) for day in range((start - DAY_ZERO).days, (end - DAY_ZERO).days)}
    assert missing == (set(range(min(days), max(days) + 1)) - days if days else set())
    cut = [
        record
        for record, own in zip(records, loaded, strict=True)
        if set(range(*own)) & wanted and not set(range(*own)) <= wanted
    ]
    assert overlapping(records, _interval(*asked)) == cut
    assert last_end(records) == (_day(max(days) + 1) if days else None)


@given(st.lists(spans, max_size=12), st.randoms())
def test_the_order_of_the_rows_does_not_matter(loaded: list[tuple[int, int]], random: object) -> None:
    records = [_record(start, end) for start, end in loaded]
    shuffled = list(records)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert loaded_spans(shuffled) == loaded_spans(records)
    assert last_end(shuffled) == last_end(records)
