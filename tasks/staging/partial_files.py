"""Files that are being written: out of sight until they are whole, and swept away when their writer died.

They lie in one hidden folder below the store's root, so that publishing one is a rename within a file system and a
sweep needs no walk. A writer holds a lock on its file; the system drops it with the process, which is how a sweep
tells a dead writer's file from a live one's, whatever process ids say.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.staging.folder_errors import explained

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

PARTIAL_FOLDER = ".penstock-partial"

_PUBLISH_ATTEMPTS = 100
# Linux's FICLONE, _IOW(0x94, 9, int) in linux/fs.h: the copy shares the source's blocks until one of them changes.
_FICLONE = 0x40049409
# What file systems answer that cannot do it; any other answer is an error. EPERM is also the kernel's protection
# against hard links to other users' files.
_CANNOT = frozenset(
    {errno.EXDEV, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.ENOTTY, errno.EPERM, errno.EMLINK}
)
_COPY_CHUNK_BYTES = 1 << 20
_KERNEL_COPY_BYTES = 1 << 30


class ObjectFile(io.FileIO):
    """An object's open file, whose failures name its key. Once `is_discarded`, it takes writes and drops them."""

    def __init__(self, fd: int, mode: str, key: str) -> None:
        super().__init__(fd, mode)
        self.key = key
        self.is_discarded = False

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Reads into `buffer`, as `io.RawIOBase` says."""
        with explained(self.key):
            return super().readinto(buffer)

    def readall(self) -> bytes:
        """Reads to the end."""
        with explained(self.key):
            return super().readall()

    def write(self, data: ReadableBuffer, /) -> int:
        """Writes as much of `data` as the system takes at once."""
        if self.is_discarded:
            return memoryview(data).nbytes
        with explained(self.key):
            return super().write(data)


class PartialFile:
    """A new file's descriptor, and whether the file shall appear in the end."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.is_wanted = True


@contextmanager
def partial_file(root: Path, target: Path, key: str) -> Iterator[PartialFile]:
    """Yields a new file that becomes `target` when the block ends well and still wants it, and is removed otherwise.

    Raises:
        PenstockError: the folder failed to make, keep or publish the file; errors of the block pass as they are.
    """
    with explained(key):
        _check_name(target)
        fd, path = _claim(root / PARTIAL_FOLDER)
    try:
        partial = PartialFile(fd)
        yield partial
        if partial.is_wanted:
            with explained(key):
                os.fsync(fd)
                publish(path, target, root)
    finally:
        os.close(fd)
        path.unlink(missing_ok=True)  # published, it has another name by now


def _check_name(target: Path) -> None:
    """Raises at once what the rename would raise when everything is written."""
    try:
        is_folder = stat.S_ISDIR(target.stat().st_mode)
    except FileNotFoundError:
        return
    if is_folder:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def _claim(folder: Path) -> tuple[int, Path]:
    while True:
        path = folder / uuid.uuid4().hex
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
            continue
        with suppress(OSError):  # a file system without locks only keeps its leftovers
            fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:
            return fd, path
        os.close(fd)  # a sweep was faster than the lock


def publish(path: Path, target: Path, root: Path) -> None:
    """Renames a whole file to `target`, replacing what is there, and makes that survive a power cut."""
    for attempt in range(1, _PUBLISH_ATTEMPTS + 1):
        is_new = not target.parent.is_dir()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            break
        except (FileNotFoundError, FileExistsError):  # a delete pruned the folder meanwhile
            if attempt == _PUBLISH_ATTEMPTS:
                raise
    for folder in target.parents:
        with suppress(OSError):  # network shares refuse to sync a folder, and sync by themselves
            _sync_folder(folder)
        if folder == root or not is_new:
            break


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def link_file(source: Path, target: Path, root: Path) -> bool:
    """Makes `target` a second name of `source`; False where the file systems do not allow it."""
    folder = root / PARTIAL_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / uuid.uuid4().hex
    try:
        os.link(source, path, follow_symlinks=False)
    except OSError as error:
        if error.errno in _CANNOT:
            return False
        raise
    try:
        publish(path, target, root)
    finally:
        path.unlink(missing_ok=True)  # renaming one name of a file to another of its names leaves both
    return True


def clone_file(source_fd: int, target_fd: int) -> bool:
    """Lets the target share the source's blocks; False where the file system cannot."""
    try:
        fcntl.ioctl(target_fd, _FICLONE, source_fd)
    except OSError as error:
        if error.errno in _CANNOT:
            return False
        raise
    return True


def copy_file(source_fd: int, target_fd: int) -> None:
    """Copies bytes inside the kernel, or through a buffer of fixed size where the kernel cannot."""
    try:
        while hasattr(os, "copy_file_range") and os.copy_file_range(source_fd, target_fd, _KERNEL_COPY_BYTES):
            pass
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    # Both descriptors stand behind what the kernel copied, so this ends at once where it copied everything.
    with open(source_fd, "rb", buffering=0, closefd=False) as source, open(target_fd, "wb", closefd=False) as target:
        while chunk := source.read(_COPY_CHUNK_BYTES):
            target.write(chunk)


def sweep(root: Path) -> int:
    """Removes what dead writers left and returns how many files that were.

    A file with a second name is left alone: it is a link about to be published, or takes no space of its own.
    """
    removed = 0
    with suppress(FileNotFoundError), os.scandir(root / PARTIAL_FOLDER) as entries:
        for entry in entries:
            with suppress(OSError):
                removed += _remove_if_dead(Path(entry.path))
    return removed


def _remove_if_dead(path: Path) -> bool:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(fd).st_nlink > 1:
            return False
        path.unlink()
    finally:
        os.close(fd)
    return True
