"""Files that already exist in an object store: chosen by key and by what is new, and never read here.

Their bytes stay where they are; staging copies them on the server's side (copy-then-peek).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import cast

from penstock.artifacts import Compression, ExtractedFile, FileFormat
from penstock.connections import FolderConnection, StoreConnection
from penstock.errors import ConfigurationError
from penstock.sources.s3_files import FilesDataset
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.globs import compile_glob, literal_prefix
from tasks.staging.contract import ObjectInfo, ObjectStore

_FORMATS = {
    "csv": FileFormat.CSV,
    "tsv": FileFormat.CSV,
    "jsonl": FileFormat.JSONL,
    "ndjson": FileFormat.JSONL,
    "parquet": FileFormat.PARQUET,
    "pq": FileFormat.PARQUET,
}
_COMPRESSIONS = {"gz": Compression.GZIP, "gzip": Compression.GZIP, "zst": Compression.ZSTD, "zstd": Compression.ZSTD}

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
    matching = _matching(open_store(connection), dataset.glob)
    first = next(matching, None)
    if first is None:
        sink.warn(f"no file matches {dataset.glob}")
        return
    for found in _chosen(chain((first,), matching), request, dataset):
        sink.add_existing(_describe(found, dataset, request.connection_name))


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
    file_format, compression = format_of(info.key, declared=dataset.format)
    return ExtractedFile(
        store=store,
        key=info.key,
        format=file_format,
        compression=compression,
        size_bytes=info.size_bytes,
        etag=info.etag,
        dialect=dataset.dialect,
        source_name=info.key,
        modified_at=info.modified_at,
    )


def format_of(key: str, *, declared: FileFormat | None) -> tuple[FileFormat, Compression]:
    """Returns how a file holds its rows, from its key's endings (`orders.csv.gz`) or as declared.

    Raises:
        ConfigurationError: Nothing is declared, and the ending says nothing.
    """
    endings = key.rsplit("/", 1)[-1].lower().split(".")[1:]
    compression = _COMPRESSIONS.get(endings[-1], Compression.NONE) if endings else Compression.NONE
    if compression is not Compression.NONE:
        endings.pop()
    file_format = declared or (_FORMATS.get(endings[-1]) if endings else None)
    if file_format is None:
        raise ConfigurationError(
            "a matching file's ending does not say its format",
            guidance="Set the dataset's `format`, or narrow its `glob` to the files that are meant.",
            key=key,
        )
    return file_format, compression
