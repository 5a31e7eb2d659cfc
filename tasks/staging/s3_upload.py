"""Writes one object to S3 as a stream, in the memory of a few parts.

What fits into one part is one PUT. Anything longer is a multipart upload, which appears when it is completed and is
aborted when the caller's block fails, so that no part is left. Only a killed process leaves parts, which nobody sees
and which a lifecycle rule of the bucket removes (docs/stores.md).
"""

from __future__ import annotations

import io
import logging
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, BinaryIO, Literal, cast

from penstock.errors import PenstockError
from tasks.staging.s3_client import S3Bucket

logger = logging.getLogger("penstock.store")

_BUFFER_BYTES = 1 << 18
_PARTS_OF_ONE_SIZE = 1_000

_Part = dict[str, Any]


@contextmanager
def writing(bucket: S3Bucket, key: str) -> Iterator[BinaryIO]:
    """Opens `key` for streaming; it appears when the block ends well."""
    upload = _Upload(bucket, key)
    raw = _UploadFile(upload)
    buffered = io.BufferedWriter(raw, _BUFFER_BYTES)
    try:
        yield cast("BinaryIO", buffered)
        buffered.close()
        upload.complete()
    except BaseException:
        raw.is_discarded = True
        buffered.close()
        upload.abort()
        raise


class MultipartUpload:
    """An upload whose parts are sent or copied by a few threads."""

    def __init__(self, bucket: S3Bucket, key: str, **options: object) -> None:
        self._bucket = bucket
        self._key = key
        self._pending: deque[Future[_Part]] = deque()
        self._parts: list[_Part] = []
        self._count = 0
        created = bucket.call("create_multipart_upload", key, **bucket.write_options, **options)
        self._id: str = created["UploadId"]
        self._pool = ThreadPoolExecutor(bucket.limits.parts_at_once, thread_name_prefix="s3-part")

    def add(self, operation: Literal["upload_part", "upload_part_copy"], **arguments: object) -> None:
        """Sends the next part beside others, waiting until there is room for it; an earlier part's error is raised."""
        while len(self._pending) >= self._bucket.limits.parts_at_once:
            self._parts.append(self._pending.popleft().result())
        self._count += 1
        self._pending.append(self._pool.submit(self._send, operation, self._count, arguments))

    def complete(self) -> None:
        """Waits for the parts and makes the object appear."""
        while self._pending:
            self._parts.append(self._pending.popleft().result())
        self._call("complete_multipart_upload", MultipartUpload={"Parts": self._parts})
        self._pool.shutdown()

    def abort(self) -> None:
        """Removes what was sent. It waits for parts on their way: S3 may keep one that ends after an abort."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        try:
            self._call("abort_multipart_upload")
        except PenstockError as error:  # the error that led here matters more
            if error.facts.get("code") == "NoSuchUpload":
                return
            logger.warning("parts of an upload are left in the bucket: %s", error)

    def _send(self, operation: str, number: int, arguments: dict[str, Any]) -> _Part:
        answer = self._call(operation, PartNumber=number, **arguments)
        return {"PartNumber": number, "ETag": answer.get("CopyPartResult", answer)["ETag"]}

    def _call(self, operation: str, **arguments: object) -> Any:
        return self._bucket.call(operation, self._key, UploadId=self._id, **arguments)


class _Upload:
    """Gathers what is written into parts."""

    def __init__(self, bucket: S3Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._buffer = bytearray()
        self._size = bucket.limits.part_bytes
        self._sent = 0
        self._multipart: MultipartUpload | None = None

    def write(self, data: memoryview) -> int:
        """Takes as much as the part has room for, and says how much that was."""
        if len(self._buffer) >= self._size:
            self._send()
        taken = data[: self._size - len(self._buffer)]
        self._buffer += taken
        return len(taken)

    def complete(self) -> None:
        if self._multipart is None:
            self._bucket.call("put_object", self._key, Body=bytes(self._buffer), **self._bucket.write_options)
            return
        self._send()
        self._multipart.complete()

    def abort(self) -> None:
        if self._multipart is not None:
            self._multipart.abort()

    def _send(self) -> None:
        if self._multipart is None:
            self._multipart = MultipartUpload(self._bucket, self._key)
        body, self._buffer = self._buffer, bytearray()
        self._multipart.add("upload_part", Body=body)
        self._sent += 1
        # 10,000 parts are allowed: doubling after each 1,000 reaches 5 TiB, and 8 MiB parts stay so up to 8 GB.
        if self._sent % _PARTS_OF_ONE_SIZE == 0:
            self._size *= 2


class _UploadFile(io.RawIOBase):
    """The upload as a raw file; what is written after it was given up goes nowhere."""

    def __init__(self, upload: _Upload) -> None:
        self.is_discarded = False
        self._upload = upload

    def writable(self) -> bool:
        return True

    def write(self, data: memoryview, /) -> int:  # type: ignore[override]
        return len(data) if self.is_discarded else self._upload.write(memoryview(data).cast("B"))
