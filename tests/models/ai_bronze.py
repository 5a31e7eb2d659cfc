"""AI tools' bronze as orbit's pipelines leave it: three runs over the sandbox, the later ones with corrections."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from pydantic import TypeAdapter

from deployments.catalog import load_catalog
from penstock.artifacts import Interval
from penstock.connections import Connection
from penstock.naming import standardise_columns
from penstock.pipeline import Dataset, PipelineSpec, expand
from penstock.strategy import Incremental, Partition
from sandbox.ai_tools.settings import AiToolsSettings
from sandbox.clock import Clock
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.definitions.project import Project
from tasks.sources import declared
from tasks.sources.contract import ExtractRequest
from tests.fakes.clock import FakeTime
from tests.fakes.sink import MemorySink
from tests.integration.test_ai_tools_source import KEYS
from tests.models.bronze import METADATA

ROOT = Path(__file__).parents[2]
SETTINGS = AiToolsSettings(engineers=16, late_share=0.2)
FIRST_DAY = date(2026, 2, 26)


class Run(NamedTuple):
    """When a run was, and the first day that it read; the last is the day before it."""

    at: datetime
    first: date

    def reads(self, day: date) -> bool:
        """Tells whether the day is in the run's window."""
        return self.first <= day < self.at.date()

    @property
    def interval(self) -> Interval:
        """The window, in days of UTC."""
        return Interval(start=_midnight(self.first), end=_midnight(self.at.date()), as_of=self.at)


# Parts of four ISO weeks and of two months; the later runs read three days again, as the pipelines do.
RUNS = (
    Run(datetime(2026, 3, 16, 14, 30, tzinfo=UTC), FIRST_DAY),
    Run(datetime(2026, 3, 17, 14, 30, tzinfo=UTC), date(2026, 3, 14)),
    Run(datetime(2026, 3, 18, 14, 30, tzinfo=UTC), date(2026, 3, 15)),
)
SUNDAY = date(2026, 3, 8)
"""A day on which nobody used anything; `spoiling` puts rows there."""

# They tell the same again by other dimensions, take a request for each hour or person, or no model reads them.
_LEFT_OUT = frozenset({"cascade_tools", "daily_activity", "organization", "repositories", "user_teams", "spend"})

Row = dict[str, str | None]


def fill_ai_bronze(warehouse: Path) -> None:
    """Loads what every tool reports, with rows that name nobody."""
    tables: dict[str, list[Row]] = {}
    clock = Clock(RUNS[0].at)
    with serve(SandboxSettings(clock=clock, ai_tools=SETTINGS)) as sandbox:
        for run in RUNS:
            sandbox.clock.set(run.at)
            for pipeline, dataset in _datasets():
                rows = _extract(sandbox, pipeline, dataset, run)
                _load(tables.setdefault(dataset.target.name, []), rows, dataset, run)
    for table, rows in spoiling().items():
        tables[table] += [{**row, **_metadata(table, RUNS[0].at)} for row in rows]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS orbit_bronze")
        for table, rows in tables.items():
            write_table(connection, table, rows)


def spoiling() -> dict[str, list[Row]]:
    """Returns rows of the day without data: traffic without a key, a cost without usage, people whom no list has."""
    bucket: Row = {"bucket_start": f"{SUNDAY}T00:00:00Z"}
    return {
        "anthropic__usage": [
            {**bucket, "model": "claude-large", "uncached_input_tokens": "900", "output_tokens": "100"},
            {**bucket, "model": "claude-large", "context_window": "0-200k", "uncached_input_tokens": "many"},
        ],
        "anthropic__costs": [
            {**bucket, "model": "claude-large", "amount": "250.000001", "cost_type": "tokens"},
            {**bucket, "model": None, "amount": "12.5", "cost_type": "web_search"},
            {**bucket, "model": "claude-large", "amount": "soon", "token_type": "output_tokens"},
        ],
        "copilot__users": [
            {
                **bucket,
                "user_id": "9",
                "user_login": "Ghost-User",
                "user_initiated_interaction_count": "3",
                "code_generation_activity_count": None,
                "totals_by_cli": None,
            }
        ],
        "litellm__spend_logs": [
            {
                **bucket,
                "request_id": "r1",
                "start_time": f"{SUNDAY}T10:00:00.5Z",
                "status": "success",
                "spend": "1e-05",
            },
            {
                **bucket,
                "request_id": "r2",
                "start_time": "soon",
                "status": "success",
                "spend": "4",
                "total_tokens": "5",
            },
        ],
    }


def write_table(connection: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    """Makes a bronze table of rows that have their six columns."""
    names = list(dict.fromkeys(name for row in rows for name in row if name not in METADATA))
    cells = {name: [row.get(name) for row in rows] for name in (*names, *METADATA)}
    connection.register("rows", pa.table(cells, schema=pa.schema([(name, pa.string()) for name in cells])))
    columns = [f'"{name}"' for name in names] + [f"CAST({name} AS {kind}) AS {name}" for name, kind in METADATA.items()]
    connection.execute(f"CREATE OR REPLACE TABLE orbit_bronze.{table} AS SELECT {', '.join(columns)} FROM rows")


def _datasets() -> Iterator[tuple[PipelineSpec, Dataset]]:
    for pipeline in load_catalog(Project(ROOT)).pipelines:
        if pipeline.client == "orbit" and pipeline.source.kind in KEYS:
            yield from ((pipeline, one) for one in expand(pipeline) if one.spec.name not in _LEFT_OUT)


def _extract(sandbox: Sandbox, pipeline: PipelineSpec, dataset: Dataset, run: Run) -> list[Row]:
    kind = pipeline.source.kind
    name, key, more = KEYS[kind]
    settings = {"kind": kind, name: key, "base_url": sandbox.service_url(kind), **more}
    interval = Interval(start=None, end=None, as_of=run.at) if dataset.window.kind == "full" else run.interval
    sink = MemorySink()
    request = ExtractRequest(pipeline.source, dataset.spec, interval, dataset.connection)
    connection: Any = TypeAdapter(Connection).validate_python(settings)
    declared.extract(request, connection, sink, clock=FakeTime(wall=time.time()).clock)
    records = sink.rows()
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = [column.name for column in standardise_columns(names)]
    return [
        {column: _text(record.get(name)) for column, name in zip(columns, names, strict=True)} for record in records
    ]


def _load(table: list[Row], rows: Iterable[Row], dataset: Dataset, run: Run) -> None:
    """Does to a table what the dataset's strategy does."""
    strategy = dataset.load_strategy
    new = [{**row, **_metadata(f"{dataset.name}-{run.at:%d}", run.at)} for row in rows]
    if isinstance(strategy, Partition):
        table[:] = [row for row in table if not run.reads(date.fromisoformat(str(row[strategy.column])[:10]))]
    elif isinstance(strategy, Incremental):
        known = {row[strategy.key_columns[0]] for row in new}
        table[:] = [row for row in table if row[strategy.key_columns[0]] not in known]
    else:
        table.clear()
    table += new


def _metadata(batch: str, at: datetime) -> Row:
    moments = dict.fromkeys((name for name, kind in METADATA.items() if kind != "VARCHAR"), at.isoformat())
    return {"_source_file": f"{batch}.jsonl", "_batch_id": batch, **moments}


def _text(value: Any) -> str | None:
    """Returns a value as bronze has it: text as it is, all else as JSON."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
