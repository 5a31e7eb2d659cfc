"""What depends on what in a dbt project, and which nodes of a build are worth another try."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from penstock.report import NodeReport
from tasks.dbt_runner.failures import may_pass

_TESTS = frozenset({"test", "unit_test"})


class NodeGraph(NamedTuple):
    """The nodes of a manifest.

    Args:
        children: Of each node those that read it, its tests among them.
        parents: Of each node those that it reads.
        fqns: Each node's full name, by which dbt selects that node alone.
    """

    children: Mapping[str, Sequence[str]]
    parents: Mapping[str, Sequence[str]]
    fqns: Mapping[str, str]

    def downstream(self, nodes: Iterable[str]) -> set[str]:
        """Returns everything that reads these nodes, directly or not, without them."""
        found: set[str] = set()
        waiting = list(nodes)
        while waiting:
            fresh = [child for child in self.children.get(waiting.pop(), ()) if child not in found]
            found.update(fresh)
            waiting.extend(fresh)
        return found

    def selectors(self, nodes: Iterable[str]) -> list[str]:
        """Returns dbt selectors of exactly these nodes."""
        return sorted(f"fqn:{self.fqns[node]}" for node in nodes)


def read_graph(manifest: Mapping[str, Any]) -> NodeGraph:
    """Returns the graph of a manifest (schema v12: `child_map`, `parent_map`, and `fqn` of each node)."""
    described = {**manifest["nodes"], **manifest.get("unit_tests", {}), **manifest.get("exposures", {})}
    fqns = {unique_id: ".".join(node["fqn"]) for unique_id, node in described.items()}
    return NodeGraph(manifest["child_map"], manifest["parent_map"], fqns)


def read_graph_file(target_path: Path) -> NodeGraph:
    """Returns the graph of the manifest that dbt wrote into its target folder."""
    return read_graph(json.loads((target_path / "manifest.json").read_text(encoding="utf-8")))


def worth_another_try(nodes: Collection[NodeReport], graph: NodeGraph) -> set[str]:
    """Returns the nodes that another build may build: those whose error may pass, and what waits for nothing else.

    What is downstream of what a failed test looks at stays unbuilt, and so does what waits for an error that stays.
    """
    retried = {node.unique_id for node in nodes if may_pass(node)}
    final = {node.unique_id for node in nodes if node.has_failed} - retried
    blocking = {parent for node in final for parent in _blocked_by(node, graph)}
    waiting = {node.unique_id for node in nodes if node.status == "skipped"} & graph.downstream(retried)
    return (retried | waiting) - graph.downstream(blocking)


def need_no_other_build(nodes: Collection[NodeReport], graph: NodeGraph) -> set[str]:
    """Returns the nodes of an interrupted or failed build that hold, for one that goes on from there.

    What a failed test has looked at is built again, and all that is downstream of it: somebody may have mended it.
    """
    held = {node.unique_id for node in nodes if not node.is_bad}
    doubted = {
        parent
        for node in nodes
        if node.has_failed and node.resource_type in _TESTS
        for parent in graph.parents.get(node.unique_id, ())
    }
    return held - doubted - graph.downstream(doubted)


def _blocked_by(node: str, graph: NodeGraph) -> Sequence[str]:
    """Returns the nodes below which nothing is built when a node has failed: itself, or for a test what it looks at."""
    return graph.parents.get(node, ()) if node.partition(".")[0] in _TESTS else (node,)
