"""What is read from dbt Cloud's answers without asking it."""

from __future__ import annotations

import pytest

from sandbox.dbt_cloud.selecting import Graph, select_nodes
from sandbox.dbt_cloud.small_dag import SMALL_NODES
from tasks.dbt_runner.cloud.answers import ERROR, SUCCESS, CloudRun, CloudStep
from tasks.dbt_runner.cloud.results import reason_of

CLONE = CloudStep(1, "Clone git repository", SUCCESS)
BUILD = "Invoke dbt with `dbt build --select fqn:shop.orders`"
DOCS = "Invoke dbt with `dbt docs generate`"


def run(*steps: CloudStep, status: int = ERROR, message: str | None = None) -> CloudRun:
    return CloudRun(id=7, status=status, status_message=message, run_steps=list(steps))


@pytest.mark.parametrize(
    ("steps", "is_before"),
    [
        ((CloudStep(1, CLONE.name, ERROR),), True),
        ((CLONE, CloudStep(2, "Invoke dbt with `dbt deps`", ERROR), CloudStep(3, BUILD, 1)), True),
        ((), True),
        ((CLONE, CloudStep(2, BUILD, ERROR)), False),
        ((CLONE, CloudStep(2, BUILD, SUCCESS), CloudStep(3, DOCS, ERROR)), False),
    ],
)
def test_a_run_failed_before_dbt_where_no_command_of_ours_ended(steps: tuple[CloudStep, ...], is_before: bool) -> None:
    assert run(*steps).failed_before_dbt is is_before
    assert run(*steps, status=SUCCESS).failed_before_dbt is False


def test_the_reason_is_dbts_own_error_without_its_clock_and_colours() -> None:
    logs = (
        "\x1b[0m06:00:01  Running with dbt=1.11.2\n06:00:02  Encountered an error:\n"
        "Compilation Error\n  model 'a' depends on\n"
    )
    assert reason_of(run(CloudStep(2, BUILD, ERROR, logs))) == "Compilation Error\n  model 'a' depends on"


@pytest.mark.parametrize(
    ("steps", "message", "reason"),
    [
        ((CloudStep(2, BUILD, ERROR, "06:00:03  1 of 2 ERROR"),), "dbt command failed", "dbt command failed"),
        ((CloudStep(1, CLONE.name, ERROR),), None, "step Clone git repository failed"),
        ((), None, "error"),
        ((), "fatal: https://x-access-token:hush@git.example/a.git", "fatal: https://***@git.example/a.git"),
    ],
)
def test_the_reason_is_else_what_dbt_cloud_says_without_a_users_part_of_an_address(
    steps: tuple[CloudStep, ...], message: str | None, reason: str
) -> None:
    assert reason_of(run(*steps, message=message)) == reason


GRAPH = Graph(SMALL_NODES, {node: node.split(".")[1:3] for node in SMALL_NODES})
NO_TESTS = ["--indirect-selection", "empty"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], ["numbers", "dropped", "counted", "not_null_dropped_id", "unique_counted_id", "joined"]),
        (["--select", "fqn:small.dropped", *NO_TESTS], ["dropped"]),
        (["--select", "fqn:small.dropped"], ["dropped", "not_null_dropped_id"]),
        (["--select", "numbers+", "--exclude", "joined", *NO_TESTS], ["numbers", "counted", "unique_counted_id"]),
        (["-s", "+joined,package:small", *NO_TESTS], ["numbers", "dropped", "counted", "joined"]),
        (["--exclude-resource-type", "unit_test", "--select", "source:acme_rest.none+"], []),
    ],
)
def test_the_sandbox_selects_as_dbt_does(arguments: list[str], names: list[str]) -> None:
    assert [node.split(".")[2] for node in select_nodes(GRAPH, arguments)] == names
