"""The ledger's rows and the questions asked of it: what is loaded, what is missing, where the next window starts.

The questions are pure functions of the rows of one target table, so `status`, `plan`, a load and a backfill answer
them alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

from pydantic import AwareDatetime

from penstock.artifacts import Interval, RunKind, TableRef
from penstock.spec import Artifact

Span = tuple[datetime, datetime]
"""Half-open `[start, end)`."""


class LoadRecord(Artifact):
    """One row of `penstock.loads`, written in the transaction that wrote the data. Times are UTC."""

    batch_id: str
    client: str
    pipeline: str
    source: str
    dataset: str
    target: TableRef
    strategy: str
    interval_start: AwareDatetime | None
    interval_end: AwareDatetime | None
    timezone: str
    as_of: AwareDatetime
    run_kind: RunKind
    run_id: str
    rows_staged: int
    rows_landed: int
    rows_rejected: int
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    rows_total: int | None
    size_bytes: int
    file_count: int
    extracted_at: AwareDatetime
    loaded_at: AwareDatetime


def loaded_spans(records: Iterable[LoadRecord]) -> list[Span]:
    """Returns the loaded time as the fewest spans, in order; spans that touch or overlap are one."""
    merged: list[Span] = []
    for start, end in sorted(span for record in records if (span := _span(record)) is not None):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def held(records: Iterable[LoadRecord], strategy: str) -> list[LoadRecord]:
    """Returns the loads whose rows the table still has, for a load of the given strategy.

    A full refresh replaces what was loaded before it, so another strategy has to load those intervals again. A full
    refresh itself asks only whether its own interval was loaded: an older one must not replace a newer one.

    Args:
        records: One table's ledger rows in the order they were committed.
        strategy: Kind of the strategy that asks.
    """
    kept: list[LoadRecord] = []
    for record in records:
        if record.strategy == "full_refresh" and strategy != "full_refresh":
            kept.clear()
        kept.append(record)
    return kept


def covers(records: Iterable[LoadRecord], interval: Interval) -> bool:
    """Returns whether loads together hold all of an interval; for a full one, whether its `as_of` was loaded.

    A full load covers no bounded interval and is covered by none: what it held depends on when it ran.
    """
    if interval.is_full:
        return any(_span(record) is None and record.as_of == interval.as_of for record in records)
    start, end = interval.bounds()
    return any(loaded_start <= start and end <= loaded_end for loaded_start, loaded_end in loaded_spans(records))


def last_end(records: Iterable[LoadRecord]) -> datetime | None:
    """Returns the forward position: the latest end that a forward load reached, or None before the first."""
    ends = (record.interval_end for record in records if record.run_kind is RunKind.FORWARD)
    return max((end for end in ends if end is not None), default=None)


def gaps(records: Iterable[LoadRecord]) -> list[Span]:
    """Returns the spans between the first and the last loaded time that no load holds, in order."""
    return [(left[1], right[0]) for left, right in pairwise(loaded_spans(records))]


def overlapping(records: Iterable[LoadRecord], interval: Interval) -> list[LoadRecord]:
    """Returns the loads that share time with an interval but do not lie inside it.

    Rows are replaced by whole loads, so an interval that cuts through one would double or lose rows.
    """
    if interval.is_full:
        return []
    start, end = interval.bounds()
    return [record for record in records if _is_cut_by(record, start, end)]


def _is_cut_by(record: LoadRecord, start: datetime, end: datetime) -> bool:
    span = _span(record)
    if span is None:
        return False
    shares_time = span[0] < end and start < span[1]
    lies_inside = start <= span[0] and span[1] <= end
    return shares_time and not lies_inside


def _span(record: LoadRecord) -> Span | None:
    if record.interval_start is None or record.interval_end is None:
        return None
    return record.interval_start, record.interval_end
