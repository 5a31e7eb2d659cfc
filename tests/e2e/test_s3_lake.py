"""Whole runs with S3 as the lake: repeats, another machine, and files that are in a bucket already."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from penstock.artifacts import LoadResult
from penstock.plan import DatasetPlan, RunRequest, decide
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.definitions.project import find_project
from tasks.definitions.reading import find_pipeline, read_pipeline, read_platform
from tasks.environment import Environment
from tasks.extract import extract_dataset
from tasks.load import load_staged
from tasks.stage import stage_extraction
from tests.e2e.test_runs import hourly
from tests.fakes.moto_server import MotoServer

AT = datetime(2026, 3, 20, 10, tzinfo=UTC)
NAMES = ("orders", "refunds")

_numbers = itertools.count()


@pytest.fixture
def bucket(s3_server: MotoServer) -> str:
    return s3_server.make_bucket(f"lake-{next(_numbers)}")


@pytest.fixture(scope="module")
def api() -> Iterator[Sandbox]:
    with serve(SandboxSettings(collections={name: hourly(name) for name in NAMES})) as sandbox:
        yield sandbox


@pytest.fixture
def shop(project: Any, api: Sandbox, s3_server: MotoServer, bucket: str) -> Any:
    project.write_platform(
        f"""shop-api: {{kind: rest, base_url: "{api.url}/rest"}}""", store=s3_server.setting(bucket, prefix="acme/lake")
    )
    datasets = "".join(
        f"""
              - {{name: {name}, path: /{name}, records: data,
                 paging: {{kind: page_number, size_parameter: per_page, size: 10}},
                 window_parameters: {{start: since, end: until}}}}"""
        for name in NAMES
    )
    project.write_pipeline(
        "shop",
        f"""
            source: {{kind: rest, connection: shop-api}}
            window: {{kind: daily, timezone: UTC}}
            load_strategy: {{kind: append}}
            datasets:{datasets}
            """,
    )
    api.log.clear()
    return project


def kept(server: MotoServer, bucket: str) -> list[str]:
    """The keys of what was extracted and staged, which only a new extraction may add to."""
    found = server.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert all(one["Key"].startswith("acme/lake/") for one in found)
    return [one["Key"] for one in found if one["Key"].split("/")[2] in {"ingest", "stage"}]


def test_a_pipeline_runs_over_s3_and_again_without_a_change(shop: Any, s3_server: MotoServer, bucket: str) -> None:
    report = shop.run("shop", options={"at": AT})
    assert report.is_green, report.summary()
    assert shop.query("select count(*), count(distinct id) from acme_bronze.rest__orders") == [(24, 24)]
    written = kept(s3_server, bucket)
    assert {key.split("/")[2] for key in written} == {"ingest", "stage"}

    again = shop.run("shop", options={"at": AT})
    assert {one.outcome for one in again.datasets} == {"already_loaded"}
    assert kept(s3_server, bucket) == written
    assert shop.query("select count(*) from acme_bronze.rest__orders") == [(24,)]
    assert not (Path(shop.root) / "home" / "lake").exists()


def test_another_machine_loads_what_was_kept_without_asking_the_source(
    shop: Any, api: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.run("shop", options={"at": AT}).is_green
    rows = shop.query("select id, updated_at from acme_bronze.rest__orders order by id")
    api.log.clear()
    for number, reuse in enumerate(("ingest", "stage")):
        monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / f"other-{number}"))
        report = shop.run("shop", options={"at": AT, "reuse": reuse})
        assert report.is_green, report.summary()
        assert shop.query("select id, updated_at from acme_bronze.rest__orders order by id") == rows
    assert len(api.log) == 0


def test_a_retry_on_another_machine_goes_on_from_the_manifests(
    shop: Any, api: Sandbox, s3_server: MotoServer, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for plan, environment in _plans():
        stage_extraction(plan, extract_dataset(plan, environment), environment)
    staged = kept(s3_server, bucket)
    api.log.clear()

    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "other"))
    results: list[LoadResult] = []
    for plan, environment in _plans():
        extraction = extract_dataset(plan, environment)
        results.append(load_staged(plan, extraction, stage_extraction(plan, extraction, environment), environment))

    assert [result.rows_landed for result in results] == [24, 24]
    assert len(api.log) == 0
    assert kept(s3_server, bucket) == staged
    assert shop.query("select count(distinct id) from acme_bronze.rest__refunds") == [(24,)]


def _plans() -> Iterator[tuple[DatasetPlan, Environment]]:
    """The plans of one and the same run, on the machine that PENSTOCK_HOME is."""
    project = find_project()
    pipeline = read_pipeline(find_pipeline("shop", project))
    environment = Environment(read_platform("local", project))
    environment.warehouse().migrate()
    for plan in decide(pipeline, RunRequest(pipeline="shop", scheduled_at=AT, run_id="run-1"), {}):
        assert isinstance(plan, DatasetPlan)
        yield plan, environment


def test_files_of_a_vendors_bucket_are_loaded_once_each(project: Any, s3_server: MotoServer, bucket: str) -> None:
    drops = s3_server.make_bucket(f"{bucket}-drops")
    vendor = s3_server.client("s3")
    vendor.put_object(Bucket=drops, Key="acme/2026/a.csv", Body=b"Order ID,Amount\n1,2\n3,4\n")
    vendor.put_object(Bucket=drops, Key="acme/2026/b.csv.gz", Body=gzip.compress(b"Amount,Order ID\n6,5\n"))
    vendor.put_object(Bucket=drops, Key="acme/2026/", Body=b"")
    vendor.put_object(Bucket=drops, Key="acme/2026/readme.txt", Body=b"not wanted")
    vendor.put_object(Bucket=drops, Key="other/c.csv", Body=b"x\n1\n")
    project.write_platform(
        f"drops: {s3_server.setting(drops, prefix='acme')}", store=s3_server.setting(bucket, prefix="lake")
    )
    project.write_pipeline(
        "files",
        """
            source: {kind: s3_files, connection: drops}
            window: {kind: full}
            load_strategy: {kind: append}
            datasets: [{name: orders, glob: "2026/*.csv*", select: new}]
            """,
    )
    first = project.run("files", options={"at": AT})
    assert first.is_green, first.summary()
    rows = "select order_id, amount from acme_bronze.s3_files__orders order by order_id"
    assert project.query(rows) == [("1", "2"), ("3", "4"), ("5", "6")]

    vendor.put_object(Bucket=drops, Key="acme/2026/d.csv", Body=b"Order ID,Amount\n7,8\n")
    second = project.run("files", options={"at": AT.replace(day=21)})
    assert second.is_green, second.summary()
    assert second.datasets[0].result.rows_landed == 1
    assert project.query(rows)[-1] == ("7", "8")
    third = project.run("files", options={"at": AT.replace(day=22)})
    assert third.is_green, third.summary()
    assert len(project.query(rows)) == 4
    assert project.query("select distinct _source_file from acme_bronze.s3_files__orders order by 1") == [
        ("2026/a.csv",),
        ("2026/b.csv.gz",),
        ("2026/d.csv",),
    ]
