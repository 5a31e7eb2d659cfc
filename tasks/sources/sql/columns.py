"""What is read of a table: each column's expression, which the server writes as text, and the Arrow type of that text.

PostgreSQL writes COPY's text, MySQL and MariaDB the texts of their protocol's rows. Text is exact for every type, and
costs the client a fraction of the processor time of typed drivers (docs/decisions/0005-sql-rows-as-text.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from penstock.errors import ConfigurationError
from penstock.findings import nearest
from penstock.sources.sql import SOURCE_DELETED, SqlDataset

if TYPE_CHECKING:
    from pyarrow import lib as pa

HEX = "hex"
"""The text is hexadecimal, and the column's type is binary."""


class TableColumn(NamedTuple):
    """A column as the database describes it.

    Attributes:
        name: Its name.
        type: Its type without length, lower case.
        declared: Its type as it was declared, for people.
        precision: Digits of a decimal, or bits.
        scale: Digits behind its point.
        nullable: Whether it may hold NULL.
        unsigned: Whether it holds no negative numbers.
        sort: A finer sort that decides how it is read (`array`, `composite`, `domain`), or empty.
    """

    name: str
    type: str
    declared: str
    precision: int | None = None
    scale: int | None = None
    nullable: bool = True
    unsigned: bool = False
    sort: str = ""


class ReadColumn(NamedTuple):
    """A column as it is read.

    Attributes:
        name: Its name in the file.
        expression: SQL whose text is read.
        arrow_type: What the text becomes.
        decoding: How it has to be decoded first; empty where it has not.
        nullable: Whether it may be NULL.
    """

    name: str
    expression: str
    arrow_type: pa.DataType
    decoding: str = ""
    nullable: bool = True


class Table(NamedTuple):
    """A table or view as the database describes it; `pages` is its size where that is known and can be cut."""

    schema: str
    name: str
    columns: tuple[TableColumn, ...]
    pages: int = 0

    @property
    def label(self) -> str:
        """The table as people know it."""
        return f"{self.schema}.{self.name}"

    def column(self, name: str, key: str) -> TableColumn:
        """Returns a column that the dataset names.

        Raises:
            ConfigurationError: the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise ConfigurationError(
            "the table has no such column, or the user may not read it",
            guidance=_guidance(name, (column.name for column in self.columns)),
            table=self.label,
            column=name,
            named_by=key,
        )


def chosen_columns(table: Table, dataset: SqlDataset) -> tuple[TableColumn, ...]:
    """Returns the columns that a dataset reads, in the table's order.

    Raises:
        ConfigurationError: one that it names does not exist, or none is left.
    """
    named: Sequence[tuple[str, str]] = [
        *((name, "columns") for name in dataset.columns),
        *((name, "exclude_columns") for name in dataset.exclude_columns),
        *((name, "as_text") for name in dataset.as_text),
    ]
    for name, key in named:
        table.column(name, key)
    chosen = tuple(
        column
        for column in table.columns
        if (not dataset.columns or column.name in dataset.columns) and column.name not in dataset.exclude_columns
    )
    if not chosen:
        raise ConfigurationError(
            "the table has no column to read",
            guidance="Leave fewer columns out, or grant the user SELECT on the table.",
            table=table.label,
        )
    if dataset.delete_marker and any(column.name == SOURCE_DELETED for column in chosen):
        raise ConfigurationError(
            "the table has a column of the name that the delete marker's gets",
            guidance=f"Leave `{SOURCE_DELETED}` out with `exclude_columns`.",
            table=table.label,
            column=SOURCE_DELETED,
        )
    return chosen


def unreadable(table: Table, column: TableColumn) -> ConfigurationError:
    """Returns what is raised for a column of a type that nothing is known of."""
    return ConfigurationError(
        "a column's type cannot be read",
        guidance="Leave it out with `exclude_columns`, or read it through a view that turns it into text.",
        table=table.label,
        column=column.name,
        type=column.declared,
    )


def _guidance(name: str, known: Iterable[str]) -> str:
    close = nearest(name, known)
    return f"Did you mean {close}?" if close else "Correct its name, or grant the user SELECT on it."
