"""What stops a load before it destroys, and what a load checks before it commits.

Pure functions over counts and names, the same for every warehouse. Each says what it saw and how to let one run pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from penstock.artifacts import LoadPlan
from penstock.errors import DataError, GuardError
from penstock.ledger import LoadRecord, overlapping
from penstock.strategy import Append, FullRefresh, Historical
from penstock.strategy_fit import check_fit

VERSION_COLUMN = "_valid_from"
"""Marks a table of `historical` loads."""


class RejectedRow(NamedTuple):
    """A row that did not land: where it came from and why. `line` counts from 1; None where it is not known."""

    source_file: str
    line: int | None
    reason: str


class RowCheck(NamedTuple):
    """A condition, in SQL, under which a landed row is rejected."""

    condition: str
    reason: str


def check_age(plan: LoadPlan, newest: datetime | None) -> None:
    """Stops a full refresh whose extraction is older than what the table holds, such as a late retry of an old run.

    Raises:
        GuardError: the table holds a newer extraction.
    """
    if isinstance(plan.strategy, FullRefresh) and not plan.reload and newest and plan.extracted_at < newest:
        raise GuardError(
            "the table holds a newer extraction than this one",
            guidance="Start a new run; to put the older rows in their place on purpose, run with --reload.",
            target=plan.target,
            extracted_at=plan.extracted_at,
            newest=newest,
        )


def check_interval(plan: LoadPlan, records: Sequence[LoadRecord]) -> None:
    """Checks that the strategy can work on the interval.

    Args:
        plan: The load.
        records: The ledger's rows of the target that share time with the interval.

    Raises:
        ConfigurationError: `partition` was given no bounds.
        GuardError: `append` would cut through an earlier load, or `absent: close` would close keys on a slice.
    """
    strategy, interval = plan.strategy, plan.interval
    check_fit(strategy, interval, plan.target)
    cut = overlapping(records, interval) if isinstance(strategy, Append) else []
    if cut:
        raise GuardError(
            "the interval cuts through one that is loaded, and would double or lose rows",
            guidance="Load an interval that contains the loaded one whole, or begin where it ends.",
            target=str(plan.target),
            interval_start=str(interval.start),
            interval_end=str(interval.end),
            loaded_start=str(cut[0].interval_start),
            loaded_end=str(cut[0].interval_end),
        )


def check_table(plan: LoadPlan, table_columns: Sequence[str], row_count: int) -> None:
    """Checks that the table was not filled by a strategy that this one would undo.

    Raises:
        GuardError: versions of `historical` would be lost, or rows without versions would be taken for versions.
    """
    is_historical = isinstance(plan.strategy, Historical)
    if row_count and is_historical != (VERSION_COLUMN in table_columns):
        raise GuardError(
            "the table was filled by another load strategy, and this one would spoil it",
            guidance="Name another `table` for the dataset, or drop this one and load it again.",
            target=str(plan.target),
            strategy=plan.strategy.kind,
            rows=row_count,
        )


def check_replacement(plan: LoadPlan, *, rows_replaced: int, rows_landed: int) -> None:
    """Checks a load whose rows take the place of others.

    Args:
        plan: The load.
        rows_replaced: Rows that would go.
        rows_landed: Rows that would come.

    Raises:
        GuardError: nothing came, and `allow_empty` is off.
    """
    if rows_replaced and not rows_landed and not plan.guards.allow_empty:
        raise GuardError(
            "the extract is empty and would delete rows",
            guidance="If it is right, let it pass for one run with `--guard allow_empty=true`.",
            target=str(plan.target),
            rows_replaced=rows_replaced,
        )


def check_shrink(plan: LoadPlan, *, rows_before: int, rows_landed: int) -> None:
    """Checks a whole snapshot against the one it replaces.

    Raises:
        GuardError: it is empty, or has less than `minimum_fraction` of the rows.
    """
    check_replacement(plan, rows_replaced=rows_before, rows_landed=rows_landed)
    if 0 < rows_landed < plan.guards.minimum_fraction * rows_before:
        raise GuardError(
            "the extract is much smaller than what the table holds",
            guidance="If it is right, lower the limit for one run, as with `--guard minimum_fraction=0`.",
            target=str(plan.target),
            rows_landed=rows_landed,
            rows_before=rows_before,
            minimum_fraction=plan.guards.minimum_fraction,
        )


def check_rejected(plan: LoadPlan, rejected: int, first: RejectedRow | None, *, is_guard: bool = False) -> None:
    """Checks the number of rows that did not land.

    Args:
        plan: The load.
        rejected: How many there are in all; a lower bound where reading stopped counting.
        first: The first of them.
        is_guard: Whether they were rejected for what the strategy needs, not for how the file is written.

    Raises:
        DataError: more than `maximum_rejected`; a GuardError where `is_guard`.
    """
    if rejected <= plan.guards.maximum_rejected or first is None:
        return
    kind = GuardError if is_guard else DataError
    raise kind(
        "the batch has rows that cannot be loaded",
        guidance="Correct them at the source, or raise `maximum_rejected` in the dataset's `guards`, or for one run "
        f"with `--guard maximum_rejected={rejected}`: they are kept in penstock.rejects then.",
        target=str(plan.target),
        rejected=rejected,
        maximum_rejected=plan.guards.maximum_rejected,
        file=first.source_file,
        line=first.line,
        reason=first.reason,
    )


def check_counts(plan: LoadPlan, *, staged: int | None, landed: int, rejected: int, file: str | None = None) -> None:
    """Reconciles what was staged with what became of it.

    Raises:
        DataError: `staged` is known and is not `landed + rejected`.
    """
    if staged is not None and staged != landed + rejected:
        raise DataError(
            "rows went missing or came twice between the staged files and the table",
            guidance="Extract and stage the batch again; if it happens twice, report it as a bug.",
            target=str(plan.target),
            staged=staged,
            landed=landed,
            rejected=rejected,
            file=file,
        )
