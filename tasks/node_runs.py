"""dbt's nodes as task runs in the Prefect UI.

dbt runs them, in a process of its own; here their states are only told. Prefect's server records task runs from the
events of their states, so a node costs two events and no request: `PrefectDbtRunner`, which starts a Prefect task for
each node, takes 0.26 s a node (prefect-dbt 0.7.25).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from prefect.client.schemas.objects import State, StateType, TaskRun
from prefect.utilities.engine import emit_task_run_state_change_event

from penstock.report import NodeReport
from tasks.dbt_runner.events import Event, NodeEnded, NodeStarted

_TASK_KEY = "dbt-node"
_SKIPPED = "not built, because something that it reads was not"


class _Told(NamedTuple):
    """What a state says, without when."""

    type: StateType
    name: str
    message: str | None = None


class NodeRuns:
    """Tells Prefect how the nodes of one transform are doing.

    Args:
        flow_run_id: The flow run that they belong to.
    """

    def __init__(self, flow_run_id: UUID) -> None:
        self._flow_run_id = flow_run_id
        self._runs: dict[str, TaskRun] = {}

    def tell(self, event: Event) -> None:
        """Tells of a node that began or ended; other events say nothing of nodes."""
        if isinstance(event, NodeStarted):
            self._start(event.unique_id, f"{event.resource_type} {event.name}", event.started_at)
        elif isinstance(event, NodeEnded):
            self._end(event.node)

    def settle(self, nodes: Iterable[NodeReport]) -> None:
        """Tells what only dbt's results know: why nodes failed, and what became of those that dbt said nothing of."""
        for node in nodes:
            told = self._runs.get(node.unique_id)
            if told is None or told.state is None or node.has_failed or not told.state.is_final():
                self._end(node)

    def _start(self, unique_id: str, name: str, moment: datetime) -> TaskRun:
        run = self._runs.get(unique_id)
        if run is None:
            run = self._runs[unique_id] = TaskRun(
                id=uuid4(),
                name=name,
                flow_run_id=self._flow_run_id,
                task_key=_TASK_KEY,
                dynamic_key=unique_id,
                expected_start_time=moment,
                start_time=moment,
            )
        run.run_count += 1
        run.end_time = None
        self._change(run, _Told(StateType.RUNNING, "Running"), self._after(run, moment))
        return run

    def _end(self, node: NodeReport) -> None:
        started_at = node.started_at or datetime.now(UTC)
        run = self._runs.get(node.unique_id) or self._start(
            node.unique_id, f"{node.resource_type} {node.name}", started_at
        )
        ended_at = max(started_at + timedelta(seconds=node.seconds), self._after(run, started_at))
        changes = {"end_time": run.end_time or ended_at, "total_run_time": timedelta(seconds=node.seconds)}
        run = self._runs[node.unique_id] = run.model_copy(update=changes)
        self._change(run, _ended(node), ended_at)

    def _after(self, run: TaskRun, moment: datetime) -> datetime:
        """Returns a moment that is later than the run's newest state, as the order of its states must be."""
        newest = run.state.timestamp if run.state else None
        return moment if newest is None or moment > newest else newest + timedelta(microseconds=1)

    def _change(self, run: TaskRun, told: _Told, moment: datetime) -> None:
        before = run.state
        details = {"task_run_id": run.id, "flow_run_id": self._flow_run_id}
        run.state = State.model_validate({**told._asdict(), "timestamp": moment, "state_details": details})
        emit_task_run_state_change_event(task_run=run, initial_state=before, validated_state=run.state)


def _ended(node: NodeReport) -> _Told:
    if node.status == "skipped":
        return _Told(StateType.CANCELLED, "Skipped", _SKIPPED)
    message = node.message or node.status
    if node.has_failed:
        return _Told(StateType.FAILED, "Failed", message)
    return _Told(StateType.COMPLETED, "Warned" if node.status == "warn" else "Completed", message)
