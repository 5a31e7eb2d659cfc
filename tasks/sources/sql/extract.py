"""Extracts a table of a SQL database into typed Parquet files of the lake, all of it from one snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TypeVar, cast

from penstock.connections import MySqlConnection, PostgresConnection
from penstock.errors import DataError
from penstock.sources.sql import SqlDataset
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.sql.columns import Table
from tasks.sources.sql.failures import explained
from tasks.sources.sql.parquet_files import ParquetFiles
from tasks.sources.sql.session import Blocks, Counts, Reading, Selection, SourceSession

Item = TypeVar("Item")


def extract(request: ExtractRequest, connection: MySqlConnection | PostgresConnection, sink: ExtractSink) -> None:
    """Extracts a dataset; see `tasks.sources.contract`.

    Raises:
        ConfigurationError: there is no such table or column, or a type cannot be read.
        DataError: a value fits no type, a window column is NULL where that is an error, or the counts do not add up.
    """
    dataset = cast("SqlDataset", request.dataset)
    with explained(connection=request.connection_name, table=dataset.relation), open_session(connection) as session:
        table = session.describe(dataset.relation)
        columns = session.read_columns(table, dataset)
        timezone = dataset.naive_timezone or request.interval.timezone
        selection = session.select(table, dataset, request.interval, timezone)
        if selection.widened:
            sink.warn(f"{table.label}: {selection.widened}, so rows outside of the interval are read, too")
        reading = session.read(table, columns, selection, ranges=dataset.parallel_ranges)
        row_count = _write(reading, session, table, sink)
        _give_memory_back()
        counts = reading.counts.result()
        _check_counts(table, row_count, counts)
        _check_nulls(table, dataset, selection, counts, sink)


def open_session(
    connection: MySqlConnection | PostgresConnection,
) -> AbstractContextManager[SourceSession]:
    """Opens a database by its kind; the driver is imported here."""
    if isinstance(connection, MySqlConnection):
        from tasks.sources.sql.mysql import open_mysql

        return open_mysql(connection)
    from tasks.sources.sql.postgres import open_postgres

    return open_postgres(connection)


def _write(reading: Reading, session: SourceSession, table: Table, sink: ExtractSink) -> int:
    """Writes a table's parts at the same time and returns how many rows they had."""
    decoder = reading.decoder

    def write_part(number: int, blocks: Blocks) -> int:
        prefix = f"part-{number:02d}"
        files = ParquetFiles(sink, prefix, source_name=table.label, schema=decoder.schema)
        # What is left in the middle of a statement ends it when it is closed.
        with files, closing(blocks()) as read, _ahead(read) as read_ahead:
            for block in read_ahead:
                files.write(decoder.decode(block))
        return files.row_count

    with ThreadPoolExecutor(len(reading.parts), thread_name_prefix="penstock-sql") as pool:
        futures = [pool.submit(write_part, number, blocks) for number, blocks in enumerate(reading.parts, start=1)]
        try:
            ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in ended:
                future.result()
        except BaseException:
            session.stop()
            raise
    row_count = sum(future.result() for future in futures)
    if not row_count:
        with ParquetFiles(sink, "part-00", source_name=table.label, schema=decoder.schema) as files:
            files.write_nothing()
    return row_count


def _give_memory_back() -> None:
    """Returns what Arrow keeps for later to the system: the load that follows in this process needs it."""
    from pyarrow import lib as pa

    pa.default_memory_pool().release_unused()


@contextmanager
def _ahead(items: Iterator[Item]) -> Iterator[Iterator[Item]]:
    """Gives an iterator whose next item is made in a thread of its own while the one before it is used."""
    with ThreadPoolExecutor(1, thread_name_prefix="penstock-ahead") as thread:
        yield _made_ahead(items, thread)


def _made_ahead(items: Iterator[Item], thread: ThreadPoolExecutor) -> Iterator[Item]:
    coming = thread.submit(next, items, None)
    while (item := coming.result()) is not None:
        coming = thread.submit(next, items, None)
        yield item


def _check_counts(table: Table, row_count: int, counts: Counts) -> None:
    if row_count != counts.rows:
        raise DataError(
            "another number of rows was read than the database counted in the same snapshot",
            guidance="Extract again; if it happens twice, report it with the table's definition.",
            table=table.label,
            rows_read=row_count,
            rows_counted=counts.rows,
        )


def _check_nulls(table: Table, dataset: SqlDataset, selection: Selection, counts: Counts, sink: ExtractSink) -> None:
    if not selection.null_condition or not counts.null_rows:
        return
    if dataset.null_cursor == "error":
        raise DataError(
            "rows whose window column is NULL are in no window",
            guidance="Set `null_cursor` to `include` (read with each window) or `skip`, or name another column.",
            table=table.label,
            column=dataset.window_column,
            rows=counts.null_rows,
        )
    sink.warn(f"{table.label}: rows whose {dataset.window_column} is NULL were not read: {counts.null_rows:,}")
