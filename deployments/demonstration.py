"""The demonstration: a sandbox Gladly on a loopback port, one run of the example pipeline, and its gold tables."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim
from rich.console import Console

from deployments.asking import parse_at
from deployments.display import console, print_table
from deployments.running import chosen_platform, run_flow, set_variable
from penstock.pipeline import PipelineSpec
from tasks.definitions.project import Project, find_project
from tasks.definitions.reading import find_pipeline, read_pipeline, read_platform
from tasks.environment import Environment
from tasks.warehouses.contract import Warehouse

PIPELINE = "warbyparker-gladly-daily"
GOLD_QUERIES = {
    "gold.rpt_service_level_daily: was each channel answered in time?": """
        select date_day as day, channel, answered_count as answered, abandoned_count as abandoned,
            round(100 * service_level_share, 1) as "in time %", round(average_wait_seconds) as "wait s"
        from gold.rpt_service_level_daily
        where date_day = (select max(date_day) from gold.rpt_service_level_daily)
        order by channel
    """,
    "gold.agg_agents_daily: who handled most?": """
        select date_day as day, dim_agents.agent_id as agent, contact_count as contacts, stint_count as stints,
            handle_seconds as "handle s", hold_seconds as "hold s"
        from gold.agg_agents_daily
        left join gold.dim_agents using (agent_id)
        where date_day = (select max(date_day) from gold.agg_agents_daily)
        order by contact_count desc, agent limit 5
    """,
}


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
    out = console()
    with (
        serve(SandboxSettings(seed=seed)) as sandbox,
        chosen_platform("local"),
        set_variable("PENSTOCK_SANDBOX_URL", sandbox.url),
    ):
        out.print(f"A sandbox Gladly answers at {sandbox.url}; it runs {PIPELINE}.", soft_wrap=True)
        _warehouse(project).migrate()
        before = _contents(_warehouse(project))
        ended = run_flow(
            project, spec, {"pipeline": PIPELINE, "options": {"at": parse_at(at, spec) or _last_slot(spec)}}
        )
        ended.show(as_json=False)
        warehouse = _warehouse(project)
        if ended.succeeded:
            _show_gold(warehouse, out)
        _show_rows(before, _contents(warehouse), out)
    return ended.succeeded


def _last_slot(pipeline: PipelineSpec) -> datetime:
    """Returns the newest time at which the pipeline's schedule would have run it."""
    schedule = pipeline.schedules[0]
    now = datetime.now(UTC).astimezone(ZoneInfo(schedule.timezone))
    return next(CronSim(schedule.cron, now, reverse=True))


def _warehouse(project: Project) -> Warehouse:
    return Environment(read_platform("local", project, connections=())).warehouse()


def _tables(warehouse: Warehouse) -> list[tuple[str, str]]:
    found = warehouse.query(
        "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
        " and table_schema in (?, ?) order by table_schema, table_name",
        ("warbyparker_bronze", "gold"),
    )
    return [(row[0], row[1]) for row in found.rows]


def _contents(warehouse: Warehouse) -> dict[str, tuple[int, int]]:
    """Returns each table's number of rows, and a hash of all of them that their order does not change."""
    return {
        f"{schema}.{table}": warehouse.query(
            f'select count(*), bit_xor(hash(t)) from "{schema}"."{table}" as t'  # noqa: S608
        ).rows[0]
        for schema, table in _tables(warehouse)
    }


def _show_gold(warehouse: Warehouse, out: Console) -> None:
    for title, query in GOLD_QUERIES.items():
        shown = warehouse.query(query)
        print_table(title, shown.columns, shown.rows)
    out.print("All of it: open .penstock/warehouse.duckdb with any DuckDB client.")


def _show_rows(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], out: Console) -> None:
    rows = [(name, before.get(name, (None,))[0], content[0]) for name, content in after.items()]
    print_table("Rows", ("table", "before", "now"), rows)
    if before and before == after:
        out.print("This run changed no row: what it asked for was loaded already.")
