"""dbt's selection syntax, as much of it as an orchestrator sends: names, `fqn:`, `package:`, `source:`, `+`, commas."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

_OPTIONS = {"--select": "select", "-s": "select", "--exclude": "exclude"}
_WITH_VALUE = frozenset({"--exclude-resource-type", "--indirect-selection", "--target", "--threads"})


class Graph(NamedTuple):
    """What each node reads, in an order in which they can be built, and the nodes' full names."""

    parents: Mapping[str, Sequence[str]]
    fqns: Mapping[str, Sequence[str]]

    def children(self, node: str) -> list[str]:
        """Returns what reads a node."""
        return [child for child, parents in self.parents.items() if node in parents]

    def downstream(self, nodes: Iterable[str]) -> set[str]:
        """Returns what reads these nodes, directly or not."""
        found = set[str]()
        for node in nodes:
            for child in self.children(node):
                found |= {child} | self.downstream([child])
        return found

    def upstream(self, nodes: Iterable[str]) -> set[str]:
        """Returns what these nodes read, directly or not."""
        found = set[str]()
        for node in nodes:
            parents = set(self.parents.get(node, ()))
            found |= parents | self.upstream(parents)
        return found


def select_nodes(graph: Graph, arguments: Sequence[str]) -> list[str]:
    """Returns the nodes that the arguments of `dbt build` select, in the order in which they can be built."""
    asked = _read(arguments)
    chosen = _union(graph, asked["select"]) if asked["select"] else set(graph.parents)
    dropped = _union(graph, asked["exclude"])
    if asked["indirect"] != ["empty"]:
        chosen, dropped = (_with_tests(graph, nodes) for nodes in (chosen, dropped))
    return [node for node in graph.parents if node in chosen - dropped]


def _read(arguments: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"select": [], "exclude": [], "indirect": []}
    place: list[str] = []
    for argument in arguments:
        if argument in _OPTIONS:
            place = found[_OPTIONS[argument]]
        elif argument in _WITH_VALUE:
            place = found["indirect"] if argument == "--indirect-selection" else []
        else:
            place.append(argument)
    return found


def _union(graph: Graph, terms: Iterable[str]) -> set[str]:
    found = set[str]()
    for term in terms:
        parts = [_one(graph, part) for part in term.split(",")]
        found |= set.intersection(*parts)
    return found


def _one(graph: Graph, term: str) -> set[str]:
    known = {*graph.parents, *(parent for parents in graph.parents.values() for parent in parents)}
    named = {node for node in known if _is_named(graph, node, term.strip("+"))}
    found = set(named)
    found |= graph.downstream(named) if term.endswith("+") else set()
    found |= graph.upstream(named) if term.startswith("+") else set()
    return found


def _is_named(graph: Graph, node: str, text: str) -> bool:
    method, colon, value = text.partition(":")
    if not colon:
        return node.split(".")[2] == text and node in graph.parents
    if method == "fqn":
        return ".".join(graph.fqns.get(node, ())) == value
    if method == "package":
        return node.split(".")[1] == value
    return method == "source" and node.startswith("source.") and node.endswith(f".{value}")


def _with_tests(graph: Graph, nodes: Collection[str]) -> set[str]:
    return {*nodes, *(child for node in nodes for child in graph.children(node) if child.startswith("test."))}
