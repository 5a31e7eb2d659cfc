"""Peeks into a Parquet file: only its footer is read.

The layout is the format's own: `PAR1`, row groups, the footer, its length in four little-endian bytes, `PAR1`; a file
whose footer is encrypted has `PARE` at both ends (Apache Parquet, "File format" and "Modular encryption").
"""

from __future__ import annotations

from typing import NamedTuple

from penstock.artifacts import StagedColumn
from penstock.errors import DataError
from penstock.naming import standardise_columns
from tasks.staging.contract import ObjectStore

_MAGIC = b"PAR1"
_ENCRYPTED_MAGIC = b"PARE"
_TAIL_BYTES = 8
_SMALLEST_BYTES = len(_MAGIC) + _TAIL_BYTES


class ParquetFooter(NamedTuple):
    """What a Parquet file says of itself."""

    columns: tuple[StagedColumn, ...]
    row_count: int
    bytes_read: int


def peek_parquet(store: ObjectStore, key: str, size_bytes: int) -> ParquetFooter:
    """Reads a Parquet file's footer.

    Raises:
        DataError: the file is no Parquet file, is damaged, or its footer is encrypted.
    """
    tail = store.read_range(key, max(size_bytes - _TAIL_BYTES, 0), _TAIL_BYTES)
    if tail[4:] == _ENCRYPTED_MAGIC:
        raise DataError(
            "the Parquet file is encrypted",
            guidance="Have it delivered without Parquet's own encryption; the store can encrypt it at rest.",
            key=key,
        )
    length = int.from_bytes(tail[:4], "little")
    if size_bytes < _SMALLEST_BYTES or tail[4:] != _MAGIC or length > size_bytes - _SMALLEST_BYTES:
        raise _damaged(key)
    footer = store.read_range(key, size_bytes - _TAIL_BYTES - length, length)
    names, row_count = _parse_footer(footer, tail, key)
    return ParquetFooter(standardise_columns(names), row_count, len(tail) + len(footer))


def _parse_footer(footer: bytes, tail: bytes, key: str) -> tuple[list[str], int]:
    """Returns (top-level column names, rows).

    Only the schema and the count are touched: asking pyarrow 26 for a column chunk's metadata aborts the process when
    the file encrypts that column under a footer in clear.
    """
    from pyarrow import parquet
    from pyarrow.lib import ArrowException, BufferReader

    try:
        metadata = parquet.read_metadata(BufferReader(_MAGIC + footer + tail))  # type: ignore[no-untyped-call]
        return list(metadata.schema.to_arrow_schema().names), metadata.num_rows
    except (ArrowException, OSError) as error:
        raise _damaged(key) from error


def _damaged(key: str) -> DataError:
    return DataError(
        "the file is not a whole Parquet file",
        guidance="Check the dataset's format, or have the file delivered again.",
        key=key,
    )
