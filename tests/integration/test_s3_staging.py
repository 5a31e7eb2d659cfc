"""Copy-then-peek between buckets: what it finds, and every byte through this process, counted on the wire."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa
import pytest
from pyarrow import parquet

from penstock.artifacts import Compression, ExtractedFile, Extraction, FileFormat, Interval, StagedBatch
from penstock.connections import S3Connection
from penstock.errors import DataError
from penstock.naming import BatchKeys
from penstock.sources.s3_files import FilesDataset, FilesSource
from tasks.sources.contract import ExtractRequest
from tasks.sources.s3_files.extract import extract
from tasks.staging.s3 import S3Store
from tasks.staging.s3_client import S3Limits
from tasks.staging.stage import stage_batch
from tests.fakes.counting_proxy import CountingProxy, counting_proxy
from tests.fakes.moto_server import MotoServer
from tests.fakes.sink import MemorySink

AS_OF = datetime(2026, 3, 20, 12, tzinfo=UTC)
FULL = Interval(start=None, end=None, as_of=AS_OF)
MIB = 1 << 20
# Objects above 32 MiB are copied by parts here, as those above 5 GiB are.
LIMITS = S3Limits(copy_bytes=32 * MIB, copy_part_bytes=16 * MIB)
WIRE_LIMIT_BYTES = 64_000

_numbers = itertools.count()


class Buckets(NamedTuple):
    """A vendor's bucket and the lake, both behind a relay that counts."""

    server: MotoServer
    proxy: CountingProxy
    drops: str
    lake: str

    def put(self, key: str, content: bytes) -> None:
        self.server.client("s3").put_object(Bucket=self.drops, Key=f"acme/{key}", Body=content)

    def connection(self) -> S3Connection:
        return self.server.connection(self.drops, prefix="acme", endpoint_url=self.proxy.url)

    def source(self) -> S3Store:
        return S3Store(self.connection(), LIMITS)

    def target(self) -> S3Store:
        return S3Store(self.server.connection(self.lake, prefix="lake", endpoint_url=self.proxy.url), LIMITS)

    def extract(self, glob: str) -> tuple[ExtractedFile, ...]:
        sink = MemorySink()
        dataset = FilesDataset.model_validate({"name": "orders", "glob": glob, "select": "all"})
        source = FilesSource(kind="s3_files", connection="acme-drops")
        extract(ExtractRequest(source, dataset, FULL, "acme-drops"), self.connection(), sink)
        return tuple(sink.existing)

    def stage(self, *files: ExtractedFile) -> StagedBatch:
        batch_id = f"20260320T120000Z-b{next(_numbers)}"
        keys = BatchKeys(
            client="acme", source="s3_files", dataset="orders", strategy="append", interval=FULL, batch_id=batch_id
        )
        extraction = Extraction(
            batch_id=batch_id, dataset="orders", interval=FULL, files=files, row_count=None, extracted_at=AS_OF
        )
        return stage_batch(extraction, lake=self.target(), stores=lambda _name: self.source(), keys=keys)


@pytest.fixture
def buckets(s3_server: MotoServer) -> Iterator[Buckets]:
    number = next(_numbers)
    with counting_proxy(s3_server.url) as proxy:
        yield Buckets(
            s3_server, proxy, s3_server.make_bucket(f"drops-{number}"), s3_server.make_bucket(f"staging-{number}")
        )


def test_staging_moves_as_few_bytes_for_a_large_file_as_for_a_small_one(buckets: Buckets) -> None:
    line = b"1,a customer's name,2026-03-20T10:00:00Z,19.99\n"
    moved = {}
    for size_mib in (10, 100):
        buckets.put(f"{size_mib:03}.csv", b"id,name,created_at,amount\n" + line * (size_mib * MIB // len(line)))
        [file] = buckets.extract(f"{size_mib:03}.csv")
        buckets.proxy.reset()
        batch = buckets.stage(file)
        moved[size_mib] = buckets.proxy.total_bytes
        assert batch.size_bytes > (size_mib - 1) * MIB
        assert len(batch.files[0].columns or ()) == 4
    assert moved[10] < WIRE_LIMIT_BYTES
    # Seven requests more: a copy of seven parts, begun and completed; still no byte of the file.
    assert moved[100] < WIRE_LIMIT_BYTES
    assert moved[100] - moved[10] < 9 * 2_000


def test_what_is_staged_is_known_from_its_ends(buckets: Buckets) -> None:
    """Incompressible content, so that the compressed file and the Parquet file are as large as they look."""
    import zstandard

    noise = pa.array([os.urandom(24).hex() for _ in range(100_000)])
    table = pa.table({"Order ID": noise, "Amount": noise})
    file = io.BytesIO()
    parquet.write_table(table, file)
    buckets.put("a.parquet", file.getvalue())
    rows = b"Order ID,Amount\n" + b"".join(os.urandom(24).hex().encode() + b",1\n" for _ in range(100_000))
    buckets.put("b.csv.zst", zstandard.ZstdCompressor(level=1).compress(rows))
    buckets.put("c.csv", b"")
    files = buckets.extract("*")
    buckets.proxy.reset()

    batch = buckets.stage(*files)

    assert buckets.proxy.total_bytes < 3 * WIRE_LIMIT_BYTES
    found, compressed, empty = batch.files
    assert (found.format, found.row_count) == (FileFormat.PARQUET, 100_000)
    assert compressed.compression is Compression.ZSTD
    for one in (found, compressed):
        assert [column.name for column in one.columns or ()] == ["order_id", "amount"]
    assert empty.is_empty
    copies = [info.key for info in buckets.target().list("stage/") if "drops" in info.key]
    assert len(copies) == 3


def test_a_bucket_is_listed_by_the_globs_literal_prefix(buckets: Buckets) -> None:
    for key in ("in/2026/a.csv", "in/2026/b.jsonl.gz", "in/2025/c.csv", "out/d.csv", "in/2026/"):
        buckets.put(key, b"x\n1\n")
    found = buckets.extract("in/2026/*.*")
    assert [(file.key, file.format, file.compression) for file in found] == [
        ("in/2026/a.csv", FileFormat.CSV, Compression.NONE),
        ("in/2026/b.jsonl.gz", FileFormat.JSONL, Compression.GZIP),
    ]
    assert all(file.etag and file.modified_at for file in found)


def test_a_file_that_is_replaced_after_it_was_listed_is_not_staged(buckets: Buckets) -> None:
    buckets.put("a.csv", b"a\n1\n")
    [file] = buckets.extract("*.csv")
    buckets.put("a.csv", b"a\n2\n")
    with pytest.raises(DataError, match="changed since it was listed"):
        buckets.stage(file)
