"""Reads staged files through DuckDB and reconciles what came of them with what they hold.

The target may be a table of DuckDB's or another warehouse: `read` moves the rows and counts them.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.artifacts import StagedFile
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.duckdb.reading import RowRange
from tasks.warehouses.duckdb.reading_csv import count_rows, count_rows_exactly
from tasks.warehouses.duckdb.rejects import collect_unclosed, collect_unread, count_rejected, first_rejected
from tasks.warehouses.duckdb.staged_paths import StagedPaths
from tasks.warehouses.guards import check_counts, check_rejected


def read_reconciled(state: LoadState, read: Callable[[LoadState], int]) -> None:
    """Reads the files' rows, and reconciles them with an independent count and with the extraction's.

    Args:
        state: The load; its `readings` have been surveyed. Its counts get what landed and what was rejected.
        read: Runs the query over the batch to its end, and returns the rows that it gave.

    Raises:
        DataError: rows cannot be read, or do not add up.
    """
    import duckdb

    try:
        state.counts.landed = read(state)
    except duckdb.InvalidInputException:
        _expected_rows(state, count_rows_exactly)  # tells files apart whose records end in several ways
        raise
    uncounted = collect_unread(state)
    state.counts.rejected = count_rejected(state.sql)
    check_rejected(state.plan, state.counts.rejected, first_rejected(state.sql))
    _reconcile(state, uncounted)


def _reconcile(state: LoadState, uncounted: int) -> None:
    counts = state.counts
    expected = _expected_rows(state, count_rows)
    if not expected.holds(counts.staged - uncounted):
        counts.rejected += collect_unclosed(state)
        check_rejected(state.plan, counts.rejected, first_rejected(state.sql))
        expected = _expected_rows(state, count_rows_exactly)
    if not expected.holds(counts.staged - uncounted):
        check_counts(state.plan, staged=expected.minimum + uncounted, landed=counts.landed, rejected=counts.rejected)
    check_counts(state.plan, staged=state.batch.row_count, landed=counts.landed, rejected=counts.rejected)


def _expected_rows(state: LoadState, count: Callable[[StagedFile, StagedPaths], RowRange]) -> RowRange:
    """Returns how many rows the files hold, counting those that no survey has counted."""
    total = RowRange(0, 0)
    for reading in state.readings:
        total = total.plus(reading.expected or count(reading.files[0], state.paths))
    return total
