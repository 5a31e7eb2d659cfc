"""`penstock doctor` against real servers: a sandbox, S3 over HTTP, a Prefect API, PostgreSQL, and ones that are ill."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import deployments.cli
from penstock.connections import PostgresConnection
from penstock.errors import RejectedError
from sandbox.dbt_cloud.settings import DBT_CLOUD_JOB_ID, DBT_CLOUD_READ_TOKEN
from sandbox.server import Sandbox
from tasks.probing.warehouse import probe_opened, probe_warehouse
from tasks.warehouses.contract import Rows
from tests.fakes.scripted_api import Answer, scripted_api
from tests.fakes.snowflake.connection import snowflake_connection

SECRET = "never-to-be-seen"

PIPELINE = """\
version: 1
pipeline: {name}
client: acme
source: {source}
window: {{kind: full}}
load_strategy: {{kind: full_refresh}}
datasets: [{dataset}]
"""
GLADLY = ("{kind: gladly, connection: acme-gladly}", "{name: agents, collection: agents}")
REST = (
    "{kind: rest, connection: acme-rest}",
    "{name: orders, path: /orders, records: data, paging: {kind: none}}",
)
FILES = (
    "{kind: s3_files, connection: acme-drops}",
    "{name: drops, glob: 'drops/*.csv'}",
)

PLATFORM = """\
version: 1
platform: {name}
store: {store}
warehouse: {warehouse}
connections:
  acme-gladly: {gladly}
  acme-rest: {rest}
  acme-drops: {{kind: folder, path: drops}}
dbt: {dbt}
work_pool: {pool}
"""


class Ended(NamedTuple):
    code: int
    out: str

    def checks(self) -> dict[str, dict[str, Any]]:
        return {one["check"]: one for one in json.loads(self.out)["checks"]}

    def outcomes(self) -> dict[str, str]:
        return {name: one["outcome"] for name, one in self.checks().items()}


class Patient:
    """A project and its platform, which a test makes ill."""

    def __init__(self, root: Path, sandbox_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys
        self.settings: dict[str, str] = {
            "name": "local",
            "store": "{kind: folder, path: lake}",
            "warehouse": "{kind: duckdb, path: warehouse.duckdb}",
            "gladly": "{kind: gladly, organization: warbyparker, email: penstock@example.com, "
            f'token: "${{TOKEN}}", base_url: "{sandbox_url}/gladly/warbyparker/api/v1"}}',
            "rest": f'{{kind: rest, base_url: "{sandbox_url}/rest"}}',
            "dbt": "{project_dir: dbt, target: duckdb}",
            "pool": "doctor-pool",
        }

    def examine(self, *options: str, **settings: str) -> Ended:
        platform = self.root / "deployments" / "platforms" / "local.yaml"
        platform.write_text(PLATFORM.format(**self.settings | settings))
        with pytest.raises(SystemExit) as caught:
            deployments.cli.main(["doctor", *(options or ("--json",))])
        printed = self._capsys.readouterr()
        assert SECRET not in printed.out + printed.err
        assert os.environ["TOKEN"] not in printed.out + printed.err
        return Ended(caught.value.code or 0, printed.out)  # type: ignore[arg-type]


@pytest.fixture
def patient(
    tmp_path: Path,
    penstock_sandbox: Sandbox,
    prefect_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Patient:
    for name, (source, dataset) in {"acme-gladly-all": GLADLY, "acme-rest-all": REST, "acme-drops-all": FILES}.items():
        path = tmp_path / "deployments" / "clients" / "acme" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PIPELINE.format(name=name, source=source, dataset=dataset))
    (tmp_path / "deployments" / "platforms").mkdir()
    (tmp_path / "dbt").mkdir()
    (tmp_path / "dbt" / "dbt_project.yml").write_text("name: acme\nprofile: acme\n")
    (tmp_path / "dbt" / "profiles.yml").write_text("acme: {outputs: {duckdb: {type: duckdb}, odd: {type: nosuch}}}\n")
    monkeypatch.setenv("PENSTOCK_PROJECT", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", prefect_url)
    monkeypatch.setenv("TOKEN", "gladly-sandbox-token")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("PENSTOCK_PLATFORM", raising=False)
    _make_pool(prefect_url)
    return Patient(tmp_path, penstock_sandbox.url, capsys)


def _make_pool(prefect_url: str) -> None:
    import httpx

    httpx.post(f"{prefect_url}/work_pools/", json={"name": "doctor-pool", "type": "process"}, timeout=30)


def test_a_platform_that_is_well_is_told_so_and_nothing_is_left_behind(patient: Patient) -> None:
    ended = patient.examine()
    assert ended.outcomes() == {
        "files": "ok",
        "store": "ok",
        "warehouse": "ok",
        "connection acme-drops": "ok",
        "connection acme-gladly": "ok",
        "connection acme-rest": "ok",
        "dbt": "ok",
        "prefect api": "ok",
        "work pool": "doubtful",
    }
    assert ended.code == 0
    assert "prefect worker start --pool doctor-pool" in ended.checks()["work pool"]["guidance"]
    assert [path for path in patient.root.joinpath("lake").rglob("*") if path.is_file()] == []
    assert not (patient.root / "warehouse.duckdb").exists()
    (patient.root / "drops" / "drops").mkdir(parents=True)
    (patient.root / "drops" / "drops" / "a.csv").write_text("id\n1\n")
    shown = patient.examine("--platform", "local")
    assert shown.code == 0
    assert "listed and read" in shown.out
    assert "! work pool: process, and no worker is online" in shown.out


def test_settings_in_blocks_are_looked_at_too(patient: Patient, prefect_url: str) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from blocks.folder import FolderStore
    from blocks.gladly import GladlyCredentials

    with temporary_settings({PREFECT_API_URL: prefect_url}):
        FolderStore(path=str(patient.root / "kept")).save("doctor", overwrite=True)
        wrong = GladlyCredentials(organization="warbyparker", email="a@b.example", token=SECRET, base_url=None)
        wrong.base_url = patient.settings["gladly"].split('base_url: "')[1].split('"')[0]
        wrong.save("doctor", overwrite=True)
    ended = patient.examine(store="{block: penstock-folder/doctor}", gladly="{block: penstock-gladly/doctor}")
    assert ended.outcomes()["store"] == "ok"
    refused = ended.checks()["connection acme-gladly"]
    assert (ended.code, refused["outcome"]) == (1, "failed")
    assert "did not accept the credentials" in refused["error"]
    absent = patient.examine(warehouse="{block: penstock-duckdb/absent}").checks()["warehouse"]
    assert "Prefect has no such block" in absent["error"]
    assert "penstock blocks apply" in absent["guidance"]


@pytest.mark.parametrize(
    ("settings", "check", "words"),
    [
        ({"dbt": "{project_dir: dbt, target: duckbd}"}, "dbt", "no such target (name=duckbd)|Did you mean duckdb"),
        ({"dbt": "{project_dir: dbt, target: odd}"}, "dbt", "adapter is not installed|Install dbt-nosuch"),
        ({"dbt": "{project_dir: elsewhere, target: x}"}, "dbt", "cannot be read|`project_dir`"),
        ({"pool": "absent"}, "work pool", "no such work pool|prefect work-pool create absent --type process"),
        ({"pool": '"${NOT_SET}"'}, "work pool", "is not set|${NAME:-default}"),
        ({"store": "{kind: folder, path: taken}"}, "store", "step=write|"),
        ({"warehouse": "{kind: duckdb, path: taken/w.duckdb}"}, "warehouse", "folder cannot be written|Check its path"),
        ({"rest": '{kind: rest, base_url: "http://127.0.0.1:9"}'}, "connection acme-rest", "cannot be reached|"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(
    patient: Patient, settings: dict[str, str], check: str, words: str
) -> None:
    (patient.root / "taken").write_text("a file where a folder is expected")
    ended = patient.examine(**settings)
    found = ended.checks()[check]
    assert (ended.code, found["outcome"]) == (1, "failed")
    error, guidance = words.split("|")
    assert error in found["error"]
    assert guidance in found["guidance"]
    assert found["guidance"]


DBT_CLOUD = (
    '{{engine: cloud, connection: {{kind: dbt_cloud, account_id: {account}, token: "${{DBT_CLOUD_TOKEN}}", '
    'base_url: "{url}/dbt_cloud"}}, job_id: {job}}}'
)


def test_dbt_cloud_is_asked_for_the_job_and_runs_nothing(
    patient: Patient, penstock_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, job, token = penstock_sandbox.url, DBT_CLOUD_JOB_ID, DBT_CLOUD_READ_TOKEN
    monkeypatch.setenv("DBT_CLOUD_TOKEN", token)
    found = patient.examine(dbt=DBT_CLOUD.format(account=1, url=url, job=job)).checks()["dbt"]
    assert (found["outcome"], found["target"]) == ("doubtful", "dbt Cloud, job 44")
    assert "silver and gold" in found["seen"]
    assert "no DuckDB file" in found["seen"]
    assert {request.method for request in penstock_sandbox.log.requests("/dbt_cloud/*")} == {"GET"}
    for account, wrong in ((1, 45), (2, job)):
        ended = patient.examine(dbt=DBT_CLOUD.format(account=account, url=url, job=wrong))
        assert (ended.code, ended.outcomes()["dbt"]) == (1, "failed")
        assert "job_id" in ended.checks()["dbt"]["guidance"]
    monkeypatch.setenv("DBT_CLOUD_TOKEN", SECRET)
    refused = patient.examine(dbt=DBT_CLOUD.format(account=1, url=url, job=job)).checks()["dbt"]
    assert "did not accept the token" in refused["error"]


@pytest.mark.parametrize(
    ("status", "outcome", "words"),
    [
        (200, "ok", "answers"),
        (401, "failed", "did not accept the credentials"),
        (403, "failed", "lack a right"),
        (404, "failed", "nothing at this path"),
        (422, "ok", "not refused"),
        (503, "failed", "not available"),
    ],
)
def test_an_api_is_asked_once_for_a_dataset_and_its_answer_is_understood(
    patient: Patient, status: int, outcome: str, words: str
) -> None:
    with scripted_api(lambda _asked: Answer({}, status)) as api:
        rest = f'{{kind: rest, base_url: "{api.url}/v1", auth: {{kind: bearer, token: {SECRET}}}}}'
        found = patient.examine(rest=rest).checks()["connection acme-rest"]
    assert (found["outcome"], words in found["seen"]) == (outcome, True)
    assert [(asked.method, asked.path) for asked in api.asked] == [("GET", "/v1/orders")]
    assert api.asked[0].headers["Authorization"] == f"Bearer {SECRET}"


def test_a_server_that_never_answers_holds_up_no_other_check(patient: Patient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        ended = patient.examine("--json", "--timeout", "1", rest=f'{{kind: rest, base_url: "http://127.0.0.1:{port}"}}')
    assert ended.outcomes()["connection acme-rest"] == "failed"
    assert ended.outcomes()["store"] == "ok"


def test_a_prefect_api_that_refuses_is_told_apart_from_one_that_is_down(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "0")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert "cannot be reached" in patient.examine().checks()["prefect api"]["error"]
    with scripted_api(lambda _asked: Answer({"detail": SECRET}, 401)) as api:
        monkeypatch.setenv("PREFECT_API_URL", f"{api.url}/api")
        found = patient.examine().checks()
    assert "did not accept the credentials" in found["prefect api"]["error"]
    assert "PREFECT_API_AUTH_STRING" in found["prefect api"]["guidance"]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    import boto3
    from moto.server import ThreadedMotoServer

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    url = f"http://127.0.0.1:{port}"
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=url, **keys).create_bucket(Bucket="doctor-lake")
    yield url
    server.stop()


def test_a_bucket_is_listed_written_read_and_cleaned(patient: Patient, s3: str) -> None:
    import boto3

    def store(bucket: str) -> str:
        return (
            f'{{kind: s3, bucket: {bucket}, prefix: raw, region: us-east-1, endpoint_url: "{s3}", '
            f"access_key_id: AKIA, secret_access_key: {SECRET}}}"
        )

    ended = patient.examine(store=store("doctor-lake"))
    assert ended.checks()["store"] | {"seconds": 0} == {
        "check": "store",
        "target": "s3://doctor-lake/raw",
        "outcome": "ok",
        "seconds": 0,
        "seen": "listed, written, read and removed",
        "error": None,
        "guidance": "",
    }
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    assert boto3.client("s3", endpoint_url=s3, **keys).list_objects_v2(Bucket="doctor-lake")["KeyCount"] == 0
    found = patient.examine(store=store("no-such-lake")).checks()["store"]
    assert "there is no such bucket" in found["error"]
    assert "step=list" in found["error"]


class Postgres:
    """What a probe needs of a warehouse, over a real server."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        cursor = self._connection.execute(sql, parameters or None)
        return Rows(tuple(column.name for column in cursor.description), cursor.fetchall())


@pytest.fixture
def postgres() -> Iterator[Callable[..., Any]]:
    """Connects as a user that is told what it may; the database is the test's own."""
    psycopg = pytest.importorskip("psycopg")
    name = f"doctor_{os.getpid()}"
    try:
        admin = psycopg.connect("host=127.0.0.1 user=postgres dbname=postgres connect_timeout=3", autocommit=True)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL on 127.0.0.1:5432 ({type(error).__name__})")
    admin.execute(f"CREATE DATABASE {name}")
    admin.execute(f"CREATE ROLE {name} LOGIN")
    opened: list[Any] = []

    def connect(*grants: str) -> tuple[Postgres, PostgresConnection]:
        with psycopg.connect(f"host=127.0.0.1 user=postgres dbname={name}", autocommit=True) as own:
            for grant in grants:
                own.execute(grant.format(name=name))
        opened.append(psycopg.connect(f"host=127.0.0.1 user={name} dbname={name}", autocommit=True))
        settings = PostgresConnection(kind="postgres", host="127.0.0.1", database=name, user=name)
        return Postgres(opened[-1]), settings

    yield connect
    for connection in opened:
        connection.close()
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.execute(f"DROP ROLE {name}")
    admin.close()


def test_postgres_says_which_right_is_missing_and_who_grants_it(postgres: Callable[..., Any]) -> None:
    warehouse, settings = postgres()
    with pytest.raises(RejectedError, match="may not create schemas") as caught:
        probe_opened(warehouse, settings)
    grant = f'GRANT CREATE ON DATABASE "{settings.database}" TO "{settings.user}";'
    assert grant in caught.value.guidance

    prepared, _ = postgres("CREATE SCHEMA penstock", "GRANT CREATE ON SCHEMA penstock TO {name}")
    seen = probe_opened(prepared, settings)
    assert (seen.is_doubtful, grant in seen.guidance) == (True, True)

    granted, _ = postgres('GRANT CREATE ON DATABASE "{name}" TO "{name}"')
    seen = probe_opened(granted, settings)
    assert (seen.is_doubtful, seen.note.endswith("may create schemas")) == (False, True)


def test_snowflake_is_asked_through_its_driver() -> None:
    connection = snowflake_connection(compute={"load": "LOADING", "reporting": "PEOPLE"})
    seen = probe_warehouse(connection, timeout_seconds=30)
    assert seen.note.startswith("Snowflake as ")
    assert seen.note.endswith(", on EMULATED")


class Session:
    """What Snowflake answers to the one query of its probe; the emulator lets everybody use everything."""

    def __init__(self, *row: str | None) -> None:
        self.row = row

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        assert "CURRENT_DATABASE()" in sql
        return Rows(("a", "b", "c", "d"), [self.row])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("LOADER", "ELT", None, "LOADING"), "GRANT USAGE ON DATABASE DWH TO ROLE ELT"),
        (("LOADER", "ELT", "DWH", None), "GRANT USAGE ON WAREHOUSE LOADING TO ROLE ELT"),
    ],
)
def test_snowflake_says_which_grant_is_missing(row: tuple[str | None, ...], words: str) -> None:
    with pytest.raises(RejectedError, match="may not use") as caught:
        probe_opened(Session(*row), snowflake_connection(database="DWH", port=1))
    assert words in caught.value.guidance


def test_a_platform_that_is_not_there_is_wrong_usage(patient: Patient) -> None:
    assert patient.examine("--platform", "prod").code == 2
