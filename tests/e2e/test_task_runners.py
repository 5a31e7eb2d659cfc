"""A run on the processes of a Dask cluster is the run that threads make."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.dataset_runners import dataset_runner, make_runner
from penstock.errors import ConfigurationError, TransientError
from penstock.platform import PlatformSpec
from sandbox.rest.collection import Collection, Paging, TimeFilter
from sandbox.server import serve
from sandbox.settings import SandboxSettings
from tasks.definitions.project import find_project
from tasks.definitions.reading import read_platform

PLATFORM = {
    "version": 1,
    "platform": "prod",
    "store": {"kind": "folder", "path": "lake"},
    "warehouse": {"kind": "duckdb", "path": "warehouse.duckdb"},
    "dbt": {"target": "duckdb"},
}
NAMES = ("orders", "refunds", "visits", "items", "people")
AT = "2026-03-20T10:00:00+00:00"


def hourly(name: str) -> Collection:
    """A record an hour, for ever; those of a name are like no other's."""

    def between(start: datetime | None, end: datetime | None) -> list[dict[str, Any]]:
        first, last = start or datetime(2026, 3, 1, tzinfo=UTC), end or datetime(2026, 3, 2, tzinfo=UTC)
        moments = [first + timedelta(hours=hour) for hour in range(int((last - first) / timedelta(hours=1)))]
        return [{"id": f"{name}-{moment:%Y%m%d%H}", "amount": moment.day * len(name)} for moment in moments]

    return Collection(
        records=between,
        paging=Paging(style="page", size=10),
        time_filter=TimeFilter(start_name="since", end_name="until"),
    )


def pipeline() -> str:
    datasets = "\n".join(
        f"  - {{name: {name}, path: /{name}, records: data, paging: {{kind: page_number, size_parameter: per_page,"
        f" size: 10}}, window_parameters: {{start: since, end: until}}}}"
        for name in NAMES
    )
    head = "source: {kind: rest, connection: shop-api}\nwindow: {kind: daily, timezone: UTC, days: 3}\n"
    return f"{head}load_strategy: {{kind: incremental, keys: [id]}}\ndatasets:\n{datasets}\n"


def run(platform: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "deployments.cli", "run", "shop", "--at", AT, "--no-transform"]
    command += ["--platform", platform, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_two_dask_processes_leave_the_rows_that_threads_leave(project: Any) -> None:
    with serve(SandboxSettings(collections={name: hourly(name) for name in NAMES})) as sandbox:
        address = f'shop-api: {{kind: rest, base_url: "{sandbox.url}/rest"}}'
        project.write_platform(address)
        project.write_platform(address, "cluster", "task_runner: {kind: dask, processes: 2}\n")
        project.write_pipeline("shop", pipeline())
        reports = {platform: run(platform) for platform in ("local", "cluster")}
        again = run("cluster")

    assert {one["outcome"] for one in again["datasets"]} == {"already_loaded"}
    for name in NAMES:
        rows = {}
        for platform, report in reports.items():
            (batch,) = [one["batch_id"] for one in report["datasets"] if one["dataset"] == name]
            found = project.query(
                "select id, amount, replace(_source_file, _batch_id, ''), _batch_id, _window_start, _window_end "
                f"from acme_bronze.rest__{name} order by id",
                platform,
            )
            assert {row[3] for row in found} == {batch}
            rows[platform] = [(*row[:3], *row[4:]) for row in found]
        assert len(rows["local"]) == 72
        assert rows["cluster"] == rows["local"]
    outcomes = {
        platform: [(one["dataset"], one["outcome"], one["result"]["rows_landed"]) for one in report["datasets"]]
        for platform, report in reports.items()
    }
    assert outcomes["cluster"] == outcomes["local"]


@task(cache_policy=NO_CACHE)
def where(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def test_a_local_cluster_is_as_many_processes_as_the_platform_says(project: Any) -> None:
    project.write_platform("shop-api: {kind: folder, path: x}", "cluster", "task_runner: {kind: dask, processes: 2}\n")
    platform = read_platform("cluster", find_project())
    with temporary_settings({PREFECT_API_URL: os.environ["PREFECT_API_URL"]}), dataset_runner(platform) as submit:
        futures = [submit(where, {"seconds": 1.0}) for _ in range(4)]
        processes = {future.result() for future in futures}
    assert len(processes) == 2
    assert os.getpid() not in processes


@task(cache_policy=NO_CACHE)
def tell() -> None:
    from distributed.comm.core import CommClosedError

    logger = logging.getLogger("distributed.worker")
    logger.info("an inner matter")
    logger.warning("memory is short")
    logger.warning("the other is gone", exc_info=CommClosedError("in a comm"))


def test_what_a_dask_process_warns_of_is_seen_and_how_its_connections_end_is_not(
    project: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    project.write_platform("shop-api: {kind: folder, path: x}", "cluster", "task_runner: {kind: dask, processes: 1}\n")
    platform = read_platform("cluster", find_project())
    with temporary_settings({PREFECT_API_URL: os.environ["PREFECT_API_URL"]}), dataset_runner(platform) as submit:
        submit(tell, {}).result()
    shown = capfd.readouterr().err
    assert "distributed.worker - WARNING - memory is short" in shown
    assert not [line for line in ("an inner matter", "is gone", "CommClosedError", " - INFO - ") if line in shown]


def test_no_more_datasets_than_the_platform_says_are_under_way_at_once(project: Any) -> None:
    platform = PlatformSpec.model_validate({**PLATFORM, "parallel_datasets": 2})
    under_way, most = 0, 0
    lock = threading.Lock()

    @task(cache_policy=NO_CACHE)
    def counted() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.2)
        with lock:
            under_way -= 1

    with temporary_settings({PREFECT_API_URL: os.environ["PREFECT_API_URL"]}), dataset_runner(platform) as submit:
        for future in [submit(counted, {}) for _ in range(6)]:
            future.result()
    assert most == 2


@pytest.mark.parametrize("kind", ["dask", "ray"])
def test_a_runner_that_is_not_installed_says_how_to_install_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (f"prefect_{kind}", f"prefect_{kind}.task_runners"):
        monkeypatch.setitem(sys.modules, name, None)
    platform = PlatformSpec.model_validate({**PLATFORM, "task_runner": {"kind": kind}})
    with pytest.raises(ConfigurationError, match=rf"penstock\[{kind}\]"):
        make_runner(platform)


def test_a_scheduler_that_is_not_there_is_a_passing_error_with_its_address(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dask

    asked = {"kind": "dask", "address": "tcp://127.0.0.1:9"}
    platform = PlatformSpec.model_validate({**PLATFORM, "task_runner": asked})
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(TransientError, match=r"tcp://127\.0\.0\.1:9"),
        dataset_runner(platform),
    ):
        raise AssertionError("nothing is submitted")
