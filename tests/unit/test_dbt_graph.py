from __future__ import annotations

import pytest

from penstock.report import NodeReport
from tasks.dbt_runner.graph import NodeGraph, need_no_other_build, worth_another_try

# raw -> stg -> fct -> rpt, and stg -> dim -> rpt; `not_null` looks at stg, `ids` at dim, `keys` at fct and dim.
CHILDREN = {
    "model.p.stg": ["model.p.fct", "model.p.dim", "test.p.not_null"],
    "model.p.fct": ["model.p.rpt", "test.p.keys"],
    "model.p.dim": ["model.p.rpt", "test.p.keys", "test.p.ids"],
    "model.p.rpt": [],
}
PARENTS = {
    "test.p.not_null": ["model.p.stg"],
    "test.p.keys": ["model.p.fct", "model.p.dim"],
    "test.p.ids": ["model.p.dim"],
    "model.p.fct": ["model.p.stg"],
    "model.p.dim": ["model.p.stg"],
    "model.p.rpt": ["model.p.fct", "model.p.dim"],
}
NODES = ("stg", "fct", "dim", "rpt")
GRAPH = NodeGraph(CHILDREN, PARENTS, {f"model.p.{name}": f"p.gold.{name}" for name in NODES})
DATABASE = "Database Error in model\n  IO Error: connection lost"


def nodes(**statuses: str | tuple[str, str]) -> list[NodeReport]:
    found = []
    for name, told in statuses.items():
        kind = "model" if name in NODES else "test"
        status, message = told if isinstance(told, tuple) else (told, None)
        found.append(
            NodeReport(
                unique_id=f"{kind}.p.{name}", name=name, resource_type=kind, status=status, seconds=1, message=message
            )
        )
    return found


def named(found: set[str]) -> set[str]:
    return {unique_id.rsplit(".", 1)[-1] for unique_id in found}


def test_a_failed_node_and_what_waits_for_it_are_tried_again_and_nothing_else() -> None:
    ended = nodes(stg="success", fct=("error", DATABASE), dim="success", not_null="pass", keys="skipped", rpt="skipped")
    assert named(worth_another_try(ended, GRAPH)) == {"fct", "keys", "rpt"}


def test_a_failed_test_is_not_tried_again_and_nothing_is_built_below_what_it_looks_at() -> None:
    ended = nodes(stg="success", not_null=("fail", "Got 3 results"), fct="skipped", dim="skipped", rpt="skipped")
    assert worth_another_try(ended, GRAPH) == set()


def test_a_test_that_could_not_run_is_tried_again_with_what_waits_for_it() -> None:
    ended = nodes(stg="success", not_null=("error", DATABASE), fct="skipped", dim="skipped", keys="skipped")
    assert "not_null" in named(worth_another_try(ended, GRAPH))


def test_what_waits_for_bad_data_too_is_left_while_the_failed_node_is_tried_again() -> None:
    ended = nodes(stg="success", fct=("error", DATABASE), dim="success", ids="fail", keys="skipped", rpt="skipped")
    assert "fct" in named(worth_another_try(ended, GRAPH))
    assert "rpt" not in named(worth_another_try(ended, GRAPH))


@pytest.mark.parametrize(
    "message",
    [
        "Compilation Error in model fct\n  'x' is undefined",
        "Runtime Error in model fct\n  Conversion Error: Could not convert string 'large' to INT32",
        'Database Error in model fct\n  invalid input syntax for type integer: "large"',
        "Database Error in model fct\n  100038 (22018): Numeric value 'large' is not recognized",
        "This model has an enforced contract that failed.\nPlease ensure the name, data_type ...",
    ],
)
def test_an_error_of_the_project_or_of_the_data_is_not_tried_again(message: str) -> None:
    ended = nodes(stg="success", fct=("error", message), dim="success", keys="skipped", rpt="skipped")
    assert worth_another_try(ended, GRAPH) == set()


def test_what_waits_for_an_error_that_stays_is_left() -> None:
    lasting = "Compilation Error in model dim"
    ended = nodes(stg="success", fct=("error", DATABASE), dim=("error", lasting), keys="skipped", rpt="skipped")
    assert named(worth_another_try(ended, GRAPH)) == {"fct"}


def test_after_an_interruption_what_was_built_holds() -> None:
    assert named(need_no_other_build(nodes(stg="success", not_null="pass", dim="success"), GRAPH)) == {
        "stg",
        "not_null",
        "dim",
    }


def test_after_a_failed_test_what_it_looks_at_is_built_again_with_all_below() -> None:
    ended = nodes(stg="success", not_null="pass", fct="success", dim="success", keys="fail", rpt="skipped")
    assert named(need_no_other_build(ended, GRAPH)) == {"stg", "not_null"}


def test_nodes_are_selected_by_their_full_names() -> None:
    assert GRAPH.selectors(["model.p.rpt", "model.p.fct"]) == ["fqn:p.gold.fct", "fqn:p.gold.rpt"]
