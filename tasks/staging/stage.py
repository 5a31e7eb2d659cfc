"""Stages a batch by copy-then-peek: each file is copied on the server's side, then a few kilobytes of it are read.

Time and memory do not grow with the files. Nothing is rewritten: the warehouse COPYs the source's own bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from penstock.artifacts import LAKE, ExtractedFile, Extraction, StagedBatch, StagedFile
from penstock.errors import DataError
from penstock.naming import BatchKeys
from tasks.staging.contract import ObjectInfo, ObjectStore
from tasks.staging.manifest import load_staged, save_staged
from tasks.staging.peek import Peek, peek

logger = logging.getLogger("penstock.stage")

_FILES_AT_ONCE = 8
"""Copies and peeks wait for the store, not for the processor."""


class Staging(NamedTuple):
    """What staging made, and how many bytes of the files passed through this process to peek into them."""

    batch: StagedBatch
    bytes_read: int


def stage_batch(
    extraction: Extraction, *, lake: ObjectStore, stores: Callable[[str], ObjectStore], keys: BatchKeys
) -> StagedBatch:
    """Stages an extraction's files, or goes on from the manifest of an earlier attempt.

    Args:
        extraction: The complete extraction; its batch may be an earlier run's.
        lake: The platform's own store, which gets the copies.
        stores: Opens the store that an `ExtractedFile.store` names; asked once a name.
        keys: The batch's keys; the staged batch has their `batch_id`.

    Raises:
        DataError: a file is gone or has changed since it was listed, or cannot be loaded as what it is said to be.
    """
    staged = load_staged(lake, keys)
    if staged is not None and _is_of(staged, extraction) and not _changed_files(staged, lake):
        logger.debug("batch %s was staged, going on from its manifest", keys.batch_id)
        return staged
    batch, bytes_read = stage_files(extraction, lake=lake, stores=stores, keys=keys)
    save_staged(lake, keys, batch, extraction=extraction)
    logger.debug(
        "batch %s: staged %d files of %d bytes, %d bytes read",
        keys.batch_id,
        len(batch.files),
        batch.size_bytes,
        bytes_read,
    )
    return batch


def stage_files(
    extraction: Extraction, *, lake: ObjectStore, stores: Callable[[str], ObjectStore], keys: BatchKeys
) -> Staging:
    """Copies and peeks into an extraction's files, several at once; writes no manifest. The files keep their order."""
    opened = {name: lake if name == LAKE else stores(name) for name in {file.store for file in extraction.files}}

    def stage_one(file: ExtractedFile) -> tuple[StagedFile, int]:
        return _stage_file(file, opened[file.store], lake, _stage_key(file, keys))

    with ThreadPoolExecutor(max_workers=_FILES_AT_ONCE, thread_name_prefix="stage") as pool:
        try:
            staged = list(pool.map(stage_one, extraction.files))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    files = tuple(file for file, _ in staged)
    batch = StagedBatch(
        batch_id=keys.batch_id,
        files=files,
        row_count=extraction.row_count if extraction.row_count is not None else _total_rows(files),
        size_bytes=sum(file.size_bytes for file in files),
    )
    return Staging(batch, sum(bytes_read for _, bytes_read in staged))


def check_staged(batch: StagedBatch, lake: ObjectStore) -> None:
    """Makes sure that each staged file is still the one that was staged; one look at the store per file.

    Raises:
        DataError: a file is gone or has changed, for instance because the source wrote into a hard-linked file.
    """
    changed = _changed_files(batch, lake)
    if changed:
        raise DataError(
            "a staged file is gone or has changed since it was staged",
            guidance="Run the pipeline again, so that the file is staged as it is now.",
            key=changed[0].key,
            changed_count=len(changed),
        )


def _changed_files(batch: StagedBatch, lake: ObjectStore) -> list[StagedFile]:
    found = ((file, lake.stat(file.key)) for file in batch.files)
    return [file for file, info in found if info is None or info.etag != file.etag]


def _is_of(staged: StagedBatch, extraction: Extraction) -> bool:
    return [(file.source_name, file.source_etag) for file in staged.files] == [
        (file.source_name, file.source_etag) for file in extraction.files
    ]


def _stage_key(file: ExtractedFile, keys: BatchKeys) -> str:
    """Returns the copy's key: a lake file keeps its name; elsewhere, the whole key tells files of one name apart."""
    return keys.stage_key(file.key.rsplit("/", 1)[-1] if file.store == LAKE else f"{file.store}/{file.key}")


def _stage_file(file: ExtractedFile, source: ObjectStore, lake: ObjectStore, key: str) -> tuple[StagedFile, int]:
    listed = _check_unchanged(file, source.stat(file.key))
    copied = lake.copy_in(source, file.key, key)
    after = _check_unchanged(file, source.stat(file.key))
    if after.etag != listed.etag or copied.size_bytes != listed.size_bytes:
        raise _changed(file)
    peeked = _peek(file, lake, copied)
    whole = file.original or file
    staged = StagedFile(
        key=key,
        format=file.format,
        compression=peeked.compression,
        size_bytes=copied.size_bytes,
        etag=copied.etag,
        columns=peeked.columns,
        dialect=peeked.dialect,
        header_rows=peeked.header_rows,
        row_count=_row_count(file, peeked),
        source_name=file.source_name,
        source_etag=file.source_etag,
        source_key=whole.key if file.original or file.store != LAKE else None,
        source_size_bytes=whole.size_bytes,
        source_modified_at=whole.modified_at,
        is_empty=peeked.is_empty,
    )
    return staged, peeked.bytes_read


def _peek(file: ExtractedFile, lake: ObjectStore, copied: ObjectInfo) -> Peek:
    try:
        return peek(lake, copied, format=file.format, dialect=file.dialect)
    except DataError as error:
        error.facts["source_name"] = file.source_name  # the key names the copy, which nobody knows by that name
        raise


def _check_unchanged(file: ExtractedFile, found: ObjectInfo | None) -> ObjectInfo:
    if found is None:
        raise DataError(
            "a file of the batch is gone",
            guidance="Run the pipeline again: a new run lists the files as they are now.",
            store=file.store,
            key=file.key,
        )
    if found.size_bytes != file.size_bytes or (file.etag is not None and found.etag != file.etag):
        raise _changed(file)
    return found


def _changed(file: ExtractedFile) -> DataError:
    return DataError(
        "a file has changed since it was listed",
        guidance="Run the pipeline again: a new run lists the files as they are now; deliver files by a rename.",
        store=file.store,
        key=file.key,
    )


def _row_count(file: ExtractedFile, peeked: Peek) -> int | None:
    if peeked.row_count is not None and file.row_count is not None and peeked.row_count != file.row_count:
        raise DataError(
            "a file holds another number of rows than were extracted into it",
            guidance="Extract the interval again; if that does not help, report it with the source's kind.",
            key=file.key,
            rows_extracted=file.row_count,
            rows_found=peeked.row_count,
        )
    return peeked.row_count if peeked.row_count is not None else file.row_count


def _total_rows(files: tuple[StagedFile, ...]) -> int | None:
    counts = [file.row_count for file in files]
    return sum(count for count in counts if count is not None) if None not in counts else None
