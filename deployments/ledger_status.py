"""What the ledger says of pipelines: last loads, gaps between them, and freshness."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from deployments.running import open_platform_warehouse
from penstock.artifacts import RunKind
from penstock.ledger import LoadRecord, gaps
from penstock.pipeline import Dataset, PipelineSpec, expand
from penstock.spec import Artifact
from tasks.definitions.project import Project


class DatasetStatus(Artifact):
    """One dataset's place in the ledger. Times are UTC, `age_hours` counts from the end of the newest interval."""

    pipeline: str
    dataset: str
    table: str
    loads: int
    loaded_until: datetime | None = None
    last_loaded_at: datetime | None = None
    last_run_kind: RunKind | None = None
    rows_in_table: int | None = None
    rejected: int = 0
    age_hours: float | None = None
    gaps: tuple[tuple[datetime, datetime], ...] = ()


def dataset_statuses(project: Project, pipelines: Iterable[PipelineSpec]) -> list[DatasetStatus]:
    """Returns one status a dataset, in the order of the files; touches nothing."""
    warehouse = open_platform_warehouse(project)
    records = warehouse.loads()
    now = datetime.now(UTC)
    return [
        _status(pipeline, dataset, [row for row in records if row.target == dataset.target], now)
        for pipeline in pipelines
        for dataset in expand(pipeline)
    ]


def print_statuses(statuses: Sequence[DatasetStatus], *, as_json: bool) -> None:
    """Prints the statuses as a table, then every gap."""
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in statuses], indent=2))
        return

    from deployments.display import console, print_table

    columns = ("dataset", "loads", "loaded until", "last load", "rows in table", "rejected", "age (h)", "gaps")
    for pipeline in dict.fromkeys(one.pipeline for one in statuses):
        print_table(pipeline, columns, [_row(one) for one in statuses if one.pipeline == pipeline])
    out = console()
    for one in statuses:
        for start, end in one.gaps:
            out.print(
                f"gap in {one.dataset}: `penstock backfill {one.pipeline} --dataset {one.dataset}"
                f" --from {start.isoformat()} --to {end.isoformat()}`",
                soft_wrap=True,
            )


def _row(status: DatasetStatus) -> tuple[object, ...]:
    return (
        status.dataset,
        status.loads,
        f"{status.loaded_until:%Y-%m-%d %H:%M}" if status.loaded_until else None,
        f"{status.last_loaded_at:%Y-%m-%d %H:%M}" if status.last_loaded_at else "never",
        status.rows_in_table,
        status.rejected,
        status.age_hours,
        len(status.gaps),
    )


def _status(pipeline: PipelineSpec, dataset: Dataset, records: Sequence[LoadRecord], now: datetime) -> DatasetStatus:
    status = DatasetStatus(
        pipeline=pipeline.pipeline, dataset=dataset.name, table=str(dataset.target), loads=len(records)
    )
    if not records:
        return status
    newest = max(records, key=lambda row: row.loaded_at)
    until = max((row.interval_end or row.as_of for row in records), default=None)
    return status.model_copy(
        update={
            "loaded_until": until,
            "last_loaded_at": newest.loaded_at,
            "last_run_kind": newest.run_kind,
            "rows_in_table": newest.rows_total,
            "rejected": sum(row.rows_rejected for row in records),
            "age_hours": (now - until).total_seconds() / 3600 if until else None,
            "gaps": tuple(gaps(records)),
        }
    )
