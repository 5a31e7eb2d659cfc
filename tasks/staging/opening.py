"""Opens the object store that a connection leads to; a new kind of store is one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from penstock.connections import FolderConnection, S3Connection
from penstock.errors import ConfigurationError
from tasks.staging.contract import ObjectStore


def _open_folder(connection: FolderConnection) -> ObjectStore:
    from tasks.staging.local import LocalStore

    return LocalStore(connection.path)


def _open_s3(connection: S3Connection) -> ObjectStore:
    from tasks.staging.s3 import S3Store

    return S3Store(connection)


_OPENERS: dict[type[BaseModel], Callable[[Any], ObjectStore]] = {
    FolderConnection: _open_folder,
    S3Connection: _open_s3,
}


def open_store(connection: BaseModel) -> ObjectStore:
    """Opens the store that a connection leads to; nothing is read or written yet.

    Args:
        connection: One of the connections of `penstock.connections`.

    Raises:
        ConfigurationError: the connection leads to something that holds no files.
    """
    opener = _OPENERS.get(type(connection))
    if opener is None:
        kinds = ", ".join(sorted(kind.__name__.removesuffix("Connection").lower() for kind in _OPENERS))
        raise ConfigurationError(
            "the connection does not lead to an object store",
            guidance=f"Stores are connections of kind {kinds}.",
            kind=str(getattr(connection, "kind", type(connection).__name__)),
        )
    return opener(connection)
