"""What every engine does, with the real dbt over the same small project: here, and behind dbt Cloud's API."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from penstock.connections import DbtCloudConnection
from penstock.errors import TransformError
from penstock.report import NodeReport, TransformReport
from sandbox.dbt_cloud.settings import DBT_CLOUD_ACCOUNT_ID, DBT_CLOUD_JOB_ID, DBT_CLOUD_TOKEN, DbtCloudSettings
from sandbox.server import serve
from sandbox.settings import SandboxSettings
from tasks.dbt_runner.build import Watcher, build
from tasks.dbt_runner.cloud.engine import CloudJob, DbtCloud
from tasks.dbt_runner.cloud.following import Pace
from tasks.dbt_runner.contract import DbtSelection, Engine, ResumableEngine
from tasks.dbt_runner.events import Event, NodeEnded, NodeStarted
from tests.fakes.real_dbt import RealDbt
from tests.integration.dbt_project import SmallProject

ALL = DbtSelection(select=("package:small",))


class EngineCase(NamedTuple):
    """An engine over the small project."""

    project: SmallProject
    engine: Engine

    def run(self, watcher: Watcher, selection: DbtSelection = ALL) -> TransformReport:
        return build(self.engine, selection, self.project.journal(), watcher, transform_id="t1")


def poll(seconds: float) -> bool:
    time.sleep(min(seconds, 0.1))
    return True


@pytest.fixture(params=["core", "cloud"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EngineCase]:
    project = SmallProject(tmp_path)
    if request.param == "core":
        yield EngineCase(project, project.engine())
        return
    behind = RealDbt(project.folder, tmp_path / "cloud", {"PENSTOCK_WAREHOUSE_PATH": str(project.warehouse)})
    with serve(SandboxSettings(dbt_cloud=DbtCloudSettings(project=behind))) as sandbox:
        connection = DbtCloudConnection(
            kind="dbt_cloud",
            account_id=DBT_CLOUD_ACCOUNT_ID,
            token=DBT_CLOUD_TOKEN,
            base_url=f"{sandbox.url}/dbt_cloud",
        )
        job = CloudJob(DBT_CLOUD_JOB_ID, Pace(0.1, 240.0, poll))
        yield EngineCase(project, DbtCloud(connection, job, cause="contract"))


def never(_seconds: float) -> bool:
    return False


def statuses(report: TransformReport) -> dict[str, str]:
    return {node.name: node.status for node in report.nodes}


def test_a_node_that_fails_once_is_built_again_alone(engine: EngineCase) -> None:
    events: list[Event] = []
    settled: list[Sequence[NodeReport]] = []

    def drop(seconds: float) -> bool:
        engine.project.drop.write_text("id\n1\n2\n")
        return seconds > 0

    report = engine.run(Watcher(events.append, settled.append, drop))
    assert report.outcome == "built", report.error
    assert set(statuses(report).values()) == {"success", "pass"}
    assert engine.project.built() == {"counted": 1, "dropped": 2, "joined": 1, "numbers": 1}
    assert engine.project.rows("joined") == 2
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
    kept = [info.key.rsplit("/transforms/t1/", 1)[-1] for info in engine.project.store.list("artifacts/")]
    assert kept == [
        "attempt-1/manifest.json.gz",
        "attempt-1/run_results.json.gz",
        "attempt-2/manifest.json.gz",
        "attempt-2/run_results.json.gz",
        "progress.json",
    ]


def test_bad_data_is_not_looked_at_twice_and_the_report_has_the_query_that_shows_it(engine: EngineCase) -> None:
    engine.project.drop.write_text("id\n1\n")
    engine.project.write("counted", "select 1 as id from {{ ref('numbers') }}")
    asked: list[float] = []
    report = engine.run(Watcher(wait=lambda seconds: asked.append(seconds) is None))
    assert asked == []
    assert report.outcome == "failed"
    assert statuses(report)["unique_counted_id"] == "fail"
    assert statuses(report)["joined"] == "skipped"
    assert "unique_counted_id (fail)" in (report.error or "")
    (failed,) = [node for node in report.nodes if node.status == "fail"]
    assert failed.failures == 1
    assert "count(*) > 1" in (failed.failing_rows_query or "")

    engine.project.write("counted", "select id from {{ ref('numbers') }}")
    mended = engine.run(Watcher(wait=never))
    assert mended.outcome == "built", mended.error
    # dbt Core goes on with the same project; which one dbt Cloud builds is not known before, so it builds all of it.
    whole = 1 if isinstance(engine.engine, ResumableEngine) else 2
    assert engine.project.built() == {"counted": 2, "dropped": whole, "joined": 1, "numbers": whole}
    assert engine.project.rows("joined") == 1


def test_a_project_that_cannot_be_read_is_an_error_that_says_why(engine: EngineCase) -> None:
    engine.project.write("counted", "select id from {{ ref('nothing') }}")
    with pytest.raises(TransformError, match="nothing"):
        engine.run(Watcher(wait=never))


def test_a_selection_that_finds_nothing_is_told_as_such(engine: EngineCase) -> None:
    assert engine.run(Watcher(wait=never), DbtSelection(select=("tag:none",))).outcome == "nothing_selected"
