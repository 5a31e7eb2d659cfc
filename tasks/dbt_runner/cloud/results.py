"""What a run of dbt Cloud has left: dbt's own files of the step that built, and why a run failed without them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from penstock.errors import TransformError
from penstock.report import NodeReport
from tasks.dbt_runner.cloud.answers import SUCCESS, CloudRun
from tasks.dbt_runner.cloud.api import CloudApi
from tasks.dbt_runner.cloud.following import Pace
from tasks.dbt_runner.events import Event, NodeEnded, NodeStarted
from tasks.dbt_runner.graph import NodeGraph, read_graph
from tasks.dbt_runner.results import nodes_of

_RESULTS = "run_results.json"
_MANIFEST = "manifest.json"
# dbt Cloud saves artifacts a moment after a run's end.
_LOOKS = 6
_ENCOUNTERED = "Encountered an error:"
_LOG_TIME = re.compile(r"^\d\d:\d\d:\d\d(\.\d+)?\s+", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_USER_OF_ADDRESS = re.compile(r"://[^/\s@]+@")
_SHOWN_LINES = 12


class CloudResults(NamedTuple):
    """dbt's files of a run, and what they say."""

    nodes: tuple[NodeReport, ...]
    graph: NodeGraph | None
    artifacts: dict[str, bytes]


def read_results(api: CloudApi, run: CloudRun, pace: Pace, *, hidden: Iterable[str]) -> CloudResults:
    """Returns the results of the step that built; none where dbt failed before it built.

    The step matters: where the job generates docs afterwards, the run's newest files are about the docs.

    Args:
        api: The account's.
        run: A run that has ended, with its steps.
        pace: How to wait for files that are not saved yet.
        hidden: Values that stand in compiled SQL and are shown nowhere else.

    Raises:
        TransformError: The run is a success and has no results, or has some that cannot be read.
    """
    step = run.build_step.index if run.build_step else None
    data = _saved(api, run, step, pace)
    if data is None:
        if run.status == SUCCESS:
            raise _without(run, _RESULTS)
        return CloudResults((), None, {})
    artifacts = {_RESULTS: data}
    nodes = _read(run, _RESULTS, data, lambda results: nodes_of(results, hidden=hidden))
    manifest = api.artifact(run.id, _MANIFEST, step)
    if manifest is None:
        if run.status == SUCCESS:
            raise _without(run, _MANIFEST)
        return CloudResults(nodes, None, artifacts)
    return CloudResults(nodes, _read(run, _MANIFEST, manifest, read_graph), {_MANIFEST: manifest, **artifacts})


def tell(nodes: Sequence[NodeReport], on_event: Callable[[Event], None]) -> None:
    """Tells how nodes went, which dbt Cloud says only when all of them ended."""
    for node in nodes:
        if node.started_at is not None and node.status != "skipped":
            on_event(NodeStarted(node.unique_id, node.name, node.resource_type, node.started_at))
        on_event(NodeEnded(node))


def reason_of(run: CloudRun) -> str | None:
    """Returns why a run failed: the error that dbt named in its step's log, else what dbt Cloud says of the run."""
    if run.status == SUCCESS:
        return None
    step = run.failed_step
    log = _LOG_TIME.sub("", _COLOUR.sub("", step.logs or "")) if step else ""
    _, _, told = log.partition(_ENCOUNTERED)
    lines = [line for line in told.splitlines() if line.strip()][:_SHOWN_LINES]
    text = "\n".join(lines).strip() or run.status_message or (f"step {step.name} failed" if step else run.state)
    return _USER_OF_ADDRESS.sub("://***@", text)


def _saved(api: CloudApi, run: CloudRun, step: int | None, pace: Pace) -> bytes | None:
    for look in range(_LOOKS):
        if look:
            pace.wait_for(pace.poll_seconds, run)
        data = api.artifact(run.id, _RESULTS, step)
        if data is not None or (run.status != SUCCESS and run.artifacts_saved):
            return data
    return None


def _read(run: CloudRun, name: str, data: bytes, read: Callable[[dict[str, Any]], Any]) -> Any:
    try:
        return read(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TransformError(
            "a file that dbt Cloud has of the run cannot be read",
            guidance="Look at the run's artifacts in dbt Cloud; files of dbt 1.8 to 1.11 are known here.",
            file=name,
            **run.facts,
        ) from None


def _without(run: CloudRun, name: str) -> TransformError:
    return TransformError(
        "dbt Cloud calls the run a success but has no results of it",
        guidance="Look at the run's artifacts in dbt Cloud; what was built is not known.",
        file=name,
        **run.facts,
    )
