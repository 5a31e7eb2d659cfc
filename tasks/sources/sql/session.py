"""What an open database gives to an extraction, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol

from penstock.artifacts import Interval
from penstock.errors import ConfigurationError
from penstock.sources.sql import SqlDataset
from tasks.sources.sql.columns import ReadColumn, Table
from tasks.sources.sql.decoding import Decoder


class Selection(NamedTuple):
    """Which rows are read.

    Attributes:
        condition: SQL that holds for them; empty for all.
        null_condition: SQL that holds for rows that no window has; empty where there can be none.
        widened: Why the condition holds for more than the interval, where it does.
    """

    condition: str = ""
    null_condition: str = ""
    widened: str = ""

    @property
    def where(self) -> str:
        """The WHERE clause."""
        return f" WHERE {self.condition}" if self.condition else ""


class Counts(NamedTuple):
    """What the database counted in the snapshot that is read."""

    rows: int
    null_rows: int = 0


Blocks = Callable[[], Generator[Any, None, None]]
"""Reads a part of the rows: whole rows, block by block, as the reading's decoder takes them."""


class Reading(NamedTuple):
    """A table that is being read, all of it in one snapshot.

    Attributes:
        parts: Its parts, which may be read at the same time.
        counts: Comes when it is known, or an error with which a part ends.
        decoder: Makes tables of the blocks; several threads use it.
    """

    parts: Sequence[Blocks]
    counts: Future[Counts]
    decoder: Decoder


class SourceSession(Protocol):
    """An open database."""

    def describe(self, relation: str) -> Table:
        """Looks a table up. Raises ConfigurationError where there is none."""

    def read_columns(self, table: Table, dataset: SqlDataset) -> tuple[ReadColumn, ...]:
        """Returns how a dataset's columns are read."""

    def select(self, table: Table, dataset: SqlDataset, interval: Interval, timezone: str) -> Selection:
        """Returns which rows an interval has."""

    def read(self, table: Table, columns: Sequence[ReadColumn], selection: Selection, *, ranges: int | None) -> Reading:
        """Begins to read a table."""

    def try_reading(self, table: Table, columns: Sequence[ReadColumn]) -> None:
        """Has the server check that the columns may be read, without a row."""

    def stop(self) -> None:
        """Ends what is being read, from another thread."""


def choose_rows(condition: str, is_null: str, dataset: SqlDataset, widened: str) -> Selection:
    """Returns which rows are read, by what the dataset says of those whose window column is NULL.

    Args:
        condition: Holds for the interval's rows.
        is_null: Holds for rows that no window has; empty where the column cannot be NULL.
        dataset: Says what to do with those.
        widened: Why the condition holds for more than the interval.
    """
    if is_null and dataset.null_cursor == "include":
        return Selection(f"(({condition}) OR {is_null})", widened=widened)
    return Selection(condition, is_null, widened)


def no_table(relation: str) -> ConfigurationError:
    """Returns what is raised for a table that is not there."""
    return ConfigurationError(
        "there is no such table, or the user may not see it",
        guidance="Correct `source_table`, or grant SELECT on it; without a schema it is looked up as the server does.",
        table=relation,
    )


def no_clock(table: Table, column: str, declared: str) -> ConfigurationError:
    """Returns what is raised for a window column that holds no time."""
    return ConfigurationError(
        "the window column holds no time",
        guidance="Name a column of dates or times; for one that counts since 1970, set `window_type`.",
        table=table.label,
        column=column,
        type=declared,
    )


def split_relation(relation: str) -> tuple[str | None, str]:
    """Returns the schema (None where it is left out) and the name of a table."""
    schema, _, name = relation.rpartition(".")
    return schema or None, name
