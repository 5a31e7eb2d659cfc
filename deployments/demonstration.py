"""The demonstration: a sandbox Gladly on a loopback port, one run of the example pipeline, and its gold tables."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim
from rich.console import Console

from deployments.asking import parse_at
from deployments.display import print_table
from deployments.running import chosen_platform, run_flow
from penstock.pipeline import PipelineSpec
from tasks.definitions.project import Project, find_project
from tasks.definitions.reading import find_pipeline, read_pipeline, read_platform
from tasks.environment import Environment
from tasks.warehouses.contract import Warehouse

PIPELINE = "warbyparker-gladly-daily"
SHOWN_ROWS = 8


def demonstrate(*, at: str | None, seed: int) -> bool:
    """Runs the demonstration on the `local` platform and prints what it made.

    Args:
        at: The scheduled time to run for; when None, the newest time that the pipeline's schedule had. A second
            demonstration of one day therefore asks for what is loaded already.
        seed: Which contact centre the sandbox makes up.

    Returns:
        Whether every dataset loaded and dbt built all of its nodes.
    """
    from sandbox.server import serve
    from sandbox.settings import SandboxSettings

    project = find_project()
    spec = read_pipeline(find_pipeline(PIPELINE, project))
    console = Console()
    with serve(SandboxSettings(seed=seed)) as sandbox, chosen_platform("local"):
        os.environ["PENSTOCK_SANDBOX_URL"] = sandbox.url
        console.print(f"A sandbox Gladly answers at {sandbox.url}; the pipeline is {PIPELINE}.")
        before = _counts(_warehouse(project))
        ended = run_flow(
            project, spec, {"pipeline": PIPELINE, "options": {"at": parse_at(at, spec) or _last_slot(spec)}}
        )
        ended.show(as_json=False)
        warehouse = _warehouse(project)
        _show_gold(warehouse, console)
        _show_counts(before, _counts(warehouse), console)
    return ended.report.is_green


def _last_slot(pipeline: PipelineSpec) -> datetime:
    """Returns the newest time at which the pipeline's schedule would have run it."""
    schedule = pipeline.schedules[0]
    now = datetime.now(UTC).astimezone(ZoneInfo(schedule.timezone))
    return next(CronSim(schedule.cron, now, reverse=True))


def _warehouse(project: Project) -> Warehouse:
    return Environment(read_platform("local", project)).warehouse()


def _tables(warehouse: Warehouse) -> list[tuple[str, str]]:
    found = warehouse.query(
        "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
        " and table_schema in (?, ?) order by table_schema, table_name",
        ("warbyparker_bronze", "gold"),
    )
    return [(row[0], row[1]) for row in found.rows]


def _counts(warehouse: Warehouse) -> dict[str, int]:
    return {
        f"{schema}.{table}": warehouse.query(f'select count(*) from "{schema}"."{table}"').rows[0][0]  # noqa: S608
        for schema, table in _tables(warehouse)
    }


def _show_gold(warehouse: Warehouse, console: Console) -> None:
    for schema, table in _tables(warehouse):
        if schema == "gold" and table.startswith(("agg_", "rpt_")):
            shown = warehouse.query(f'select * from "{schema}"."{table}" order by all limit {SHOWN_ROWS}')  # noqa: S608
            print_table(f"{schema}.{table}", shown.columns, shown.rows)
    console.print("All of it: open .penstock/warehouse.duckdb with any DuckDB client.")


def _show_counts(before: dict[str, int], after: dict[str, int], console: Console) -> None:
    print_table("Rows", ("table", "before", "now"), [(name, before.get(name), rows) for name, rows in after.items()])
    if before and before == after:
        console.print("This run changed no row: what it asked for was loaded already.")
