"""The object store contract: what every store can do, and what every caller may rely on.

`tests/contract/test_store_contract.py` is the suite that a store passes. Keys are relative, `/`-separated, without `.`
or `..` parts (`tasks.staging.keys`); a store lives below one root that no key can leave. Every error is one of the tree
and names its `key`; a read of what is not there is a DataError. A store may be used by many threads at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, NamedTuple, Protocol


class ObjectInfo(NamedTuple):
    """What a store knows of an object without reading it. `etag` changes whenever the content does."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime


class ObjectStore(Protocol):
    """A place of immutable objects under keys."""

    def open_write(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Opens `key` for streaming; it appears whole when the block ends well, and not at all when it does not.

        It replaces what is there. An error of the block passes as it is.
        """

    def open_read(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Opens an object for streaming reads. Raises DataError where there is none."""

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Returns up to `length` bytes from `start`; fewer at the end, none beyond it."""

    def copy_in(self, source: ObjectStore, source_key: str, key: str) -> ObjectInfo:
        """Copies from this or another store, on the server's side wherever both allow it.

        The copy may share its bytes with the source (a hard link): whoever writes into the source in place changes the
        copy and its etag.
        """

    def stat(self, key: str) -> ObjectInfo | None:
        """Returns what is known of an object, or None where there is none."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yields the objects whose keys start with `prefix`, in key order, without holding them all."""

    def delete(self, key: str) -> None:
        """Removes an object; nothing happens where there is none."""

    def uri(self, key: str) -> str:
        """Returns the object's full address (`file:///...`, `s3://bucket/...`) for a warehouse's COPY."""
