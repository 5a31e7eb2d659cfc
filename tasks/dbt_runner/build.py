"""Builds a selection: goes on where an interrupted build stopped, and tries again what failed and may pass."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from penstock.errors import TransformError
from penstock.report import NodeReport, TransformReport
from tasks.dbt_runner.contract import DbtSelection, Engine, EngineRun, ResumableEngine
from tasks.dbt_runner.events import Event, NodeEnded
from tasks.dbt_runner.graph import need_no_other_build, worth_another_try
from tasks.dbt_runner.journal import Journal

logger = logging.getLogger("penstock.dbt")

NODE_RETRY_DELAYS_SECONDS = (5.0, 30.0)
"""Pauses before the second and the third build of a node that failed by an error that may pass."""
_NAMED = 5


def _wait(seconds: float) -> bool:
    time.sleep(seconds)
    return True


class Watcher(NamedTuple):
    """Who is told, and how waiting is done.

    Args:
        on_event: Called with dbt's events.
        on_nodes: Called after each build with its nodes, which have their messages then.
        wait: Waits so many seconds; returns False where nobody should wait any longer.
    """

    on_event: Callable[[Event], None] = lambda _event: None
    on_nodes: Callable[[Sequence[NodeReport]], None] = lambda _nodes: None
    wait: Callable[[float], bool] = _wait


def build(
    engine: Engine,
    selection: DbtSelection,
    journal: Journal,
    watcher: Watcher,
    *,
    transform_id: str,
    resume: bool = True,
) -> TransformReport:
    """Builds the selected nodes with their tests.

    Args:
        engine: What runs dbt.
        selection: What to build.
        journal: Where it is noted what has been done.
        watcher: Who is told.
        transform_id: Which data and which project it is about.
        resume: Whether to go on from what an interrupted or failed build of the same has done, where the engine can.

    Returns:
        A report whose outcome is `built`, `failed` (a node failed; the others are named too) or `nothing_selected`.

    Raises:
        TransformError: dbt ended before it built anything, for instance because the project does not parse.
    """
    began = time.monotonic()
    build = _Build(engine, journal, watcher)
    run = build.first(selection, resume=resume)
    if run is not None:
        run = build.again(run)
    journal.write(finished=not any(node.is_bad for node in journal.nodes))
    report = TransformReport(
        outcome="built",
        transform_id=transform_id,
        selectors=selection.select,
        nodes=journal.nodes,
        seconds=time.monotonic() - began,
    )
    return report.model_copy(update=_outcome(report, selection, run))


class _Build:
    """The builds of one transform, each with fewer nodes than the one before."""

    def __init__(self, engine: Engine, journal: Journal, watcher: Watcher) -> None:
        self._engine = engine
        self._journal = journal
        self._watcher = watcher
        self._attempt = 0
        self._attempts: dict[str, int] = {}

    def first(self, selection: DbtSelection, *, resume: bool) -> EngineRun | None:
        """Builds all, or what an earlier build has left; None where it has left nothing."""
        engine = self._engine
        done = self._journal.resume() if resume and isinstance(engine, ResumableEngine) else ()
        if not done or not isinstance(engine, ResumableEngine):
            return self._run(selection)
        listed, graph = engine.list_nodes(selection)
        held = need_no_other_build(done, graph) & set(listed)
        self._journal.forget({node.unique_id for node in done} - held)
        remaining = set(listed) - held
        logger.info("dbt: %d of %d nodes were built before, going on with the others", len(held), len(listed))
        if not remaining:
            return None
        return self._run(DbtSelection(select=tuple(graph.selectors(remaining))), exactly=True)

    def again(self, run: EngineRun) -> EngineRun:
        """Builds again, after a pause, what failed and may pass; returns the last run."""
        for delay in NODE_RETRY_DELAYS_SECONDS:
            again = worth_another_try(run.nodes, run.graph) if run.graph else set()
            if run.graph is None or not any(node.has_failed for node in run.nodes if node.unique_id in again):
                break
            failed = sorted(node.name for node in run.nodes if node.has_failed and node.unique_id in again)
            logger.warning("dbt: %s failed, another try follows in %.0f s", ", ".join(failed[:_NAMED]), delay)
            if not self._watcher.wait(delay):
                break
            run = self._run(DbtSelection(select=tuple(run.graph.selectors(again))), exactly=True)
        return run

    def _run(self, selection: DbtSelection, *, exactly: bool = False) -> EngineRun:
        self._attempt += 1
        with self._journal.written_meanwhile():
            run = self._engine.build(selection, self._on_event, exactly=exactly)
        if not run.nodes and not run.succeeded:
            raise TransformError(
                "dbt ended before it built anything",
                guidance="Run `dbt parse` in the project, or read the log.",
                error=run.error,
                log=run.log,
            )
        nodes = [self._counted(node) for node in run.nodes]
        self._journal.add(nodes)
        self._journal.keep(self._attempt, run.artifacts)
        self._watcher.on_nodes(nodes)
        return run

    def _on_event(self, event: Event) -> None:
        if isinstance(event, NodeEnded):
            self._journal.add([event.node])
        self._watcher.on_event(event)

    def _counted(self, node: NodeReport) -> NodeReport:
        began = node.status != "skipped"
        self._attempts[node.unique_id] = self._attempts.get(node.unique_id, 0) + began
        return node.model_copy(update={"attempts": self._attempts[node.unique_id]})


def _outcome(report: TransformReport, selection: DbtSelection, run: EngineRun | None) -> dict[str, object]:
    nodes, bad = report.nodes, [node for node in report.nodes if node.is_bad]
    if not nodes and selection.must_select:
        return {
            "outcome": "failed",
            "error": f"no dbt node is selected by {' '.join(selection.select)}",
            "guidance": "Correct `transform.select` in the pipeline's file.",
        }
    if not nodes:
        return {"outcome": "nothing_selected"}
    if not bad and (run is None or run.succeeded):
        return {}
    names = ", ".join(f"{node.name} ({node.status})" for node in bad[:_NAMED]) or (run.error if run else "")
    more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    log = f"See {run.log}; w" if run else "W"
    return {
        "outcome": "failed",
        "error": f"{len(bad)} of {len(nodes)} dbt nodes did not succeed: {names}{more}",
        "guidance": f"{log}hat was loaded into bronze stays loaded. The next run goes on with what is not built.",
    }
