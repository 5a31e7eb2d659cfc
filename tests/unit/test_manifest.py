"""Manifests, the search for earlier batches, and the sink that sources write to."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard

from penstock.artifacts import (
    LAKE,
    Compression,
    CsvDialect,
    ExtractedFile,
    Extraction,
    FileFormat,
    Interval,
    StagedBatch,
    StagedColumn,
    StagedFile,
)
from penstock.errors import DataError
from penstock.naming import BatchKeys
from tasks.sources.contract import ExtractSink
from tasks.staging.local import LocalStore
from tasks.staging.manifest import (
    LakeSink,
    find_latest_extraction,
    find_latest_staged,
    load_extraction,
    load_staged,
    save_extraction,
    save_staged,
)

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAY = Interval(
    start=datetime(2026, 3, 19, 4, tzinfo=UTC),
    end=datetime(2026, 3, 20, 4, tzinfo=UTC),
    timezone="America/New_York",
    as_of=NOON,
)
FULL = Interval(start=None, end=None, as_of=NOON)


@pytest.fixture
def lake(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "lake")


def keys_for(batch_id: str, interval: Interval = DAY) -> BatchKeys:
    return BatchKeys(
        client="acme",
        source="rest",
        dataset="orders",
        strategy="append",
        interval=interval,
        batch_id=batch_id,
    )


def extraction_of(batch_id: str, interval: Interval = DAY, extracted_at: datetime = NOON) -> Extraction:
    return Extraction(
        batch_id=batch_id, dataset="orders", interval=interval, files=(), row_count=0, extracted_at=extracted_at
    )


def staged_of(batch_id: str) -> StagedBatch:
    return StagedBatch(batch_id=batch_id, files=(), row_count=0)


def sink_for(lake: LocalStore, batch_id: str = "b1") -> LakeSink:
    return LakeSink(lake, keys_for(batch_id), dataset="orders", interval=DAY)


def write(sink: ExtractSink, name: str, rows: int, compression: Compression = Compression.NONE) -> None:
    with sink.open_file(name, format=FileFormat.JSONL, compression=compression, source_name=f"/orders#{name}") as file:
        for number in range(rows):
            file.write(b'{"id": %d}\n' % number, 1)


def fail_while_writing(sink: ExtractSink, name: str, compression: Compression) -> None:
    with sink.open_file(name, format=FileFormat.JSONL, compression=compression, source_name="x") as file:
        file.write(b"{}\n" * 10, 10)
        raise ConnectionError


def test_a_batch_is_complete_only_when_its_sink_says_so(lake: LocalStore) -> None:
    sink = sink_for(lake)
    write(sink, "page-1.jsonl", 3)
    assert load_extraction(lake, keys_for("b1")) is None

    complete = sink.complete()
    assert load_extraction(lake, keys_for("b1")) == complete
    assert load_extraction(lake, keys_for("b2")) is None


def test_the_sink_counts_rows_and_bytes(lake: LocalStore) -> None:
    sink = sink_for(lake)
    write(sink, "page-2.jsonl", 20)
    write(sink, "page-1.jsonl", 3)
    sink.warn("the last page was short")
    extraction = sink.complete()

    assert [file.key.rsplit("/", 1)[-1] for file in extraction.files] == ["page-1.jsonl", "page-2.jsonl"]
    assert [file.row_count for file in extraction.files] == [3, 20]
    assert extraction.row_count == 23
    assert extraction.warnings == ("the last page was short",)
    assert extraction.interval == DAY
    assert extraction.extracted_at.tzinfo is not None
    for file in extraction.files:
        info = lake.stat(file.key)
        assert info is not None
        assert (file.size_bytes, file.etag, file.store) == (info.size_bytes, info.etag, LAKE)
    assert sum(file.size_bytes for file in extraction.files) == sum(
        len(b'{"id": %d}\n' % number) for rows in (20, 3) for number in range(rows)
    )


@pytest.mark.parametrize(("compression", "decompress"), [(Compression.GZIP, gzip.decompress), (Compression.ZSTD, None)])
def test_a_file_may_be_compressed_while_it_is_written(
    lake: LocalStore, compression: Compression, decompress: object
) -> None:
    sink = sink_for(lake)
    write(sink, "rows.jsonl", 5_000, compression)
    file = sink.complete().files[0]
    with lake.open_read(file.key) as stored:
        content = stored.read()
    plain = (
        decompress(content)
        if callable(decompress)
        else zstandard.ZstdDecompressor().decompress(content, max_output_size=1_000_000)
    )
    assert plain.splitlines()[-1] == b'{"id": 4999}'
    assert file.row_count == plain.count(b"\n") == 5_000
    assert file.size_bytes == len(content) < len(plain) / 3
    assert file.compression is compression


def test_the_same_rows_compress_to_the_same_bytes(lake: LocalStore) -> None:
    contents = []
    for batch in ("b1", "b2"):
        sink = sink_for(lake, batch)
        write(sink, "rows.jsonl.gz", 100, Compression.GZIP)
        with lake.open_read(sink.complete().files[0].key) as file:
            contents.append(file.read())
    assert contents[0] == contents[1]


def test_a_file_whose_block_fails_is_no_part_of_the_batch_and_may_be_tried_again(lake: LocalStore) -> None:
    for compression in Compression:
        sink = sink_for(lake)
        with pytest.raises(ConnectionError):
            fail_while_writing(sink, "page.jsonl", compression)
        assert [*lake.list("")] == []
        write(sink, "page.jsonl", 2, compression)
        extraction = sink.complete()
        assert extraction.row_count == 2
        assert len(extraction.files) == 1
        for info in [*lake.list("")]:
            lake.delete(info.key)


def test_two_files_of_one_name_are_a_mistake_of_the_source(lake: LocalStore) -> None:
    sink = sink_for(lake)
    write(sink, "page.jsonl", 1)
    with pytest.raises(ValueError, match="of that name"):
        write(sink, "page.jsonl", 1)
    assert sink.complete().row_count == 1


def test_a_batch_with_a_file_still_open_cannot_be_completed(lake: LocalStore) -> None:
    sink = sink_for(lake)
    with (
        sink.open_file("page.jsonl", format=FileFormat.JSONL, source_name="x"),
        pytest.raises(ValueError, match="being written"),
    ):
        sink.complete()
    assert load_extraction(lake, keys_for("b1")) is None


def test_threads_write_files_of_one_batch_at_once(lake: LocalStore) -> None:
    sink = sink_for(lake)
    with ThreadPoolExecutor(8) as pool:
        [*pool.map(lambda number: write(sink, f"page-{number:03}.jsonl", number), range(40))]
    extraction = sink.complete()
    assert [file.row_count for file in extraction.files] == [*range(40)]
    assert extraction.row_count == sum(range(40))


def test_names_that_are_no_good_as_keys_are_made_into_some(lake: LocalStore) -> None:
    sink = sink_for(lake)
    for name in ("../../Größe 1.jsonl", "..\\Größe 1.jsonl", "_manifest.json"):
        write(sink, name, 1)
    extraction = sink.complete()
    prefix = keys_for("b1").ingest_prefix
    assert len({file.key for file in extraction.files}) == 3
    assert all(file.key.startswith(prefix) and "/" not in file.key.removeprefix(prefix) for file in extraction.files)
    assert load_extraction(lake, keys_for("b1")) == extraction


def test_files_that_exist_elsewhere_join_the_batch_unmoved(lake: LocalStore) -> None:
    sink = sink_for(lake)
    existing = ExtractedFile(
        store="drops",
        key="orders/2026.csv",
        format=FileFormat.CSV,
        size_bytes=10,
        source_name="orders/2026.csv",
        dialect=CsvDialect(delimiter=";", new_line="\r\n"),
    )
    sink.add_existing(existing)
    write(sink, "page.jsonl", 2)
    extraction = sink.complete()
    assert existing in extraction.files
    assert extraction.row_count is None
    assert load_extraction(lake, keys_for("b1")) == extraction


def test_a_staged_manifest_keeps_everything_a_load_needs(lake: LocalStore) -> None:
    batch = StagedBatch(
        batch_id="b1",
        files=(
            StagedFile(
                key="stage/a.csv",
                format=FileFormat.CSV,
                compression=Compression.ZSTD,
                size_bytes=10,
                etag="e",
                columns=(StagedColumn(name="a", source_name="A\n"),),
                dialect=CsvDialect(delimiter="\t", new_line="\r"),
                header_rows=2,
                source_name="a.csv",
                source_etag="s",
            ),
        ),
        row_count=None,
        size_bytes=10,
    )
    assert load_staged(lake, keys_for("b1")) is None
    save_staged(lake, keys_for("b1"), batch, extraction=extraction_of("b1"))
    assert load_staged(lake, keys_for("b1")) == batch


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"version": 2, "extraction": {}}', b'{"version": 1}', b"\xff\xfe"]
)
def test_a_manifest_that_cannot_be_read_is_a_data_error_that_names_its_key(lake: LocalStore, content: bytes) -> None:
    keys = keys_for("b1")
    for key in (keys.manifest_key, keys.stage_manifest_key):
        with lake.open_write(key) as file:
            file.write(content)
    for load, key in ((load_extraction, keys.manifest_key), (load_staged, keys.stage_manifest_key)):
        with pytest.raises(DataError, match="manifest cannot be read") as caught:
            load(lake, keys)
        assert caught.value.key == key
        assert "delete it" in caught.value.guidance


def test_a_damaged_manifest_shows_nothing_of_its_content(lake: LocalStore) -> None:
    with lake.open_write(keys_for("b1").manifest_key) as file:
        file.write(b'{"version": 1, "extraction": "hunter2"}')
    with pytest.raises(DataError) as caught:
        load_extraction(lake, keys_for("b1"))
    assert "hunter2" not in str(caught.value)


def test_the_latest_extraction_is_the_one_that_began_last(lake: LocalStore) -> None:
    for batch, minutes in (("run-b", 5), ("run-c", 90), ("run-a", 30)):
        extraction = extraction_of(batch, extracted_at=NOON + timedelta(minutes=minutes))
        save_extraction(lake, keys_for(batch), extraction)
        save_staged(lake, keys_for(batch), staged_of(batch), extraction=extraction)
    found = find_latest_extraction(lake, keys_for("new-run"), DAY)
    assert found is not None
    staged = find_latest_staged(lake, keys_for("new-run"), found)
    assert staged is not None
    assert (found.batch_id, staged.batch_id) == ("run-c", "run-c")


@pytest.mark.parametrize("interval", [DAY, FULL])
def test_what_was_extracted_for_another_strategy_is_found_too(lake: LocalStore, interval: Interval) -> None:
    for strategy, minutes in (("append", 5), ("historical", 90), ("full_refresh", 30)):
        keys = keys_for(strategy, interval).model_copy(update={"strategy": strategy})
        extraction = extraction_of(strategy, interval, extracted_at=NOON + timedelta(minutes=minutes))
        save_extraction(lake, keys, extraction)
        save_staged(lake, keys, staged_of(strategy), extraction=extraction)
    keys = keys_for("new-run", interval).model_copy(update={"strategy": "cdc"})
    found = find_latest_extraction(lake, keys, interval)
    assert found is not None
    staged = find_latest_staged(lake, keys, found)
    assert staged is not None
    assert (found.batch_id, staged.batch_id) == ("historical", "historical")


def test_files_staged_from_another_extraction_are_not_taken_for_the_newest_ones(lake: LocalStore) -> None:
    older, newer = (
        extraction_of(batch, extracted_at=NOON + timedelta(minutes=minutes)) for batch, minutes in (("a", 1), ("b", 9))
    )
    for extraction in (older, newer):
        save_extraction(lake, keys_for(extraction.batch_id), extraction)
    save_staged(lake, keys_for("a"), staged_of("a"), extraction=older)
    assert find_latest_staged(lake, keys_for("new-run"), newer) is None


def test_only_complete_batches_of_exactly_the_interval_are_found(lake: LocalStore) -> None:
    shorter = DAY.model_copy(update={"end": DAY.bounds()[1] - timedelta(hours=1)})
    save_extraction(lake, keys_for("shorter", shorter), extraction_of("shorter", shorter))
    save_extraction(lake, keys_for("full", FULL), extraction_of("full", FULL))
    with lake.open_write(keys_for("unfinished").ingest_key("page.jsonl")) as file:
        file.write(b"{}\n")
    assert find_latest_extraction(lake, keys_for("new-run"), DAY) is None
    assert find_latest_staged(lake, keys_for("new-run"), extraction_of("new-run")) is None

    other_zone = DAY.model_copy(update={"as_of": NOON + timedelta(days=3)})
    save_extraction(lake, keys_for("earlier", DAY), extraction_of("earlier", other_zone))
    found = find_latest_extraction(lake, keys_for("new-run"), DAY)
    assert found is not None
    assert found.batch_id == "earlier"


def test_a_full_extraction_of_another_day_is_found_the_newest_day_first(lake: LocalStore) -> None:
    for day, batch in ((1, "first"), (9, "ninth"), (10, "tenth")):
        interval = FULL.model_copy(update={"as_of": NOON + timedelta(days=day)})
        save_extraction(lake, keys_for(batch, interval), extraction_of(batch, interval))
    save_extraction(lake, keys_for("day"), extraction_of("day"))
    today = FULL.model_copy(update={"as_of": NOON + timedelta(days=30)})
    found = find_latest_extraction(lake, keys_for("new-run", today), today)
    assert found is not None
    assert found.batch_id == "tenth"
