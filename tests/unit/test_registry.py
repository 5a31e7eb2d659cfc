from __future__ import annotations

from typing import Literal, get_args, get_origin

import pytest

from penstock.connections import Connection
from penstock.pipeline import PIPELINES
from penstock.sources.base import DatasetSpec
from penstock.sources.gladly import GladlyDataset
from penstock.sources.gladly_reports import REPORTS, is_record_report
from penstock.sources.gmail import GmailDataset
from penstock.sources.google_sheets import SheetsDataset
from penstock.sources.registry import SOURCES
from penstock.sources.rest import RestDataset
from penstock.sources.s3_files import FilesDataset


def test_every_kind_is_the_tag_of_its_own_source_type() -> None:
    for kind, entry in SOURCES.items():
        annotation = entry.source.model_fields["kind"].annotation
        assert get_origin(annotation) is Literal
        assert get_args(annotation) == (kind,)
        assert PIPELINES[kind].model_fields["datasets"].annotation == tuple[entry.dataset, ...]  # type: ignore[name-defined]


def test_every_kind_takes_a_connection_that_exists() -> None:
    known = {get_args(member.model_fields["kind"].annotation)[0] for member in get_args(get_args(Connection)[0])}
    for kind, entry in SOURCES.items():
        assert entry.connections & known, kind


@pytest.mark.parametrize(
    ("kind", "dataset", "honours", "holds_all"),
    [
        ("gladly", GladlyDataset(name="x", report="ContactTimestampsReport"), True, False),
        ("gladly", GladlyDataset(name="x", export="customers"), True, False),
        ("gladly", GladlyDataset(name="x", collection="agents"), False, True),
        ("gmail", GmailDataset(name="x", resource="messages"), True, False),
        ("google_sheets", SheetsDataset(name="x", spreadsheet="1AbCdEfGhIj", sheets=("A",)), False, True),
        ("rest", RestDataset(name="x", path="/x"), False, True),
        ("rest", RestDataset(name="x", path="/x", window_parameters={"start": "from"}), True, False),  # type: ignore[arg-type]
        ("s3_files", FilesDataset(name="x", glob="*.csv"), False, False),
        ("s3_files", FilesDataset(name="x", glob="*.csv", select="all"), False, True),
        ("s3_files", FilesDataset(name="x", glob="*.csv", select="window"), True, False),
    ],
)
def test_a_datasets_traits_follow_from_what_it_reads(
    kind: str, dataset: DatasetSpec, honours: bool, holds_all: bool
) -> None:
    traits = SOURCES[kind].dataset_traits(dataset)
    assert (traits.honours_window, traits.absent_rows_are_deleted) == (honours, holds_all)


def test_gladlys_reports_are_known_by_their_exact_names() -> None:
    assert "ContactExportReportV3" in REPORTS
    assert "ContactExportReportV2" not in REPORTS
    assert is_record_report("ConversationTimestampsReport")
    assert not is_record_report("ContactSummaryReportV2")
