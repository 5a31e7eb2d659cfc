"""The dbt Cloud engine against the sandbox's dbt Cloud: its runs, its refusals, and what goes wrong on the way."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from penstock.connections import DbtCloudConnection
from penstock.errors import DataError, PenstockError, RejectedError, TransformError, TransientError
from penstock.report import TransformReport
from sandbox.dbt_cloud.settings import (
    DBT_CLOUD_JOB_ID,
    DBT_CLOUD_READ_TOKEN,
    DBT_CLOUD_TOKEN,
    DbtCloudSettings,
    JobSettings,
)
from sandbox.dbt_cloud.small_dag import SmallDag
from sandbox.faults import Fault
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.dbt_runner.build import Watcher, build
from tasks.dbt_runner.cloud.engine import CloudJob, DbtCloud
from tasks.dbt_runner.cloud.following import Pace
from tasks.dbt_runner.contract import DbtSelection, ResumableEngine
from tasks.dbt_runner.journal import Journal
from tasks.staging.local import LocalStore
from tests.fakes.clock import FakeTime
from tests.fakes.scripted_api import Answer, Asked, scripted_api

ALL = DbtSelection(select=("package:small",))
LOCK = "Database Error in model dropped\n  IO Error: could not set lock on file"
CAUSE = "Penstock: things of acme, run r1, transform t1"
JOB = "/dbt_cloud/api/v2/accounts/1/jobs/44"
RUNS = "/dbt_cloud/api/v2/accounts/1/runs"


def briefly(_seconds: float) -> bool:
    time.sleep(0.01)
    return True


def connection(url: str, token: str = DBT_CLOUD_TOKEN, **settings: Any) -> DbtCloudConnection:
    return DbtCloudConnection(kind="dbt_cloud", **{"account_id": 1, "token": token, "base_url": url, **settings})


def engine_at(
    url: str,
    *,
    wait: Callable[[float], bool] = briefly,
    deadline: float = 120.0,
    to: DbtCloudConnection | None = None,
    **job: Any,
) -> DbtCloud:
    settings = {"job_id": DBT_CLOUD_JOB_ID, **job}
    cloud_job = CloudJob(pace=Pace(0.01, deadline, wait), **settings)
    return DbtCloud(to or connection(f"{url}/dbt_cloud"), cloud_job, cause=CAUSE, clock=FakeTime().clock)


@contextmanager
def cloud(dag: SmallDag | None = None, **settings: Any) -> Iterator[tuple[Sandbox, SmallDag]]:
    dag = dag or SmallDag()
    with serve(SandboxSettings(dbt_cloud=DbtCloudSettings(project=dag, **settings))) as sandbox:
        yield sandbox, dag


def transform(engine: DbtCloud, tmp_path: Path, selection: DbtSelection = ALL, **options: Any) -> TransformReport:
    journal = Journal(LocalStore(tmp_path / "lake"), "artifacts/acme/things/transforms/t1")
    return build(engine, selection, journal, Watcher(wait=briefly), transform_id="t1", **options)


def triggered(sandbox: Sandbox) -> list[str]:
    asked = sandbox.log.requests(f"{JOB}/run/")
    return [request.detail for request in asked if request.status == 200]


def run_states(sandbox: Sandbox) -> list[str]:
    headers = {"Authorization": f"Token {DBT_CLOUD_TOKEN}"}
    answer = httpx.get(f"{sandbox.url}{RUNS}/", headers=headers).raise_for_status().json()
    return [run["status_humanized"] for run in answer["data"]]


def test_a_build_is_a_run_whose_command_is_the_selection(tmp_path: Path) -> None:
    with cloud() as (sandbox, dag):
        selection = DbtSelection(select=("source:acme_rest.things+",), exclude=("joined",))
        report = transform(engine_at(sandbox.url), tmp_path, selection)
        assert report.outcome == "built", report.error
        assert triggered(sandbox) == [
            "dbt build --exclude-resource-type unit_test --select source:acme_rest.things+ --exclude joined"
        ]
        assert dag.built == {
            "numbers": 1,
            "dropped": 1,
            "counted": 1,
            "not_null_dropped_id": 1,
            "unique_counted_id": 1,
        }
        assert {node.name: node.status for node in report.nodes if node.resource_type == "model"} == {
            "numbers": "success",
            "dropped": "success",
            "counted": "success",
        }


def test_overrides_are_sent_only_where_they_are_set() -> None:
    sent: list[dict[str, Any]] = []

    def answer(asked: Asked) -> Answer:
        if asked.method == "POST":
            sent.append(asked.json())
            return Answer({"status": {"is_success": False}, "data": None}, 400)
        return Answer({"status": {"is_success": True}, "data": [] if "runs" in asked.path else {"id": 44}})

    with scripted_api(answer) as api:
        for job in ({}, {"target": "ci", "schema_override": "ada", "threads": 8}):
            with pytest.raises(RejectedError, match="refused the run's settings"):
                engine_at(api.url, to=connection(api.url), **job).build(ALL, print)
    plain, overridden = ({name for name in body if name not in {"cause", "steps_override"}} for body in sent)
    assert plain == set()
    assert overridden == {"target_name_override", "schema_override", "threads_override"}
    assert sent[0]["cause"].startswith(CAUSE)


def test_a_failed_node_is_built_again_by_a_run_with_it_and_what_waits_for_it(tmp_path: Path) -> None:
    with cloud(SmallDag(failures={"dropped": [LOCK]})) as (sandbox, dag):
        report = transform(engine_at(sandbox.url), tmp_path)
        assert report.outcome == "built", report.error
        assert (dag.built["dropped"], dag.built["joined"], dag.built["numbers"]) == (2, 1, 1)
        again = triggered(sandbox)[1]
        assert again.endswith("--indirect-selection empty")
        assert "fqn:small.dropped" in again
        assert "fqn:small.numbers" not in again
        assert len(triggered(sandbox)) == 2
        assert len(report.nodes) == 6


def test_a_failed_test_is_not_looked_at_twice_and_a_skipped_node_is_no_success(tmp_path: Path) -> None:
    with cloud(SmallDag(failures={"unique_counted_id": ["Got 1 result, configured to fail if != 0"]})) as (sandbox, _):
        report = transform(engine_at(sandbox.url), tmp_path)
        assert report.outcome == "failed"
        assert {node.name: node.status for node in report.nodes if node.is_bad} == {
            "unique_counted_id": "fail",
            "joined": "skipped",
        }
        assert len(triggered(sandbox)) == 1
        assert "/deploy/1/projects/9/runs/" in (report.guidance or "")


def test_the_results_are_those_of_the_build_and_not_of_the_docs_after_it(tmp_path: Path) -> None:
    with cloud(jobs={DBT_CLOUD_JOB_ID: JobSettings(generates_docs=True)}) as (sandbox, _):
        assert len(transform(engine_at(sandbox.url), tmp_path).nodes) == 6


def test_a_selection_without_nodes_builds_nothing(tmp_path: Path) -> None:
    with cloud() as (sandbox, _):
        report = transform(engine_at(sandbox.url), tmp_path, DbtSelection(select=("source:other.things+",)))
        assert report.outcome == "nothing_selected"


def test_a_run_that_failed_before_dbt_is_repeated_by_dbt_cloud(tmp_path: Path) -> None:
    with cloud(SmallDag(failing_preparations=["dbt deps", "Clone"])) as (sandbox, dag):
        report = transform(engine_at(sandbox.url), tmp_path)
        assert report.outcome == "built", report.error
        assert len(triggered(sandbox)) == 1
        assert [request.status for request in sandbox.log.requests(f"{RUNS}/*/retry/")] == [200, 200]
        assert dag.built["joined"] == 1


def test_a_run_that_cannot_be_prepared_names_the_step(tmp_path: Path) -> None:
    with cloud(SmallDag(failing_preparations=["dbt deps"] * 3)) as (sandbox, dag):
        with pytest.raises(TransformError, match="could not prepare the run") as caught:
            transform(engine_at(sandbox.url), tmp_path)
        assert caught.value.facts["step"] == "Invoke dbt with `dbt deps`"
        assert dag.built == {}


def test_a_project_that_does_not_parse_says_what_dbt_said_and_is_not_repeated(tmp_path: Path) -> None:
    with cloud(SmallDag(parse_error="Compilation Error\n  model 'joined' depends on a node named 'nothing'")) as (
        sandbox,
        _,
    ):
        with pytest.raises(TransformError, match="depends on a node named 'nothing'") as caught:
            transform(engine_at(sandbox.url), tmp_path)
        assert "/runs/" in str(caught.value.facts["log"])
        assert run_states(sandbox) == ["Error"]


@pytest.mark.parametrize("name", ["run_results.json", "manifest.json"])
def test_a_success_without_results_is_an_error(tmp_path: Path, name: str) -> None:
    with cloud(SmallDag(is_without=frozenset({name}))) as (sandbox, _):
        with pytest.raises(TransformError, match="success but has no results") as caught:
            transform(engine_at(sandbox.url), tmp_path)
        assert caught.value.facts["file"] == name


def test_artifacts_that_come_late_are_waited_for(tmp_path: Path) -> None:
    with cloud(late_artifacts=3) as (sandbox, _):
        assert len(transform(engine_at(sandbox.url), tmp_path).nodes) == 6


def test_a_run_that_stays_in_the_queue_is_cancelled_at_the_deadline(tmp_path: Path) -> None:
    with cloud(run_slots=0) as (sandbox, _):
        with pytest.raises(TransformError, match="did not start the run before its deadline") as caught:
            transform(engine_at(sandbox.url, deadline=0.2), tmp_path)
        assert "dbt.deadline" in caught.value.guidance
        assert run_states(sandbox) == ["Cancelled"]


def test_a_run_that_takes_too_long_is_cancelled_at_the_deadline(tmp_path: Path) -> None:
    with cloud(SlowDag()) as (sandbox, dag):
        try:
            with pytest.raises(TransformError, match="did not end before its deadline"):
                transform(engine_at(sandbox.url, deadline=1.0), tmp_path)
            assert run_states(sandbox) == ["Cancelled"]
        finally:
            dag.may_end.set()  # type: ignore[attr-defined]


class SlowDag(SmallDag):
    """Builds until it is told to end."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = threading.Event()

    def build(self, arguments: Any, *, only: Any = None) -> Any:
        self.may_end.wait(60)
        return super().build(arguments, only=only)


def test_an_interrupt_cancels_the_run(tmp_path: Path) -> None:
    waits: list[float] = []

    def interrupted(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt
        return True

    with cloud(run_slots=0) as (sandbox, _):
        with pytest.raises(KeyboardInterrupt):
            transform(engine_at(sandbox.url, wait=interrupted), tmp_path)
        assert run_states(sandbox) == ["Cancelled"]


def test_a_run_that_nobody_waits_for_any_longer_is_cancelled(tmp_path: Path) -> None:
    with cloud(run_slots=0) as (sandbox, _):
        with pytest.raises(TransformError, match="was stopped"):
            transform(engine_at(sandbox.url, wait=lambda _seconds: False), tmp_path)
        assert run_states(sandbox) == ["Cancelled"]


def test_a_run_that_somebody_cancels_in_dbt_cloud_is_not_started_again(tmp_path: Path) -> None:
    def cancels(_seconds: float) -> bool:
        headers = {"Authorization": f"Bearer {DBT_CLOUD_TOKEN}"}
        (run,) = httpx.get(f"{sandbox.url}{RUNS}/", headers=headers).json()["data"]
        httpx.post(f"{sandbox.url}{RUNS}/{run['id']}/cancel/", headers=headers)
        return True

    with cloud() as (sandbox, _):
        with pytest.raises(TransformError, match="was cancelled in dbt Cloud"):
            transform(engine_at(sandbox.url, wait=cancels), tmp_path)
        assert run_states(sandbox) == ["Cancelled"]


@pytest.mark.parametrize("kind", ["connection_drop", "truncated_body", "server_error"])
def test_a_trigger_whose_answer_is_lost_starts_one_run(tmp_path: Path, kind: Any) -> None:
    with cloud() as (sandbox, dag):
        sandbox.faults.add(Fault(kind=kind, path=f"{JOB}/run/", method="POST"))
        report = transform(engine_at(sandbox.url), tmp_path)
        assert report.outcome == "built", report.error
        assert run_states(sandbox) == ["Success"]
        assert dag.built["numbers"] == 1


def test_a_list_without_triggers_is_asked_for_run_by_run() -> None:
    posted: list[str] = []
    run = {"id": 7, "status": 30}

    def answer(asked: Asked) -> Answer:
        if asked.method == "POST" and asked.path.endswith("/run/"):
            posted.append(asked.json()["cause"])
            return Answer(b"", 502)
        if asked.path.endswith("/runs/"):
            return Answer({"status": {"is_success": True}, "data": [run] if posted else []})
        cause = {"trigger": {"cause": posted[0]}} if asked.query.get("include_related") == "trigger" else {}
        data = {"id": 44} if "jobs" in asked.path else {**run, **cause}
        return Answer({"status": {"is_success": True}, "data": data})

    with scripted_api(answer) as api, pytest.raises(TransformError, match="was cancelled in dbt Cloud"):
        engine_at(api.url, to=connection(api.url)).build(ALL, print)
    assert len(posted) == 1


def test_a_pause_that_is_longer_than_the_clients_is_waited_for_by_the_engine(tmp_path: Path) -> None:
    waits: list[float] = []
    with cloud() as (sandbox, _):
        sandbox.faults.add(Fault(kind="rate_limited", path=f"{RUNS}/7001/", retry_after_seconds=600))
        engine = engine_at(sandbox.url, wait=lambda seconds: waits.append(seconds) is None, deadline=1000.0)
        assert transform(engine, tmp_path).outcome == "built"
    assert 600 in waits


def test_a_rate_limit_is_waited_for_as_long_as_it_says(tmp_path: Path) -> None:
    waits: list[float] = []
    with cloud() as (sandbox, _):
        sandbox.faults.add(Fault(kind="rate_limited", path=f"{JOB}/run/", retry_after_seconds=7))
        sandbox.faults.add(Fault(kind="rate_limited", path=f"{RUNS}/*", times=2))
        report = transform(engine_at(sandbox.url, wait=lambda seconds: waits.append(seconds) is None), tmp_path)
        assert report.outcome == "built", report.error
        assert waits[0] == 7
        assert run_states(sandbox) == ["Success"]


def test_an_outage_while_a_run_goes_on_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with cloud() as (sandbox, _), caplog.at_level(logging.WARNING, "penstock.dbt"):
        sandbox.faults.add(Fault(kind="server_error", path=f"{RUNS}/7001/", times=20))
        report = transform(engine_at(sandbox.url), tmp_path)
        assert report.outcome == "built", report.error
        assert "asking again" in caplog.text


def test_another_attempt_of_the_task_takes_over_the_run_of_the_first(tmp_path: Path) -> None:
    with cloud() as (sandbox, dag):
        sandbox.faults.add(Fault(kind="server_error", path=f"{RUNS}/*/artifacts/*", times=6))
        with pytest.raises(TransientError):
            transform(engine_at(sandbox.url), tmp_path)
        report = transform(engine_at(sandbox.url), tmp_path)
        assert report.outcome == "built", report.error
        assert run_states(sandbox) == ["Success"]
        assert dag.built["numbers"] == 1


def test_a_failed_build_is_not_gone_on_with_by_the_next_because_its_project_may_be_another(tmp_path: Path) -> None:
    failures = {"dropped": ["Database Error in model dropped\n  Conversion Error: 'large'"]}
    with cloud(SmallDag(failures=failures)) as (sandbox, dag):
        engine = engine_at(sandbox.url)
        assert not isinstance(engine, ResumableEngine)
        assert transform(engine, tmp_path).outcome == "failed"
        assert transform(engine_at(sandbox.url), tmp_path).outcome == "built"
        assert dag.built["numbers"] == 2


def refusal(url: str, tmp_path: Path, **settings: Any) -> PenstockError:
    job = settings.pop("job_id", DBT_CLOUD_JOB_ID)
    with pytest.raises(RejectedError) as caught:
        transform(engine_at(url, to=connection(f"{url}/dbt_cloud", **settings), job_id=job), tmp_path)
    return caught.value


@pytest.mark.parametrize(
    ("settings", "message", "advice"),
    [
        ({"token": "never-to-be-seen"}, "did not accept the token", "Renew the token"),
        ({"token": DBT_CLOUD_READ_TOKEN}, "lacks a right", "Job Admin"),
        ({"account_id": 2}, "no such account, job or run", "account_id"),
        ({"job_id": 45}, "no such account, job or run", "job_id"),
    ],
)
def test_refusals_say_what_to_do_and_show_no_token(
    tmp_path: Path, settings: dict[str, Any], message: str, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    with cloud() as (sandbox, _), caplog.at_level(logging.DEBUG):
        error = refusal(sandbox.url, tmp_path, **settings)
        assert message in error.message
        assert advice in error.guidance
        chain = f"{error!r} {error} {error.__cause__!r} {caplog.text}"
        for token in ("never-to-be-seen", DBT_CLOUD_READ_TOKEN, DBT_CLOUD_TOKEN):
            assert token not in chain
        assert run_states(sandbox) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"jobs": {DBT_CLOUD_JOB_ID: JobSettings(deactivated=True)}}, "is deactivated"),
        ({"jobs": {DBT_CLOUD_JOB_ID: JobSettings(state=2)}}, "was deleted"),
        ({"is_locked": True}, "account is locked"),
    ],
)
def test_a_job_or_an_account_that_runs_nothing_is_told_as_such(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with cloud(**settings) as (sandbox, _):
        error = refusal(sandbox.url, tmp_path)
        assert message in error.message
        assert error.guidance
        assert run_states(sandbox) == []


def test_an_address_that_is_not_dbt_clouds_is_told_as_such(tmp_path: Path) -> None:
    with scripted_api(lambda _asked: Answer("<html>Welcome</html>")) as api:
        with pytest.raises(DataError, match="not one of its API") as caught:
            transform(engine_at(api.url, to=connection(api.url)), tmp_path)
        assert "base_url" in caught.value.guidance
        assert "Welcome" not in str(caught.value)


def test_a_path_without_its_slash_loses_what_is_posted() -> None:
    with cloud() as (sandbox, _):
        headers = {"Authorization": f"Token {DBT_CLOUD_TOKEN}"}
        answer = httpx.post(f"{sandbox.url}{JOB}/run", json={"cause": "x"}, headers=headers, follow_redirects=True)
        assert answer.status_code == 405
        assert run_states(sandbox) == []


def test_the_emulated_lists_come_in_pages_to_the_last_and_say_the_total() -> None:
    with cloud(run_slots=0) as (sandbox, _):
        headers = {"Authorization": f"Token {DBT_CLOUD_TOKEN}"}
        for number in range(5):
            body = {"cause": f"run {number}"}
            httpx.post(f"{sandbox.url}{JOB}/run/", json=body, headers=headers).raise_for_status()
        found, total = [], None
        while total is None or len(found) < total:
            asked = {"limit": 2, "offset": len(found), "order_by": "-created_at", "include_related": "trigger"}
            page = httpx.get(f"{sandbox.url}{RUNS}/", params=asked, headers=headers).json()
            found += [run["trigger"]["cause"] for run in page["data"]]
            total = page["extra"]["pagination"]["total_count"]
        assert found == [f"run {number}" for number in (4, 3, 2, 1, 0)]
        too_many = httpx.get(f"{sandbox.url}{RUNS}/", params={"limit": 101}, headers=headers)
        assert too_many.json()["status"]["is_success"] is False
        assert too_many.status_code == 400


def test_dbt_clouds_own_retry_builds_what_was_not_built(tmp_path: Path) -> None:
    with cloud(SmallDag(failures={"dropped": ["Conversion Error"]})) as (sandbox, dag):
        assert transform(engine_at(sandbox.url), tmp_path).outcome == "failed"
        headers = {"Authorization": f"Token {DBT_CLOUD_TOKEN}"}
        retried = httpx.post(f"{sandbox.url}{JOB}/rerun/", headers=headers).json()["data"]
        while not retried["is_complete"]:
            retried = httpx.get(f"{sandbox.url}{RUNS}/{retried['id']}/", headers=headers).json()["data"]
        assert retried["is_success"]
        assert (dag.built["dropped"], dag.built["joined"], dag.built["numbers"]) == (2, 1, 1)


def test_a_token_in_a_connection_is_not_shown() -> None:
    shown = connection("http://127.0.0.1:1", token="never-to-be-seen")
    assert isinstance(shown.token, SecretStr)
    assert "never-to-be-seen" not in repr(shown) + shown.model_dump_json()
