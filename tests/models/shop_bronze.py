"""Mercato's bronze: what runs of its own pipeline read of the sandbox's shop, with its types, loaded into DuckDB."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from penstock.connections import DuckDBConnection
from penstock.pipeline import Dataset, expand
from penstock.sources.sql import SOURCE_DELETED
from sandbox.shop.world import ShopSettings, tables_at
from tasks.definitions.reading import read_pipeline
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tests.contract.warehouse_cases import FIRST_DAY, Loader

PIPELINE = Path(__file__).parents[2] / "deployments/clients/mercato/mercato-shop-daily.yaml"
SHOP = ShopSettings()
# Customers still come, and some ordered before they did, at the first run; at the second all of them are there.
FIRST = datetime(2026, 3, 18, 5, tzinfo=UTC)
SECOND = datetime(2026, 3, 21, 5, tzinfo=UTC)
LOOKBACK = timedelta(hours=3)
LATE_CUSTOMERS = frozenset(range(2, 61, 4))
"""Whose rows come with the second run only, however old they are, as from a replica that hangs back."""

_TIME, _NUMBER, _TEXT = pa.timestamp("us"), pa.int32(), pa.string()
COLUMNS: dict[str, dict[str, pa.DataType]] = {
    "customers": {
        "id": _NUMBER,
        "email": _TEXT,
        "phone": _TEXT,
        "street": _TEXT,
        "city": _TEXT,
        "created_at": _TIME,
        "updated_at": _TIME,
    },
    "products": {
        "id": _NUMBER,
        "sku": _TEXT,
        "name": _TEXT,
        "price": pa.decimal128(10, 2),
        "updated_at": _TIME,
        "deleted_at": _TIME,
    },
    "orders": {
        "id": _NUMBER,
        "customer_id": _NUMBER,
        "status": _TEXT,
        "total": pa.decimal128(12, 2),
        "placed_at": _TIME,
        "updated_at": _TIME,
    },
    "order_items": {
        "order_id": _NUMBER,
        "line": _NUMBER,
        "product_id": _NUMBER,
        "quantity": _NUMBER,
        "price": pa.decimal128(10, 2),
        "ordered_at": _TIME,
    },
    "inventory_changes": {
        "id": _NUMBER,
        "product_id": _NUMBER,
        "warehouse": _TEXT,
        "quantity": _NUMBER,
        "op": _TEXT,
        "changed_at": _TIME,
    },
}
"""The shop's tables with the types that its database has."""

Row = dict[str, Any]


def fill_shop(warehouse: Path, lake: Path) -> None:
    """Loads what the first run reads, and what the second does."""
    load_shop(warehouse, lake, at=FIRST)
    load_shop(warehouse, lake, at=SECOND, since=FIRST)


def load_shop(warehouse: Path, lake: Path, *, at: datetime, since: datetime | None = None) -> None:
    """Loads what a run reads.

    Args:
        warehouse: The DuckDB file.
        lake: A folder for what is read.
        at: The time of the run.
        since: Where the last run ended; the shop's opening by default.
    """
    opened = open_warehouse(DuckDBConnection(kind="duckdb", path=str(warehouse), lock_timeout_seconds=20))
    loader = Loader(opened, LocalStore(lake / f"{at:%Y%m%dT%H%M}"))
    pipeline = read_pipeline(PIPELINE)
    start = SHOP.opened_at if since is None else since - LOOKBACK
    for dataset in expand(pipeline):
        read = _with_late(dataset, _rows_between(dataset, start, at), at, is_first=since is None)
        file = {"format": "parquet", "bytes": _as_parquet(dataset, read), "columns": list(_fields(dataset))}
        loader.load(
            dataset.load_strategy.model_dump(),
            [file],
            at=[_day(start), _day(at)],
            as_of=at,
            extracted=_day(at),
            client=pipeline.client,
            pipeline=pipeline.pipeline,
            source=pipeline.source.kind,
            dataset=dataset.name,
            target=dataset.target,
            typed=True,
            batch_id=f"{dataset.name}-{at:%Y%m%dT%H%M}",
        )


def rows_at(table: str, at: datetime) -> list[Row]:
    """Returns a table's rows at a time, with times as the database has them: in UTC and without a zone."""
    return [
        dict(zip(COLUMNS[table], (_naive(value) for value in row), strict=True)) for row in tables_at(SHOP, at)[table]
    ]


def customers_of_run(at: datetime) -> list[Row]:
    """Returns the customers of which bronze knows after a run."""
    return [row for row in rows_at("customers", at) if at > FIRST or row["id"] not in LATE_CUSTOMERS]


def _rows_between(dataset: Dataset, start: datetime, end: datetime) -> list[Row]:
    spec: Any = dataset.spec
    return [row for row in rows_at(spec.relation, end) if _naive(start) <= row[spec.window_column] < _naive(end)]


def _with_late(dataset: Dataset, rows: list[Row], at: datetime, *, is_first: bool) -> list[Row]:
    if dataset.name != "customers":
        return rows
    in_time = [row for row in rows if row["id"] not in LATE_CUSTOMERS]
    late = [row for row in rows_at("customers", at) if row["id"] in LATE_CUSTOMERS]
    return in_time if is_first else in_time + late


def _fields(dataset: Dataset) -> dict[str, pa.DataType]:
    spec: Any = dataset.spec
    return {**COLUMNS[spec.relation], **({SOURCE_DELETED: pa.bool_()} if spec.delete_marker else {})}


def _as_parquet(dataset: Dataset, rows: list[Row]) -> bytes:
    marker = getattr(dataset.spec, "delete_marker", None)
    marked = [{**row, SOURCE_DELETED: row[marker] is not None} for row in rows] if marker else rows
    written = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(marked, schema=pa.schema(list(_fields(dataset).items()))), written)
    return written.getvalue()


def _day(moment: datetime) -> float:
    return 1 + (moment - FIRST_DAY) / timedelta(days=1)


def _naive(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
