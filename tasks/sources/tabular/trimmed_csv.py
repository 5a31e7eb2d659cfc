"""Leaves out of a CSV file what no warehouse can skip: lines below the data, comments, and foreign encodings.

Every other line keeps its characters, so that the dialect stays as it was. What begins inside quotes is data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from penstock.sources.tabular import DialectSpec
from tasks.sources.tabular.lines import text_lines, without_edges
from tasks.sources.tabular.loadable import BLOCK_BYTES, Block


def trimmed_blocks(file: BinaryIO, name: str, spec: DialectSpec) -> Iterator[Block]:
    """Yields a CSV file as UTF-8, without the lines above its header, those below its data, and its comments."""
    lines = without_edges(text_lines(file, name, spec.encoding), above=spec.skip_rows, below=spec.footer_rows)
    parts, size = [], 0
    for line in _without_comments(lines, spec):
        parts.append(line)
        size += len(line)
        if size >= BLOCK_BYTES:
            yield Block("".join(parts).encode(), None)
            parts, size = [], 0
    if parts:
        yield Block("".join(parts).encode(), None)


def _without_comments(lines: Iterable[str], spec: DialectSpec) -> Iterator[str]:
    if spec.comment is None:
        yield from lines
        return
    is_inside = False
    for line in lines:
        if not is_inside and line.startswith(spec.comment):
            continue
        yield line
        if spec.quote:
            is_inside ^= _quotes(line, spec) % 2 == 1


def _quotes(line: str, spec: DialectSpec) -> int:
    """Returns how many quotes open or close a value; a doubled one counts twice, which is as well."""
    if spec.escape and spec.escape != spec.quote:
        line = line.replace(spec.escape * 2, "").replace(spec.escape + spec.quote, "")
    return line.count(spec.quote)
