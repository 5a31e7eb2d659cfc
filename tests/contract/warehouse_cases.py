"""Loads told as data: batches with their files inline, the plan they are loaded by, and the rows they come to.

A case is `given` loads and the table after the last of them. A load's defaults: one day's interval, extracted at its
end plus one minute for each load before it, so that later loads are later extractions.
"""

from __future__ import annotations

import base64
import gzip
import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
import zstandard
from pydantic import TypeAdapter

from penstock.artifacts import (
    METADATA_COLUMNS,
    Compression,
    CsvDialect,
    FileFormat,
    Guards,
    Interval,
    LoadPlan,
    LoadResult,
    StagedBatch,
    StagedColumn,
    StagedFile,
    TableRef,
)
from penstock.naming import standardise_columns
from penstock.strategy import LoadStrategy
from tasks.staging.contract import ObjectStore
from tasks.warehouses.contract import Warehouse

FIRST_DAY = datetime(2026, 3, 1, tzinfo=UTC)
TARGET = TableRef(schema_name="acme_bronze", name="rest__orders")
_COMPRESS = {
    Compression.NONE: bytes,
    Compression.GZIP: gzip.compress,
    Compression.ZSTD: zstandard.ZstdCompressor().compress,
}
_STRATEGY: TypeAdapter[LoadStrategy] = TypeAdapter(LoadStrategy)


def read_cases(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (name, case) of all case files below a folder."""
    for path in sorted(folder.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text("utf-8")):
            yield f"{path.stem}: {case['name']}", case


def day(number: float) -> datetime:
    """Returns the start of a day of the cases; 1 is the first."""
    return FIRST_DAY + timedelta(days=number - 1)


class Loader:
    """Stages files as they are told and loads them into one table of a warehouse."""

    def __init__(self, warehouse: Warehouse, store: ObjectStore, target: TableRef = TARGET) -> None:
        self.warehouse = warehouse
        self.store = store
        self.target = target
        self._numbers = itertools.count(1)

    def new_name(self) -> str:
        """Returns a name that no other file has."""
        return f"file-{next(self._numbers)}"

    def load(self, strategy: Mapping[str, Any], files: Sequence[Any], **options: Any) -> LoadResult:
        """Loads a batch.

        Args:
            strategy: As in a pipeline file.
            files: Staged files, or what `stage` takes.
            options: `plan` and its arguments, and `row_count`, what the extraction counted.
        """
        row_count = options.pop("row_count", None)
        plan = self.plan(strategy, **options)
        batch = self.batch(plan, files, row_count)
        return self.warehouse.load(plan, batch, self.store)

    def plan(
        self,
        strategy: Mapping[str, Any],
        *,
        at: float | Sequence[float] | None = 1,
        extracted: float | None = None,
        **options: Any,
    ) -> LoadPlan:
        """Returns a plan.

        Args:
            strategy: As in a pipeline file.
            at: The day, or the days from and to; None for a full interval.
            extracted: When the source was read, as a day; by default a minute later for each load.
            options: Further fields of the plan; `timezone` of its interval.
        """
        number = next(self._numbers)
        first, last = (at, at + 1) if isinstance(at, int | float) else (at or (None, None))
        as_of = day(60) + timedelta(minutes=number)
        interval = Interval(
            start=None if first is None else day(first),
            end=None if last is None else day(last),
            timezone=options.pop("timezone", "UTC"),
            as_of=options.pop("as_of", as_of),
        )
        defaults: dict[str, Any] = {
            "client": "acme",
            "pipeline": "acme-orders",
            "source": "rest",
            "dataset": "orders",
            "target": self.target,
            "batch_id": f"{self.target.name}-{number}",
            "run_id": f"run-{number}",
        }
        return LoadPlan(
            **{**defaults, **options, "guards": Guards.model_validate(options.get("guards", {}))},
            strategy=_STRATEGY.validate_python(dict(strategy)),
            interval=interval,
            extracted_at=as_of if extracted is None else day(extracted),
        )

    def batch(self, plan: LoadPlan, files: Sequence[Any], row_count: int | None = None) -> StagedBatch:
        """Returns the staged batch of a plan."""
        staged = [
            file if isinstance(file, StagedFile) else self.stage(f"{plan.batch_id}/{number}", **file)
            for number, file in enumerate(files)
        ]
        return StagedBatch(batch_id=plan.batch_id, files=tuple(staged), row_count=row_count)

    def stage(self, key: str, **file: Any) -> StagedFile:
        """Writes a file into the lake and describes it as staging does.

        Args:
            key: Where it goes.
            file: Its body as text under `csv` or `jsonl`, or as Base64 under `base64` with a `format`; `columns` (of
                a CSV file, found from its first line by default), `source`, `etag`, and fields of the staged file.
        """
        format_, body = _body(file)
        compression = Compression(file.pop("compression", "none"))
        dialect = CsvDialect.model_validate(file.pop("dialect", {}))
        data = _COMPRESS[compression](body)
        names = file.pop("columns", None)
        if names is None and format_ is FileFormat.CSV:
            first_line = body.decode(dialect.encoding).lstrip("\ufeff").splitlines()[:1]
            names = first_line[0].split(dialect.delimiter) if first_line else []
        with self.store.open_write(key) as stream:
            stream.write(data)
        return StagedFile(
            key=key,
            format=format_,
            compression=compression,
            size_bytes=len(data),
            etag=f"{key}-1",
            columns=None if names is None else _columns(names),
            dialect=dialect if format_ is FileFormat.CSV else None,
            header_rows=file.pop("header_rows", 1 if format_ is FileFormat.CSV else 0),
            source_name=file.pop("source", key),
            source_etag=file.pop("etag", None),
            is_empty=file.pop("is_empty", not body),
            **file,
        )

    def rows(self, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Returns the table's rows as the cases write them: without metadata, times as ISO 8601, in a stable order."""
        found = self.warehouse.query(f"SELECT * FROM {self.target}")
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        wanted = columns or [name for name in found.columns if name not in METADATA_COLUMNS]
        return in_order([{name: _told(row[name]) for name in wanted} for row in rows])

    def is_there(self) -> bool:
        """Returns whether the table exists."""
        self.warehouse.migrate()
        query = "SELECT count(*) FROM information_schema.tables WHERE lower(table_schema) = ? AND lower(table_name) = ?"
        return bool(self.warehouse.query(query, [self.target.schema_name, self.target.name]).rows[0][0])


def in_order(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns rows in an order that depends on nothing but their values."""
    by_name = (dict(sorted(row.items())) for row in rows)
    return sorted(by_name, key=lambda row: [(value is None, str(value)) for value in row.values()])


def _columns(names: Sequence[Any]) -> tuple[StagedColumn, ...]:
    if all(isinstance(name, StagedColumn) for name in names):
        return tuple(names)
    return standardise_columns([name.strip('"') for name in names])


def _body(file: dict[str, Any]) -> tuple[FileFormat, bytes]:
    if "base64" in file:
        return FileFormat(file.pop("format")), base64.b64decode(file.pop("base64"))
    if "bytes" in file:
        return FileFormat(file.pop("format")), file.pop("bytes")
    format_ = FileFormat.CSV if "csv" in file else FileFormat.JSONL
    encoding = file.get("dialect", {}).get("encoding", "utf-8")
    return format_, file.pop(format_.value).encode(encoding)


def _told(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
