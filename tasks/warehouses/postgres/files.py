"""Opens the staged files of one load: as a stream of bytes for COPY, or on the local disk for DuckDB's readers."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

from penstock.artifacts import Compression, LoadPlan, StagedBatch, StagedFile
from tasks.staging.contract import ObjectStore
from tasks.warehouses.duckdb.batch_reader import BatchReader, batch_reader
from tasks.warehouses.duckdb.staged_paths import StagedPaths, staged_paths
from tasks.warehouses.postgres.plain_csv import NotPlainError

_CHUNK_BYTES = 1 << 20


class StagedFiles:
    """The staged files of a load, in the lake."""

    def __init__(self, store: ObjectStore, paths: StagedPaths, opened: ExitStack) -> None:
        self._store = store
        self._paths = paths
        self._stack = opened
        self._reader: BatchReader | None = None

    def chunks(self, file: StagedFile) -> Iterator[bytes]:
        """Yields a file's decompressed bytes, streamed from the store.

        Raises:
            DataError: the file is not there.
            NotPlainError: it is not what its compression says; the general reader tells how.
        """
        with self._opened(file) as stream:
            try:
                while chunk := stream.read(_CHUNK_BYTES):
                    yield chunk
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise NotPlainError from error

    def reader(self, plan: LoadPlan, batch: StagedBatch, *, anew: bool = False) -> BatchReader:
        """Returns DuckDB's readers over the batch, the same until one is wanted that has read nothing yet."""
        if self._reader is None or anew:
            self._reader = self._stack.enter_context(batch_reader(plan, batch, self._paths))
        return self._reader

    @contextmanager
    def _opened(self, file: StagedFile) -> Iterator[BinaryIO]:
        if file.compression is Compression.ZSTD:
            # Only a file that can be searched tells whether it is whole.
            with self._paths.open(file) as stream:
                yield stream
            return
        with self._store.open_read(file.key) as stored:
            if file.compression is Compression.GZIP:
                with gzip.open(stored, "rb") as stream:
                    yield cast("BinaryIO", stream)
            else:
                yield stored


@contextmanager
def staged_files(store: ObjectStore) -> Iterator[StagedFiles]:
    """Opens the staged files for the time of one load; what it needs on the local disk goes at the end."""
    with TemporaryDirectory(prefix="penstock-load-") as folder, ExitStack() as opened:
        paths = opened.enter_context(staged_paths(store, Path(folder) / "scratch"))
        yield StagedFiles(store, paths, opened)
