"""The source contract: one function per kind of source, and the sink it writes to.

A source module has `extract(request, connection, sink)`. It reads exactly `request.interval` (or everything, for a
full interval), writes the source's own bytes or rows to files of the sink, and returns when the last page is in. The
sink counts, and the manifest that makes the extraction complete is written by the caller. `tests/contract/
test_source_contract.py` is the suite that a source passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, NamedTuple, Protocol

from penstock.artifacts import Compression, CsvDialect, ExtractedFile, FileFormat, Interval, OriginalFile
from penstock.sources.base import DatasetSpec, SourceSpec
from tasks.staging.contract import ObjectStore


def _none_seen(_candidates: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    return set()


class ExtractRequest(NamedTuple):
    """One dataset for one interval, decided.

    `seen_files` answers, for `(source_name, etag)` pairs, which of them the table already holds.
    """

    source: SourceSpec
    dataset: DatasetSpec
    interval: Interval
    connection_name: str
    seen_files: Callable[[Sequence[tuple[str, str]]], set[tuple[str, str]]] = _none_seen


class FileWriter(Protocol):
    """A file being written; the source says how many rows each write holds."""

    def write(self, data: bytes, row_count: int | None = 0) -> None:
        """Appends bytes that hold `row_count` whole rows; None where nobody counted them."""


class ExtractSink(Protocol):
    """Where an extraction's files go."""

    def open_file(
        self,
        name: str,
        *,
        format: FileFormat,
        compression: Compression = Compression.NONE,
        dialect: CsvDialect | None = None,
        source_name: str,
        original: OriginalFile | None = None,
    ) -> AbstractContextManager[FileWriter]:
        """Opens a file in the lake's `ingest/` zone; it is part of the batch when the block ends well.

        `original` is the file at the source, where this one was made of another or has its time and etag from there.
        """

    def write_original(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Opens a file in the `ingest/` zone that is kept as the source gave it, and is not loaded itself."""

    def copy_original(self, name: str, store: ObjectStore, key: str) -> None:
        """Keeps a file of a store like that, copied on the server's side wherever that is possible."""

    def open_original(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Opens a file that was kept; any place of it can be read."""

    def add_existing(self, file: ExtractedFile) -> None:
        """Makes a file that already exists in a store part of the batch, without moving a byte of it."""

    def warn(self, message: str) -> None:
        """Notes something a person should know; it is shown in the run's report."""


Extract = Callable[[ExtractRequest, Any, ExtractSink], None]
"""`(request, connection, sink)`; the connection is the source kind's type of `penstock.connections`."""

Count = Callable[[ExtractRequest, Any, int], int]
"""`(request, connection, enough)`: how many files an extraction would read now, as far as `enough`."""
