"""Files that already exist, chosen by key and by what is new.

What a warehouse can COPY is never read here: its bytes stay where they are, and staging copies them on the server's
side (copy-then-peek). What it cannot (a workbook, an archive, a JSON document) is copied into the lake like that, and
converted there once: `tasks.sources.tabular`. An SFTP server copies nothing: its files pass through the worker.
"""

from __future__ import annotations

from itertools import chain, islice
from pathlib import Path
from typing import cast

from penstock.artifacts import ExtractedFile, FileFormat, OriginalFile
from penstock.connections import FolderConnection, SftpConnection, StoreConnection
from penstock.errors import ConfigurationError, DataError
from penstock.sources.s3_files import FilesDataset
from penstock.sources.tabular import TabularFormat
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.s3_files.choosing import choose_files, match_files, select_files
from tasks.sources.tabular.converting import loadable_dialect, needs_conversion
from tasks.sources.tabular.formats import format_of
from tasks.sources.tabular.loading import load_original
from tasks.staging.contract import ObjectInfo, ObjectStore


def extract(request: ExtractRequest, connection: StoreConnection | SftpConnection, sink: ExtractSink) -> None:
    """Makes the chosen files part of the batch; see `tasks.sources.contract`."""
    dataset = cast("FilesDataset", request.dataset)
    if isinstance(connection, SftpConnection):
        from tasks.sources.s3_files.sftp import bring_files

        count = bring_files(request, connection, sink)
    else:
        count = _take(_open(request, connection), request, sink)
    if dataset.wait_for is not None and count < dataset.wait_for.minimum_files:
        raise DataError(
            "the files that the dataset waits for have not come",
            guidance="Ask whoever delivers them, and run again when they are there: the interval stays the same.",
            glob=dataset.glob,
            found=count,
            minimum_files=dataset.wait_for.minimum_files,
            deadline=dataset.wait_for.deadline,
        )


def count_files(request: ExtractRequest, connection: StoreConnection | SftpConnection, enough: int) -> int:
    """Counts the files that an extraction would choose now, as far as `enough`."""
    if isinstance(connection, SftpConnection):
        from tasks.sources.sftp.files import SftpFiles
        from tasks.sources.sftp.session import open_session

        with open_session(connection, request.connection_name) as sftp:
            files = SftpFiles(sftp, connection=request.connection_name)
            return sum(1 for _ in islice(choose_files(files, request), enough))
    return sum(1 for _ in islice(choose_files(_open(request, connection), request), enough))


def _open(request: ExtractRequest, connection: StoreConnection) -> ObjectStore:
    from tasks.staging.opening import open_store

    if isinstance(connection, FolderConnection) and not Path(connection.path).is_dir():
        raise ConfigurationError(
            "the connection's folder does not exist",
            guidance="Correct its path in the platform file, or mount it.",
            connection=request.connection_name,
            folder=connection.path,
        )
    return open_store(connection)


def _take(store: ObjectStore, request: ExtractRequest, sink: ExtractSink) -> int:
    dataset = cast("FilesDataset", request.dataset)
    matching = match_files(store, dataset, request.interval)
    first = next(matching, None)
    if first is None:
        sink.warn(f"no file matches {dataset.glob}")
        return 0
    count = 0
    for found in select_files(chain((first,), matching), request):
        count += 1
        if needs_conversion(found.key, dataset):
            _convert(found, store, request, sink)
        else:
            sink.add_existing(_describe(found, dataset, request.connection_name))
    return count


def _convert(info: ObjectInfo, store: ObjectStore, request: ExtractRequest, sink: ExtractSink) -> None:
    sink.copy_original(info.key, store, info.key)
    found = store.stat(info.key)
    if found is None or found.etag != info.etag:
        raise DataError(
            "a file has changed since it was listed",
            guidance="Run the pipeline again: a new run lists the files as they are now; deliver files by a rename.",
            store=request.connection_name,
            key=info.key,
        )
    original = OriginalFile(
        store=request.connection_name,
        key=info.key,
        size_bytes=info.size_bytes,
        etag=info.etag,
        modified_at=info.modified_at,
    )
    load_original(sink, original, cast("FilesDataset", request.dataset))


def _describe(info: ObjectInfo, dataset: FilesDataset, store: str) -> ExtractedFile:
    found, compression = format_of(info.key, declared=dataset.format)
    return ExtractedFile(
        store=store,
        key=info.key,
        format=FileFormat(found),
        compression=compression,
        size_bytes=info.size_bytes,
        etag=info.etag,
        dialect=loadable_dialect(dataset) if found is TabularFormat.CSV else None,
        source_name=info.key,
        modified_at=info.modified_at,
    )
