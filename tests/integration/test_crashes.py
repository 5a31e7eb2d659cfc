"""Killed after any step of a load and loaded again, a table equals that of a load that was never killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.crash_places import DuckDBPlace, Place, PostgresPlace

STRATEGIES: dict[str, dict[str, Any]] = {
    "full_refresh": {"kind": "full_refresh"},
    "append": {"kind": "append"},
    "partition": {"kind": "partition", "column": "day"},
    "incremental": {"kind": "incremental", "keys": ["id"], "order_by": "day"},
    "historical": {"kind": "historical", "keys": ["id"], "order_by": "day"},
    "cdc": {"kind": "cdc", "keys": ["id"], "order_by": "day", "delete_column": "op", "deletes": "hard"},
}
FIRST = "id,day,op,name\n" + "".join(f"{n},2026-03-01T00:{n:02}:00Z,c,first\n" for n in range(40))
SECOND = "id,day,op,name,extra\n" + "".join(
    f"{n},2026-03-01T12:{n:02}:00Z,{'d' if n % 7 == 0 else 'u'},second,x\n" for n in range(20, 60)
)

Run = Callable[[dict[str, Any]], int]


@pytest.fixture(params=["duckdb", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return DuckDBPlace(tmp_path) if request.param == "duckdb" else PostgresPlace()


@pytest.fixture
def run(place: Place, tmp_path: Path) -> Iterator[Run]:
    command = [sys.executable, "-m", "tests.integration.crash_run", place.kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout

        def ask(request: dict[str, Any]) -> int:
            asked = {"connection": place.connection(), "lake": str(tmp_path / "lake"), **request}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield ask
        process.stdin.close()


def request_of(strategy: str, body: str, number: int) -> dict[str, Any]:
    options = {"at": 1, "batch_id": f"batch-{number}", "extracted": 40 + number, "reload": True}
    return {
        "strategy": STRATEGIES[strategy],
        "files": [{"csv": body, "source": "a.csv", "etag": str(number)}],
        "options": options,
    }


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_load_that_is_killed_and_run_again_leaves_what_it_would_have_left(
    strategy: str, place: Place, run: Run
) -> None:
    assert run(request_of(strategy, FIRST, 1)) == 0
    old = place.contents()
    place.keep()
    second = request_of(strategy, SECOND, 2)
    assert run(second) == 0
    new = place.contents()
    assert new != old
    for step in place.steps:
        place.set_back()
        status = run({**second, "die_after": step})
        assert os.WTERMSIG(status) == signal.SIGKILL, step
        assert place.contents() == (new if step in {"commit", "tend"} else old), f"killed after {step}"
        assert run(second) == 0
        assert place.contents() == new, f"killed after {step} and run again"
        place.check_clean()
