"""Files that already exist in a store: which are chosen, and what is kept of each."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock.artifacts import Compression, CsvDialect, ExtractedFile, FileFormat, Interval
from penstock.connections import FolderConnection
from penstock.errors import ConfigurationError
from penstock.sources.s3_files import FilesDataset, FilesSource
from tasks.sources.contract import ExtractRequest
from tasks.sources.s3_files.extract import extract
from tests.fakes.sink import MemorySink

NOON = datetime(2026, 3, 19, 12, tzinfo=UTC)
FULL = Interval(start=None, end=None, as_of=NOON)


def _drop(root: Path, key: str, content: bytes = b"a,b\n1,2\n", at: datetime = NOON) -> None:
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at.timestamp(), at.timestamp()))


def _extract(
    root: Path, interval: Interval = FULL, *, seen: Any = None, sink: MemorySink | None = None, **dataset: Any
) -> MemorySink:
    sink = sink or MemorySink()
    spec = FilesDataset.model_validate({"name": "orders", "glob": "drops/**", "select": "all", **dataset})
    request = ExtractRequest(FilesSource(kind="s3_files", connection="acme-drops"), spec, interval, "acme-drops")
    if seen is not None:
        request = request._replace(seen_files=seen)
    extract(request, FolderConnection(kind="folder", path=str(root)), sink)
    return sink


def _keys(sink: MemorySink) -> list[str]:
    return [file.key for file in sink.existing]


def test_a_file_keeps_its_key_size_etag_and_time_and_its_bytes_stay_where_they_are(tmp_path: Path) -> None:
    _drop(tmp_path, "drops/2026/orders.csv.gz", b"not read")
    sink = _extract(tmp_path)
    [file] = sink.existing
    assert file == ExtractedFile(
        store="acme-drops",
        key="drops/2026/orders.csv.gz",
        format=FileFormat.CSV,
        compression=Compression.GZIP,
        size_bytes=8,
        etag=file.etag,
        source_name="drops/2026/orders.csv.gz",
        modified_at=NOON,
    )
    assert file.etag
    assert sink.files == []


def test_only_matching_keys_are_chosen(tmp_path: Path) -> None:
    for key in ("drops/a.csv", "drops/deep/er/b.csv", "drops/c.jsonl", "other/d.csv", "drops.csv"):
        _drop(tmp_path, key)
    assert _keys(_extract(tmp_path, glob="drops/*.csv")) == ["drops/a.csv"]
    assert sorted(_keys(_extract(tmp_path, glob="drops/**/*.csv"))) == ["drops/a.csv", "drops/deep/er/b.csv"]
    assert sorted(_keys(_extract(tmp_path, glob="**/[cd].*"))) == ["drops/c.jsonl", "other/d.csv"]


def test_a_file_that_several_days_name_is_chosen_once(tmp_path: Path) -> None:
    for key in ("a_2026-03-17.csv", "b_2026-03-17_to_2026-03-18.csv", "c_2026-03-20.csv"):
        _drop(tmp_path, f"drops/{key}")
    days = Interval(start=NOON - timedelta(days=2), end=NOON, as_of=NOON)
    found = _keys(_extract(tmp_path, days, glob="drops/*_{day:%Y-%m-%d}*"))
    assert found == ["drops/a_2026-03-17.csv", "drops/b_2026-03-17_to_2026-03-18.csv"]


def test_new_means_content_that_the_table_does_not_hold(tmp_path: Path) -> None:
    for number in range(5):
        _drop(tmp_path, f"drops/{number}.csv", b"a\n%d\n" % number)
    every = _extract(tmp_path)
    held = {(file.key, str(file.etag)) for file in every.existing[:3]}
    sink = _extract(tmp_path, select="new", seen=lambda candidates: held & set(candidates))
    assert _keys(sink) == ["drops/3.csv", "drops/4.csv"]
    assert sink.warnings == []
    _drop(tmp_path, "drops/0.csv", b"a\nchanged\n", at=NOON + timedelta(hours=1))
    assert "drops/0.csv" in _keys(_extract(tmp_path, select="new", seen=lambda candidates: held & set(candidates)))


def test_the_ledger_is_asked_in_chunks(tmp_path: Path) -> None:
    for number in range(1_003):
        _drop(tmp_path, f"drops/{number:04d}.csv", b"")
    asked: list[int] = []

    def seen(candidates: Any) -> set[tuple[str, str]]:
        asked.append(len(candidates))
        return set(candidates[:-1])

    sink = _extract(tmp_path, select="new", seen=seen)
    assert asked == [1_000, 3]
    assert _keys(sink) == ["drops/0999.csv", "drops/1002.csv"]


def test_a_window_chooses_by_the_time_of_the_last_change_half_open(tmp_path: Path) -> None:
    times = {"before": -1, "at_start": 0, "inside": 1_800, "at_end": 3_600}
    for name, seconds in times.items():
        _drop(tmp_path, f"drops/{name}.csv", at=NOON + timedelta(seconds=seconds))
    hour = Interval(start=NOON, end=NOON + timedelta(hours=1), as_of=NOON + timedelta(hours=2))
    after = Interval(start=NOON + timedelta(hours=1), end=NOON + timedelta(hours=2), as_of=NOON + timedelta(hours=2))
    assert sorted(_keys(_extract(tmp_path, hour, select="window"))) == ["drops/at_start.csv", "drops/inside.csv"]
    assert _keys(_extract(tmp_path, after, select="window")) == ["drops/at_end.csv"]
    assert len(_extract(tmp_path, FULL, select="window").existing) == 4


def test_no_match_is_a_warning_and_nothing_new_is_not(tmp_path: Path) -> None:
    assert _extract(tmp_path, glob="drops/*.csv").warnings == ["no file matches drops/*.csv"]
    _drop(tmp_path, "drops/a.csv")
    assert _extract(tmp_path, select="new", seen=set).warnings == []


def test_a_matching_file_of_no_known_format_stops_with_its_key(tmp_path: Path) -> None:
    _drop(tmp_path, "drops/a.csv")
    _drop(tmp_path, "drops/readme.txt")
    with pytest.raises(ConfigurationError, match="narrow its `glob`") as caught:
        _extract(tmp_path)
    assert caught.value.key == "drops/readme.txt"


def test_a_declared_format_and_dialect_are_kept(tmp_path: Path) -> None:
    _drop(tmp_path, "drops/export.dat")
    [file] = _extract(tmp_path, format="csv", dialect={"delimiter": ";"}).existing
    assert (file.format, file.dialect) == (FileFormat.CSV, CsvDialect(delimiter=";"))


def test_a_rerun_chooses_the_same_files(tmp_path: Path) -> None:
    for number in range(4):
        _drop(tmp_path, f"drops/{number}.jsonl")
    assert _extract(tmp_path).existing == _extract(tmp_path).existing
