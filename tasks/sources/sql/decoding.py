r"""Turns blocks of the text that PostgreSQL's COPY writes into Arrow tables with the columns' types.

Fields stand between tabs, rows on lines; `\N` is NULL, and a backslash begins what stands for a character in text that
could be taken for these (PostgreSQL, "COPY", "Text Format").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from penstock.errors import DataError
from tasks.sources.sql.columns import HEX, ReadColumn

if TYPE_CHECKING:
    from pyarrow import lib as pa

_BOM = b"\xef\xbb\xbf"
_COLUMN = re.compile(r"In CSV column #(\d+)")
_BITS_PER_DIGIT = 4
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


class Decoder:
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
        self._first_columns: tuple[str, ...] = ()
        self._parsing = csv.ParseOptions(  # type: ignore[attr-defined]
            delimiter="\t", quote_char=False, double_quote=False, ignore_empty_lines=False
        )
        self._converting = csv.ConvertOptions(  # type: ignore[attr-defined]
            column_types={
                name: pa.string() if column.decoding == HEX else column.arrow_type
                for name, column in zip(names, columns, strict=True)
            },
            null_values=[_NULL.decode()],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
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
        found = self._read(pa.py_buffer(block))
        read = _unescaped if _has_escapes(block) else _as_it_is
        decoders = (from_hex if column.decoding == HEX else read for column in self._columns)
        return self._table_of([decode(found.column(position)) for position, decode in enumerate(decoders)])

    def _read(self, block: pa.Buffer) -> pa.Table:
        from pyarrow import csv
        from pyarrow import lib as pa

        reading = csv.ReadOptions(  # type: ignore[attr-defined]
            column_names=[*self._first_columns, *self._names], use_threads=False, block_size=block.size + 1
        )
        try:
            return csv.read_csv(  # type: ignore[attr-defined]
                pa.BufferReader(block),
                read_options=reading,
                parse_options=self._parsing,
                convert_options=self._converting,
            )
        except pa.ArrowInvalid as error:
            # Without the cause, which quotes the value.
            raise self._unfit(str(error)) from None

    def _table_of(self, arrays: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Table:
        from pyarrow import lib as pa

        return pa.Table.from_arrays(arrays, schema=self.schema)

    def _unfit(self, message: str) -> DataError:
        found = _COLUMN.search(message)
        if found is None:
            return not_apart(self._table)
        column = self._columns[int(found[1]) - len(self._first_columns)]
        if "UTF8" in message:
            return self._not_utf8(column)
        return DataError(
            "a column holds a value that its type in the warehouse cannot hold",
            guidance="Read the column with `as_text`; for times, `unfit_times: null` makes them NULL.",
            table=self._table,
            column=column.name,
            type=str(column.arrow_type),
        )

    def _not_utf8(self, column: ReadColumn) -> DataError:
        return DataError(
            "a column holds text that is not UTF-8",
            guidance="Correct the text at the source, or leave the column out with `exclude_columns`.",
            table=self._table,
            column=column.name,
        )


def _has_escapes(block: bytes | bytearray) -> bool:
    """Returns whether a backslash stands for more than NULL; one that stands for itself is followed by another."""
    return _BACKSLASH in block and block.count(_BACKSLASH) != block.count(_NULL)


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


def not_apart(table: str) -> DataError:
    """Returns what is raised for rows that have another number of fields than columns were asked for."""
    return DataError(
        "the server's rows cannot be taken apart",
        guidance="Extract again; if it happens twice, report it with the table's definition.",
        table=table,
    )


def from_hex(array: Any) -> pa.Array:
    """Returns the bytes that hexadecimal text means, a whole column at a time."""
    import numpy as np
    from pyarrow import lib as pa

    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.string())
    if array.offset:
        array = pa.concat_arrays([array])
    validity, offsets, data = array.buffers()
    if data is None or not len(array):
        return pa.array([None if not one.is_valid else b"" for one in array], pa.binary())
    digits = np.frombuffer(data, dtype=np.uint8)
    # '0'-'9' are 0x30 and up, 'a'-'f' and 'A'-'F' end in 1 to 6.
    values = (digits & 0x0F) + np.where(digits >= ord("A"), 9, 0).astype(np.uint8)
    packed = (values[0::2] << _BITS_PER_DIGIT) | values[1::2]
    halves = (np.frombuffer(offsets, dtype=np.int32)[: len(array) + 1] // 2).astype(np.int32)
    buffers = [validity, pa.py_buffer(halves.tobytes()), pa.py_buffer(packed.tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(array), buffers)
