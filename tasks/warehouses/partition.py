"""`partition` on every warehouse: which rows of the target a load replaces, and which of its own it rejects."""

from __future__ import annotations

from datetime import timedelta

from penstock.strategy import Partition
from tasks.warehouses.guards import RowCheck
from tasks.warehouses.load_state import AnyLoadState

_DAY = timedelta(days=1)


def range_values(state: AnyLoadState, strategy: Partition) -> dict[str, str]:
    """Returns what fills the statements that delete the interval's rows.

    `first_text` and `last_text` bound the column as text: a local date is at most a day from UTC's.
    """
    literal = state.quoting.literal
    start, end = state.plan.interval.bounds()
    return {
        "column": state.quoting.identifier(strategy.column),
        "start": literal(start),
        "end": literal(end),
        "first_text": literal((start - _DAY).date().isoformat()),
        "last_text": literal((end + 2 * _DAY).date().isoformat()),
    }


def outside_checks(state: AnyLoadState, instant: str) -> list[RowCheck]:
    """Returns what rejects a landed row: a reload would not find it to replace it.

    Args:
        state: The load.
        instant: The expression of the time that the column holds; NULL where it holds none.
    """
    start, end = (state.quoting.literal(bound) for bound in state.plan.interval.bounds())
    return [
        RowCheck(f"{instant} IS NULL", "the partition column holds no time"),
        RowCheck(f"{instant} < {start} OR {instant} >= {end}", "the partition column lies outside the interval"),
    ]
