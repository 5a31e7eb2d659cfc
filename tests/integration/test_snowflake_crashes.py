"""Killed after any step of a load into Snowflake and loaded again, a table equals that of a load never killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.artifacts import TableRef
from penstock.connections import SnowflakeConnection
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tasks.warehouses.snowflake import loading
from tests.contract.warehouse_cases import Loader, in_order
from tests.fakes.snowflake.connection import snowflake_connection

STEPS = ("land", "prepare", "lock", "apply", "record", "commit")
STRATEGIES: dict[str, dict[str, Any]] = {
    "full_refresh": {"kind": "full_refresh"},
    "append": {"kind": "append"},
    "partition": {"kind": "partition", "column": "day"},
    "incremental": {"kind": "incremental", "keys": ["id"], "order_by": "day"},
    "historical": {"kind": "historical", "keys": ["id"], "order_by": "day"},
    "cdc": {"kind": "cdc", "keys": ["id"], "order_by": "day", "delete_column": "op", "deletes": "hard"},
}
FIRST = "id,day,op,name\n" + "".join(f"{n},2026-03-01T00:{n:02}:00Z,c,first\n" for n in range(20))
SECOND = "id,day,op,name,extra\n" + "".join(
    f"{n},2026-03-01T12:{n:02}:00Z,{'d' if n % 7 == 0 else 'u'},second,x\n" for n in range(10, 30)
)

Run = Callable[[dict[str, Any]], int]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    command = [sys.executable, "-m", "tests.integration.snowflake_crash_run"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout

        def ask(request: dict[str, Any]) -> int:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield ask
        process.stdin.close()


def request(connection: SnowflakeConnection, lake: Path, table: str, strategy: str, number: int) -> dict[str, Any]:
    settings = connection.model_dump(mode="json")
    settings["auth"] = {"kind": "password", "password": "secret"}
    return {
        "connection": settings,
        "lake": str(lake / f"{table}-{number}"),
        "table": table,
        "strategy": STRATEGIES[strategy],
        "files": [{"csv": FIRST if number == 1 else SECOND, "source": "a.csv", "etag": str(number)}],
        "options": {"at": 1, "batch_id": f"{table}-{number}", "extracted": 40 + number, "reload": True},
    }


def contents(connection: SnowflakeConnection, table: str) -> list[list[dict[str, Any]]]:
    """Returns what loads of a table have written, but for when and under which names; NULL is nothing."""
    warehouse = open_warehouse(connection)
    kept = []
    for query in (
        f"SELECT * FROM acme_bronze.{table}",
        f"SELECT * FROM penstock.loads WHERE target_table = '{table}'",
        f"SELECT * FROM penstock.files WHERE target_table = '{table}'",
        f"SELECT * FROM penstock.tombstones WHERE target_table = '{table}'",
    ):
        answer = warehouse.query(query)
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        ignored = {"_loaded_at", "loaded_at", "load_number", "as_of", "target_table", "stage_key", "stage_etag"}
        told = [
            {
                name: str(value).replace(table, "")
                for name, value in row.items()
                if name not in ignored and value is not None
            }
            for row in rows
        ]
        kept.append(in_order(told))
    return kept


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_load_that_is_killed_and_run_again_leaves_what_it_would_have_left(
    strategy: str, run: Run, tmp_path: Path
) -> None:
    connection = snowflake_connection()
    assert run(request(connection, tmp_path, "never", strategy, 1)) == 0
    old = contents(connection, "never")
    assert run(request(connection, tmp_path, "never", strategy, 2)) == 0
    new = contents(connection, "never")
    assert new != old
    for step in STEPS:
        assert run(request(connection, tmp_path, step, strategy, 1)) == 0
        second = request(connection, tmp_path, step, strategy, 2)
        status = run({**second, "die_after": step})
        assert os.WTERMSIG(status) == signal.SIGKILL, step
        assert contents(connection, step) == (new if step == "commit" else old), f"killed after {step}"
        assert run(second) == 0
        assert contents(connection, step) == new, f"killed after {step} and run again"


def test_what_a_killed_load_left_is_swept_when_it_is_old(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = snowflake_connection()
    ours = "SELECT count(*) FROM information_schema.tables WHERE lower(table_name) LIKE 'landing%'"
    status = run({**request(connection, tmp_path, "swept", "append", 1), "die_after": "land"})
    assert os.WTERMSIG(status) == signal.SIGKILL
    warehouse = open_warehouse(connection)
    loader = Loader(warehouse, LocalStore(tmp_path / "lake"))
    loader.load({"kind": "append"}, [{"csv": "id\n1\n"}], at=1)
    assert warehouse.query(ours).rows == [(1,)]
    monkeypatch.setattr(loading, "LEFTOVER_AGE", -loading.LEFTOVER_AGE)
    loader.load({"kind": "append"}, [{"csv": "id\n2\n"}], at=2)
    assert warehouse.query(ours).rows == [(0,)]


def test_of_two_loads_of_one_interval_at_once_one_lands_and_other_intervals_all_do(tmp_path: Path) -> None:
    connection = snowflake_connection()
    target = TableRef(schema_name="acme_bronze", name="raced")
    first = Loader(open_warehouse(connection), LocalStore(tmp_path / "first"), target)
    first.load({"kind": "append"}, [{"csv": "id\n9\n"}], at=9)
    outcomes: dict[int, str] = {}

    def load(number: int, at: int) -> None:
        loader = Loader(open_warehouse(connection), LocalStore(tmp_path / str(number)), target)
        files = [{"csv": f"id\n{number}\n"}]
        outcomes[number] = loader.load({"kind": "append"}, files, at=at, batch_id=f"batch-{number}").outcome

    threads = [threading.Thread(target=load, args=(number, at)) for number, at in enumerate([1, 1, 2, 3])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted([outcomes[0], outcomes[1]]) == ["already_loaded", "loaded"]
    assert (outcomes[2], outcomes[3]) == ("loaded", "loaded")
    loader = Loader(open_warehouse(connection), LocalStore(tmp_path / "lake"), target)
    assert len(loader.rows()) == 4
