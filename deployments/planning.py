"""What a run would do: intervals, object keys, tables and SQL, from the files and the ledger alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from deployments.running import open_platform_warehouse
from penstock.pipeline import PipelineSpec
from penstock.plan import DatasetPlan, RunRequest, Skip
from penstock.spec import Artifact
from penstock.window import TimeWindow
from tasks.definitions.project import Project
from tasks.warehouses.deciding import decide_by_ledger


class PlannedDataset(Artifact):
    """What one dataset would do; bounds are local times with their offset, and SQL is empty where nothing would run."""

    dataset: str
    does: str
    start: str | None = None
    end: str | None = None
    strategy: str | None = None
    table: str
    ingest: str | None = None
    stage: str | None = None
    sql: tuple[str, ...] = ()


def plan_run(
    project: Project,
    pipeline: PipelineSpec,
    *,
    at: datetime | None,
    window: TimeWindow | None,
    names: Sequence[str] | None,
) -> list[PlannedDataset]:
    """Decides a run of a pipeline without starting it.

    Args:
        project: Where the platform's file is.
        pipeline: What would run.
        at: The scheduled time to decide for; now when None.
        window: Another window than the file's.
        names: Only these datasets.
    """
    request = RunRequest(
        pipeline=pipeline.pipeline,
        scheduled_at=at or datetime.now(UTC),
        run_id="plan",
        window=window,
        datasets=tuple(names) if names else None,
    )
    warehouse = open_platform_warehouse(project)
    return [
        _skipped(decision)
        if isinstance(decision, Skip)
        else _planned(decision, warehouse.preview(decision.load_plan(request.scheduled_at), ()))
        for decision in decide_by_ledger(pipeline, request, warehouse)
    ]


def print_plan(planned: Sequence[PlannedDataset], *, as_json: bool) -> None:
    """Prints a plan: a table, then each dataset's SQL."""
    from rich.syntax import Syntax

    from deployments.display import console, print_table

    if as_json:
        print(json.dumps([one.model_dump() for one in planned], indent=2))
        return
    columns = ("dataset", "does", "start", "end", "strategy", "table")
    print_table("Plan", columns, [[getattr(one, name) for name in columns] for one in planned])
    out = console()
    for one in planned:
        if one.sql:
            out.print(f"\n[bold]{one.dataset}[/] {one.ingest} -> {one.stage}", soft_wrap=True)
            out.print(Syntax(";\n".join(one.sql) + ";", "sql", word_wrap=True, background_color="default"))


def _skipped(decision: Skip) -> PlannedDataset:
    start, end = _local_bounds(decision)
    return PlannedDataset(
        dataset=decision.dataset,
        does=decision.reason.replace("_", " "),
        start=start,
        end=end,
        table=str(decision.target),
    )


def _planned(decision: DatasetPlan, sql: Sequence[str]) -> PlannedDataset:
    start, end = _local_bounds(decision)
    keys = decision.batch_keys()
    return PlannedDataset(
        dataset=decision.name,
        does="load",
        start=start,
        end=end,
        strategy=decision.strategy.kind,
        table=str(decision.dataset.target),
        ingest=keys.ingest_prefix,
        stage=keys.stage_prefix,
        sql=tuple(sql),
    )


def _local_bounds(decision: DatasetPlan | Skip) -> tuple[str | None, str | None]:
    from zoneinfo import ZoneInfo

    interval = decision.interval
    if interval is None or interval.is_full:
        return None, None
    zone = ZoneInfo(interval.timezone)
    start, end = interval.bounds()
    local = (moment.astimezone(zone).isoformat(sep=" ", timespec="minutes") for moment in (start, end))
    return next(local), next(local)
