"""What S3 says of objects without their bytes: one at a time, or a listing in pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from penstock.errors import DataError
from tasks.staging.contract import ObjectInfo
from tasks.staging.keys import check_prefix
from tasks.staging.s3_client import S3Bucket
from tasks.staging.s3_errors import BEYOND_THE_END

_NOT_FOUND = 404


def head(bucket: S3Bucket, key: str) -> dict[str, Any] | None:
    """Returns the object's headers as `head_object` does, or None where there is no object."""
    from botocore.exceptions import ClientError

    full_key = bucket.full_key(key)
    with bucket.explained(key):
        try:
            found: dict[str, Any] = bucket.client().head_object(Bucket=bucket.name, Key=full_key)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status == _NOT_FOUND and bucket.is_known:
                return None
            return _explain_head(bucket, key)
    bucket.is_known = True
    return found


def _explain_head(bucket: S3Bucket, key: str) -> dict[str, Any] | None:
    """Asks again by a GET: the answer to a HEAD has no body, so that a missing bucket looks like a missing object."""
    try:
        answer: dict[str, Any] = bucket.call("get_object", key, Range="bytes=0-0")
    except DataError as error:
        code = error.facts.get("code")
        if code == "NoSuchKey":
            bucket.is_known = True
            return None
        if code == BEYOND_THE_END:  # an empty object has appeared since
            with bucket.explained(key):
                return bucket.client().head_object(Bucket=bucket.name, Key=bucket.full_key(key))  # type: ignore[no-any-return]
        raise
    answer["Body"].close()
    return answer | {"ContentLength": int(answer["ContentRange"].rpartition("/")[2])}


def object_info(key: str, found: dict[str, Any], size_bytes: int) -> ObjectInfo:
    """Returns what a HEAD, a GET or a listing says; whole seconds, which is what all three of them have."""
    modified_at: datetime = found["LastModified"]
    return ObjectInfo(key, size_bytes, found["ETag"].strip('"'), modified_at.astimezone(UTC).replace(microsecond=0))


def list_objects(bucket: S3Bucket, prefix: str) -> Iterator[ObjectInfo]:
    """Yields the objects whose keys start with `prefix`, in key order; a page of 1,000 is in memory at a time."""
    check_prefix(prefix)
    return _pages(bucket, prefix)


def _pages(bucket: S3Bucket, prefix: str) -> Iterator[ObjectInfo]:
    arguments = {"Bucket": bucket.name, "Prefix": bucket.prefix + prefix}
    while True:
        with bucket.explained(None, prefix=prefix or None):
            page = bucket.client().list_objects_v2(**arguments)
        bucket.is_known = True
        for found in page.get("Contents", ()):
            key = found["Key"].removeprefix(bucket.prefix)
            if key:  # the prefix itself, as some tools mark a folder
                yield object_info(key, found, found["Size"])
        if not page.get("IsTruncated"):
            return
        arguments["ContinuationToken"] = page["NextContinuationToken"]
