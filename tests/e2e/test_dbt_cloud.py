"""A run whose platform builds in dbt Cloud, against the sandbox: loads, nodes in the ledger and in Prefect, outcome."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from sandbox.dbt_cloud.settings import DBT_CLOUD_TOKEN, DbtCloudSettings
from sandbox.dbt_cloud.small_dag import SmallDag
from sandbox.rest.collection import Collection
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tests.e2e.test_transform import node_runs

CLOUD = """
dbt:
  engine: cloud
  connection: {{kind: dbt_cloud, account_id: 1, token: {token}, base_url: "{url}/dbt_cloud"}}
  job_id: 44
  poll_seconds: 0.05
"""
PIPELINE = """
source: {kind: rest, connection: things-api}
window: {kind: full}
load_strategy: {kind: full_refresh}
datasets: [{name: things, path: /things, records: data}]
"""
AT = {"at": "2026-03-20T10:00:00Z"}


class Built(NamedTuple):
    """A project, and the dbt Cloud that builds for it."""

    project: Any
    sandbox: Sandbox
    dag: SmallDag


def write_cloud_platform(project: Any, sandbox: Sandbox) -> None:
    project.write_platform(f'things-api: {{kind: rest, base_url: "{sandbox.url}/rest"}}')
    platform = project.root / "deployments" / "platforms" / "local.yaml"
    cloud_section = CLOUD.format(token=DBT_CLOUD_TOKEN, url=sandbox.url)
    platform.write_text(platform.read_text().replace("dbt: {target: duckdb}\n", cloud_section))


@pytest.fixture
def cloud(project: Any) -> Iterator[Built]:
    dag = SmallDag()
    records = [{"id": str(number)} for number in range(5)]
    settings = SandboxSettings(
        collections={"things": Collection(records=records)}, dbt_cloud=DbtCloudSettings(project=dag)
    )
    with serve(settings) as sandbox:
        write_cloud_platform(project, sandbox)
        project.write_pipeline("things", PIPELINE)
        yield Built(project, sandbox, dag)


def test_what_a_run_has_loaded_is_built_in_dbt_cloud_and_a_failed_test_makes_the_run_red(cloud: Built) -> None:
    cloud.dag.failures["unique_counted_id"] = ["Got 1 result, configured to fail if != 0"]
    red = cloud.project.run("things", transform=True, options=AT)
    assert not red.is_green
    assert "unique_counted_id (fail)" in red.summary()
    assert red.datasets[0].outcome == "loaded"
    asked = cloud.sandbox.log.requests("/dbt_cloud/api/v2/accounts/1/jobs/44/run/")
    assert [request.detail for request in asked] == [
        "dbt build --exclude-resource-type unit_test --select source:acme_rest.things+"
    ]
    rows = cloud.project.query("select node_name, status from penstock.transforms order by node_name")
    assert ("joined", "skipped") in rows
    assert len(rows) == 6
    (shown,) = node_runs("model.small.numbers")
    assert (shown["name"], shown["state_name"]) == ("model numbers", "Completed")

    green = cloud.project.run("things", transform=True, options=AT)
    assert green.is_green, green.summary()
    assert green.datasets[0].outcome == "already_loaded"
    assert {node.status for node in green.transform.nodes} == {"success", "pass"}
    assert cloud.dag.built["joined"] == 1


def test_a_token_that_is_refused_fails_the_transform_and_keeps_the_loads(cloud: Built) -> None:
    platform = cloud.project.root / "deployments" / "platforms" / "local.yaml"
    platform.write_text(platform.read_text().replace(DBT_CLOUD_TOKEN, "never-to-be-seen"))
    report = cloud.project.run("things", transform=True, options=AT)
    assert report.datasets[0].outcome == "loaded"
    assert report.transform.outcome == "failed"
    assert "did not accept the token" in (report.transform.error or "")
    assert "never-to-be-seen" not in report.model_dump_json()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_cancels_what_it_started_in_dbt_cloud(project: Any, ending: signal.Signals) -> None:
    settings = SandboxSettings(
        collections={"things": Collection(records=[{"id": "1"}])}, dbt_cloud=DbtCloudSettings(run_slots=0)
    )
    with serve(settings) as sandbox:
        write_cloud_platform(project, sandbox)
        project.write_pipeline("things", PIPELINE)
        run = [sys.executable, "-m", "deployments.cli", "run", "things"]
        process = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while len(sandbox.log.requests("/dbt_cloud/*/runs/7001/")) < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(ending)
        _out, err = process.communicate(timeout=120)
        assert process.returncode != 0
        assert DBT_CLOUD_TOKEN not in err
        cancelled = sandbox.log.requests("/dbt_cloud/api/v2/accounts/1/runs/7001/cancel/")
        assert [request.status for request in cancelled] == [200]
