"""Reads one object of S3 as a stream, going on where a broken connection ended.

S3 answers a GET from the version that it began with, so a reader keeps what it opened; a later request for the rest
says that version's etag and is refused when another is there.
"""

from __future__ import annotations

import io
import time
from typing import Any

from penstock.errors import DataError, RejectedError, TransientError
from tasks.staging.s3_client import S3Bucket
from tasks.staging.s3_errors import BEYOND_THE_END

_PAUSES_SECONDS = (0.1, 0.5, 2.0)
"""Between attempts to go on; progress starts them anew."""


class ObjectReader(io.RawIOBase):
    """An object's bytes from `start`, or `length` of them.

    Raises:
        DataError: there is no such object, or another one is there when the rest is asked for.
    """

    def __init__(self, bucket: S3Bucket, key: str, start: int = 0, length: int | None = None) -> None:
        self._bucket = bucket
        self._key = key
        self._position = start
        self._end = None if length is None else start + length
        self._etag: str | None = None
        self._failures = 0
        self._body: Any = None
        self._body = self._open()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, target: Any, /) -> int:
        """Reads the next bytes; where the connection breaks, a new one goes on, three times without progress."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError

        while True:
            try:
                with self._bucket.explained(self._key):
                    chunk = self._body.read(len(target))
                break
            except TransientError as error:
                is_broken = isinstance(error.__cause__, HTTPClientError | IncompleteReadError)
                if not is_broken or self._failures == len(_PAUSES_SECONDS):
                    raise
            time.sleep(_PAUSES_SECONDS[self._failures])
            self._failures += 1
            self._body.close()
            self._body = self._open()
        self._position += len(chunk)
        if chunk:
            self._failures = 0
        target[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Ends the request, read to its end or not."""
        if self._body is not None:
            self._body.close()
        super().close()

    def _open(self) -> Any:
        arguments: dict[str, str] = {}
        if self._position or self._end is not None:
            last = "" if self._end is None else str(self._end - 1)
            arguments["Range"] = f"bytes={self._position}-{last}"
        if self._etag:
            arguments["IfMatch"] = self._etag
        answer = self._bucket.call("get_object", self._key, **arguments)
        if "Range" in arguments and "ContentRange" not in answer:
            answer["Body"].close()
            raise RejectedError(
                "the store ignores ranged reads", guidance="Use a store that answers them as S3 does.", key=self._key
            )
        self._etag = answer["ETag"]
        return answer["Body"]


def read_range(bucket: S3Bucket, key: str, start: int, length: int) -> bytes:
    """Returns up to `length` (one or more) bytes from `start`; fewer at the end, none beyond it."""
    try:
        with ObjectReader(bucket, key, start, length) as reader:
            return reader.readall() or b""
    except DataError as error:
        if error.facts.get("code") == BEYOND_THE_END:
            return b""
        raise
