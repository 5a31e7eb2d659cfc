"""Files that no warehouse can COPY: kept in the lake as they came, converted beside it, and loaded like any other."""

from __future__ import annotations

import io
import json
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from penstock.artifacts import FileFormat, Interval, OriginalFile
from penstock.connections import FolderConnection
from penstock.errors import DataError
from penstock.naming import BatchKeys
from penstock.sources.s3_files import FilesDataset, FilesSource
from tasks.sources.contract import ExtractRequest
from tasks.sources.s3_files.extract import extract
from tasks.staging.local import LocalStore
from tasks.staging.manifest import LakeSink
from tasks.staging.stage import stage_batch

NOON = datetime(2026, 3, 19, 12, tzinfo=UTC)
FULL = Interval(start=None, end=None, as_of=NOON)
KEYS = BatchKeys(
    client="acme", source="s3_files", dataset="drops", strategy="append", interval=FULL, batch_id="20260319T120000Z-a"
)


def workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


class Drops:
    """A vendor's folder and a lake beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root / "vendor"
        self.lake = LocalStore(root / "lake")

    def put(self, key: str, content: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (NOON.timestamp(), NOON.timestamp()))

    def extract(self, **dataset: Any) -> Any:
        spec = FilesDataset.model_validate({"name": "drops", "glob": "**", "select": "all", **dataset})
        request = ExtractRequest(FilesSource(kind="s3_files", connection="vendor"), spec, FULL, "vendor")
        sink = LakeSink(self.lake, KEYS, dataset="drops", interval=FULL)
        extract(request, FolderConnection(kind="folder", path=str(self.root)), sink)
        return sink.complete()

    def stage(self, extraction: Any) -> Any:
        return stage_batch(extraction, lake=self.lake, stores=lambda _: LocalStore(self.root), keys=KEYS)

    def ingested(self) -> dict[str, bytes]:
        prefix = KEYS.ingest_prefix
        return {
            info.key.removeprefix(prefix): (self.lake.root / info.key).read_bytes()
            for info in self.lake.list(prefix)
            if not info.key.endswith("_manifest.json")
        }


@pytest.fixture
def drops(tmp_path: Path) -> Drops:
    return Drops(tmp_path)


def test_a_workbook_stays_in_the_lake_as_it_came_and_its_table_lies_beside_it(drops: Drops) -> None:
    content = workbook(["Agent", "Hours"], ["Ann", 7.5], ["Bob", None])
    drops.put("2026/plan.xlsx", content)
    extraction = drops.extract()
    [file] = extraction.files
    assert (file.format, file.row_count, extraction.row_count, file.source_name) == (
        FileFormat.CSV, 2, 2, "2026/plan.xlsx",
    )  # fmt: skip
    size = (drops.root / "2026/plan.xlsx").stat().st_size
    assert file.original == OriginalFile(
        store="vendor", key="2026/plan.xlsx", size_bytes=size, etag=file.original.etag, modified_at=NOON
    )
    assert content in drops.ingested().values()
    [staged] = drops.stage(extraction).files
    assert [column.name for column in staged.columns] == ["agent", "hours"]
    assert (staged.source_key, staged.source_etag, staged.source_size_bytes, staged.source_modified_at) == (
        "2026/plan.xlsx", file.original.etag, size, NOON,
    )  # fmt: skip


def test_a_file_that_can_be_copied_is_not_read_and_its_facts_are_kept_as_well(drops: Drops) -> None:
    drops.put("a.csv", b"id\n1\n")
    extraction = drops.extract()
    assert (extraction.files[0].store, drops.ingested()) == ("vendor", {})
    [staged] = drops.stage(extraction).files
    assert (staged.source_key, staged.source_size_bytes, staged.source_modified_at) == ("a.csv", 5, NOON)


def test_the_members_of_an_archive_are_files_of_one_batch_that_are_named_within_it(drops: Drops) -> None:
    members = {"a.csv": b"id\n1\n2\n", "in/b.xlsx": workbook(["id"], [3]), "c.json": json.dumps({"rows": [{"id": 4}]})}
    drops.put("drop.zip", archive(members))  # type: ignore[arg-type]
    extraction = drops.extract(records="rows")
    assert {file.source_name: file.row_count for file in extraction.files} == {
        "drop.zip#a.csv": None, "drop.zip#in/b.xlsx": 1, "drop.zip#c.json": 1,
    }  # fmt: skip
    assert {file.original.key for file in extraction.files} == {"drop.zip"}
    staged = drops.stage(extraction).files
    assert len({file.key for file in staged}) == 3
    assert {file.source_etag for file in staged} == {extraction.files[0].original.etag}


def test_an_error_names_the_file_and_leaves_no_complete_batch(drops: Drops) -> None:
    drops.put("in/broken.xlsx", b"PK\x03\x04")
    with pytest.raises(DataError, match="no workbook") as caught:
        drops.extract()
    assert caught.value.source_name == "in/broken.xlsx"
    assert drops.lake.stat(KEYS.manifest_key) is None


def test_new_means_the_whole_archive_and_not_its_members(drops: Drops) -> None:
    drops.put("drop.zip", archive({"a.csv": b"id\n1\n"}))
    spec = FilesDataset.model_validate({"name": "drops", "glob": "*.zip"})
    asked: list[tuple[str, str]] = []

    def seen(candidates: Any) -> set[tuple[str, str]]:
        asked.extend(candidates)
        return set(candidates)

    request = ExtractRequest(FilesSource(kind="s3_files", connection="vendor"), spec, FULL, "vendor", seen)
    sink = LakeSink(drops.lake, KEYS, dataset="drops", interval=FULL)
    extract(request, FolderConnection(kind="folder", path=str(drops.root)), sink)
    assert [name for name, _ in asked] == ["drop.zip"]
    assert sink.complete().files == ()
