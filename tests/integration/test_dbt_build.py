"""dbt Core as the engine: a killed build is gone on with, and builds at once do not touch each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from penstock.report import TransformReport
from tasks.dbt_runner.build import Watcher, build
from tasks.dbt_runner.contract import DbtSelection
from tests.integration.dbt_project import MODELS, SmallProject

ALL = DbtSelection(select=("package:small",))


@pytest.fixture
def small(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path)


def run(project: SmallProject, watcher: Watcher, state: str = "state") -> TransformReport:
    return build(project.engine(state), ALL, project.journal(), watcher, transform_id="t1")


def never(_seconds: float) -> bool:
    return False


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
