"""The final subflow: silver and gold by dbt."""

from __future__ import annotations

import logging
from typing import Any

from prefect import State, flow
from prefect.artifacts import create_table_artifact
from prefect.states import Completed, Failed

from penstock.errors import PenstockError
from penstock.report import TransformReport
from tasks.dbt_runner.build import DbtSelection
from tasks.transform import dbt_build

logger = logging.getLogger("penstock.transform")


@flow(name="transform", flow_run_name="transform {name}", validate_parameters=False)
def transform(selection: DbtSelection, name: str) -> State[Any]:
    """Builds the selected dbt nodes, shows each in the Prefect UI, and fails where one of them did not succeed.

    Args:
        selection: What to build.
        name: The pipeline's name.
    """
    report = dbt_build(selection, name)
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
    if report.outcome == "failed":
        return Failed(message=report.error, data=report)
    return Completed(message=report.outcome.replace("_", " "), data=report)


def run_transform(selection: DbtSelection, name: str) -> TransformReport:
    """Runs the subflow and turns what it raises into a report, so that the run can say how its loads went."""
    if not selection.select:
        return TransformReport(outcome="not_run")
    failed = TransformReport(outcome="failed", selectors=selection.select)
    ended: object
    try:
        state: State[Any] = transform(selection, name, return_state=True)
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
