"""Staging whole batches: copy-then-peek, what it costs, and what happens when files move under it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pytest
from pyarrow import parquet

from penstock.artifacts import LAKE, Compression, CsvDialect, ExtractedFile, Extraction, FileFormat, Interval
from penstock.errors import DataError, TransientError
from penstock.naming import BatchKeys
from tasks.staging.contract import ObjectInfo, ObjectStore
from tasks.staging.local import LocalStore
from tasks.staging.manifest import LakeSink, load_staged
from tasks.staging.stage import check_staged, stage_batch, stage_files

AS_OF = datetime(2026, 3, 20, 12, tzinfo=UTC)
FULL = Interval(start=None, end=None, as_of=AS_OF)
KEYS = BatchKeys(
    client="acme", source="s3_files", dataset="orders", strategy="append", interval=FULL, batch_id="20260320T120000Z-b1"
)


class MeteredStore(LocalStore):
    """A folder that counts what is read from it through this process."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.bytes_read = 0
        self.streams_opened = 0
        self._lock = threading.Lock()

    def read_range(self, key: str, start: int, length: int) -> bytes:
        content = super().read_range(key, start, length)
        with self._lock:
            self.bytes_read += len(content)
        return content

    def open_read(self, key: str) -> AbstractContextManager[BinaryIO]:
        self.streams_opened += 1
        return super().open_read(key)


class InterruptedStore(LocalStore):
    """A folder in which something happens between the look at a file and its copy."""

    def __init__(self, root: Path, meanwhile: Callable[[str], None]) -> None:
        super().__init__(root)
        self._meanwhile = meanwhile

    def copy_in(self, source: ObjectStore, source_key: str, key: str) -> ObjectInfo:
        self._meanwhile(source_key)
        return super().copy_in(source, source_key, key)


@pytest.fixture
def lake(tmp_path: Path) -> MeteredStore:
    return MeteredStore(tmp_path / "lake")


@pytest.fixture
def drops(tmp_path: Path) -> MeteredStore:
    return MeteredStore(tmp_path / "drops")


def no_store(name: str) -> ObjectStore:
    raise AssertionError(f"nobody should ask for {name}")


def drop(store: LocalStore, key: str, content: bytes, format: FileFormat = FileFormat.CSV) -> ExtractedFile:
    """Puts a file into the drop folder and lists it, as a source of files does."""
    path = store.path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    info = store.stat(key)
    assert info is not None
    return ExtractedFile(
        store="drops", key=key, format=format, size_bytes=info.size_bytes, etag=info.etag, source_name=key
    )


def extraction_of(*files: ExtractedFile) -> Extraction:
    return Extraction(
        batch_id=KEYS.batch_id, dataset="orders", interval=FULL, files=files, row_count=None, extracted_at=AS_OF
    )


def test_a_batch_of_our_own_files_is_staged_with_its_counts(lake: MeteredStore) -> None:
    sink = LakeSink(lake, KEYS, dataset="orders", interval=FULL)
    with sink.open_file("report.csv", format=FileFormat.CSV, source_name="OrdersReport") as file:
        file.write(b"Order ID,Amount\n1,2\n3,4\n", 2)
    with sink.open_file(
        "page-1.jsonl.gz", format=FileFormat.JSONL, compression=Compression.GZIP, source_name="/orders?page=1"
    ) as file:
        file.write(b'{"a": 1}\n' * 40, 40)
    extraction = sink.complete()

    batch = stage_batch(extraction, lake=lake, stores=no_store, keys=KEYS)

    lines, report = batch.files
    assert batch.batch_id == KEYS.batch_id
    assert batch.row_count == 42
    assert batch.size_bytes == sum(file.size_bytes for file in extraction.files)
    assert [file.key for file in batch.files] == [
        f"{KEYS.stage_prefix}page-1.jsonl.gz",
        f"{KEYS.stage_prefix}report.csv",
    ]
    assert report.columns is not None
    assert [column.name for column in report.columns] == ["order_id", "amount"]
    assert report.dialect == CsvDialect(new_line="\n")
    assert (report.row_count, report.header_rows, report.source_name) == (2, 1, "OrdersReport")
    assert report.source_etag == extraction.files[1].etag
    assert (lines.compression, lines.columns, lines.row_count) == (Compression.GZIP, None, 40)
    assert lake.streams_opened == 0


def test_files_of_one_name_in_different_folders_keep_apart(lake: MeteredStore, drops: MeteredStore) -> None:
    files = [drop(drops, f"{folder}/Orders [1].csv", f"{folder}\n1\n".encode()) for folder in ("north", "south", "s*")]
    batch = stage_batch(extraction_of(*files), lake=lake, stores=lambda name: drops, keys=KEYS)

    assert len({file.key for file in batch.files}) == 3
    assert all(not set(file.key) & set("*?[] ") for file in batch.files), "a warehouse would take these for patterns"
    assert [file.source_name for file in batch.files] == [file.source_name for file in files]
    first_lines = [lake.read_range(file.key, 0, 5) for file in batch.files]
    assert first_lines == [b"north", b"south", b"s*\n1\n"]


def test_each_file_of_a_batch_keeps_its_own_header(lake: MeteredStore, drops: MeteredStore) -> None:
    buffer = pa.BufferOutputStream()
    parquet.write_table(pa.table({"id": [1, 2], "Extra": ["x", "y"]}), buffer)
    batch = stage_batch(
        extraction_of(
            drop(drops, "1.csv", b"id,name\n1,x\n"),
            drop(drops, "2.csv", b"name;id;new\nx;1;y\n"),
            drop(drops, "3.csv", b""),
            drop(drops, "4.parquet", buffer.getvalue().to_pybytes(), FileFormat.PARQUET),
        ),
        lake=lake,
        stores=lambda name: drops,
        keys=KEYS,
    )
    names = [file.columns and [column.name for column in file.columns] for file in batch.files]
    assert names == [["id", "name"], ["name", "id", "new"], None, ["id", "extra"]]
    assert [file.is_empty for file in batch.files] == [False, False, True, False]
    assert [file.row_count for file in batch.files] == [None, None, None, 2]
    assert batch.row_count is None


def test_a_batch_may_have_no_files(lake: MeteredStore) -> None:
    batch = stage_batch(extraction_of(), lake=lake, stores=no_store, keys=KEYS)
    assert (batch.files, batch.row_count, batch.size_bytes) == ((), 0, 0)
    assert load_staged(lake, KEYS) == batch


def test_an_ordinary_file_costs_eight_kilobytes_whatever_its_size(lake: MeteredStore, drops: MeteredStore) -> None:
    small = drop(drops, "small.csv", b"id,name\n" + b"1,x\n" * 10)
    large = drop(drops, "large.csv", b"id,name\n" + b"1,some text\n" * 2_000_000)
    for file, at_most in ((small, 48), (large, 8_192)):
        lake.bytes_read = 0
        staging = stage_files(extraction_of(file), lake=lake, stores=lambda name: drops, keys=KEYS)
        assert staging.bytes_read == lake.bytes_read <= at_most
    assert drops.bytes_read == 0
    assert drops.streams_opened == lake.streams_opened == 0


def test_many_files_are_staged_at_once_and_keep_their_order(lake: MeteredStore, drops: MeteredStore) -> None:
    files = [drop(drops, f"{number}.csv", b"a,b\n" + b"1,2\n" * number) for number in range(150)]
    opened = []

    def open_store(name: str) -> ObjectStore:
        opened.append(name)
        return drops

    batch = stage_batch(extraction_of(*files), lake=lake, stores=open_store, keys=KEYS)
    assert [file.source_name for file in batch.files] == [f"{number}.csv" for number in range(150)]
    assert batch.size_bytes == sum(file.size_bytes for file in files)
    assert opened == ["drops"]


def test_a_retry_goes_on_from_the_manifest_without_asking_the_source(lake: MeteredStore, drops: MeteredStore) -> None:
    extraction = extraction_of(drop(drops, "a.csv", b"a\n1\n"))
    first = stage_batch(extraction, lake=lake, stores=lambda name: drops, keys=KEYS)
    drops.delete("a.csv")
    assert stage_batch(extraction, lake=lake, stores=no_store, keys=KEYS) == first


def test_a_manifest_whose_files_are_gone_or_of_another_extraction_is_made_again(
    lake: MeteredStore, drops: MeteredStore
) -> None:
    extraction = extraction_of(drop(drops, "a.csv", b"a\n1\n"))
    first = stage_batch(extraction, lake=lake, stores=lambda name: drops, keys=KEYS)
    lake.delete(first.files[0].key)
    again = stage_batch(extraction, lake=lake, stores=lambda name: drops, keys=KEYS)
    check_staged(again, lake)

    other = extraction_of(drop(drops, "a.csv", b"b\n2\n3\n"))
    newest = stage_batch(other, lake=lake, stores=lambda name: drops, keys=KEYS)
    assert newest.files[0].columns is not None
    assert newest.files[0].columns[0].name == "b"
    assert load_staged(lake, KEYS) == newest


def test_an_earlier_runs_extraction_is_staged_under_the_new_batch(lake: MeteredStore) -> None:
    earlier = KEYS.model_copy(update={"batch_id": "20260301T120000Z-b0"})
    sink = LakeSink(lake, earlier, dataset="orders", interval=FULL)
    with sink.open_file("report.csv", format=FileFormat.CSV, source_name="r") as file:
        file.write(b"a\n1\n", 1)
    batch = stage_batch(sink.complete(), lake=lake, stores=no_store, keys=KEYS)
    assert batch.batch_id == KEYS.batch_id
    assert batch.files[0].key == f"{KEYS.stage_prefix}report.csv"
    assert load_staged(lake, earlier) is None


@pytest.mark.parametrize("content", [b"a\n1\n2\n", b"a\n9\n"])
def test_a_file_that_changed_since_it_was_listed_stops_the_batch(
    lake: MeteredStore, drops: MeteredStore, content: bytes
) -> None:
    listed = drop(drops, "in/a.csv", b"a\n1\n")
    drop(drops, "in/a.csv", content)
    with pytest.raises(DataError, match="changed since it was listed") as caught:
        stage_batch(extraction_of(listed), lake=lake, stores=lambda name: drops, keys=KEYS)
    assert (caught.value.store, caught.value.key) == ("drops", "in/a.csv")
    assert load_staged(lake, KEYS) is None


def test_a_file_that_changes_while_it_is_copied_stops_the_batch(tmp_path: Path, drops: MeteredStore) -> None:
    def append(key: str) -> None:
        with drops.path(key).open("ab") as file:
            file.write(b"2\n")

    lake = InterruptedStore(tmp_path / "lake", append)
    with pytest.raises(DataError, match="changed since it was listed"):
        stage_batch(extraction_of(drop(drops, "a.csv", b"a\n1\n")), lake=lake, stores=lambda name: drops, keys=KEYS)
    assert load_staged(lake, KEYS) is None


def test_a_file_that_is_gone_is_named(lake: MeteredStore, drops: MeteredStore) -> None:
    listed = drop(drops, "a.csv", b"a\n1\n")
    drops.delete("a.csv")
    with pytest.raises(DataError, match="is gone") as caught:
        stage_batch(extraction_of(listed), lake=lake, stores=lambda name: drops, keys=KEYS)
    assert caught.value.key == "a.csv"


def test_one_bad_file_stops_the_batch_and_a_retry_can_still_finish(lake: MeteredStore, drops: MeteredStore) -> None:
    files = [drop(drops, f"{number}.csv", b"a\n1\n") for number in range(30)]
    bad = drop(drops, "bad.csv", b"a,\xff\n")
    with pytest.raises(DataError, match="encoding") as caught:
        stage_batch(extraction_of(*files, bad), lake=lake, stores=lambda name: drops, keys=KEYS)
    assert caught.value.source_name == "bad.csv"
    assert load_staged(lake, KEYS) is None

    good = drop(drops, "bad.csv", b"a\n1\n")
    assert len(stage_batch(extraction_of(*files, good), lake=lake, stores=lambda name: drops, keys=KEYS).files) == 31


def test_an_error_of_the_store_reaches_the_caller_with_its_type(tmp_path: Path, drops: MeteredStore) -> None:
    def vanish(key: str) -> None:
        raise TransientError("the store is away", key=key)

    lake = InterruptedStore(tmp_path / "lake", vanish)
    with pytest.raises(TransientError):
        stage_batch(extraction_of(drop(drops, "a.csv", b"a\n1\n")), lake=lake, stores=lambda name: drops, keys=KEYS)


def test_a_parquet_file_with_fewer_rows_than_were_extracted_is_refused(lake: MeteredStore) -> None:
    sink = LakeSink(lake, KEYS, dataset="orders", interval=FULL)
    buffer = pa.BufferOutputStream()
    parquet.write_table(pa.table({"a": [1, 2, 3]}), buffer)
    with sink.open_file("a.parquet", format=FileFormat.PARQUET, source_name="a") as file:
        file.write(buffer.getvalue().to_pybytes(), 4)
    with pytest.raises(DataError, match="another number of rows") as caught:
        stage_batch(sink.complete(), lake=lake, stores=no_store, keys=KEYS)
    assert (caught.value.rows_extracted, caught.value.rows_found) == (4, 3)


def test_a_staged_file_that_changed_before_the_load_is_found_out(lake: MeteredStore, drops: MeteredStore) -> None:
    files = [drop(drops, f"{number}.csv", b"a\n1\n") for number in range(3)]
    batch = stage_batch(extraction_of(*files), lake=lake, stores=lambda name: drops, keys=KEYS)
    check_staged(batch, lake)

    with lake.path(batch.files[1].key).open("ab") as file:
        file.write(b"2\n")
    with pytest.raises(DataError, match="since it was staged") as caught:
        check_staged(batch, lake)
    assert (caught.value.key, caught.value.changed_count) == (batch.files[1].key, 1)


def test_a_declared_dialect_is_used_and_completed(lake: MeteredStore, drops: MeteredStore) -> None:
    file = drop(drops, "a.csv", b"a,b;c\r\n1,2;3\r\n").model_copy(update={"dialect": CsvDialect(delimiter=",")})
    staged = stage_batch(extraction_of(file), lake=lake, stores=lambda name: drops, keys=KEYS).files[0]
    assert staged.dialect == CsvDialect(delimiter=",", new_line="\r\n")
    assert staged.columns is not None
    assert [column.source_name for column in staged.columns] == ["a", "b;c"]


def test_a_lake_file_is_never_looked_for_in_another_store(lake: MeteredStore) -> None:
    with lake.open_write("ingest/elsewhere/a.csv") as file:
        file.write(b"a\n1\n")
    extracted = ExtractedFile(
        store=LAKE, key="ingest/elsewhere/a.csv", format=FileFormat.CSV, size_bytes=4, source_name="a"
    )
    batch = stage_batch(extraction_of(extracted), lake=lake, stores=no_store, keys=KEYS)
    assert batch.files[0].source_etag is None
    assert batch.files[0].size_bytes == 4
