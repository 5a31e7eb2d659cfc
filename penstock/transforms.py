"""The rows of `penstock.transforms`: what dbt did with what was loaded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from pydantic import AwareDatetime

from penstock.report import NodeReport, TransformReport
from penstock.spec import Artifact


class TransformRecord(Artifact):
    """One dbt node of one run's transform, as it ended last. Times are UTC.

    `transform_id` is the same for runs that built the same selection of the same project from the same loads.
    """

    transform_id: str
    run_id: str
    client: str
    pipeline: str
    node_id: str
    node_name: str
    resource_type: str
    relation: str | None
    status: str
    attempts: int
    started_at: AwareDatetime | None
    seconds: float
    rows_affected: int | None
    failures: int | None
    message: str | None
    failing_rows_query: str | None
    recorded_at: AwareDatetime


class TransformRun(NamedTuple):
    """Whose transform it was."""

    client: str
    pipeline: str
    run_id: str


def transform_records(run: TransformRun, report: TransformReport, recorded_at: datetime) -> list[TransformRecord]:
    """Returns a row for each node that a transform's report has."""
    return [_record(run, report.transform_id or "", node, recorded_at) for node in report.nodes]


def failures_with_queries(nodes: Iterable[NodeReport]) -> list[tuple[str, str]]:
    """Returns the failed tests by name, each with the query that shows the rows that it found."""
    return [(node.name, node.failing_rows_query) for node in nodes if node.has_failed and node.failing_rows_query]


def _record(run: TransformRun, transform_id: str, node: NodeReport, recorded_at: datetime) -> TransformRecord:
    return TransformRecord(
        transform_id=transform_id,
        run_id=run.run_id,
        client=run.client,
        pipeline=run.pipeline,
        node_id=node.unique_id,
        node_name=node.name,
        resource_type=node.resource_type,
        relation=node.relation,
        status=node.status,
        attempts=node.attempts,
        started_at=node.started_at,
        seconds=node.seconds,
        rows_affected=node.rows,
        failures=node.failures,
        message=node.message,
        failing_rows_query=node.failing_rows_query,
        recorded_at=recorded_at,
    )
