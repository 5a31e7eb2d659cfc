"""Brings staged files to where Snowflake reads them: the lake itself, or a stage of Snowflake's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from penstock.artifacts import StagedBatch, StagedFile
from penstock.connections import ExternalStage, InternalStage
from penstock.errors import ConfigurationError, DataError, PenstockError
from tasks.staging.contract import ObjectStore
from tasks.warehouses.snowflake.quoting import literal
from tasks.warehouses.snowflake.session import Sql

_CHUNK_BYTES = 1 << 20
_PARALLEL_UPLOADS = 8


@dataclass(frozen=True)
class StagedNames:
    """Where Snowflake finds the files of a batch.

    Attributes:
        stage: What COPY reads from, as SQL.
        names: The name in the stage of each file that has content, by key.
        paths: What METADATA$FILENAME says of it.
    """

    stage: str
    names: dict[str, str]
    paths: dict[str, str]

    def of(self, files: Sequence[StagedFile]) -> list[str]:
        """Returns the names of files."""
        return [self.names[file.key] for file in files]


def stage_name(stage: InternalStage | ExternalStage) -> str:
    """Returns a stage's full name, as SQL."""
    return f"penstock.{stage.name}"


def stage_url(store: ObjectStore) -> str:
    """Returns where an external stage begins, as the bucket's address with a slash at its end.

    Snowflake takes it as it stands, so signs that a URI has to encode are not encoded.

    Raises:
        ConfigurationError: the store is no bucket that Snowflake could read.
    """
    probe = "key"
    url = store.uri(probe).removesuffix(probe)
    if urlsplit(url).scheme not in {"s3", "gcs", "azure"}:
        raise ConfigurationError(
            "Snowflake cannot read this store itself",
            guidance="Set the warehouse connection's `stage` to kind `internal`, or keep the lake in a bucket.",
            scheme=urlsplit(url).scheme,
        )
    return unquote(url)


@contextmanager
def staged_names(
    sql: Sql, stage: InternalStage | ExternalStage, batch: StagedBatch, store: ObjectStore, folder: str
) -> Iterator[StagedNames]:
    """Gives the names of a batch's files in the stage for the time of one load.

    Args:
        sql: The session that uploads and removes.
        stage: The warehouse's stage; an internal one gets the files, and loses them at the end.
        batch: The staged files.
        store: The lake that holds them.
        folder: A name that only this batch has.
    """
    files = [file for file in batch.files if not file.is_empty]
    if isinstance(stage, ExternalStage):
        prefix = stage_url(store).split("/", 3)[3]
        keys = {file.key: file.key for file in files}
        yield StagedNames(f"@{stage_name(stage)}/", keys, {key: prefix + key for key in keys})
        return
    names = {file.key: f"{number:06}" for number, file in enumerate(files)}
    address = f"@{stage_name(stage)}/{folder}/"
    if not files:
        yield StagedNames(address, {}, {})
        return
    try:
        _upload(sql, files, names, store, address)
        yield StagedNames(address, names, {key: f"{folder}/{name}" for key, name in names.items()})
    finally:
        _remove(sql, address)


def _upload(sql: Sql, files: Sequence[StagedFile], names: dict[str, str], store: ObjectStore, address: str) -> None:
    with TemporaryDirectory(prefix="penstock-") as scratch:
        for file in files:
            _place(file, Path(scratch) / names[file.key], store)
        source = literal(f"file://{Path(scratch).as_posix()}/*")
        sql.run(f"PUT {source} {address} PARALLEL = {_PARALLEL_UPLOADS} AUTO_COMPRESS = FALSE OVERWRITE = TRUE")


def _place(file: StagedFile, path: Path, store: ObjectStore) -> None:
    """Puts a staged file, or a link to it, below a name without signs that PUT would take for a pattern."""
    address = urlsplit(store.uri(file.key))
    if address.scheme == "file":
        local = Path(unquote(address.path))
        if not local.is_file():
            raise DataError("a staged file is not there", guidance="Stage the batch again, then load it.", key=file.key)
        path.symlink_to(local)
        return
    with store.open_read(file.key) as source, path.open("wb") as copy:
        shutil.copyfileobj(source, copy, _CHUNK_BYTES)


def _remove(sql: Sql, address: str) -> None:
    """Removes uploaded files; those that cannot be removed now cost storage and nothing else."""
    from snowflake.connector import errors

    with suppress(errors.Error, PenstockError):
        sql.run(f"REMOVE {address}")
