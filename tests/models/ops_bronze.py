"""Bronze of orbit's operations: its own pipeline files, read from the sandbox and loaded into DuckDB."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from penstock.artifacts import Interval
from penstock.connections import DatadogSloConnection, DuckDBConnection, IncidentIoConnection, Nobl9Connection
from penstock.pipeline import Dataset, PipelineSpec, expand
from penstock.sources.base import DatasetSpec, SourceSpec
from sandbox.clock import Clock
from sandbox.datadog_slo.settings import DATADOG_API_KEY, DATADOG_APPLICATION_KEY, DatadogSloSettings
from sandbox.incident_io.settings import MOBILE_KEY, PAYMENTS_KEY, PLATFORM, PLATFORM_KEY, IncidentIoSettings
from sandbox.nobl9.settings import NOBL9_CLIENT_ID, NOBL9_CLIENT_SECRET, NOBL9_ORGANIZATION, Nobl9Settings
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.definitions.reading import read_pipeline
from tasks.sources.contract import ExtractRequest
from tasks.sources.registry import extractor
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tests.contract.warehouse_cases import FIRST_DAY, Loader
from tests.fakes.sink import MemorySink

PIPELINES = Path(__file__).parents[2] / "deployments" / "clients" / "orbit"
INCIDENTS, NOBL9, DATADOG = "orbit-incidents-hourly", "orbit-nobl9-daily", "orbit-slo-daily"
# The clocks of all three workspaces change before the first load; services are renamed and deleted between the two.
OPENED_ON = date(2026, 1, 22)
FIRST = datetime(2026, 4, 5, 6, tzinfo=UTC)
NOW = datetime(2026, 4, 11, 6, tzinfo=UTC)
LATER = datetime(2026, 4, 14, 6, tzinfo=UTC)
FIRST_SLO_DAYS = (datetime(2026, 3, 26, tzinfo=UTC), datetime(2026, 4, 5, tzinfo=UTC))
SLO_DAYS = (datetime(2026, 4, 3, tzinfo=UTC), datetime(2026, 4, 11, tzinfo=UTC))
EAST_KEY = "incident-io-sandbox-key-east"
EAST = replace(
    PLATFORM,
    name="east",
    severities=("Calm", "Busy"),
    timestamps={"impact": "Started at", "reported": "Declared at", "fixed": "Mitigated at", "resolved": "Resolved at"},
    metrics=(),
)
"""A fourth workspace, which no pipeline names yet."""
KEYS = {"platform": PLATFORM_KEY, "payments": PAYMENTS_KEY, "mobile": MOBILE_KEY, "east": EAST_KEY}
MODES = ("standard", "retrospective", "test", "tutorial")
# What no model reads need not be there.
_UNREAD = {"incident_statuses", "incident_roles", "custom_fields", "follow_ups", "status"}
_PLENTY = 1_000_000

Row = dict[str, Any]


@contextmanager
def operations(now: datetime = FIRST) -> Iterator[Sandbox]:
    """Serves the three services, and a fourth workspace."""
    workspaces = {**IncidentIoSettings().workspaces, EAST_KEY: EAST}
    settings = SandboxSettings(
        clock=Clock(now),
        incident_io=IncidentIoSettings(workspaces=workspaces, opened_on=OPENED_ON, requests_per_minute=_PLENTY),
        datadog_slo=DatadogSloSettings(opened_on=OPENED_ON, requests_per_period=_PLENTY),
        nobl9=Nobl9Settings(requests_per_second=_PLENTY, seconds_between_tokens=0),
    )
    with serve(settings) as sandbox:
        yield sandbox


def fill_operations(warehouse: Path, lake: Path) -> None:
    """Loads everything at `FIRST`, and at `NOW` what a run of that time reads."""
    with operations() as sandbox:
        for name in (INCIDENTS, NOBL9, DATADOG):
            load_pipeline(warehouse, lake, sandbox, read_orbit(name), days=FIRST_SLO_DAYS)
        sandbox.clock.set(NOW)
        for name in (INCIDENTS, NOBL9, DATADOG):
            load_pipeline(warehouse, lake, sandbox, read_orbit(name), since=FIRST, days=SLO_DAYS)


def read_orbit(name: str) -> PipelineSpec:
    """Returns one of orbit's pipelines."""
    return read_pipeline(PIPELINES / f"{name}.yaml")


def load_pipeline(
    warehouse: Path,
    lake: Path,
    sandbox: Sandbox,
    pipeline: PipelineSpec,
    *,
    since: datetime | None = None,
    instance: str | None = None,
    days: tuple[datetime, datetime] | None = None,
) -> None:
    """Loads what a run at the sandbox's time would.

    Args:
        warehouse: The DuckDB file.
        lake: A folder for what is read.
        sandbox: Where it is read.
        pipeline: Whose datasets are loaded, those that models read.
        since: Brings incidents that were changed since an hour before then; all by default.
        instance: The only one whose datasets are loaded; all by default.
        days: Of the history of objectives.
    """
    now = sandbox.clock.now()
    opened = open_warehouse(DuckDBConnection(kind="duckdb", path=str(warehouse), lock_timeout_seconds=20))
    loader = Loader(opened, LocalStore(lake / f"{now:%Y%m%dT%H%M}" / pipeline.pipeline))
    for dataset in expand(pipeline):
        if dataset.spec.name in _UNREAD or instance not in {None, dataset.instance}:
            continue
        rows = read_dataset(sandbox, pipeline.source, dataset, _interval(dataset, now, since, days))
        file = {"jsonl": "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)}
        options = {
            "at": None,
            "as_of": now,
            "extracted": 1 + (now - FIRST_DAY) / timedelta(days=1),
            "client": pipeline.client,
            "pipeline": pipeline.pipeline,
            "source": pipeline.source.kind,
            "dataset": dataset.name,
            "target": dataset.target,
            "batch_id": f"{pipeline.pipeline}-{dataset.name}-{now:%Y%m%dT%H%M}",
        }
        loader.load(dataset.load_strategy.model_dump(), [file], **options)


def _interval(
    dataset: Dataset, now: datetime, since: datetime | None, days: tuple[datetime, datetime] | None
) -> Interval:
    if dataset.spec.name == "incidents" and since is not None:
        return Interval(start=since - timedelta(hours=1), end=now, as_of=now)
    if dataset.spec.name == "history" and days is not None:
        return Interval(start=days[0], end=days[1], as_of=now)
    return Interval(start=None, end=None, as_of=now)


def read_dataset(sandbox: Sandbox, source: SourceSpec, dataset: Dataset, interval: Interval) -> list[Row]:
    """Returns a dataset's records; of incidents also those that are tests, which orbit's file leaves out."""
    spec: DatasetSpec = dataset.spec
    if spec.name == "incidents":
        spec = spec.model_copy(update={"modes": MODES})
    sink = MemorySink()
    connection = _connection(sandbox, source.kind, dataset.instance)
    extractor(source.kind)(ExtractRequest(source, spec, interval, "orbit"), connection, sink)
    return sink.rows()


def _connection(sandbox: Sandbox, kind: str, instance: str | None) -> Any:
    url = sandbox.service_url(kind)
    match kind:
        case "incident_io":
            return _validated(IncidentIoConnection, kind, url, api_key=KEYS[instance or ""])
        case "datadog_slo":
            keys = {"api_key": DATADOG_API_KEY, "application_key": DATADOG_APPLICATION_KEY}
            return _validated(DatadogSloConnection, kind, url, **keys)
        case _:
            keys = {"client_id": NOBL9_CLIENT_ID, "client_secret": NOBL9_CLIENT_SECRET}
            return _validated(Nobl9Connection, kind, url, organization=NOBL9_ORGANIZATION, **keys)


def _validated(model: Any, kind: str, url: str, **fields: str) -> Any:
    return model.model_validate({"kind": kind, "base_url": url, **fields})


def spoil_operations(warehouse: Path) -> None:
    """Adds an older state of three incidents, loaded after the newest one, and the newest state of these once more."""
    table = "orbit_bronze.incident_io__platform__incidents"
    triage = json.dumps({"name": "Triage", "category": "triage"})
    with duckdb.connect(str(warehouse)) as connection:
        chosen = f"SELECT * FROM {table} WHERE contains(incident_status, 'closed') ORDER BY id LIMIT 3"
        connection.execute(f"CREATE TEMP TABLE newest AS {chosen}")
        older = (
            "'2026-01-01T00:00:00.000Z' AS updated_at, ? AS incident_status, _loaded_at + INTERVAL 1 HOUR AS _loaded_at"
        )
        connection.execute(f"INSERT INTO {table} SELECT * REPLACE ({older}) FROM newest", [triage])
        connection.execute(f"INSERT INTO {table} SELECT * FROM newest")
