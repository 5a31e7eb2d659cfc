"""Chooses files by their keys and by what is new."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol, cast

from penstock.artifacts import Interval
from penstock.sources.s3_files import FilesDataset
from tasks.sources.contract import ExtractRequest
from tasks.sources.globs import compile_glob, literal_prefix
from tasks.sources.s3_files.days import day_globs
from tasks.staging.contract import ObjectInfo

# One question to the ledger: enough to be rare, few enough for one statement's parameters.
_SEEN_CHUNK = 1_000


class Listing(Protocol):
    """What lists files: a store, or a server."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yields the files whose keys start with `prefix`, in key order."""


def match_files(listing: Listing, dataset: FilesDataset, interval: Interval) -> Iterator[ObjectInfo]:
    """Yields the files whose keys match the dataset's glob, once each, for any day that it names."""
    patterns: list[re.Pattern[str]] = []
    for glob in day_globs(dataset.glob, interval):
        pattern = compile_glob(glob)
        for found in listing.list(literal_prefix(glob)):
            # A key that ends in a slash is a folder, as some tools mark one in a bucket.
            is_chosen = pattern.fullmatch(found.key) and not found.key.endswith("/")
            if is_chosen and not any(earlier.fullmatch(found.key) for earlier in patterns):
                yield found
        patterns.append(pattern)


def choose_files(listing: Listing, request: ExtractRequest) -> Iterator[ObjectInfo]:
    """Yields the files that an extraction reads."""
    dataset = cast("FilesDataset", request.dataset)
    return select_files(match_files(listing, dataset, request.interval), request)


def select_files(files: Iterable[ObjectInfo], request: ExtractRequest) -> Iterator[ObjectInfo]:
    """Yields those of the matching files that the dataset selects."""
    select = cast("FilesDataset", request.dataset).select
    if select == "new":
        yield from _unseen(files, request)
    elif select == "window" and not request.interval.is_full:
        start, end = request.interval.bounds()
        yield from (info for info in files if start <= info.modified_at < end)
    else:
        yield from files


def _unseen(found: Iterable[ObjectInfo], request: ExtractRequest) -> Iterator[ObjectInfo]:
    """Yields the files whose content the table does not hold yet, asking for a chunk of them at a time."""
    remaining = iter(found)
    while chunk := list(islice(remaining, _SEEN_CHUNK)):
        seen = request.seen_files([(info.key, info.etag) for info in chunk])
        yield from (info for info in chunk if (info.key, info.etag) not in seen)
