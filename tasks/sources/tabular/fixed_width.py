"""Cuts the lines of a fixed-width file into columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from penstock.errors import DataError
from penstock.sources.tabular import FixedColumn, FixedWidthSpec
from tasks.sources.tabular.lines import text_lines, without_edges
from tasks.sources.tabular.loadable import Block, csv_blocks


class _Cut(NamedTuple):
    start: int
    end: int


def fixed_width_blocks(file: BinaryIO, name: str, spec: FixedWidthSpec) -> Iterator[Block]:
    """Yields the lines of a fixed-width file as CSV. A line that ends early lacks its last values: they are NULL.

    Raises:
        DataError: a line is longer than its columns.
    """
    lines = without_edges(text_lines(file, name, spec.encoding), above=spec.skip_rows, below=spec.footer_rows)
    return csv_blocks([column.name for column in spec.columns], _rows(lines, name, _cuts(spec.columns)))


def _cuts(columns: Sequence[FixedColumn]) -> list[_Cut]:
    cuts, position = [], 0
    for column in columns:
        start = column.start - 1 if column.start is not None else position
        position = start + column.width
        cuts.append(_Cut(start, position))
    return cuts


def _rows(lines: Iterator[str], name: str, cuts: Sequence[_Cut]) -> Iterator[list[str | None]]:
    width = max(cut.end for cut in cuts)
    for number, line in enumerate(lines):
        text = line.rstrip("\r\n")
        if len(text) > width and text[width:].strip():
            raise DataError(
                "a line is longer than the columns of its fixed-width file",
                guidance="Correct the widths in the dataset's `fixed_width`; nothing of a line is dropped unasked.",
                source_name=name,
                data_line=number + 1,
                characters=len(text),
                expected=width,
            )
        if text.strip():
            yield [text[cut.start : cut.end].strip() or None for cut in cuts]
