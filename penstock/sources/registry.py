"""Every kind of source: its pipeline-file types, the connections it takes, and what its datasets can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from penstock.findings import Finding
from penstock.sources.base import DatasetSpec, SourceSpec, SourceTraits
from penstock.sources.gladly import GladlyDataset, GladlySource
from penstock.sources.gladly_reports import check_gladly_dataset
from penstock.sources.rest import RestDataset, RestSource
from penstock.sources.s3_files import FilesDataset, FilesSource
from penstock.sources.sql import SqlDataset, SqlSource, SqlTable, check_sql_dataset, sql_traits
from penstock.sources.traits import WINDOWED, files_traits, gladly_traits, rest_traits
from penstock.spec import Spec
from penstock.window import TimeWindow


def _nothing_to_add(_dataset: DatasetSpec, _window: TimeWindow) -> Iterable[Finding]:
    return ()


class Shorthand(NamedTuple):
    """A key of the pipeline file whose entries become datasets, before anything else looks at them.

    Args:
        key: The key, beside `datasets`.
        entry: Type of an entry.
        to_dataset: Returns the dataset that an entry means, as a file would have it.
        description: What the key is for.
    """

    key: str
    entry: type[Spec]
    to_dataset: Callable[[Any], dict[str, Any]]
    description: str


class SourceKind(NamedTuple):
    """One kind of source.

    Args:
        kind: The tag in a pipeline file.
        source: Type of the file's `source`.
        dataset: Type of each of its `datasets`.
        connections: Kinds of connection that lead to such a source.
        traits: What the kind can do at its best.
        dataset_traits: What one dataset can do, where datasets of a kind differ.
        window_hint: What makes a dataset of this kind honour a window.
        check: What else is wrong with a dataset and its window; places are relative to the dataset.
        shorthand: Another way to write datasets, where the kind has one.
    """

    kind: str
    source: type[SourceSpec]
    dataset: type[DatasetSpec]
    connections: frozenset[str]
    traits: SourceTraits
    dataset_traits: Callable[[DatasetSpec], SourceTraits]
    window_hint: str
    check: Callable[[DatasetSpec, TimeWindow], Iterable[Finding]] = _nothing_to_add
    shorthand: Shorthand | None = None


_KINDS = (
    SourceKind(
        "rest",
        RestSource,
        RestDataset,
        frozenset({"rest"}),
        WINDOWED,
        rest_traits,
        "Say in `window_parameters` how a request states the interval",
    ),
    SourceKind(
        "gladly",
        GladlySource,
        GladlyDataset,
        frozenset({"gladly"}),
        WINDOWED,
        gladly_traits,
        "Choose a `report` or an `export` instead of a `collection`",
        check_gladly_dataset,
    ),
    SourceKind(
        "s3_files",
        FilesSource,
        FilesDataset,
        frozenset({"folder", "s3"}),
        WINDOWED,
        files_traits,
        "Choose files by their time with `select: window`",
    ),
    SourceKind(
        "sql",
        SqlSource,
        SqlDataset,
        frozenset({"mysql", "postgres"}),
        SourceTraits(honours_window=True, keeps_types=True),
        sql_traits,
        "Name the column of time with `window_column`",
        check_sql_dataset,
        Shorthand("tables", SqlTable, SqlTable.to_dataset, "Tables by their metadata; each becomes a dataset."),
    ),
)

SOURCES: dict[str, SourceKind] = {entry.kind: entry for entry in _KINDS}
