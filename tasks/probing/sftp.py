"""Whether an SFTP server is the expected one and lets its files be listed and read."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.connections import SftpConnection
from penstock.sources.base import DatasetSpec
from penstock.sources.s3_files import DAY, FilesDataset
from tasks.probing.contract import Seen
from tasks.sources.globs import literal_prefix
from tasks.sources.sftp.files import SftpFiles
from tasks.sources.sftp.session import open_session


def probe(name: str, connection: SftpConnection, datasets: Sequence[DatasetSpec], *, timeout_seconds: float) -> Seen:
    """Lists where the first dataset's files are, and reads the first byte of one."""
    globs = [dataset.glob for dataset in datasets if isinstance(dataset, FilesDataset)]
    prefix = literal_prefix(DAY.sub("*", globs[0])) if globs else ""
    seconds = min(timeout_seconds, connection.timeout_seconds)
    impatient = connection.model_copy(update={"timeout_seconds": seconds})
    with open_session(impatient, name) as sftp:
        files = SftpFiles(sftp, connection=name)
        first = next(files.list(prefix), None)
        if first is None:
            return Seen("listed; no file there yet")
        next(files.read(first.key, min(first.size_bytes, 1)), None)
    return Seen("listed and read")
