"""Copy-then-peek of 1 GB beside 10 MB: the same time, and the same bytes through the worker."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import print_line
from penstock.artifacts import ExtractedFile, Extraction, FileFormat, Interval
from penstock.naming import BatchKeys
from tasks.staging.local import LocalStore
from tasks.staging.stage import stage_batch

ROUNDS = 5
SIZES_MB = (10, 1_000)
LINE = b'1234567,a customer\'s name,2026-03-20T10:00:00Z,19.99,"quoted, text"\n'


def stage_once(root: Path, size_mb: int, number: int) -> float:
    """Stages a file of the given size from one local store into another and returns the seconds it took."""
    drops, lake = LocalStore(root / f"drops-{size_mb}"), LocalStore(root / "lake")
    found = drops.stat("big.csv")
    interval = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, tzinfo=UTC))
    file = ExtractedFile(
        store="drops",
        key="big.csv",
        format=FileFormat.CSV,
        size_bytes=found.size_bytes,
        etag=found.etag,
        source_name="big.csv",
    )
    batch = f"batch-{size_mb}-{number}"
    keys = BatchKeys(
        client="bench", source="s3_files", dataset="big", strategy="append", interval=interval, batch_id=batch
    )
    extraction = Extraction(
        batch_id=batch,
        dataset="big",
        interval=interval,
        files=(file,),
        row_count=None,
        extracted_at=datetime(2026, 3, 20, tzinfo=UTC),
    )
    began = time.perf_counter()
    staged = stage_batch(extraction, lake=lake, stores=lambda _name: drops, keys=keys)
    seconds = time.perf_counter() - began
    if staged.size_bytes != found.size_bytes or len(staged.files[0].columns) != 5:
        raise SystemExit("the file was not staged whole")
    return seconds


def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("PENSTOCK_BENCH_DATA")) as folder:
        root = Path(folder)
        for size_mb in SIZES_MB:
            block = LINE * (2**20 // len(LINE))
            with LocalStore(root / f"drops-{size_mb}").open_write("big.csv") as file:
                file.write(b"id,name,created_at,amount,note\n")
                for _ in range(size_mb):
                    file.write(block)
        stage_once(root, SIZES_MB[0], -1)
        print(f"Staging by copy-then-peek, local folder to lake, best of {ROUNDS}")
        times = {size: min(stage_once(root, size, n) for n in range(ROUNDS)) for size in SIZES_MB}
        for size, seconds in times.items():
            print_line(f"{size:,} MB", seconds)
        print(f"  ratio {times[SIZES_MB[1]] / times[SIZES_MB[0]]:.2f}")


if __name__ == "__main__":
    main()
