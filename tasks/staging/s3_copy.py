"""Copies an object within S3: no byte of it passes through this process.

Up to `S3Limits.copy_bytes` it is one request; a larger object is copied by parts, several at once. Every request says
the etag that was seen first, so that a source that is replaced meanwhile stops the copy instead of mixing two objects.
"""

from __future__ import annotations

from typing import Any

from penstock.errors import DataError
from tasks.staging.keys import missing_object
from tasks.staging.s3_client import S3Bucket
from tasks.staging.s3_stat import head
from tasks.staging.s3_upload import MultipartUpload

_KEPT_HEADERS = ("ContentType", "ContentEncoding", "ContentDisposition", "ContentLanguage", "CacheControl", "Metadata")
_NO_SUCH_KEY = "NoSuchKey"


def copy_object(source: S3Bucket, source_key: str, target: S3Bucket, key: str) -> None:
    """Copies an object with the target's credentials, which need the right to read the source.

    Raises:
        DataError: the source has no such object, or it was replaced during the copy.
    """
    found = head(source, source_key)
    if found is None:
        raise missing_object(source_key)
    source_full, target_full = source.full_key(source_key), target.full_key(key)
    if (source.name, source_full) == (target.name, target_full):
        return  # S3 refuses a copy onto itself that changes nothing
    origin = {"CopySource": {"Bucket": source.name, "Key": source_full}, "CopySourceIfMatch": found["ETag"]}
    try:
        if found["ContentLength"] <= target.limits.copy_bytes:
            # Tags are left behind: to copy them takes two more rights, and policies may hang on them.
            target.call("copy_object", key, **origin, **target.write_options, TaggingDirective="REPLACE")
        else:
            _copy_by_parts(origin, found, target, key)
    except DataError as error:
        if error.facts.get("code") == _NO_SUCH_KEY:
            raise missing_object(source_key) from error
        raise


def _copy_by_parts(origin: dict[str, Any], found: dict[str, Any], target: S3Bucket, key: str) -> None:
    kept = {name: found[name] for name in _KEPT_HEADERS if found.get(name)}
    size, step = found["ContentLength"], target.limits.copy_part_bytes
    upload = MultipartUpload(target, key, **kept)
    try:
        for start in range(0, size, step):
            last = min(start + step, size) - 1
            upload.add("upload_part_copy", **origin, CopySourceRange=f"bytes={start}-{last}")
        upload.complete()
    except BaseException:
        upload.abort()
        raise
