"""What the warehouse benchmarks share: where their data is, staged files over it, and a plan to load them by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measuring import Measured, run_measured
from penstock.artifacts import (
    Compression,
    CsvDialect,
    FileFormat,
    Guards,
    Interval,
    LoadPlan,
    StagedBatch,
    StagedColumn,
    StagedFile,
    TableRef,
)
from penstock.connections import DuckDBConnection
from penstock.strategy import LoadStrategy
from tasks.staging.local import LocalStore
from tasks.warehouses.contract import Warehouse
from tasks.warehouses.duckdb.warehouse import DuckDBWarehouse

DATA = Path(os.environ.get("PENSTOCK_BENCH_DATA", "/tmp/penstock-bench"))  # noqa: S108 - many GB; the user may say where
TARGET = TableRef(schema_name="bench_bronze", name="files__rows")
_FIRST_DAY = datetime(2026, 3, 1, tzinfo=UTC)


def lineitem() -> Path:
    """Returns TPC-H's lineitem of scale factor 1 as CSV, generated where it is not there."""
    path = DATA / "lineitem.csv"
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        generator = Path(sys.executable).with_name("tpchgen-cli")
        subprocess.run([generator, "csv", "-s", "1", "-T", "lineitem", "-o", DATA], check=True)
    return path


def header(path: Path) -> tuple[str, ...]:
    """Returns the column names of a CSV file."""
    with path.open(encoding="utf-8") as file:
        return tuple(file.readline().strip().split(","))


def staged(path: Path) -> StagedFile:
    """Returns a file below `DATA` as staging would describe it."""
    is_csv = path.suffix == ".csv"
    columns = tuple(StagedColumn(name=name, source_name=name) for name in header(path)) if is_csv else None
    return StagedFile(
        key=str(path.relative_to(DATA)),
        format=FileFormat.CSV if is_csv else FileFormat.JSONL,
        compression=Compression.NONE,
        size_bytes=path.stat().st_size,
        etag="1",
        columns=columns,
        dialect=CsvDialect() if is_csv else None,
        header_rows=1 if is_csv else 0,
        source_name=path.name,
    )


def load(
    warehouse: Path, files: Sequence[Path], strategy: LoadStrategy, *, day: int = 0, memory_limit: str | None = None
) -> float:
    """Loads files as one day's batch, with the default memory or another, and returns the seconds it took."""
    connection = DuckDBConnection(kind="duckdb", path=str(warehouse))
    if memory_limit:
        connection = connection.model_copy(update={"memory_limit": memory_limit})
    return load_into(DuckDBWarehouse(connection), files, strategy, day=day)


def load_into(warehouse: Warehouse, files: Sequence[Path], strategy: LoadStrategy, *, day: int = 0) -> float:
    """Loads files as one day's batch and returns the seconds it took."""
    batch_id = f"bench-{day}"
    plan = LoadPlan(
        client="bench",
        pipeline="bench",
        source="s3_files",
        dataset="rows",
        target=TARGET,
        strategy=strategy,
        interval=Interval(
            start=_FIRST_DAY + timedelta(days=day),
            end=_FIRST_DAY + timedelta(days=day + 1),
            as_of=_FIRST_DAY + timedelta(days=day + 1),
        ),
        batch_id=batch_id,
        run_id="bench",
        guards=Guards(),
        extracted_at=_FIRST_DAY + timedelta(days=day + 1),
    )
    batch = StagedBatch(batch_id=batch_id, files=tuple(staged(path) for path in files))
    began = time.perf_counter()
    warehouse.load(plan, batch, LocalStore(DATA))
    return time.perf_counter() - began


def remove_warehouse(path: Path) -> None:
    """Removes a warehouse and what stands beside it."""
    for suffix in ("", ".wal", ".lock"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def report(**facts: float) -> None:
    """Prints what a measured process found, for `measure`."""
    print(json.dumps(facts))


def measure(module: str, role: str) -> tuple[dict[str, float], Measured]:
    """Runs one role of a benchmark in a process of its own; returns what it reports, and how it was measured."""
    measured = run_measured([sys.executable, "-m", module, role])
    return json.loads(measured.output.splitlines()[-1]), measured
