"""One database, several processes at once, and people who hold its tables."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.artifacts import LoadResult, TableRef
from penstock.errors import TransientError
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tests.contract.postgres_server import DATABASE, administrator, fresh_postgres, postgres
from tests.contract.warehouse_cases import TARGET, Loader

APPEND = {"kind": "append"}
LOAD_AND_TELL = """
import sys
from pathlib import Path
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tests.contract.postgres_server import postgres
from tests.contract.warehouse_cases import Loader

database, folder, day, name = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
loader = Loader(open_warehouse(postgres(database)), LocalStore(folder / "lake"))
plan = loader.plan({"kind": "append"}, at=day, batch_id=name)
batch = loader.batch(plan, [{"csv": "id\\n" + "".join(f"{n}\\n" for n in range(1000))}])
print("ready", flush=True)
sys.stdin.readline()
print(loader.warehouse.load(plan, batch, loader.store).outcome)
"""


def make_loader(folder: Path, **settings: object) -> Loader:
    return Loader(open_warehouse(fresh_postgres(**settings)), LocalStore(folder / "lake"))


def run_at_once(folder: Path, days: list[int]) -> list[str]:
    """Loads days in a process each, all let go at the same moment; returns their outcomes."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD_AND_TELL, DATABASE, str(folder), str(day), f"batch-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, day in enumerate(days)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = []
    for process in processes:
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        answers.append(output.strip())
    return answers


def test_processes_that_load_one_interval_of_a_new_warehouse_leave_one_result(tmp_path: Path) -> None:
    loader = make_loader(tmp_path, is_new=True)
    assert sorted(run_at_once(tmp_path, [1, 1, 2])) == ["already_loaded", "loaded", "loaded"]
    assert loader.warehouse.query(f"SELECT count(*), count(DISTINCT id) FROM {TARGET}").rows == [(2000, 1000)]
    assert len(loader.warehouse.loads()) == 2
    with administrator(DATABASE) as connection:
        assert connection.execute("SELECT count(*) FROM penstock.schema_version").fetchone() == (4,)


def test_threads_load_tables_side_by_side_and_the_ledger_numbers_them_one_by_one(tmp_path: Path) -> None:
    loader = make_loader(tmp_path)
    tables = [TableRef(schema_name="acme_bronze", name=f"table_{number}") for number in range(4)]
    plans = [loader.plan(APPEND, at=day, target=table) for table in tables for day in (1, 2, 1)]
    batches = [loader.batch(plan, [{"csv": f"id\n{number}\n"}]) for number, plan in enumerate(plans)]

    def load(number: int) -> LoadResult:
        return loader.warehouse.load(plans[number], batches[number], loader.store)

    with ThreadPoolExecutor(6) as pool:
        outcomes = [result.outcome for result in pool.map(load, range(len(plans)))]
    assert (outcomes.count("loaded"), outcomes.count("already_loaded")) == (8, 4)
    numbers = loader.warehouse.query("SELECT load_number FROM penstock.loads ORDER BY load_number").rows
    assert numbers == [(number,) for number in range(1, 9)]


def test_another_table_is_loaded_while_one_is_held(tmp_path: Path) -> None:
    loader = make_loader(tmp_path, lock_timeout_seconds=20)
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    other = TableRef(schema_name="acme_bronze", name="other")
    with administrator(DATABASE) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("BEGIN")
        holder.execute(f"LOCK TABLE {TARGET} IN EXCLUSIVE MODE")
        waiting = pool.submit(loader.load, APPEND, [{"csv": "id\n2\n"}], at=2)
        assert loader.load(APPEND, [{"csv": "id\n3\n"}], at=2, target=other).outcome == "loaded"
        assert not waiting.done()
        holder.execute("ROLLBACK")
        assert waiting.result(timeout=30).rows_total == 2


def test_a_table_that_is_held_too_long_is_told_and_left_as_it_was(tmp_path: Path) -> None:
    loader = make_loader(tmp_path, lock_timeout_seconds=0.3)
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    with administrator(DATABASE) as holder:
        holder.execute("BEGIN")
        holder.execute(f"LOCK TABLE {TARGET} IN EXCLUSIVE MODE")
        with pytest.raises(TransientError, match="lock_timeout_seconds"):
            loader.load(APPEND, [{"csv": "id\n2\n"}], at=2)
        holder.execute("ROLLBACK")
    assert loader.rows() == [{"id": "1"}]
    assert len(loader.warehouse.loads()) == 1


@pytest.mark.parametrize("strategy", [{"kind": "full_refresh"}, {"kind": "append"}])
def test_readers_neither_wait_nor_see_a_table_without_its_rows(
    strategy: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.warehouses.postgres import loading

    loader = make_loader(tmp_path)
    loader.load(strategy, [{"csv": "id\n1\n2\n"}], at=1)
    seen, commit = [], loading.commit

    def look_then_commit(state: loading.LoadState) -> None:
        with administrator(DATABASE) as reader:
            reader.execute("SET lock_timeout = '2s'")
            seen.extend(reader.execute(f"SELECT id FROM {TARGET} ORDER BY id").fetchall())
        commit(state)

    monkeypatch.setattr(loading, "commit", look_then_commit)
    loader.load(strategy, [{"csv": "id\n3\n4\n"}], at=1, reload=True)
    assert seen == [("1",), ("2",)]
    assert loader.rows() == [{"id": "3"}, {"id": "4"}]


def test_views_on_a_table_and_rights_to_it_outlive_every_load(tmp_path: Path) -> None:
    loader = make_loader(tmp_path)
    loader.load({"kind": "full_refresh"}, [{"csv": "id\n1\n"}], at=1)
    with administrator(DATABASE) as connection:
        connection.execute(f"CREATE VIEW acme_bronze.seen AS SELECT id FROM {TARGET}")
        connection.execute(f"GRANT SELECT ON {TARGET} TO pg_monitor")
    loader.load({"kind": "full_refresh"}, [{"csv": "size,id\n9,2\n"}], at=2)
    assert loader.warehouse.query("SELECT * FROM acme_bronze.seen").rows == [("2",)]
    granted = "SELECT has_table_privilege('pg_monitor', 'acme_bronze.rest__orders', 'SELECT')"
    assert loader.warehouse.query(granted).rows == [(True,)]


def test_a_person_who_reads_for_long_does_not_hold_up_a_refresh(tmp_path: Path) -> None:
    loader = make_loader(tmp_path, lock_timeout_seconds=2)
    loader.load({"kind": "full_refresh"}, [{"csv": "id\n1\n"}], at=1)
    with administrator(DATABASE) as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        assert reader.execute(f"SELECT id FROM {TARGET}").fetchall() == [("1",)]
        loader.load({"kind": "full_refresh"}, [{"csv": "id\n2\n"}], at=2)
        assert reader.execute(f"SELECT id FROM {TARGET}").fetchall() == [("1",)]
        reader.execute("ROLLBACK")
        assert reader.execute(f"SELECT id FROM {TARGET}").fetchall() == [("2",)]


def test_keys_get_one_index_and_the_planner_knows_the_rows(tmp_path: Path) -> None:
    loader = make_loader(tmp_path)
    for day in (1, 2, 3):
        rows = "".join(f"{day * 100 + number},x\n" for number in range(150))
        loader.load({"kind": "incremental", "keys": ["id", "part"]}, [{"csv": f"id,part\n{rows}"}], at=day)
    with administrator(DATABASE) as connection:
        query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'acme_bronze'"
        ((definition,),) = connection.execute(query).fetchall()
        assert definition.endswith("(id, part)")
        counted = connection.execute("SELECT reltuples FROM pg_class WHERE relname = 'rest__orders'").fetchone()
        assert counted == (350.0,)
        connection.execute(f"DROP INDEX acme_bronze.{definition.split()[2]}")
        connection.execute(f"CREATE UNIQUE INDEX own ON {TARGET} (part, id)")
    loader.load({"kind": "incremental", "keys": ["id", "part"]}, [{"csv": "id,part\n1,y\n"}], at=4)
    with administrator(DATABASE) as connection:
        assert len(connection.execute(query).fetchall()) == 1


def test_a_warehouse_is_lent_without_shutting_loads_out(tmp_path: Path) -> None:
    loader = make_loader(tmp_path, password="hidden")
    with loader.warehouse.lent_to_process() as variables:
        assert loader.load(APPEND, [{"csv": "id\n1\n"}]).rows_landed == 1
    settings = postgres()
    assert variables == {
        "PENSTOCK_POSTGRES_HOST": settings.host,
        "PENSTOCK_POSTGRES_PORT": str(settings.port),
        "PENSTOCK_POSTGRES_DATABASE": DATABASE,
        "PENSTOCK_POSTGRES_USER": settings.user,
        "PENSTOCK_POSTGRES_SSLMODE": "prefer",
        "DBT_ENV_SECRET_PENSTOCK_POSTGRES_PASSWORD": "hidden",
    }


def test_connections_are_closed_after_every_call(tmp_path: Path) -> None:
    loader = make_loader(tmp_path)
    loader.load(APPEND, [{"csv": "id\n1\n"}])
    loader.rows()
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = 'penstock'"
    stop = time.monotonic() + 10
    with administrator() as connection:
        while connection.execute(query, [DATABASE]).fetchone() != (0,):
            assert time.monotonic() < stop, "a connection stayed open"
            threading.Event().wait(0.05)
