"""What an engine that runs dbt does; `dbt_core` runs it here, `cloud` in dbt Cloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from penstock.report import NodeReport
from penstock.spec import Artifact
from tasks.dbt_runner.events import Event
from tasks.dbt_runner.graph import NodeGraph


class DbtSelection(Artifact):
    """What to build, in dbt's own selection syntax; nothing where `select` is empty.

    `must_select`: a person wrote the selection, so that finding no node for it is a mistake.
    """

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    must_select: bool = False


class EngineRun(NamedTuple):
    """One build that ended.

    Args:
        nodes: How each node ended; none where dbt ended before it built anything.
        graph: What depends on what; None where dbt did not get that far.
        succeeded: What dbt's own exit code says.
        error: The last error that dbt named.
        log: Where a person finds all that it said.
        artifacts: dbt's files by name (`manifest.json`, `run_results.json`), for the object store.
    """

    nodes: tuple[NodeReport, ...]
    graph: NodeGraph | None
    succeeded: bool
    error: str | None
    log: str
    artifacts: dict[str, bytes]


class Engine(Protocol):
    """Runs dbt."""

    def build(self, selection: DbtSelection, on_event: Callable[[Event], None], *, exactly: bool = False) -> EngineRun:
        """Builds a selection with its tests, and tells what happens as far as it knows while it happens.

        Args:
            selection: What to build.
            on_event: Called in the order of the events.
            exactly: Nothing but the named nodes: no test that the selection would bring along.
        """


@runtime_checkable
class ResumableEngine(Engine, Protocol):
    """An engine that knows which project it builds before it does, so that an interrupted build can be gone on with."""

    def list_nodes(self, selection: DbtSelection) -> tuple[Sequence[str], NodeGraph]:
        """Returns the ids of the nodes that a build of the selection would have, and what depends on what."""
