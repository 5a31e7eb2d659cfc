"""An S3 bucket, or a prefix of one, as an object store.

Also for what speaks S3's protocol at another address (`endpoint_url`). Copies within one S3 are made by S3; between
two, or from a store of another kind, the bytes stream through this process in the memory of a few parts.
"""

from __future__ import annotations

import io
import logging
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, cast
from urllib.parse import quote

from penstock.connections import S3Connection
from penstock.errors import RejectedError
from tasks.staging.contract import ObjectInfo, ObjectStore
from tasks.staging.keys import missing_object
from tasks.staging.s3_client import S3Bucket, S3Limits
from tasks.staging.s3_copy import copy_object
from tasks.staging.s3_read import ObjectReader, read_range
from tasks.staging.s3_stat import head, list_objects, object_info
from tasks.staging.s3_upload import writing

logger = logging.getLogger("penstock.store")

_BUFFER_BYTES = 1 << 18
_STREAM_CHUNK_BYTES = 1 << 20


class S3Store:
    """Objects of a bucket below the connection's prefix; nothing is asked before the first call.

    Etags are S3's own: of a multipart upload, one that depends on its parts, so that a copy may have another.
    """

    def __init__(self, connection: S3Connection, limits: S3Limits | None = None) -> None:
        self.bucket = S3Bucket(connection, limits or S3Limits())

    def open_write(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Opens `key` for streaming; it replaces what is there when the block ends well."""
        self.bucket.full_key(key)
        return writing(self.bucket, key)

    def open_read(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Opens an object for streaming reads.

        Raises:
            DataError: there is no such object.
        """
        return cast("BinaryIO", io.BufferedReader(ObjectReader(self.bucket, key), _BUFFER_BYTES))

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Returns up to `length` bytes from `start`; fewer at the end, none beyond it.

        Raises:
            DataError: there is no such object.
            ValueError: `start` or `length` is negative.
        """
        if start < 0 or length < 0:
            raise ValueError("a range has no negative start or length")
        if length == 0:
            self._known(key)
            return b""
        return read_range(self.bucket, key, start, length)

    def copy_in(self, source: ObjectStore, source_key: str, key: str) -> ObjectInfo:
        """Copies from this or another store; within one S3, no byte passes through this process.

        S3 copies with this store's credentials. Where they may not read the source but the source's own are others,
        the bytes are streamed, with a warning.

        Raises:
            DataError: the source has no such object, or it was replaced during the copy.
        """
        self.bucket.full_key(key)
        if not (isinstance(source, S3Store) and self._copy_on_server(source, source_key, key)):
            with source.open_read(source_key) as reader, self.open_write(key) as writer:
                shutil.copyfileobj(reader, writer, _STREAM_CHUNK_BYTES)
        return self._known(key)

    def _copy_on_server(self, source: S3Store, source_key: str, key: str) -> bool:
        ours, theirs = self.bucket.connection, source.bucket.connection
        if ours.endpoint_url != theirs.endpoint_url:
            return False
        try:
            copy_object(source.bucket, source_key, self.bucket, key)
        except RejectedError as error:
            if _identity(ours) == _identity(theirs) or "missing_right" not in error.facts:
                raise
            logger.warning(
                "%s is copied through this process: the credentials of bucket %s may not read it in bucket %s (%s)",
                *(source_key, ours.bucket, theirs.bucket, error.facts["missing_right"]),
            )
            return False
        return True

    def stat(self, key: str) -> ObjectInfo | None:
        """Returns what is known of an object, or None where there is none."""
        found = head(self.bucket, key)
        return object_info(key, found, found["ContentLength"]) if found else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yields the objects whose keys start with `prefix`, in key order, a page of 1,000 at a time."""
        return list_objects(self.bucket, prefix)

    def delete(self, key: str) -> None:
        """Removes an object; nothing happens where there is none. A bucket with versions keeps the old one."""
        self.bucket.call("delete_object", key)

    def uri(self, key: str) -> str:
        """Returns the object's `s3://` address, percent-encoded."""
        return f"s3://{self.bucket.name}/{quote(self.bucket.full_key(key))}"

    def _known(self, key: str) -> ObjectInfo:
        found = self.stat(key)
        if found is None:
            raise missing_object(key)
        return found


def _identity(connection: S3Connection) -> tuple[object, ...]:
    return connection.access_key_id, connection.profile, connection.role_arn
