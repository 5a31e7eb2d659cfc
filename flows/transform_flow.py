"""The final subflow: silver and gold by dbt."""

from __future__ import annotations

import logging
from typing import Any

from prefect import State, flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.states import Completed, Failed

from penstock.errors import PenstockError
from penstock.report import TransformReport
from penstock.transforms import failures_with_queries
from tasks.transform import TransformRequest, dbt_build

logger = logging.getLogger("penstock.transform")


@flow(name="transform", flow_run_name="transform {name}", validate_parameters=False)
def transform(request: TransformRequest, name: str) -> State[Any]:
    """Builds the selected dbt nodes, shows each in the Prefect UI, and fails where one of them did not succeed.

    Args:
        request: What to build.
        name: The pipeline's name.
    """
    report = dbt_build(request)
    if report.nodes:
        _show(report, name)
    if report.outcome == "failed":
        return Failed(message=report.error, data=report)
    return Completed(message=report.outcome.replace("_", " "), data=report)


def run_transform(request: TransformRequest) -> TransformReport:
    """Runs the subflow and turns what it raises into a report, so that the run can say how its loads went."""
    if not request.selection.select:
        return TransformReport(outcome="not_run")
    failed = TransformReport(outcome="failed", selectors=request.selection.select)
    ended: object
    try:
        state: State[Any] = transform(request, request.pipeline, return_state=True)
        ended = state.data if isinstance(state.data, TransformReport) else state.result(raise_on_failure=False)
    except Exception as error:  # noqa: BLE001 - whatever stopped dbt, the loads have happened and are reported
        ended = error
    if isinstance(ended, TransformReport):
        return ended
    if isinstance(ended, PenstockError):
        text, guidance = ended.message_with_facts(), ended.guidance
    else:
        text, guidance = f"an unexpected {type(ended).__name__}", "Its trace is in the run's log in the Prefect UI."
    logger.error("the transform failed: %s", text)
    return failed.model_copy(update={"error": text, "guidance": guidance})


def _show(report: TransformReport, name: str) -> None:
    """Makes the artifacts of a transform: a table of its nodes, and the queries that show what failed tests found."""
    create_table_artifact(
        key=f"{name}-transform",
        table=[
            {
                "node": node.name,
                "type": node.resource_type,
                "status": node.status,
                "seconds": round(node.seconds, 2),
                "attempts": node.attempts,
                "rows": "-" if node.rows is None else node.rows,
                "remarks": (node.message or "-") if node.is_bad else "-",
            }
            for node in report.nodes
        ],
        description=f"dbt build: {', '.join(f'{count} {status}' for status, count in report.counts().items())}",
    )
    queries = failures_with_queries(report.nodes)
    if queries:
        parts = [f"## {test}\n\n```sql\n{query}\n```" for test, query in queries]
        create_markdown_artifact(key=f"{name}-failing-rows", markdown="\n\n".join(["# Rows that tests found", *parts]))
