"""A pipeline's first run builds what is downstream of its own datasets, in a warehouse that holds nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from tests.models.dbt_process import PROJECT, DbtProcess

CLIENTS = PROJECT.parent / "deployments" / "clients"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The project, compiled where nothing is built: what a node's SQL names all the same, it cannot do without."""
    folder = tmp_path_factory.mktemp("empty")
    dbt = DbtProcess(folder, folder / "warehouse.duckdb")
    compiled = dbt.run("compile")
    assert compiled.returncode == 0, compiled.stdout
    return dbt.manifest()


def test_what_a_pipelines_first_run_builds_and_tests_reads_nothing_that_only_another_run_makes(
    empty: dict[str, Any],
) -> None:
    datasets = defaultdict(set)
    for unique_id, source in empty["sources"].items():
        datasets[source["meta"]["penstock"]["pipeline"]].add(unique_id)
    assert set(datasets) == {path.stem for path in CLIENTS.glob("*/[!_]*.yaml")}
    missing = []
    for pipeline, loaded in datasets.items():
        selected = reached(loaded, empty["child_map"])
        missing += [
            f"{pipeline}: {node['name']} reads {name}"
            for unique_id, node in empty["nodes"].items()
            if unique_id in selected
            for name in named_outside(node, selected, empty)
        ]
    assert missing == []


def reached(starts: Iterable[str], children: Mapping[str, Sequence[str]]) -> set[str]:
    """The nodes that dbt selects by `<start>+`."""
    found = set(starts)
    waiting = list(found)
    while waiting:
        new = set(children.get(waiting.pop(), [])) - found
        found |= new
        waiting += new
    return found


def named_outside(node: Mapping[str, Any], selected: set[str], manifest: Mapping[str, Any]) -> list[str]:
    """The names of a node's parents that are not selected and that its SQL names."""
    parents = {one: manifest["nodes"].get(one) or manifest["sources"][one] for one in node["depends_on"]["nodes"]}
    return [
        parent["name"]
        for unique_id, parent in parents.items()
        if unique_id not in selected and parent["relation_name"] in (node["compiled_code"] or "")
    ]
