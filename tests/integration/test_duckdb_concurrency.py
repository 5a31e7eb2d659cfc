"""One DuckDB file, several processes and threads at once, and dbt or a shell between them."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from penstock.artifacts import LoadResult
from penstock.connections import DuckDBConnection
from penstock.errors import ConfigurationError, TransientError
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tests.contract.warehouse_cases import Loader

APPEND = {"kind": "append"}
LOAD_AND_TELL = """
import sys
from pathlib import Path
from penstock.connections import DuckDBConnection
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tests.contract.warehouse_cases import Loader

folder, day, name = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
connection = DuckDBConnection(kind="duckdb", path=str(folder / "warehouse.duckdb"))
loader = Loader(open_warehouse(connection), LocalStore(folder / "lake"))
plan = loader.plan({"kind": "append"}, at=day, batch_id=name)
batch = loader.batch(plan, [{"csv": "id\\n" + "".join(f"{n}\\n" for n in range(1000))}])
print("ready", flush=True)
sys.stdin.readline()
print(loader.warehouse.load(plan, batch, loader.store).outcome)
"""
HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
"""


def make_loader(folder: Path, *, lock_timeout_seconds: float = 30) -> Loader:
    connection = DuckDBConnection(
        kind="duckdb", path=str(folder / "warehouse.duckdb"), lock_timeout_seconds=lock_timeout_seconds
    )
    return Loader(open_warehouse(connection), LocalStore(folder / "lake"))


def run_at_once(folder: Path, days: list[int]) -> list[str]:
    """Loads days in a process each, all let go at the same moment; returns their outcomes."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD_AND_TELL, str(folder), str(day), f"batch-{number}"],
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
    answers = []
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        answers.append(output.strip())
    return answers


def test_two_processes_that_load_one_interval_leave_one_result(tmp_path: Path) -> None:
    assert sorted(run_at_once(tmp_path, [1, 1])) == ["already_loaded", "loaded"]
    warehouse = make_loader(tmp_path).warehouse
    assert warehouse.query("SELECT count(*), count(DISTINCT id) FROM acme_bronze.rest__orders").rows == [(1000, 1000)]
    assert len(warehouse.loads()) == 1


def test_processes_that_load_different_intervals_all_land(tmp_path: Path) -> None:
    assert run_at_once(tmp_path, [1, 2, 3]) == ["loaded"] * 3
    assert make_loader(tmp_path).warehouse.query("SELECT count(*) FROM acme_bronze.rest__orders").rows == [(3000,)]


def test_threads_of_one_process_load_and_read_at_once(tmp_path: Path) -> None:
    loader = make_loader(tmp_path)
    days = [1, 2, 3, 4, 1, 2, 3, 4]
    plans = [loader.plan(APPEND, at=day) for day in days]
    batches = [loader.batch(plan, [{"csv": f"id\n{number}\n"}]) for number, plan in enumerate(plans)]

    def load(number: int) -> LoadResult:
        result = loader.warehouse.load(plans[number], batches[number], loader.store)
        assert loader.warehouse.loads()
        return result

    with ThreadPoolExecutor(len(days)) as pool:
        outcomes = [result.outcome for result in pool.map(load, range(len(days)))]
    assert outcomes.count("loaded") == 4
    assert outcomes.count("already_loaded") == 4
    assert len(loader.rows()) == 4
    assert len(loader.warehouse.loads()) == 4


def test_a_load_waits_for_a_process_that_has_the_file_open(tmp_path: Path) -> None:
    loader = make_loader(tmp_path)
    loader.warehouse.migrate()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "warehouse.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == "open\n"
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(loader.load, APPEND, [{"csv": "id\n1\n"}])
            time.sleep(0.3)
            assert not waiting.done()
            holder.stdin.close()
            assert waiting.result(timeout=30).rows_landed == 1


def test_a_load_that_waited_too_long_says_who_holds_the_file(tmp_path: Path) -> None:
    loader = make_loader(tmp_path, lock_timeout_seconds=0.2)
    loader.warehouse.migrate()
    command = [sys.executable, "-c", HOLD, str(tmp_path / "warehouse.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(TransientError, match="dbt or an open DuckDB shell") as raised:
            loader.load(APPEND, [{"csv": "id\n1\n"}])
        assert raised.value.holder_pid == holder.pid
        with pytest.raises(TransientError):
            loader.warehouse.loads()
        holder.stdin.close()


def test_a_connection_of_the_same_process_is_waited_for_too(tmp_path: Path) -> None:
    loader = make_loader(tmp_path, lock_timeout_seconds=0.2)
    loader.warehouse.migrate()
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")), pytest.raises(TransientError):
        loader.load(APPEND, [{"csv": "id\n1\n"}])
    assert loader.load(APPEND, [{"csv": "id\n1\n"}]).rows_landed == 1


def test_the_lock_of_another_load_is_waited_for_no_longer_than_said(tmp_path: Path) -> None:
    loader = make_loader(tmp_path, lock_timeout_seconds=0.2)
    with (
        FileLock(tmp_path / "warehouse.duckdb.lock", thread_local=False),
        pytest.raises(TransientError, match="Another load") as raised,
    ):
        loader.warehouse.migrate()
    assert raised.value.waited_seconds == 0.2


def test_a_warehouse_that_is_lent_takes_no_loads_until_it_is_back(tmp_path: Path) -> None:
    loader = make_loader(tmp_path, lock_timeout_seconds=0.2)
    loader.warehouse.migrate()
    with loader.warehouse.lent_to_process() as variables:
        path = variables["PENSTOCK_WAREHOUSE_PATH"]
        with duckdb.connect(path) as connection:
            connection.execute("CREATE TABLE gold AS SELECT 1 AS one")
        with pytest.raises(TransientError):
            loader.load(APPEND, [{"csv": "id\n1\n"}])
    assert loader.load(APPEND, [{"csv": "id\n1\n"}]).rows_landed == 1
    assert loader.warehouse.query("SELECT one FROM gold").rows == [(1,)]


def test_the_file_is_closed_after_every_call(tmp_path: Path) -> None:
    loader = make_loader(tmp_path)
    loader.load(APPEND, [{"csv": "id\n1\n"}])
    loader.rows()
    code = (
        f"import duckdb; print(duckdb.connect({str(tmp_path / 'warehouse.duckdb')!r}).execute('SELECT 1').fetchone())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout == "(1,)\n"


def test_a_folder_that_cannot_be_made_is_a_wrong_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigurationError):
        make_loader(tmp_path / "file").warehouse.migrate()


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    loader = make_loader(tmp_path)
    for name in ("spill", "scratch"):
        (tmp_path / f"warehouse.duckdb.{name}").mkdir()
        (tmp_path / f"warehouse.duckdb.{name}" / "left").write_bytes(b"x" * 1000)
    loader.load(APPEND, [{"csv": "id\n1\n"}])
    assert {path.name for path in tmp_path.iterdir()} == {"lake", "warehouse.duckdb", "warehouse.duckdb.lock"}
