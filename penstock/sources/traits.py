"""What each kind of dataset does with a time window, for checks made before anything runs."""

from __future__ import annotations

from penstock.sources.base import DatasetSpec, SourceTraits
from penstock.sources.gladly import GladlyDataset
from penstock.sources.rest import RestDataset
from penstock.sources.s3_files import FilesDataset

WINDOWED = SourceTraits(honours_window=True)
WHOLE = SourceTraits(honours_window=False, absent_rows_are_deleted=True)
UNBOUNDED = SourceTraits(honours_window=False)


def gladly_traits(dataset: DatasetSpec) -> SourceTraits:
    """Returns a Gladly dataset's traits: reports and exports take dates, a collection is always whole."""
    return WHOLE if isinstance(dataset, GladlyDataset) and dataset.collection else WINDOWED


def rest_traits(dataset: DatasetSpec) -> SourceTraits:
    """Returns an endpoint's traits: without `window_parameters` a request cannot say which time it is about."""
    return WINDOWED if isinstance(dataset, RestDataset) and dataset.window_parameters else WHOLE


def files_traits(dataset: DatasetSpec) -> SourceTraits:
    """Returns a file selection's traits: new files are found by content, so a file that is gone deletes nothing."""
    if not isinstance(dataset, FilesDataset):
        return UNBOUNDED
    if dataset.is_dated:
        return WINDOWED
    return {"window": WINDOWED, "all": WHOLE, "new": UNBOUNDED}[dataset.select]
