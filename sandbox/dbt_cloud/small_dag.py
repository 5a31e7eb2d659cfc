"""A generated dbt project of a few nodes, which can be told to fail, and the files that dbt would write of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.dbt_cloud.project import StepResult
from sandbox.dbt_cloud.selecting import Graph, select_nodes

_BUILT_AT = datetime(2026, 3, 20, 6, 0, tzinfo=UTC).isoformat()
SMALL_NODES: Mapping[str, tuple[str, ...]] = {
    "model.small.numbers": ("source.small.acme_rest.things",),
    "model.small.dropped": ("source.small.acme_rest.things",),
    "model.small.counted": ("model.small.numbers",),
    "test.small.not_null_dropped_id.1f0c": ("model.small.dropped",),
    "test.small.unique_counted_id.9b2e": ("model.small.counted",),
    "model.small.joined": ("model.small.dropped", "model.small.counted"),
}
"""The nodes in an order in which they can be built, each with what it reads."""


@dataclass
class SmallDag:
    """A project whose nodes end as they are told to.

    Args:
        nodes: Each with what it reads, in an order in which they can be built.
        failures: By a node's name, the messages of its next builds; those after them succeed. A test's is a failure.
        failing_preparations: The words of the steps before dbt that fail, one a run.
        parse_error: What dbt says instead of building.
        is_without: Files that dbt Cloud does not have of a run.
        built: How often each node was built.
    """

    nodes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: SMALL_NODES)
    failures: dict[str, list[str]] = field(default_factory=dict)
    failing_preparations: list[str] = field(default_factory=list)
    parse_error: str | None = None
    is_without: frozenset[str] = frozenset()
    built: dict[str, int] = field(default_factory=dict)

    def failing_preparation(self) -> str | None:
        """Returns the next step that fails."""
        return self.failing_preparations.pop(0) if self.failing_preparations else None

    def build(self, arguments: Sequence[str], *, only: Collection[str] | None = None) -> StepResult:
        """Builds what is selected; what is downstream of a failure is skipped, as `dbt build` does."""
        if self.parse_error is not None:
            return StepResult(False, f"06:00:01  Encountered an error:\n{self.parse_error}\n", {})
        chosen = [node for node in select_nodes(self.graph, arguments) if only is None or node in only]
        results, blocked = [], set[str]()
        for node in chosen:
            result = self._result(node, is_skipped=bool(blocked.intersection(self.nodes[node])) or node in blocked)
            results.append(result)
            if result["status"] not in {"success", "pass"}:
                blocked |= self._blocked_by(node)
        succeeded = all(result["status"] in {"success", "pass"} for result in results)
        files = {"manifest.json": self._manifest(), "run_results.json": _run_results(results)}
        kept = {name: data for name, data in files.items() if name not in self.is_without}
        return StepResult(succeeded, f"06:00:01  Found {len(self.nodes)} nodes\n06:00:02  Done.\n", kept)

    def reset(self) -> None:
        """Forgets what was built so far."""
        self.built.clear()

    @property
    def graph(self) -> Graph:
        """What reads what, and the full names."""
        return Graph(self.nodes, {node: _fqn(node) for node in self.nodes})

    def _result(self, node: str, *, is_skipped: bool) -> dict[str, Any]:
        name = _name(node)
        is_test = node.startswith("test.")
        message = None
        if not is_skipped:
            self.built[name] = self.built.get(name, 0) + 1
            message = self.failures[name].pop(0) if self.failures.get(name) else None
        well, ill = ("pass", "fail") if is_test else ("success", "error")
        return {
            "unique_id": node,
            "status": "skipped" if is_skipped else ill if message else well,
            "message": message or (None if is_skipped else "OK"),
            "execution_time": 0.0 if is_skipped else 0.5,
            "failures": int(bool(message)) if is_test and not is_skipped else None,
            "timing": [] if is_skipped else [{"name": "execute", "started_at": _BUILT_AT, "completed_at": _BUILT_AT}],
            "adapter_response": {},
            "compiled_code": f"-- the rows that {name} finds" if is_test else None,
            "relation_name": None if is_test else f'"small"."{name}"',
        }

    def _blocked_by(self, node: str) -> set[str]:
        below = self.graph.downstream(self.nodes[node] if node.startswith("test.") else (node,))
        return below - {node} if node.startswith("test.") else below | {node}

    def _manifest(self) -> bytes:
        sources = {parent for parents in self.nodes.values() for parent in parents if parent not in self.nodes}
        described = {
            node: {"unique_id": node, "name": _name(node), "resource_type": node.split(".")[0], "fqn": _fqn(node)}
            for node in self.nodes
        }
        children = {node: self.graph.children(node) for node in (*self.nodes, *sources)}
        document = {"nodes": described, "child_map": children, "parent_map": dict(self.nodes)}
        return json.dumps({"metadata": {"project_name": "small"}, **document}).encode()


def _run_results(results: Iterable[Mapping[str, Any]]) -> bytes:
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json", "generated_at": _BUILT_AT}
    return json.dumps({"metadata": metadata, "results": list(results), "elapsed_time": 1.0}).encode()


def _name(node: str) -> str:
    return node.split(".")[2]


def _fqn(node: str) -> list[str]:
    return [node.split(".")[1], _name(node)]
