"""Lays rows out as lines of separated fields, and reads these as typed Arrow columns.

All rows of a block are walked at once, a column at a time. A field's length becomes the separator before it, a row's
header the line's end and a field that means nothing: no byte moves, unless a field is longer than 250 bytes. Where
values hold separators or line ends themselves, bytes that are never part of UTF-8 stand for these until the columns are
read. Which fields are NULL is kept beside the text, in which they are empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.errors import DataError
from tasks.sources.sql.columns import HEX, ReadColumn
from tasks.sources.sql.decoding import Decoder, from_hex, not_apart
from tasks.sources.sql.mysql_rows import HEADER_BYTES, Packets

if TYPE_CHECKING:
    import numpy as np
    from pyarrow import lib as pa

    Numbers = np.ndarray[Any, Any]

TOO_LONG = "-"
"""What the server writes instead of hexadecimal text that is longer than it may be."""

_SEPARATOR = "\x1f"
_SPECIAL, _STAND_INS = b"\x1f\n\r", b"\xff\xfe\xfd"
_HIDE, _SHOW = bytes.maketrans(_SPECIAL, _STAND_INS), bytes.maketrans(_STAND_INS, _SPECIAL)
_ROW = "row"
_NULL, _TWO_BYTES, _THREE_BYTES = 0xFB, 0xFC, 0xFD


class Fields(NamedTuple):
    """Whole rows as lines of separated fields, of which the first of each line means nothing.

    Attributes:
        text: The lines.
        nulls: Whether each row's field is NULL, for the columns that have NULLs, by number.
        has_stand_ins: Whether values hold bytes that stand for separators and line ends.
    """

    text: pa.Buffer
    nulls: Mapping[int, Numbers]
    has_stand_ins: bool


class FieldsDecoder(Decoder):
    """Reads `Fields` as `Decoder` reads COPY's text."""

    def __init__(self, table: str, columns: Sequence[ReadColumn]) -> None:
        from pyarrow import csv
        from pyarrow import lib as pa

        super().__init__(table, columns)
        self._first_columns = (_ROW,)
        self._parsing = csv.ParseOptions(  # type: ignore[attr-defined]
            delimiter=_SEPARATOR, quote_char=False, double_quote=False
        )
        self._converting = csv.ConvertOptions(  # type: ignore[attr-defined]
            column_types={
                name: pa.binary() if _is_text(column) else column.arrow_type
                for name, column in zip(self._names, columns, strict=True)
            },
            include_columns=self._names,
            null_values=[""],
            true_values=["1"],
            false_values=["0"],
        )

    def decode(self, block: Fields) -> pa.Table:  # type: ignore[override]
        """Returns a block's rows.

        Raises:
            DataError: a value is not one that the column's type here can hold; the column is named.
        """
        found = self._read(block.text)
        return self._table_of(
            [
                self._text(block, position, found.column(position)) if _is_text(column) else found.column(position)
                for position, column in enumerate(self._columns)
            ]
        )

    def _text(self, block: Fields, position: int, found: pa.ChunkedArray) -> pa.Array:
        from pyarrow import lib as pa

        column, array = self._columns[position], _with_nulls(block, position, found)
        if column.decoding == HEX:
            if TOO_LONG.encode() in bytes(array.buffers()[2] or b""):
                raise too_long(self._table)
            return from_hex(array)
        try:
            return array.cast(pa.string())
        except pa.ArrowInvalid:
            raise self._not_utf8(column) from None


def lay_out(packets: Packets, column_count: int, table: str) -> Fields:
    """Returns packets of rows as lines of fields, in the packets' own place where no length is longer than a byte.

    Raises:
        DataError: they have another number of fields.
    """
    import numpy as np
    from pyarrow import lib as pa

    text = np.frombuffer(packets.data, dtype=np.uint8, count=packets.end)
    begins = np.array(packets.starts, dtype=np.intp)
    walked = _walk(text, begins, column_count)
    if walked is None:
        raise not_apart(table)
    places, surplus, nulls = walked
    _part(text, begins, places)
    longer = np.concatenate(surplus) if surplus else np.empty(0, dtype=np.intp)
    wanted = zip(_SPECIAL, (places.size, begins.size, 0), strict=True)
    is_ambiguous = any(_count(text, byte) - _count(text[longer], byte) != count for byte, count in wanted)
    has_stand_ins = False
    if is_ambiguous:
        text[longer] = 0
        # Values that hold the stand-ins themselves are no UTF-8: they stay as they are, and are refused.
        has_stand_ins = bool(text.max() < min(_STAND_INS))
        text = np.frombuffer(bytearray(text.tobytes().translate(_HIDE)), dtype=np.uint8)
        _part(text, begins, places)
    if surplus:
        text = np.delete(text, longer)
    # The first byte ends the line before, of which there is none.
    return Fields(pa.py_buffer(text[1:]), nulls, has_stand_ins)


def _walk(raw: Numbers, begins: Numbers, column_count: int) -> tuple[Numbers, list[Numbers], dict[int, Numbers]] | None:
    """Finds all fields of all rows.

    Returns:
        Where the lengths stand, by column and row; the bytes of longer lengths behind their first; which fields are
        NULL. None where the rows do not end after so many fields.
    """
    import numpy as np

    cursor = begins + HEADER_BYTES
    places = np.empty((column_count, begins.size), dtype=np.intp)
    surplus: list[Numbers] = []
    nulls: dict[int, Numbers] = {}
    for column in range(column_count):
        places[column] = cursor
        first = raw.take(cursor, mode="clip")
        length = first.astype(np.intp)
        if first.max() >= _NULL:
            nulls[column] = first == _NULL
            length[nulls[column]] = 0
            for mark, width in ((_TWO_BYTES, 2), (_THREE_BYTES, 3)):
                rows = np.flatnonzero(first == mark)
                if not rows.size:
                    continue
                digits = cursor[rows, None] + np.arange(1, width + 1)
                length[rows] = raw.take(digits, mode="clip") @ 256 ** np.arange(width)
                cursor[rows] += width
                surplus.append(digits.ravel())
        cursor += 1 + length
    is_whole = np.array_equal(cursor, np.append(begins[1:], raw.size))
    return (places, surplus, nulls) if is_whole else None


def _part(text: Numbers, begins: Numbers, places: Numbers) -> None:
    """Writes a line's end and a field that means nothing over each row's header, a separator over each length."""
    text[begins] = ord("\n")
    for filler in range(1, HEADER_BYTES):
        text[begins + filler] = ord("0")
    text[places] = ord(_SEPARATOR)


def _count(text: Numbers, byte: int) -> int:
    import numpy as np

    return int(np.count_nonzero(text == byte))


def _with_nulls(block: Fields, position: int, found: pa.ChunkedArray) -> pa.Array:
    """Returns a column of texts with its NULLs, and with what stand-ins stand for."""
    import numpy as np
    from pyarrow import lib as pa

    array = pa.concat_arrays(found.chunks)
    _, offsets, data = array.buffers()
    if block.has_stand_ins and data is not None:
        data = pa.py_buffer(data.to_pybytes().translate(_SHOW))
    is_null = block.nulls.get(position)
    validity = None if is_null is None else pa.py_buffer(np.packbits(~is_null, bitorder="little"))
    return pa.Array.from_buffers(pa.binary(), len(array), [validity, offsets, data])


def _is_text(column: ReadColumn) -> bool:
    from pyarrow import lib as pa

    return column.decoding == HEX or bool(column.arrow_type == pa.string())


def too_long(table: str) -> DataError:
    """Returns what is raised for a row that is too long."""
    return DataError(
        "a row is longer than the server can send as one text",
        guidance="Raise the server's max_allowed_packet (16 MB is the most), or leave the large columns out.",
        table=table,
    )
