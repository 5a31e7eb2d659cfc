r"""Turns blocks of the text that PostgreSQL's COPY writes into Arrow tables with the columns' types.

Fields stand between tabs, rows on lines; `\N` is NULL, and a backslash begins what stands for a character in text that
could be taken for these (PostgreSQL, "COPY", "Text Format").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock.errors import DataError
from tasks.sources.sql.columns import HEX, ReadColumn
from tasks.sources.sql.decoding import from_hex, not_apart, not_utf8, unfit

if TYPE_CHECKING:
    from pyarrow import lib as pa

_BOM = b"\xef\xbb\xbf"
_COLUMN = re.compile(r"In CSV column #(\d+)")
_CACHED_BYTES = 2**20
"""How much is read at once: what a processor's cache holds. Blocks are read in four fifths of the time so."""
_LONGER_ROW = "straddling object"
"""What Arrow says of a row that is longer than what it reads at once."""
_BACKSLASH, _NULL = b"\\", b"\\N"
_STAND_IN = "\0"
"""Stands for a backslash while others are read: PostgreSQL's text never has it."""
_ESCAPES = {
    "\\\\": _STAND_IN,
    "\\b": "\b",
    "\\f": "\f",
    "\\n": "\n",
    "\\r": "\r",
    "\\t": "\t",
    "\\v": "\v",
    _STAND_IN: "\\",
}


class CopyDecoder:
    """Reads blocks of whole rows; safe to use from several threads.

    Args:
        table: The table, for errors.
        columns: Its columns, in the text's order.
    """

    def __init__(self, table: str, columns: Sequence[ReadColumn]) -> None:
        from pyarrow import csv
        from pyarrow import lib as pa

        self._table = table
        self._columns = columns
        self.schema = pa.schema([(column.name, column.arrow_type) for column in columns])
        # By number: a table's columns may differ in case only, or be named like numbers.
        names = [str(position) for position in range(len(columns))]
        self._names = names
        self._parsing = csv.ParseOptions(  # type: ignore[attr-defined]
            delimiter="\t", quote_char=False, double_quote=False, ignore_empty_lines=False
        )
        types = {
            name: pa.string() if column.decoding == HEX else column.arrow_type
            for name, column in zip(names, columns, strict=True)
        }
        self._converting, self._converting_nulls = (
            csv.ConvertOptions(  # type: ignore[attr-defined]
                column_types=types,
                null_values=nulls,
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=bool(nulls),
            )
            for nulls in ([], [_NULL.decode()])
        )

    def decode(self, block: bytes | bytearray) -> pa.Table:
        """Returns a block's rows.

        Raises:
            DataError: a value is not one that the column's type here can hold; the column is named.
        """
        from pyarrow import lib as pa

        if block.startswith(_BOM):
            # The reader would take it for the file's mark; it is the first value's.
            block = _BOM + block
        nulls, has_escapes = _backslashes(block)
        found = self._read(block, has_nulls=nulls > 0)
        read = _unescaped if has_escapes else _as_it_is
        decoders = (from_hex if column.decoding == HEX else read for column in self._columns)
        arrays = [decode(found.column(position)) for position, decode in enumerate(decoders)]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def _read(self, block: bytes | bytearray, *, has_nulls: bool) -> pa.Table:
        from pyarrow import csv
        from pyarrow import lib as pa

        # No value is compared with what stands for NULL where that is nowhere.
        converting = self._converting_nulls if has_nulls else self._converting
        message = ""
        for block_size in (_CACHED_BYTES, len(block) + 1):
            reading = csv.ReadOptions(  # type: ignore[attr-defined]
                column_names=self._names, use_threads=False, block_size=block_size
            )
            try:
                return csv.read_csv(  # type: ignore[attr-defined]
                    pa.BufferReader(pa.py_buffer(block)),
                    read_options=reading,
                    parse_options=self._parsing,
                    convert_options=converting,
                )
            except pa.ArrowInvalid as error:
                message = str(error)
            if _LONGER_ROW not in message:
                break
        # Without the cause, which quotes the value.
        raise self._unfit(message)

    def _unfit(self, message: str) -> DataError:
        found = _COLUMN.search(message)
        if found is None:
            return not_apart(self._table)
        column = self._columns[int(found[1])]
        return not_utf8(self._table, column) if "UTF8" in message else unfit(self._table, column)


def _backslashes(block: bytes | bytearray) -> tuple[int, bool]:
    """Returns how many may stand for NULL, and whether any stands for more than that: itself is followed by another.

    One byte is looked for in a tenth of the time that two take, and a block without it has no NULL.
    """
    if _BACKSLASH not in block:
        return 0, False
    nulls = block.count(_NULL)
    return nulls, nulls != block.count(_BACKSLASH)


def _as_it_is(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column


def _unescaped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    from pyarrow import compute
    from pyarrow import lib as pa

    if column.type != pa.string() or not compute.any(compute.match_substring(column, "\\")).as_py():  # type: ignore[attr-defined]
        return column
    for escape, character in _ESCAPES.items():
        column = compute.replace_substring(column, escape, character)  # type: ignore[attr-defined]
    return column
