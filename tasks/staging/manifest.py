"""Manifests: the last object of a batch to be written, whose presence says that the batch is complete.

A retry goes on from a manifest, on any machine, and `--reuse` finds those of earlier runs. Beside them stands the sink
that a source writes its files to.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import groupby
from typing import BinaryIO, Literal, TypeVar, cast

from pydantic import AwareDatetime, ValidationError

from penstock.artifacts import (
    Compression,
    CsvDialect,
    ExtractedFile,
    Extraction,
    FileFormat,
    Interval,
    OriginalFile,
    StagedBatch,
)
from penstock.errors import DataError
from penstock.naming import MANIFEST_NAME, BatchKeys, Zone
from penstock.spec import Artifact
from penstock.strategy import STRATEGY_KINDS
from tasks.sources.contract import FileWriter
from tasks.staging.contract import ObjectStore
from tasks.staging.seekable import open_seekable

_GZIP_LEVEL = 1
"""Three times as fast as gzip's own default, for files a tenth larger."""

_DAY_PARTS = 3


class ExtractionManifest(Artifact):
    """A complete extraction, as it lies in the `ingest/` zone."""

    version: Literal[1] = 1
    extraction: Extraction

    @property
    def interval(self) -> Interval:
        """What was extracted."""
        return self.extraction.interval

    @property
    def extracted_at(self) -> datetime:
        """When the extraction began."""
        return self.extraction.extracted_at


class StagedManifest(Artifact):
    """A completely staged batch, as it lies in the `stage/` zone, and what it was staged from."""

    version: Literal[1] = 1
    interval: Interval
    extracted_at: AwareDatetime
    batch: StagedBatch


Manifest = TypeVar("Manifest", ExtractionManifest, StagedManifest)


def load_extraction(store: ObjectStore, keys: BatchKeys) -> Extraction | None:
    """Returns the batch's extraction where it is complete.

    Raises:
        DataError: its manifest cannot be read.
    """
    manifest = _load(store, keys.manifest_key, ExtractionManifest)
    return manifest.extraction if manifest else None


def save_extraction(store: ObjectStore, keys: BatchKeys, extraction: Extraction) -> None:
    """Writes the manifest that makes an extraction complete."""
    _save(store, keys.manifest_key, ExtractionManifest(extraction=extraction))


def find_latest_extraction(store: ObjectStore, keys: BatchKeys, interval: Interval) -> Extraction | None:
    """Returns the newest complete extraction of the keys' dataset for exactly `interval`, whatever its strategy.

    For a full interval these are all full extractions; those with the latest day of `as_of` come first.
    """
    manifest = _find_latest(store, keys, interval, "ingest", ExtractionManifest)
    return manifest.extraction if manifest else None


def load_staged(store: ObjectStore, keys: BatchKeys) -> StagedBatch | None:
    """Returns the batch's staged files where staging is complete.

    Raises:
        DataError: the manifest cannot be read.
    """
    manifest = _load(store, keys.stage_manifest_key, StagedManifest)
    return manifest.batch if manifest else None


def save_staged(store: ObjectStore, keys: BatchKeys, batch: StagedBatch, *, extraction: Extraction) -> None:
    """Writes the manifest that makes staging complete."""
    manifest = StagedManifest(interval=extraction.interval, extracted_at=extraction.extracted_at, batch=batch)
    _save(store, keys.stage_manifest_key, manifest)


def find_latest_staged(store: ObjectStore, keys: BatchKeys, extraction: Extraction) -> StagedBatch | None:
    """Returns the newest staged batch of the keys' dataset and the extraction's interval, of whichever strategy.

    None where it was staged from another extraction.
    """
    manifest = _find_latest(store, keys, extraction.interval, "stage", StagedManifest)
    if manifest is None or manifest.extracted_at != extraction.extracted_at:
        return None
    return manifest.batch


def _save(store: ObjectStore, key: str, manifest: ExtractionManifest | StagedManifest) -> None:
    with store.open_write(key) as file:
        file.write(manifest.model_dump_json(indent=1).encode())


def _load(store: ObjectStore, key: str, kind: type[Manifest]) -> Manifest | None:
    if store.stat(key) is None:
        return None
    with store.open_read(key) as file:
        content = file.read()
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise DataError(
            "a batch's manifest cannot be read",
            guidance="It was changed, or written by a newer version; delete it to have the batch made again.",
            key=key,
        ) from error


def _find_latest(
    store: ObjectStore, keys: BatchKeys, interval: Interval, zone: Zone, kind: type[Manifest]
) -> Manifest | None:
    """Returns the newest manifest for an interval; what was extracted does not depend on how it was to be loaded."""
    found: list[str] = []
    for strategy in STRATEGY_KINDS:
        prefix = keys.model_copy(update={"strategy": strategy}).day_prefix(zone)
        if interval.is_full:
            prefix = prefix.rstrip("/").rsplit("/", _DAY_PARTS)[0] + "/"
        found += [info.key for info in store.list(prefix) if info.key.endswith(f"/{MANIFEST_NAME}")]
    for _day, of_day in groupby(sorted(found, key=_day_of, reverse=True), key=_day_of):
        manifests = [manifest for manifest in (_load(store, key, kind) for key in of_day) if manifest]
        matching = [manifest for manifest in manifests if _is_same(manifest.interval, interval)]
        if matching:
            return max(matching, key=lambda manifest: manifest.extracted_at)
    return None


def _day_of(manifest_key: str) -> list[str]:
    return manifest_key.split("/")[-_DAY_PARTS - 2 : -2]


def _is_same(one: Interval, other: Interval) -> bool:
    return (one.start, one.end) == (other.start, other.end)


class LakeSink:
    """The sink of one extraction: its files go to the batch's `ingest/` keys; any thread may open several at once."""

    def __init__(self, store: ObjectStore, keys: BatchKeys, *, dataset: str, interval: Interval) -> None:
        self._store = store
        self._keys = keys
        self._dataset = dataset
        self._interval = interval
        self._began_at = datetime.now(UTC)
        self._lock = threading.Lock()
        self._names: set[str] = set()
        self._open_names: set[str] = set()
        self._files: list[ExtractedFile] = []
        self._warnings: list[str] = []

    @contextmanager
    def open_file(
        self,
        name: str,
        *,
        format: FileFormat,
        compression: Compression = Compression.NONE,
        dialect: CsvDialect | None = None,
        source_name: str,
        original: OriginalFile | None = None,
    ) -> Iterator[FileWriter]:
        """Opens a file of the batch; it is part of it when the block ends well, and its name is free again otherwise.

        Raises:
            ValueError: the batch has a file of that name.
        """
        key = self._keys.ingest_key(name)
        with self._reserved(name):
            with self._store.open_write(key) as stored, _compressed(stored, compression) as file:
                writer = _CountingWriter(file)
                yield writer
            info = self._store.stat(key)
            written = ExtractedFile(
                key=key,
                format=format,
                compression=compression,
                size_bytes=info.size_bytes if info else 0,
                etag=info.etag if info else None,
                row_count=writer.row_count,
                dialect=dialect,
                source_name=source_name,
                original=original,
            )
            self.add_existing(written)

    @contextmanager
    def write_original(self, name: str) -> Iterator[BinaryIO]:
        """Opens a file that is kept beside the batch's own files and is not loaded.

        Raises:
            ValueError: the batch has a file of that name.
        """
        with self._reserved(name), self._store.open_write(self._keys.ingest_key(name)) as file:
            yield file

    def copy_original(self, name: str, store: ObjectStore, key: str) -> None:
        """Keeps a file of a store beside the batch's own files.

        Raises:
            ValueError: the batch has a file of that name.
        """
        with self._reserved(name):
            self._store.copy_in(store, key, self._keys.ingest_key(name))

    def open_original(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Opens a file that was kept; any place of it can be read."""
        return open_seekable(self._store, self._keys.ingest_key(name))

    def add_existing(self, file: ExtractedFile) -> None:
        """Makes a file that already exists in a store part of the batch."""
        with self._lock:
            self._files.append(file)

    def warn(self, message: str) -> None:
        """Notes something for the run's report."""
        with self._lock:
            self._warnings.append(message)

    def complete(self) -> Extraction:
        """Writes the manifest and returns the extraction, its files in the order of their keys.

        Raises:
            ValueError: a file is still being written.
        """
        if self._open_names:
            raise ValueError("a batch is not complete while a file of it is being written")
        files = tuple(sorted(self._files, key=lambda file: (file.store, file.key)))
        extraction = Extraction(
            batch_id=self._keys.batch_id,
            dataset=self._dataset,
            interval=self._interval,
            files=files,
            row_count=_total(files),
            extracted_at=self._began_at,
            warnings=tuple(self._warnings),
        )
        save_extraction(self._store, self._keys, extraction)
        return extraction

    @contextmanager
    def _reserved(self, name: str) -> Iterator[None]:
        with self._lock:
            if name in self._names:
                raise ValueError("the batch has a file of that name")
            self._names.add(name)
            self._open_names.add(name)
        try:
            yield
        except BaseException:
            self._names.discard(name)
            raise
        finally:
            self._open_names.discard(name)


class _CountingWriter:
    """Passes bytes on and adds up the rows they hold."""

    def __init__(self, file: BinaryIO) -> None:
        self.row_count: int | None = 0
        self._file = file

    def write(self, data: bytes, row_count: int | None = 0) -> None:
        """Appends bytes that hold `row_count` whole rows; None where nobody counted them."""
        self._file.write(data)
        self.row_count = None if row_count is None or self.row_count is None else self.row_count + row_count


def _compressed(file: BinaryIO, compression: Compression) -> AbstractContextManager[BinaryIO]:
    match compression:
        case Compression.GZIP:
            # Without a name and a time in its head, the same rows give the same bytes.
            return cast(
                "AbstractContextManager[BinaryIO]",
                gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0),
            )
        case Compression.ZSTD:
            import zstandard

            writer = zstandard.ZstdCompressor().stream_writer(file, closefd=False)
            return cast("AbstractContextManager[BinaryIO]", writer)
        case Compression.NONE:
            return nullcontext(file)


def _total(files: tuple[ExtractedFile, ...]) -> int | None:
    counts = [file.row_count for file in files]
    return sum(count for count in counts if count is not None) if None not in counts else None
