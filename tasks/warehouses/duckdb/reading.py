"""What every reader gives to a load: a query over staged files, told column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from penstock.artifacts import StagedFile
from tasks.warehouses.quoting import literal, literals

TEXT = "VARCHAR"

MAXIMUM_LINE_BYTES = 16 * 1024 * 1024
"""The longest line or record; DuckDB's own limit for JSON. The readers' buffers have the same size."""

REJECT_ERRORS = "penstock_reject_errors"
REJECT_SCANS = "penstock_reject_scans"


class Column(NamedTuple):
    """A column that files bring: its bronze name, its type in the warehouse, and the expression that reads it."""

    name: str
    type: str
    expression: str


class RowRange(NamedTuple):
    """How many rows files hold, as far as it can be told: blank lines are no rows, but NULL in a file of one column."""

    minimum: int
    maximum: int

    def holds(self, count: int) -> bool:
        """Returns whether a count lies in the range."""
        return self.minimum <= count <= self.maximum

    def plus(self, other: RowRange) -> RowRange:
        """Returns the range of both together."""
        return RowRange(self.minimum + other.minimum, self.maximum + other.maximum)


class Reading(NamedTuple):
    """A query over some files of a batch.

    Attributes:
        files: The files, in the batch's order.
        paths: What DuckDB reads for each of them.
        columns: What they bring.
        relation: What to select from.
        source_file: The expression that names the file a row came from.
        expected: Rows that were counted independently of the query; None where that has to be done yet.
        has_bad_lines: Whether there are lines that the query leaves out, to be read one by one.
    """

    files: tuple[StagedFile, ...]
    paths: tuple[str, ...]
    columns: tuple[Column, ...]
    relation: str
    source_file: str
    expected: RowRange | None
    has_bad_lines: bool = False


def path_list(paths: Sequence[str]) -> str:
    """Returns paths as the first argument of DuckDB's readers."""
    return f"[{', '.join(_file_literal(path) for path in paths)}]"


def named_by_file(
    relation: str, files: Sequence[StagedFile], paths: Sequence[str], *, path_column: str = "filename"
) -> tuple[str, str]:
    """Returns a relation over files, and the expression of their source names in it.

    One name is a constant; several are looked up by their files' paths, which `path_column` holds. A join would be as
    fast, but DuckDB 2.0 does not keep the order of rows through it.
    """
    if len({file.source_name for file in files}) == 1:
        return f"{relation} AS r", literal(files[0].source_name)
    names = literals(file.source_name for file in files)
    return f"{relation} AS r", f"list_extract([{names}], list_position([{literals(paths)}], r.{path_column}))"


def _file_literal(path: str) -> str:
    """Returns a path for DuckDB's readers, which would take `*`, `?` and `[` in it for a pattern."""
    return literal("".join(f"[{character}]" if character in "*?[" else character for character in path))
