from __future__ import annotations

import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from penstock.pipeline import PIPELINES, expand
from penstock.pipeline_checks import check_pipeline
from penstock.sources.registry import SOURCES
from penstock.sources.sql import SqlDataset, SqlTable

FILE: dict[str, Any] = {
    "version": 1,
    "pipeline": "acme-shop",
    "client": "acme",
    "source": {"kind": "sql", "connection": "acme-shop"},
    "window": {"kind": "daily"},
    "datasets": [{"name": "all", "window": {"kind": "full"}, "load_strategy": {"kind": "full_refresh"}}],
}
CUSTOMERS = {"name": "customers", "load_type": "scd2", "primary_key": "id", "watermark_column": "updated_at"}


def test_tables_become_datasets_behind_the_others_once_however_often_they_are_written_down() -> None:
    pipeline = PIPELINES["sql"].model_validate({**FILE, "tables": [CUSTOMERS]})
    again = [
        pipeline,
        PIPELINES["sql"].model_validate(pipeline.model_dump()),
        PIPELINES["sql"].model_validate_json(pipeline.model_dump_json()),
        pickle.loads(pickle.dumps(pipeline)),  # noqa: S301
    ]
    for one in again:
        assert [(dataset.name, dataset.load_strategy.kind) for dataset in expand(one)] == [
            ("all", "full_refresh"),
            ("customers", "historical"),
        ]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"primary_key": ()}, "primary_key"),
        ({"load_type": "partition", "watermark_column": None}, "watermark_column"),
        ({"load_type": "cdc"}, "delete_marker"),
    ],
)
def test_a_table_without_what_its_load_needs_is_refused(changes: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        PIPELINES["sql"].model_validate({**FILE, "tables": [{**CUSTOMERS, **changes}]})


def test_a_table_without_a_watermark_is_read_whole() -> None:
    table = SqlTable.model_validate({**CUSTOMERS, "watermark_column": None})
    assert table.to_dataset()["window"] == {"kind": "full"}


def test_a_table_says_how_it_is_read_as_a_dataset_does() -> None:
    reading = {"null_cursor": "skip", "unfit_times": None, "as_text": ["note"], "naive_timezone": "Europe/Lisbon"}
    pipeline = PIPELINES["sql"].model_validate({**FILE, "tables": [{**CUSTOMERS, **reading}]})
    (dataset,) = [one.spec for one in expand(pipeline) if one.name == "customers"]
    assert isinstance(dataset, SqlDataset)
    assert (dataset.null_cursor, dataset.unfit_times) == ("skip", "null")
    assert (dataset.as_text, dataset.naive_timezone) == (("note",), "Europe/Lisbon")


def test_of_a_table_at_fault_nothing_is_said_besides() -> None:
    without = {key: value for key, value in FILE.items() if key != "datasets"}
    with pytest.raises(ValidationError) as caught:
        PIPELINES["sql"].model_validate({**without, "tables": [{**CUSTOMERS, "null_cursr": "skip"}]})
    assert [error["loc"] for error in caught.value.errors()] == [("tables", 0, "null_cursr")]
    for nothing in ({}, {"datasets": []}, {"tables": []}):
        with pytest.raises(ValidationError, match="nothing to read: give `datasets` or `tables`"):
            PIPELINES["sql"].model_validate({**without, **nothing})


def test_a_table_says_which_of_its_columns_are_about_people() -> None:
    table = {**CUSTOMERS, "governance": {"pii": ["email"], "classification": "confidential"}}
    pipeline = PIPELINES["sql"].model_validate({**FILE, "governance": {"retention_days": 30}, "tables": [table]})
    (dataset,) = [one.spec for one in expand(pipeline) if one.name == "customers"]
    assert dataset.governance.pii == ("email",)
    assert dataset.governance.over(pipeline.governance).retention_days == 30


def test_a_dataset_honours_a_window_only_with_a_column_for_it() -> None:
    traits = SOURCES["sql"].dataset_traits
    assert traits(SqlDataset(name="t", window_column="day")).honours_window
    assert not traits(SqlDataset(name="t")).honours_window
    assert traits(SqlDataset(name="t")).keeps_types


def test_columns_and_zones_that_do_not_go_together_are_found_in_the_file() -> None:
    dataset = {
        "name": "items",
        "window_column": "day",
        "columns": ["id"],
        "naive_timezone": "Europe/Rome",
        "load_strategy": {"kind": "partition", "column": "day"},
    }
    found = check_pipeline(PIPELINES["sql"].model_validate({**FILE, "datasets": [dataset]}))
    assert {finding.where for finding in found} == {("datasets", 0, "window_column"), ("datasets", 0, "naive_timezone")}
