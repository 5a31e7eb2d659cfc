"""Every kind of source: its pipeline-file types, the connections it takes, and what its datasets can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, get_args

from penstock.findings import Finding
from penstock.sources.anthropic import AnthropicDataset, AnthropicSource
from penstock.sources.base import DatasetSpec, SourceSpec, SourceTraits
from penstock.sources.copilot import CopilotDataset, CopilotSource
from penstock.sources.cursor import CursorDataset, CursorSource
from penstock.sources.datadog_slo import DatadogSloDataset, DatadogSloSource, datadog_slo_traits
from penstock.sources.declared import DeclaredDataset, check_declared_dataset, declared_traits
from penstock.sources.gladly import GladlyDataset, GladlySource
from penstock.sources.gladly_reports import check_gladly_dataset
from penstock.sources.gmail import GmailDataset, GmailSource, gmail_traits
from penstock.sources.google_sheets import SheetsDataset, SheetsSource, sheets_traits
from penstock.sources.incident_io import IncidentIoDataset, IncidentIoSource, incident_io_traits
from penstock.sources.litellm import LiteLLMDataset, LiteLLMSource
from penstock.sources.nobl9 import Nobl9Dataset, Nobl9Source, nobl9_traits
from penstock.sources.openai import OpenAIDataset, OpenAISource
from penstock.sources.rest import RestDataset, RestSource
from penstock.sources.s3_files import FilesDataset, FilesSource
from penstock.sources.sourcegraph import SourcegraphDataset, SourcegraphSource
from penstock.sources.sprout_social import (
    SproutSocialDataset,
    SproutSocialSource,
    check_sprout_social_dataset,
    sprout_social_traits,
)
from penstock.sources.sql import SqlDataset, SqlSource, SqlTable, check_sql_dataset, sql_traits
from penstock.sources.traits import WHOLE, WINDOWED, files_traits, gladly_traits, rest_traits
from penstock.sources.windsurf import WindsurfDataset, WindsurfSource
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


def _declared(source: type[SourceSpec], dataset: type[DeclaredDataset[Any]]) -> SourceKind:
    """Returns the kind of a source whose endpoints are declared; its connections are of the same kind."""
    (kind,) = get_args(source.model_fields["kind"].annotation)
    hint = "Choose a report with a window instead of a list"
    connections = frozenset({kind})
    return SourceKind(kind, source, dataset, connections, WINDOWED, declared_traits, hint, check_declared_dataset)


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
        "datadog_slo",
        DatadogSloSource,
        DatadogSloDataset,
        frozenset({"datadog_slo"}),
        WINDOWED,
        datadog_slo_traits,
        "Choose `report: history` or `report: status`, which are asked for by time",
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
        "incident_io",
        IncidentIoSource,
        IncidentIoDataset,
        frozenset({"incident_io"}),
        WINDOWED,
        incident_io_traits,
        "Choose `resource: incidents`, the only list that can be asked for by time",
    ),
    SourceKind(
        "nobl9",
        Nobl9Source,
        Nobl9Dataset,
        frozenset({"nobl9"}),
        WHOLE,
        nobl9_traits,
        "Nobl9 tells only how its SLOs stand now",
    ),
    SourceKind(
        "gmail",
        GmailSource,
        GmailDataset,
        frozenset({"google"}),
        WINDOWED,
        gmail_traits,
        "Messages always have a time",
    ),
    SourceKind(
        "google_sheets",
        SheetsSource,
        SheetsDataset,
        frozenset({"google"}),
        WHOLE,
        sheets_traits,
        "A sheet says of no row when it changed: use {kind: full}",
    ),
    SourceKind(
        "s3_files",
        FilesSource,
        FilesDataset,
        frozenset({"folder", "s3", "sftp"}),
        WINDOWED,
        files_traits,
        "Choose files by their time with `select: window`, or by a day in their `glob`",
    ),
    SourceKind(
        "sprout_social",
        SproutSocialSource,
        SproutSocialDataset,
        frozenset({"sprout_social"}),
        WINDOWED,
        sprout_social_traits,
        "Choose an `endpoint` that is about a time, such as `post_analytics`",
        check_sprout_social_dataset,
    ),
    _declared(AnthropicSource, AnthropicDataset),
    _declared(CopilotSource, CopilotDataset),
    _declared(CursorSource, CursorDataset),
    _declared(LiteLLMSource, LiteLLMDataset),
    _declared(OpenAISource, OpenAIDataset),
    _declared(SourcegraphSource, SourcegraphDataset),
    _declared(WindsurfSource, WindsurfDataset),
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
