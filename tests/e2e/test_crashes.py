"""Killed between any two steps and run again, a table equals that of a run that was never killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox.rest.collection import Collection, Paging, TimeFilter
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings

FIRST_RUN = datetime(2026, 3, 19, 10, tzinfo=UTC)
SECOND_RUN = FIRST_RUN + timedelta(days=1)
STEPS = ("extract", "stage", "land", "apply", "record", "commit")
STRATEGIES = {
    "full_refresh": "{kind: full_refresh}",
    "append": "{kind: append}",
    "partition": "{kind: partition, column: updated_at}",
    "incremental": "{kind: incremental, keys: [id], order_by: updated_at}",
    "historical": "{kind: historical, keys: [id], order_by: updated_at}",
    "cdc": "{kind: cdc, keys: [id], order_by: updated_at, delete_column: op}",
}
# When a load happened is the one thing that a rerun may change, and so is the batch's name.
NOT_COMPARED = ("_batch_id", "_extracted_at", "_loaded_at")


def changes(start: datetime | None, end: datetime | None) -> list[dict[str, Any]]:
    """Sixty changes a day: forty keys of the day before come again, some of them as deletes."""
    assert start is not None
    assert end is not None
    day = start.toordinal()
    return [
        {
            "id": f"k{day * 20 + number}",
            "value": f"{day}-{number}",
            "op": "delete" if number % 7 == 0 else "upsert",
            "updated_at": (start + timedelta(minutes=number)).isoformat(),
        }
        for number in range(60)
    ]


@pytest.fixture(scope="module")
def changes_api() -> Iterator[Sandbox]:
    collection = Collection(
        records=changes,
        paging=Paging(style="page", size=25, total_path="total"),
        time_filter=TimeFilter(start_name="since", end_name="until"),
    )
    with serve(SandboxSettings(collections={"changes": collection})) as sandbox:
        yield sandbox


@pytest.fixture
def changes_project(project: Any, changes_api: Sandbox) -> Any:
    project.write_platform(f"""changes-api: {{kind: rest, base_url: "{changes_api.url}/rest"}}""")
    for name, strategy in STRATEGIES.items():
        project.write_pipeline(
            name.replace("_", "-"),
            f"""
            source: {{kind: rest, connection: changes-api}}
            window: {{kind: daily, timezone: UTC}}
            load_strategy: {strategy}
            datasets:
              - name: changes
                table: changes
                path: /changes
                records: data
                total: total
                paging: {{kind: page_number, size_parameter: per_page, size: 25}}
                window_parameters: {{start: since, end: until}}
            transform: {{select: none}}
            """,
        )
    return project


@pytest.fixture
def runner(changes_project: Any) -> Iterator[subprocess.Popen[str]]:
    script = Path(__file__).with_name("crash_run.py")
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    yield process
    process.stdin.close()
    process.wait(timeout=30)
    process.stdout.close()


def run(
    runner: subprocess.Popen[str], home: Path, strategy: str, at: datetime, run_id: str, die_after: str | None = None
) -> int:
    """Runs a pipeline in a child and returns how it ended (0, or the signal)."""
    asked = {
        "home": str(home),
        "pipeline": strategy.replace("_", "-"),
        "at": at.isoformat(),
        "run_id": run_id,
        "die_after": die_after,
    }
    assert runner.stdin is not None
    assert runner.stdout is not None
    runner.stdin.write(json.dumps(asked) + "\n")
    runner.stdin.flush()
    return int(runner.stdout.readline())


def table(home: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        left_out = ", ".join(NOT_COMPARED)
        return connection.execute(f"select * exclude ({left_out}) from acme_bronze.changes order by all").fetchall()


def ledger(home: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(
            "select interval_start, rows_landed, rows_inserted, rows_updated, rows_deleted, rows_total"
            " from penstock.loads order by interval_start"
        ).fetchall()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_run_killed_after_any_step_and_run_again_equals_one_that_was_not(
    changes_project: Any, runner: subprocess.Popen[str], tmp_path: Path, strategy: str
) -> None:
    whole = tmp_path / "whole"
    assert run(runner, whole, strategy, FIRST_RUN, "first") == 0
    after_first = table(whole)
    assert run(runner, whole, strategy, SECOND_RUN, "second") == 0
    expected, expected_ledger = table(whole), ledger(whole)
    assert expected != after_first
    assert len(expected_ledger) == 2

    for step in STEPS:
        home = tmp_path / step
        assert run(runner, home, strategy, FIRST_RUN, "first") == 0
        assert run(runner, home, strategy, SECOND_RUN, "second", die_after=step) == signal.SIGKILL
        assert table(home) == (expected if step == "commit" else after_first), step
        assert run(runner, home, strategy, SECOND_RUN, "third") == 0
        assert table(home) == expected, step
        assert ledger(home) == expected_ledger, step


def test_a_retry_of_the_same_run_goes_on_from_the_manifest_without_asking_the_source(
    changes_project: Any, runner: subprocess.Popen[str], tmp_path: Path, changes_api: Sandbox
) -> None:
    home = tmp_path / "retried"
    assert run(runner, home, "append", FIRST_RUN, "same", die_after="extract") == signal.SIGKILL
    assert len(changes_api.log) > 0
    changes_api.log.clear()
    for step in ("stage", "apply"):
        assert run(runner, home, "append", FIRST_RUN, "same", die_after=step) == signal.SIGKILL
    assert run(runner, home, "append", FIRST_RUN, "same") == 0
    assert len(changes_api.log) == 0
    assert len(table(home)) == 60


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_loading_twice_equals_loading_once(
    changes_project: Any, runner: subprocess.Popen[str], tmp_path: Path, strategy: str
) -> None:
    home = tmp_path / "home"
    for at in (FIRST_RUN, SECOND_RUN):
        assert run(runner, home, strategy, at, f"once-{at:%d}") == 0
    once = table(home)

    os.environ["PENSTOCK_HOME"] = str(home)
    report = changes_project.run(strategy.replace("_", "-"), options={"at": SECOND_RUN, "reload": True})

    assert report.is_green, report.summary()
    assert report.datasets[0].outcome == "loaded"
    assert table(home) == once


def test_a_whole_run_killed_before_its_commit_leaves_nothing_and_the_next_run_lands_it(
    changes_project: Any, tmp_path: Path
) -> None:
    root = Path(__file__).resolve().parents[2]
    fatal = (
        "import os, signal, sys; sys.path.insert(0, sys.argv.pop(1));"
        "from tasks.warehouses.duckdb import loading;"
        "loading.commit = lambda state: os.kill(os.getpid(), signal.SIGKILL);"
        "from deployments.cli import main; main()"
    )
    command = ["run", "append", "--at", FIRST_RUN.isoformat(), "--no-transform"]
    killed = subprocess.run([sys.executable, "-c", fatal, str(root), *command], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert changes_project.warehouse().loads() == []

    again = subprocess.run(
        [sys.executable, "-m", "deployments.cli", *command], capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(table(Path(os.environ["PENSTOCK_HOME"]))) == 60
    assert len(changes_project.warehouse().loads()) == 1
