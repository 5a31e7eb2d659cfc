"""Writes Arrow tables into Parquet files of a size that warehouses load well."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from penstock.artifacts import FileFormat
from tasks.sources.contract import ExtractSink, FileWriter

if TYPE_CHECKING:
    from pyarrow import lib as pa

TARGET_BYTES = 128 * 2**20
"""Size after which a new file begins; Snowflake's COPY is best over many files of 100 to 250 MB."""

# zstd's fastest level: a third of the processor time that its default takes, for files a tenth larger.
_LEVEL = 1
_LEAST_REPEATS, _LEAST_REPEATS_OF_TEXT = 8, 2


class ParquetFiles:
    """Files of one reader, all with the same schema; the last is part of the batch when the block ends well.

    Args:
        sink: Where they go.
        prefix: What the files' names begin with.
        source_name: What `_source_file` will hold, for all files alike.
        schema: The columns.
        target_bytes: Size after which a new file begins.
    """

    def __init__(
        self, sink: ExtractSink, prefix: str, *, source_name: str, schema: pa.Schema, target_bytes: int = TARGET_BYTES
    ) -> None:
        self._sink = sink
        self._prefix = prefix
        self._source_name = source_name
        self._schema = schema
        self._target_bytes = target_bytes
        self._file: _OpenFile | None = None
        self._stack = ExitStack()
        self.file_count = 0
        self.row_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
        else:
            if self._file is not None:
                self._file.abandon()
            self._stack.__exit__(kind, error, trace)

    def write(self, table: pa.Table) -> None:
        """Appends rows as one row group."""
        if self._file is None:
            self._begin([name for name in table.column_names if _repeats(table.column(name))])
        assert self._file is not None  # noqa: S101 - for the type checker
        self._file.write(table)
        self.row_count += table.num_rows
        if self._file.size_bytes >= self._target_bytes:
            self._finish()

    def write_nothing(self) -> None:
        """Makes a file without rows, which tells the warehouse the columns."""
        self._begin([])

    def _begin(self, repeating: list[str]) -> None:
        self.file_count += 1
        name = f"{self._prefix}-{self.file_count:04d}.parquet"
        writer = self._stack.enter_context(
            self._sink.open_file(name, format=FileFormat.PARQUET, source_name=self._source_name)
        )
        self._file = _OpenFile(writer, self._schema, repeating)

    def _finish(self) -> None:
        if self._file is not None:
            self._file.close()
            self._stack.close()
            self._file = None


class _OpenFile:
    """One Parquet file being written into the sink's; all of it will be read, so that nobody needs its statistics."""

    def __init__(self, writer: FileWriter, schema: pa.Schema, repeating: list[str]) -> None:
        from pyarrow import parquet

        self._target = _Target(writer)
        self._parquet = parquet.ParquetWriter(  # type: ignore[no-untyped-call]
            self._target,
            schema,
            compression="zstd",
            compression_level=_LEVEL,
            use_dictionary=repeating or False,
            write_statistics=False,
            store_decimal_as_integer=True,
            # Arrow's own schema beside Parquet's would tell readers of a decimal type that older ones do not know.
            store_schema=False,
        )
        self._row_count = 0

    @property
    def size_bytes(self) -> int:
        """What is written so far."""
        return self._target.size_bytes

    def write(self, table: pa.Table) -> None:
        """Appends a row group."""
        self._parquet.write_table(table)  # type: ignore[no-untyped-call]
        self._row_count += table.num_rows

    def close(self) -> None:
        """Writes the footer, and tells the sink how many rows there are."""
        self._parquet.close()  # type: ignore[no-untyped-call]
        self._target.count(self._row_count)

    def abandon(self) -> None:
        """Lets go of the file; a writer that is left open would write its footer when it is collected."""
        self._target.is_abandoned = True
        with suppress(Exception):
            self._parquet.close()  # type: ignore[no-untyped-call]


class _Target:
    """The sink's file as pyarrow wants one."""

    closed = False
    is_abandoned = False

    def __init__(self, writer: FileWriter) -> None:
        self._writer = writer
        self.size_bytes = 0

    def write(self, data: Any) -> int:
        """Appends bytes."""
        piece = bytes(data)
        if not self.is_abandoned:
            self._writer.write(piece)
        self.size_bytes += len(piece)
        return len(piece)

    def count(self, row_count: int) -> None:
        """Says how many rows the bytes hold."""
        self._writer.write(b"", row_count)

    def tell(self) -> int:
        """Returns the position."""
        return self.size_bytes

    def flush(self) -> None:
        """Does nothing: the store buffers as it likes."""

    def close(self) -> None:
        """Does nothing: the sink closes its file."""

    def writable(self) -> bool:
        """Says that it is a file to write to."""
        return True

    def readable(self) -> bool:
        """Says that it is none to read from."""
        return False

    def seekable(self) -> bool:
        """Says that it is a stream."""
        return False


def _repeats(column: pa.ChunkedArray) -> bool:
    """Returns whether a column is worth a dictionary; numbers and times are short, so that they have to repeat more."""
    from pyarrow import compute
    from pyarrow import lib as pa

    least = _LEAST_REPEATS_OF_TEXT if column.type == pa.string() else _LEAST_REPEATS
    distinct = compute.count_distinct(column).as_py()  # type: ignore[attr-defined]
    return bool(distinct * least < len(column))
