"""Lists and reads the files of an SFTP server, as one that is only read.

Nothing can be copied on the server's side here: each file passes through the worker into the lake, in pieces.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tasks.sources.sftp.failures import explained
from tasks.staging.contract import ObjectInfo

_REQUEST_BYTES = 32 * 1024
"""What every server answers at once (draft-ietf-secsh-filexfer-02, 3)."""

_REQUESTS_AT_ONCE = 64
"""A window of 2 MiB: enough for the round trips of a far server, little memory."""


class SftpFiles:
    """The files below a session's folder; keys are their paths, joined by slashes."""

    def __init__(self, sftp: Any, **facts: Any) -> None:
        self._sftp = sftp
        self._facts = facts

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yields the files whose keys start with `prefix`, in key order; links are not followed.

        Raises:
            PenstockError: the server does not list the folder.
        """
        folder = prefix.rpartition("/")[0]
        if folder and self._is_missing(folder):
            return
        yield from (info for info in self._walk(folder) if info.key.startswith(prefix))

    def stat(self, key: str) -> ObjectInfo | None:
        """Returns what is known of a file, or None where there is none."""
        with explained(key=key, **self._facts):
            try:
                found = self._sftp.stat(key)
            except FileNotFoundError:
                return None
        return _info(key, found)

    def read(self, key: str, size_bytes: int) -> Iterator[bytes]:
        """Yields a file's bytes, `size_bytes` of them, with many requests under way at once."""
        with explained(key=key, **self._facts), self._sftp.open(key, "rb") as file:
            window = _REQUEST_BYTES * _REQUESTS_AT_ONCE
            for start in range(0, size_bytes, window):
                end = min(start + window, size_bytes)
                # Not `prefetch`: it reads as fast as the server sends, into memory (paramiko 5).
                pieces = [(at, min(_REQUEST_BYTES, end - at)) for at in range(start, end, _REQUEST_BYTES)]
                yield b"".join(file.readv(pieces))

    def _is_missing(self, folder: str) -> bool:
        with explained(key=folder, **self._facts):
            try:
                self._sftp.stat(folder)
            except FileNotFoundError:
                return True
        return False

    def _walk(self, folder: str) -> Iterator[ObjectInfo]:
        with explained(key=folder or ".", **self._facts):
            entries = self._sftp.listdir_attr(folder or ".")
        for entry in sorted(entries, key=_order):
            key = f"{folder}/{entry.filename}" if folder else entry.filename
            if stat.S_ISDIR(entry.st_mode or 0):
                yield from self._walk(key)
            elif stat.S_ISREG(entry.st_mode or 0):
                yield _info(key, entry)


def _order(entry: Any) -> str:
    return f"{entry.filename}/" if stat.S_ISDIR(entry.st_mode or 0) else str(entry.filename)


def _info(key: str, found: Any) -> ObjectInfo:
    # SFTP knows no more of a file's content than its size and the second of its last change.
    seconds = int(found.st_mtime or 0)
    return ObjectInfo(key, found.st_size, f"{found.st_size:x}-{seconds:x}", datetime.fromtimestamp(seconds, UTC))
