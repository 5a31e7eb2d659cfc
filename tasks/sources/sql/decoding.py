"""What reads columns of either kind of database: hexadecimal text, and what is said where a value cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from penstock.errors import DataError
from tasks.sources.sql.columns import ReadColumn

if TYPE_CHECKING:
    from pyarrow import lib as pa

_BITS_PER_DIGIT = 4


class Decoder(Protocol):
    """Makes tables of blocks of whole rows; safe to use from several threads."""

    schema: pa.Schema

    def decode(self, block: Any) -> pa.Table:
        """Returns a block's rows; the block may be written over.

        Raises:
            DataError: a value is not one that the column's type here can hold; the column is named.
        """


def not_apart(table: str) -> DataError:
    """Returns what is raised for rows that have another number of fields than columns were asked for."""
    return DataError(
        "the server's rows cannot be taken apart",
        guidance="Extract again; if it happens twice, report it with the table's definition.",
        table=table,
    )


def unfit(table: str, column: ReadColumn) -> DataError:
    """Returns what is raised for a value that a column's type here cannot hold."""
    is_date = str(column.arrow_type).startswith(("date", "timestamp"))
    return DataError(
        "a column holds a value that its type in the warehouse cannot hold",
        guidance=f"Read the column with `as_text`{', or make such times NULL by `unfit_times: null`' * is_date}.",
        table=table,
        column=column.name,
        type=str(column.arrow_type),
    )


def not_utf8(table: str, column: ReadColumn) -> DataError:
    """Returns what is raised for text that is not UTF-8."""
    return DataError(
        "a column holds text that is not UTF-8",
        guidance="Correct the text at the source, or leave the column out with `exclude_columns`.",
        table=table,
        column=column.name,
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
