"""Whether an object store lets itself be listed, written, read and cleaned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from penstock.errors import DataError, PenstockError
from tasks.probing.contract import Probing, Seen
from tasks.staging.contract import ObjectStore

PROBE_PREFIX = "artifacts/penstock-doctor/"
"""Where probes write; nothing reads there."""

_CONTENT = b"penstock doctor"


def probe_lake(store: ObjectStore) -> Seen:
    """Lists, writes, reads and removes one small object.

    Raises:
        PenstockError: the store refused one of these; `step` says which.
    """
    if isinstance(store, Probing):
        return store.probe()
    key = f"{PROBE_PREFIX}{uuid4().hex}"
    with _step("list"):
        next(iter(store.list(PROBE_PREFIX)), None)
    with _step("write"), store.open_write(key) as file:
        file.write(_CONTENT)
    try:
        with _step("read"):
            read = store.read_range(key, 0, len(_CONTENT))
    finally:
        with _step("delete"):
            store.delete(key)
    if read != _CONTENT:
        raise DataError(
            "the store gave back something else than was written",
            guidance="Look for a proxy, or a second writer, between here and the store.",
            key=key,
        )
    return Seen("listed, written, read and removed")


def probe_source_store(store: ObjectStore, prefix: str) -> Seen:
    """Lists one object below a prefix and reads its first byte.

    Raises:
        PenstockError: the store refused one of these; `step` says which.
    """
    with _step("list"):
        first = next(iter(store.list(prefix)), None)
    if first is None:
        return Seen("listed; no object there yet")
    with _step("read"):
        store.read_range(first.key, 0, 1)
    return Seen("listed and read")


@contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except PenstockError as error:
        error.facts["step"] = name
        raise
