"""A folder as an object store.

An object appears by a rename, so that readers see all of it or nothing. `copy_in` within one file system moves no
byte: the copy shares the source's blocks (a reflink) or is a second name of its file (a hard link). Whoever writes into
a linked source file in place changes the copy with it; the copy's etag tells (`tasks.staging.stage.check_staged`).
"""

from __future__ import annotations

import io
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from penstock.errors import ConfigurationError
from tasks.staging.contract import ObjectInfo, ObjectStore
from tasks.staging.folder_errors import explained
from tasks.staging.keys import check_key, check_prefix, missing_object
from tasks.staging.local_listing import is_inside, link_error, walk
from tasks.staging.partial_files import (
    PARTIAL_FOLDER,
    ObjectFile,
    PartialFile,
    clone_file,
    copy_file,
    link_file,
    partial_file,
    sweep,
)

_BUFFER_BYTES = 1 << 18
_STREAM_CHUNK_BYTES = 1 << 20


class LocalStore:
    """Objects as files below `root`, which is made by the first write.

    Symbolic links that stay below the root are followed; one that leads out of it is an error.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - Path.absolute keeps `..` parts
        self._is_swept = False

    def open_write(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Opens `key` for streaming; it replaces what is there when the block ends well."""
        return self._writing(key, self._target(key))

    @contextmanager
    def _writing(self, key: str, target: Path) -> Iterator[BinaryIO]:
        with self._new_file(key, target) as partial:
            raw = ObjectFile(os.dup(partial.fd), "wb", key)
            buffered = io.BufferedWriter(raw, _BUFFER_BYTES)
            try:
                yield cast("BinaryIO", buffered)
                buffered.close()
            except BaseException:
                raw.is_discarded = True
                buffered.close()
                raise

    def _new_file(self, key: str, target: Path) -> AbstractContextManager[PartialFile]:
        if not self._is_swept:
            self._is_swept = True
            with suppress(OSError):  # leftovers are no reason to refuse a write
                sweep(self.root)
        return partial_file(self.root, target, key)

    def open_read(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Opens an object for streaming reads.

        Raises:
            DataError: there is no such object.
        """
        return cast("BinaryIO", io.BufferedReader(ObjectFile(self._open(key), "rb", key), _BUFFER_BYTES))

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Returns up to `length` bytes from `start`; fewer at the end, none beyond it.

        Raises:
            DataError: there is no such object.
            ValueError: `start` or `length` is negative.
        """
        if start < 0 or length < 0:
            raise ValueError("a range has no negative start or length")
        fd = self._open(key)
        try:
            with explained(key):
                chunks = []
                while length > 0 and (chunk := os.pread(fd, length, start)):
                    chunks.append(chunk)
                    start, length = start + len(chunk), length - len(chunk)
                return b"".join(chunks)
        finally:
            os.close(fd)

    def copy_in(self, source: ObjectStore, source_key: str, key: str) -> ObjectInfo:
        """Copies from this or another store; without moving a byte within one file system.

        Raises:
            DataError: the source has no such object.
        """
        target = self._target(key)
        if isinstance(source, LocalStore):
            self._copy_file(source, source_key, key, target)
        else:
            with source.open_read(source_key) as reader, self.open_write(key) as writer:
                shutil.copyfileobj(reader, writer, _STREAM_CHUNK_BYTES)
        copied = self.stat(key)
        if copied is None:
            raise missing_object(key)
        return copied

    def _copy_file(self, source: LocalStore, source_key: str, key: str, target: Path) -> None:
        source_fd = source._open(source_key)
        try:
            with self._new_file(key, target) as partial, explained(key):
                partial.is_wanted = clone_file(source_fd, partial.fd)
            if partial.is_wanted:
                return
            with explained(key):
                if link_file(Path(os.path.realpath(source.path(source_key))), target, self.root):
                    return
            with self._new_file(key, target) as partial, explained(key):
                copy_file(source_fd, partial.fd)
        finally:
            os.close(source_fd)

    def stat(self, key: str) -> ObjectInfo | None:
        """Returns what is known of an object, or None where there is none."""
        path = self._checked(key)
        with explained(key):
            try:
                found = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return _info(key, found) if stat.S_ISREG(found.st_mode) else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yields the objects whose keys start with `prefix`, in key order, reading folders as it goes.

        Raises:
            ConfigurationError: a symbolic link below the prefix leads out of the root.
            DataError: a file's name is not UTF-8.
        """
        check_prefix(prefix)
        folder = self.root / prefix.rpartition("/")[0]
        self._check_containment(folder)
        real_root = os.path.realpath(self.root)
        return (_info(key, found) for key, found in walk(real_root, prefix))

    def delete(self, key: str) -> None:
        """Removes an object and the folders that it leaves empty; nothing happens where there is none."""
        path = self._target(key)
        with explained(key):
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return
        for folder in path.parents:
            if folder == self.root:
                return
            try:
                folder.rmdir()
            except OSError:  # it holds something else, or another delete was faster
                return

    def uri(self, key: str) -> str:
        """Returns the object's `file://` address, percent-encoded; DuckDB takes `path` instead, it decodes nothing."""
        return self.path(key).as_uri()

    def path(self, key: str) -> Path:
        """Returns the path of the object's file."""
        check_key(key)
        if key.split("/", 1)[0] == PARTIAL_FOLDER:
            raise ConfigurationError(
                "this folder is reserved for files that are being written", guidance="Choose another key.", key=key
            )
        return self.root / key

    def _checked(self, key: str) -> Path:
        path = self.path(key)
        self._check_containment(path)
        return path

    def _target(self, key: str) -> Path:
        """Returns where to write: a link of that name is replaced, so only its folder has to lie below the root."""
        path = self.path(key)
        self._check_containment(path.parent)
        return path

    def _check_containment(self, path: Path) -> None:
        if not is_inside(os.fspath(path), os.path.realpath(self.root)):
            raise link_error(os.fspath(path))

    def _open(self, key: str) -> int:
        path = self._checked(key)
        with explained(key):
            try:
                # A named pipe would otherwise block until somebody writes to it.
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise missing_object(key) from error
            if stat.S_ISREG(os.fstat(fd).st_mode):
                return fd
            os.close(fd)
        raise missing_object(key)


def _info(key: str, found: os.stat_result) -> ObjectInfo:
    # The change time is not part of the etag, for a hard link changes it without changing the content.
    etag = f"{found.st_size:x}-{found.st_mtime_ns:x}-{found.st_ino:x}"
    return ObjectInfo(key, found.st_size, etag, datetime.fromtimestamp(found.st_mtime, UTC))
