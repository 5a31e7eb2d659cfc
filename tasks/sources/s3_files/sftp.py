"""Brings the chosen files of an SFTP server into the lake: as they are, or converted beside what was brought."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import BinaryIO, cast

from penstock.artifacts import FileFormat, OriginalFile
from penstock.connections import SftpConnection
from penstock.errors import DataError, TransientError
from penstock.sources.s3_files import FilesDataset
from penstock.sources.tabular import TabularFormat
from tasks.sources.contract import ExtractRequest, ExtractSink, FileWriter
from tasks.sources.s3_files.choosing import choose_files
from tasks.sources.sftp.files import SftpFiles
from tasks.sources.sftp.session import open_session
from tasks.sources.tabular.converting import loadable_dialect, needs_conversion
from tasks.sources.tabular.formats import format_of
from tasks.sources.tabular.loading import load_original
from tasks.staging.contract import ObjectInfo


def bring_files(request: ExtractRequest, connection: SftpConnection, sink: ExtractSink) -> int:
    """Brings the files that the dataset chooses, and returns how many.

    Raises:
        TransientError: a file changes between two looks: it is still being written, so that a later attempt reads it.
        PenstockError: the server cannot be read.
    """
    with open_session(connection, request.connection_name) as sftp:
        files = SftpFiles(sftp, connection=request.connection_name)
        chosen = list(choose_files(files, request))
        _let_settle(files, chosen, connection.settle_seconds)
        for info in chosen:
            _bring(files, info, request, sink)
    return len(chosen)


def _let_settle(files: SftpFiles, chosen: Sequence[ObjectInfo], seconds: float) -> None:
    if chosen:
        time.sleep(seconds)
    for info in chosen:
        _check_unchanged(info, files.stat(info.key))


def _bring(files: SftpFiles, info: ObjectInfo, request: ExtractRequest, sink: ExtractSink) -> None:
    dataset = cast("FilesDataset", request.dataset)
    original = OriginalFile(
        store=request.connection_name,
        key=info.key,
        size_bytes=info.size_bytes,
        etag=info.etag,
        modified_at=info.modified_at,
    )
    if needs_conversion(info.key, dataset):
        with sink.write_original(info.key) as kept:
            _copy(files, info, kept)
        load_original(sink, original, dataset)
        return
    found, _ = format_of(info.key, declared=dataset.format)
    with sink.open_file(
        info.key,
        format=FileFormat(found),
        dialect=loadable_dialect(dataset) if found is TabularFormat.CSV else None,
        source_name=info.key,
        original=original,
    ) as file:
        _copy(files, info, _Uncounted(file))


def _copy(files: SftpFiles, info: ObjectInfo, target: BinaryIO | _Uncounted) -> None:
    size = 0
    for piece in files.read(info.key, info.size_bytes):
        target.write(piece)
        size += len(piece)
    # Asked first: a connection that breaks can look like the file's end, and says what it is when it is used again.
    _check_unchanged(info, files.stat(info.key))
    if size != info.size_bytes:
        raise _changing(info.key)


class _Uncounted:
    """Writes bytes whose rows nobody counts."""

    def __init__(self, file: FileWriter) -> None:
        self._file = file
        file.write(b"", None)

    def write(self, data: bytes) -> None:
        self._file.write(data, None)


def _check_unchanged(listed: ObjectInfo, found: ObjectInfo | None) -> None:
    if found is None:
        raise DataError(
            "a file of the batch is gone",
            guidance="Run the pipeline again: a new run lists the files as they are now.",
            key=listed.key,
        )
    if found.etag != listed.etag:
        raise _changing(listed.key)


def _changing(key: str) -> TransientError:
    return TransientError(
        "a file is still being written",
        guidance="Have files delivered under another name and renamed when they are whole.",
        key=key,
    )
