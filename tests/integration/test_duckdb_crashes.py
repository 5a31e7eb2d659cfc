"""Killed after any step of a load and loaded again, a table equals that of a load that was never killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

STEPS = ("prepare", "land", "apply", "record", "commit")
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

WRITTEN = (
    "SELECT * EXCLUDE (_loaded_at) FROM acme_bronze.rest__orders",
    "SELECT * EXCLUDE (loaded_at) FROM penstock.loads",
    "SELECT * EXCLUDE (loaded_at) FROM penstock.files",
    "SELECT * EXCLUDE (rejected_at) FROM penstock.rejects",
    "SELECT * FROM penstock.tombstones",
)

Run = Callable[[dict[str, Any]], int]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    command = [sys.executable, "-m", "tests.integration.duckdb_crash_run"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout

        def ask(request: dict[str, Any]) -> int:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield ask
        process.stdin.close()


def request(folder: Path, strategy: str, body: str, number: int) -> dict[str, Any]:
    options = {"at": 1, "batch_id": f"batch-{number}", "extracted": 40 + number, "reload": True}
    return {
        "folder": str(folder),
        "strategy": STRATEGIES[strategy],
        "files": [{"csv": body, "source": "a.csv", "etag": str(number)}],
        "options": options,
    }


def contents(folder: Path) -> list[list[tuple[Any, ...]]]:
    """Returns all that a load writes, but for when it did so."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        return [connection.execute(f"{query} ORDER BY ALL").fetchall() for query in WRITTEN]


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_load_that_is_killed_and_run_again_leaves_what_it_would_have_left(
    strategy: str, run: Run, tmp_path: Path
) -> None:
    before, never_killed = tmp_path / "before", tmp_path / "never-killed"
    assert run(request(before, strategy, FIRST, 1)) == 0
    old = contents(before)
    shutil.copytree(before, never_killed)
    second = request(never_killed, strategy, SECOND, 2)
    assert run(second) == 0
    new = contents(never_killed)
    assert new != old
    for step in STEPS:
        killed = tmp_path / step
        shutil.copytree(before, killed)
        status = run({**second, "folder": str(killed), "die_after": step})
        assert os.WTERMSIG(status) == signal.SIGKILL, step
        assert contents(killed) == (new if step == "commit" else old), f"killed after {step}"
        assert run({**second, "folder": str(killed)}) == 0
        assert contents(killed) == new, f"killed after {step} and run again"
        left = {path.name for path in killed.iterdir()} - {"warehouse.duckdb.wal"}
        assert left == {"lake", "warehouse.duckdb", "warehouse.duckdb.lock"}
