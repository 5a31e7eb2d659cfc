"""The final subflow: silver and gold by dbt."""

from __future__ import annotations

import logging

from prefect import flow
from prefect.artifacts import create_table_artifact

from penstock.errors import PenstockError
from penstock.report import TransformReport
from tasks.environment import Environment
from tasks.transform import dbt_build

logger = logging.getLogger("penstock.transform")


@flow(name="transform", flow_run_name="transform {name}", validate_parameters=False)
def transform(selectors: tuple[str, ...], environment: Environment, name: str) -> TransformReport:
    """Builds the selected dbt nodes and shows each of them in the Prefect UI.

    Args:
        selectors: dbt's own selection syntax, one each.
        environment: The platform whose warehouse and dbt project are used.
        name: The pipeline's name.
    """
    report = dbt_build(selectors, environment, name)
    if report.nodes:
        create_table_artifact(
            key=f"{name}-transform",
            table=[
                {
                    "node": node.name,
                    "type": node.resource_type,
                    "status": node.status,
                    "seconds": round(node.seconds, 2),
                }
                for node in report.nodes
            ],
            description=f"dbt build: {', '.join(f'{count} {status}' for status, count in report.counts().items())}",
        )
    return report


def run_transform(selectors: tuple[str, ...], environment: Environment, name: str) -> TransformReport:
    """Runs the subflow and turns what it raises into a report, so that the run can say how its loads went."""
    if not selectors:
        return TransformReport(outcome="not_run")
    try:
        return transform(selectors, environment, name)
    except PenstockError as error:
        logger.error("the transform failed: %s", error)  # noqa: TRY400 - the report holds it; no trace for a person
        return TransformReport(outcome="failed", selectors=selectors, error=str(error), guidance=error.guidance)
