"""Whether a store that holds a source's files can be listed and read."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.connections import StoreConnection
from penstock.sources.base import DatasetSpec
from penstock.sources.s3_files import DAY, FilesDataset
from tasks.probing.contract import Seen
from tasks.probing.store import probe_source_store
from tasks.sources.globs import literal_prefix
from tasks.staging.opening import open_store


def probe(_name: str, connection: StoreConnection, datasets: Sequence[DatasetSpec], *, timeout_seconds: float) -> Seen:
    """Lists where the first dataset's files are; the store's own time limits hold."""
    del timeout_seconds
    globs = [dataset.glob for dataset in datasets if isinstance(dataset, FilesDataset)]
    return probe_source_store(open_store(connection), literal_prefix(DAY.sub("*", globs[0])) if globs else "")
