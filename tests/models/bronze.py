"""Gladly bronze as a load leaves it: the sandbox's own answers as text, with the six metadata columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import httpx
import pyarrow as pa

from penstock.naming import bronze_table, standardise_columns
from sandbox.clock import Clock
from sandbox.gladly.settings import GLADLY_EMAIL, GLADLY_TOKEN, GladlySettings
from sandbox.server import serve
from sandbox.settings import SandboxSettings

ZONE = ZoneInfo("America/New_York")
# Clocks go back on the second day.
DAYS = (date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2))
# A day whose conversations have had a week to come back; the days between are not loaded.
EARLIER = date(2026, 10, 24)
NOW = "2026-11-03T06:00:00Z"
CONVERSATIONS_PER_DAY = 80
REPORTS = {
    "contact_timestamps": "ContactTimestampsReport",
    "contacts": "ContactExportReportV3",
    "conversations": "ConversationExportReport",
    "conversation_timestamps": "ConversationTimestampsReport",
}
COLLECTIONS = ("agents", "teams", "inboxes", "topics")
METADATA = {
    "_source_file": "VARCHAR",
    "_batch_id": "VARCHAR",
    "_window_start": "TIMESTAMPTZ",
    "_window_end": "TIMESTAMPTZ",
    "_extracted_at": "TIMESTAMPTZ",
    "_loaded_at": "TIMESTAMPTZ",
}
# Of versions, beside the metadata; every other column of bronze is text.
COLUMN_TYPES = {**METADATA, "_valid_from": "TIMESTAMPTZ", "_valid_to": "TIMESTAMPTZ", "_is_current": "BOOLEAN"}
# What `historical` adds.
HISTORY = {"_valid_from": "TIMESTAMPTZ", "_valid_to": "TIMESTAMPTZ", "_is_current": "BOOLEAN"}

Record = dict[str, str | None]


def fill_bronze(warehouse: Path) -> None:
    """Loads three days of every report and an earlier one, a batch a day, and the lists as they are."""
    settings = SandboxSettings(clock=Clock(NOW), gladly=GladlySettings(conversations_per_day=CONVERSATIONS_PER_DAY))
    with serve(settings) as sandbox, httpx.Client(auth=(GLADLY_EMAIL, GLADLY_TOKEN), timeout=30) as client:
        base_url = sandbox.service_url("gladly")
        for dataset, report in REPORTS.items():
            for day in (EARLIER, *DAYS):
                asked = {"metricSet": report, "startAt": f"{day}", "endAt": f"{day}", "timezone": ZONE.key}
                answer = client.post(f"{base_url}/reports", json=asked).raise_for_status()
                records = list(csv.DictReader(io.StringIO(answer.text)))
                append(warehouse, dataset, records, window=window_of(day), batch=f"{dataset}-{day}")
        for dataset in COLLECTIONS:
            records = client.get(f"{base_url}/{dataset}").raise_for_status().json()
            append(warehouse, dataset, [_as_text(record) for record in records], batch=dataset)


def spoil(warehouse: Path) -> None:
    """Adds what sources do: a row twice, a time that is none, numbers and flags that are none."""
    row = read_bronze(warehouse, "contact_timestamps", day=DAYS[1])[0]
    bad_time = {**row, "timestamp": "soon"}
    append(warehouse, "contact_timestamps", [row, bad_time], window=window_of(DAYS[1]), batch=f"spoilt-{DAYS[1]}")
    conversation = read_bronze(warehouse, "conversations")[0]
    nonsense = {
        **conversation,
        "conversation_id": "odd",
        "count_of_contacts": "many",
        "created_at": "2026-02-30T00:00:00Z",
    }
    append(warehouse, "conversations", [nonsense], window=window_of(DAYS[1]), batch=f"spoilt-{DAYS[1]}")


def append(
    warehouse: Path,
    dataset: str,
    records: Sequence[Record],
    *,
    batch: str,
    window: tuple[datetime, datetime] | None = None,
    kind: str = "gladly",
    source_file: str | None = None,
    history: tuple[datetime, datetime | None, bool] | None = None,
) -> None:
    """Adds a batch to a bronze table, which the first one creates; blank cells become NULL."""
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = [column.name for column in standardise_columns(names)]
    cells = {
        column: [record.get(name) or None for record in records] for column, name in zip(columns, names, strict=True)
    }
    table = table_of(dataset, kind)
    loaded_at = datetime.now(tz=UTC)
    metadata = [source_file or f"{batch}.csv", batch, *(window or (None, None)), loaded_at, loaded_at, *(history or ())]
    typed = METADATA | HISTORY if history else METADATA
    declared = [f'"{column}" VARCHAR' for column in columns] + [f"{name} {type_}" for name, type_ in typed.items()]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.partition('.')[0]}")
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(declared)})")
        # As the schema contract `evolve` does.
        for column in columns:
            connection.execute(f'ALTER TABLE {table} ADD COLUMN IF NOT EXISTS "{column}" VARCHAR')
        connection.register("batch", pa.table(cells, schema=pa.schema([(column, pa.string()) for column in columns])))
        names_written = ", ".join(f'"{name}"' for name in [*columns, *typed])
        values = ", ".join("?" for _ in metadata)
        connection.execute(f"INSERT INTO {table} ({names_written}) SELECT *, {values} FROM batch", metadata)


def replace_window(warehouse: Path, dataset: str, records: Sequence[Record], *, day: date, batch: str) -> None:
    """Loads a day again, as `append` does: its rows go, the new batch's come."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(f"DELETE FROM {table_of(dataset)} WHERE _window_start = ?", [window_of(day)[0]])
    append(warehouse, dataset, records, window=window_of(day), batch=batch)


def read_bronze(warehouse: Path, dataset: str, *, day: date | None = None, kind: str = "gladly") -> list[Record]:
    """Returns the rows of a bronze table, of one window or of all, without the metadata."""
    query = f"SELECT * EXCLUDE ({', '.join(METADATA)}) FROM {table_of(dataset, kind)}"
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            f"{query} WHERE ? IS NULL OR _window_start = ?", [None, None] if day is None else [day, window_of(day)[0]]
        )
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def query(warehouse: Path, sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    """Returns the rows of a query."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(sql, list(parameters)).fetchall()


def table_of(dataset: str, kind: str = "gladly") -> str:
    """Returns a dataset's bronze table with its schema."""
    table = bronze_table("warbyparker", kind, dataset)
    return f"{table.schema_name}.{table.name}"


def window_of(day: date) -> tuple[datetime, datetime]:
    """Returns a local day as `[start, end)`."""
    midnight = datetime.combine(day, time(), ZONE)
    return midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC)


def _as_text(record: dict[str, Any]) -> Record:
    return {
        name: None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in record.items()
    }
