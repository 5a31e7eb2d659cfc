"""Files that already exist in an object store: chosen by key and by what is new.

What a warehouse can COPY is never read here: its bytes stay where they are, and staging copies them on the server's side
(copy-then-peek). What it cannot (a workbook, an archive, a JSON document) is copied into the lake like that, and
converted there once: `tasks.sources.tabular`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import cast

from penstock.artifacts import ExtractedFile, FileFormat, OriginalFile
from penstock.connections import FolderConnection, StoreConnection
from penstock.errors import ConfigurationError, DataError
from penstock.sources.s3_files import FilesDataset
from penstock.sources.tabular import TabularFormat
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.globs import compile_glob, literal_prefix
from tasks.sources.tabular.converting import loadable_dialect, needs_conversion
from tasks.sources.tabular.formats import format_of
from tasks.sources.tabular.loading import load_original
from tasks.staging.contract import ObjectInfo, ObjectStore

# One question to the ledger: enough to be rare, few enough for one statement's parameters.
_SEEN_CHUNK = 1_000


def extract(request: ExtractRequest, connection: StoreConnection, sink: ExtractSink) -> None:
    """Makes the chosen files part of the batch; see `tasks.sources.contract`."""
    from tasks.staging.opening import open_store

    dataset = cast("FilesDataset", request.dataset)
    if isinstance(connection, FolderConnection) and not Path(connection.path).is_dir():
        raise ConfigurationError(
            "the connection's folder does not exist",
            guidance="Correct its path in the platform file, or mount it.",
            connection=request.connection_name,
            folder=connection.path,
        )
    store = open_store(connection)
    matching = _matching(store, dataset.glob)
    first = next(matching, None)
    if first is None:
        sink.warn(f"no file matches {dataset.glob}")
        return
    for found in _chosen(chain((first,), matching), request, dataset):
        if needs_conversion(found.key, dataset):
            _convert(found, store, request, sink)
        else:
            sink.add_existing(_describe(found, dataset, request.connection_name))


def _convert(info: ObjectInfo, store: ObjectStore, request: ExtractRequest, sink: ExtractSink) -> None:
    sink.copy_original(info.key, store, info.key)
    _check_unchanged(info, store.stat(info.key), request.connection_name)
    original = OriginalFile(
        store=request.connection_name,
        key=info.key,
        size_bytes=info.size_bytes,
        etag=info.etag,
        modified_at=info.modified_at,
    )
    load_original(sink, original, cast("FilesDataset", request.dataset))


def _check_unchanged(listed: ObjectInfo, found: ObjectInfo | None, connection_name: str) -> None:
    if found is None or found.etag != listed.etag:
        raise DataError(
            "a file has changed since it was listed",
            guidance="Run the pipeline again: a new run lists the files as they are now; deliver files by a rename.",
            store=connection_name,
            key=listed.key,
        )


def _matching(store: ObjectStore, glob: str) -> Iterator[ObjectInfo]:
    pattern = compile_glob(glob)
    for found in store.list(literal_prefix(glob)):
        # A key that ends in a slash is a folder, as some tools mark one in a bucket.
        if pattern.fullmatch(found.key) and not found.key.endswith("/"):
            yield found


def _chosen(files: Iterable[ObjectInfo], request: ExtractRequest, dataset: FilesDataset) -> Iterator[ObjectInfo]:
    if dataset.select == "new":
        yield from _unseen(files, request)
    elif dataset.select == "window" and not request.interval.is_full:
        start, end = request.interval.bounds()
        yield from (info for info in files if start <= info.modified_at < end)
    else:
        yield from files


def _unseen(found: Iterable[ObjectInfo], request: ExtractRequest) -> Iterator[ObjectInfo]:
    """Yields the files whose content the table does not hold yet, asking for a chunk of them at a time."""
    remaining = iter(found)
    while chunk := list(islice(remaining, _SEEN_CHUNK)):
        seen = request.seen_files([(info.key, info.etag) for info in chunk])
        yield from (info for info in chunk if (info.key, info.etag) not in seen)


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
