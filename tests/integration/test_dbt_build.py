"""dbt's runner with the real dbt: only failed nodes are tried again, and a killed build is gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from penstock.errors import TransformError
from penstock.report import NodeReport, TransformReport
from tasks.dbt_runner.build import Watcher, build
from tasks.dbt_runner.contract import DbtSelection
from tasks.dbt_runner.events import Event, NodeEnded, NodeStarted
from tests.integration.dbt_project import MODELS, SmallProject

ALL = DbtSelection(select=("package:small",))


@pytest.fixture
def small(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path)


def run(project: SmallProject, watcher: Watcher, state: str = "state") -> TransformReport:
    return build(project.engine(state), ALL, project.journal(), watcher, transform_id="t1")


def never(_seconds: float) -> bool:
    return False


def statuses(report: TransformReport) -> dict[str, str]:
    return {node.name: node.status for node in report.nodes}


def test_a_node_that_fails_once_is_built_again_alone(small: SmallProject) -> None:
    events: list[Event] = []
    settled: list[Sequence[NodeReport]] = []

    def drop(seconds: float) -> bool:
        small.drop.write_text("id\n1\n2\n")
        return seconds > 0

    report = run(small, Watcher(events.append, settled.append, drop))
    assert report.outcome == "built", report.error
    assert set(statuses(report).values()) == {"success", "pass"}
    assert small.built() == {"counted": 1, "dropped": 2, "joined": 1, "numbers": 1}
    assert small.rows("joined") == 2
    attempts = {node.name: node.attempts for node in report.nodes if node.resource_type == "model"}
    assert attempts == {"counted": 1, "dropped": 2, "joined": 1, "numbers": 1}
    began = [event.name for event in events if isinstance(event, NodeStarted)]
    assert began.count("dropped") == 2
    assert began.count("numbers") == 1
    failed = [node for node in settled[0] if node.has_failed]
    assert [node.name for node in failed] == ["dropped"]
    assert "drop.csv" in (failed[0].message or "")
    assert {event.node.status for event in events if isinstance(event, NodeEnded)} == {
        "success",
        "pass",
        "error",
        "skipped",
    }
    kept = [info.key.rsplit("/transforms/t1/", 1)[-1] for info in small.store.list("artifacts/")]
    assert kept == [
        "attempt-1/manifest.json.gz",
        "attempt-1/run_results.json.gz",
        "attempt-2/manifest.json.gz",
        "attempt-2/run_results.json.gz",
        "progress.json",
    ]


def test_bad_data_is_not_looked_at_twice_and_the_report_has_the_query_that_shows_it(small: SmallProject) -> None:
    small.drop.write_text("id\n1\n")
    small.write("counted", "select 1 as id from {{ ref('numbers') }}")
    asked: list[float] = []
    report = run(small, Watcher(wait=lambda seconds: asked.append(seconds) is None))
    assert asked == []
    assert report.outcome == "failed"
    assert statuses(report)["unique_counted_id"] == "fail"
    assert statuses(report)["joined"] == "skipped"
    assert "unique_counted_id (fail)" in (report.error or "")
    (failed,) = [node for node in report.nodes if node.status == "fail"]
    assert failed.failures == 1
    assert "count(*) > 1" in (failed.failing_rows_query or "")

    small.write("counted", "select id from {{ ref('numbers') }}")
    mended = run(small, Watcher(wait=never))
    assert mended.outcome == "built", mended.error
    assert small.built() == {"counted": 2, "dropped": 1, "joined": 1, "numbers": 1}
    assert small.rows("joined") == 1


def test_a_project_that_cannot_be_read_is_an_error_that_says_why(small: SmallProject) -> None:
    small.write("counted", "select id from {{ ref('nothing') }}")
    with pytest.raises(TransformError, match="nothing"):
        run(small, Watcher(wait=never))


BUILD = """
import sys
from pathlib import Path
from tests.integration.dbt_project import SmallProject
from tasks.dbt_runner.build import Watcher, build
from tasks.dbt_runner.contract import DbtSelection
project = SmallProject(Path(sys.argv[1]), is_there=True)
build(project.engine(), DbtSelection(select=("package:small",)), project.journal(), Watcher(), transform_id="t1")
"""


def test_a_killed_build_ends_with_its_dbt_and_is_gone_on_with_in_a_new_folder(
    small: SmallProject,
) -> None:
    endless = "select count(*) as id from range(20000000) as a, range(100000) as b where a.range % 7 = b.range % 11"
    small.write("joined", f"{endless} -- {{{{ ref('dropped') }}}} {{{{ ref('counted') }}}}")
    small.drop.write_text("id\n1\n")
    started = subprocess.Popen([sys.executable, "-c", BUILD, str(small.folder.parent)], env={**os.environ})
    try:
        deadline = time.monotonic() + 240
        while (
            not {"counted", "dropped"} <= set(_progress(small)) not in _progress(small) and time.monotonic() < deadline
        ):
            time.sleep(0.2)
    finally:
        started.send_signal(signal.SIGKILL)
        started.wait(30)
    assert {"counted", "dropped"} <= set(_progress(small))
    small.write("joined", MODELS["joined"].format())
    _wait_until_free(small)
    report = run(small, Watcher(wait=never), state="another-machine")
    assert report.outcome == "built", report.error
    assert small.built() == {"counted": 1, "dropped": 1, "joined": 2, "numbers": 1}
    assert len(report.nodes) == len(MODELS) + 2


def _progress(project: SmallProject) -> list[str]:
    journal = project.journal()
    return [node.name for node in journal.resume()]


def _wait_until_free(project: SmallProject) -> None:
    """Waits for the orphaned dbt to let go of the warehouse, which it does because it ends."""
    import duckdb

    deadline = time.monotonic() + 60
    while True:
        try:
            duckdb.connect(str(project.warehouse)).close()
        except duckdb.IOException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def test_two_builds_at_once_do_not_touch_each_other(tmp_path: Path) -> None:
    projects = [SmallProject(tmp_path / name) for name in ("one", "two")]
    reports: dict[int, TransformReport] = {}

    def build_one(number: int) -> None:
        projects[number].drop.write_text("id\n1\n")
        reports[number] = run(projects[number], Watcher(wait=never))

    threads = [threading.Thread(target=build_one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(200)
    assert [reports[number].outcome for number in range(2)] == ["built", "built"]
    assert [project.built() for project in projects] == [{"counted": 1, "dropped": 1, "joined": 1, "numbers": 1}] * 2
