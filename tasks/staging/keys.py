"""Which object keys are allowed, for every store alike."""

from __future__ import annotations

from penstock.errors import ConfigurationError, DataError

MAXIMUM_KEY_BYTES = 1024
"""S3's limit, so that a key that one store takes fits every other."""

MAXIMUM_PART_BYTES = 255
"""What file systems allow for one name."""


def check_key(key: str) -> None:
    """Refuses a key that could leave the store's root, or that some store cannot hold.

    Raises:
        ConfigurationError: the key is empty, absolute, has an empty, `.` or `..` part, holds a NUL, is no valid
            Unicode, or is too long; `reason` says which.
    """
    reason = _fault(key) or next((fault for fault in map(_part_fault, key.split("/")) if fault), None)
    if reason:
        raise _refusal(key, reason)


def check_prefix(prefix: str) -> None:
    """Refuses a prefix that no allowed key can start with; the empty prefix means every key.

    Raises:
        ConfigurationError: as for a key; the part after the last slash may be anything without a NUL.
    """
    *folders, rest = prefix.split("/")
    reason = _fault(prefix) if prefix else None
    reason = reason or next((fault for fault in map(_part_fault, folders) if fault), None)
    if reason or len(rest.encode()) > MAXIMUM_PART_BYTES:
        raise _refusal(prefix, reason or "a part is too long")


def missing_object(key: str) -> DataError:
    """Returns what every store raises when it is asked to read what is not there."""
    return DataError(
        "the store has no such object", guidance="Check the key, and whether a clean-up removed it.", key=key
    )


def _fault(key: str) -> str | None:
    if "\0" in key:
        return "it holds a NUL character"
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if size > MAXIMUM_KEY_BYTES:
        return f"it has more than {MAXIMUM_KEY_BYTES} bytes"
    if key.startswith("/"):
        return "it is absolute"
    return None


def _part_fault(part: str) -> str | None:
    if not part:
        return "it has an empty part"
    if part in {".", ".."}:
        return "it has a part that is . or .."
    if len(part.encode()) > MAXIMUM_PART_BYTES:
        return f"it has a part of more than {MAXIMUM_PART_BYTES} bytes"
    return None


def _refusal(key: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        "this object key cannot be used",
        guidance="Use a relative key of parts joined by single slashes, such as ingest/acme/orders/part-1.csv.",
        key=ascii(key[:100]),
        reason=reason,
    )
