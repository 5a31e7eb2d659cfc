"""Finds the staged files on the local disk; those of a store elsewhere are fetched for the time of one load."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

from penstock.artifacts import Compression, StagedBatch, StagedFile
from penstock.errors import DataError
from tasks.staging.contract import ObjectStore
from tasks.warehouses.duckdb.zstd_frames import is_whole

_CHUNK_BYTES = 1 << 20


class StagedPaths:
    """Local paths of staged files, and a folder for what a load writes beside them."""

    def __init__(self, store: ObjectStore, scratch: Path) -> None:
        self._store = store
        self._scratch = scratch
        self._paths: dict[str, str] = {}

    def of(self, file: StagedFile) -> str:
        """Returns the local path of a staged file.

        Raises:
            DataError: the file is not there, or was cut off.
        """
        if file.key not in self._paths:
            path = self._find(file)
            if file.compression is Compression.ZSTD and not is_whole(path):
                raise DataError(
                    "the file is not whole Zstandard", guidance="Have it delivered again, then stage it.", key=file.key
                )
            self._paths[file.key] = path
        return self._paths[file.key]

    def open(self, file: StagedFile) -> BinaryIO:
        """Opens a staged file for reading its decompressed bytes."""
        path = self.of(file)
        if file.compression is Compression.GZIP:
            return cast("BinaryIO", gzip.open(path, "rb"))
        if file.compression is Compression.ZSTD:
            import zstandard

            return cast("BinaryIO", zstandard.open(path, "rb"))
        return Path(path).open("rb")

    def new(self) -> Path:
        """Returns the path of a file that does not exist yet; it goes when the load ends."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        return Path(mkdtemp(dir=self._scratch)) / "file"

    def _find(self, file: StagedFile) -> str:
        address = urlsplit(self._store.uri(file.key))
        if address.scheme != "file":
            return self._fetch(file)
        path = Path(unquote(address.path))
        if not path.is_file():
            raise DataError("a staged file is not there", guidance="Stage the batch again, then load it.", key=file.key)
        return str(path)

    def _fetch(self, file: StagedFile) -> str:
        path = self.new()
        with self._store.open_read(file.key) as source, path.open("wb") as copy:
            shutil.copyfileobj(source, copy, _CHUNK_BYTES)
        return str(path)


@contextmanager
def staged_paths(store: ObjectStore, scratch: Path) -> Iterator[StagedPaths]:
    """Gives the local paths of staged files for the time of one load.

    Args:
        store: The lake that holds the files.
        scratch: A folder for copies; it is removed at the end.
    """
    try:
        yield StagedPaths(store, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def filled_files(batch: StagedBatch) -> tuple[StagedFile, ...]:
    """Returns the files of a batch that have any content, in order."""
    return tuple(file for file in batch.files if not file.is_empty)
