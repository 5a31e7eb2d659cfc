"""`penstock blocks apply` against a real Prefect API, and a secrets manager that answers over HTTP."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

import deployments.cli

# apprise, which Prefect's notification blocks load, imports it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRETS = {
    "LAKE_SECRET": "sec-lake-1",
    "LAKE_TOKEN": "sec-session-1",
    "GLADLY_TOKEN": "sec-gladly-1",
    "PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\nsec-key-1\n-----END PRIVATE KEY-----",
    "SLACK_URL": "https://hooks.slack.com/services/T00000000/B00000000/secslack1XXXXXXXXXXXXXXX",
}
MARKERS = ("sec-", "secslack")

FILE = """\
version: 1
blocks:
  - type: penstock-s3                # refers to a block that comes later
    name: {prefix}-lake
    values: {{bucket: acme-lake, credentials: {{block: aws-credentials/{prefix}-lake}}}}
  - type: aws-credentials
    name: {prefix}-lake
    values:
      aws_access_key_id: AKIA
      aws_secret_access_key: "${{LAKE_SECRET}}"
      aws_session_token: "${{LAKE_TOKEN}}"
      region_name: "${{REGION:-eu-central-1}}"
      aws_client_parameters: {{endpoint_url: "http://127.0.0.1:5000"}}
  - type: penstock-gladly
    name: {prefix}-gladly
    values: {{organization: acme, email: api@acme.example, token: "${{GLADLY_TOKEN}}"}}
  - type: snowflake-credentials
    name: {prefix}-loader
    values: {{account: acme, user: LOADER, private_key: "${{PRIVATE_KEY}}"}}
  - type: penstock-snowflake
    name: {prefix}-dwh
    values: {{credentials: {{block: snowflake-credentials/{prefix}-loader}}, database: DWH, warehouse: WH}}
  - {{type: slack-webhook, name: {prefix}-alerts, values: {{url: "${{SLACK_URL}}"}}}}
"""

PLATFORM = """\
version: 1
platform: {name}
store: {{block: penstock-s3/{prefix}-lake}}
warehouse: {{kind: duckdb, path: warehouse.duckdb}}
connections: {{acme-gladly: {{block: penstock-gladly/{gladly}}}}}
dbt: {{target: duckdb}}
"""


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def apply(
    tmp_path: Path, prefect_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ended]]:
    """Writes a file and applies it, with the secrets in the environment; nothing shown may hold one of them."""
    (tmp_path / "deployments" / "platforms").mkdir(parents=True)
    monkeypatch.setenv("PENSTOCK_PROJECT", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", prefect_url)
    monkeypatch.setenv("COLUMNS", "200")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def applied(text: str, *options: str) -> Ended:
        path = tmp_path / "blocks.yaml"
        path.write_text(text)
        with pytest.raises(SystemExit) as caught:
            deployments.cli.main(["blocks", "apply", str(path), *options])
        printed = capsys.readouterr()
        for marker in MARKERS:
            assert marker not in printed.out + printed.err
        return Ended(caught.value.code or 0, printed.out, printed.err)  # type: ignore[arg-type]

    with temporary_settings({PREFECT_API_URL: prefect_url}):
        yield applied


def actions(ended: Ended) -> dict[str, str]:
    return {one["block"]: one["action"] for one in json.loads(ended.out)["blocks"]}


def fields(ended: Ended, block: str) -> dict[str, tuple[Any, Any, bool]]:
    found = next(one for one in json.loads(ended.out)["blocks"] if one["block"] == block)
    return {one["field"]: (one["before"], one["after"], one["is_hidden"]) for one in found["fields"]}


def connection(block: str) -> Any:
    from blocks.resolution import resolve_connection
    from penstock.platform import BlockRef

    return resolve_connection(BlockRef(block=block), "x")


def test_blocks_are_created_once_and_left_alone_while_they_are_equal(apply: Callable[..., Ended]) -> None:
    text = FILE.format(prefix="once")
    planned = apply(text, "--dry-run", "--json")
    assert planned.code == 0
    assert set(actions(planned).values()) == {"create"}
    assert list(actions(planned)) == [
        "aws-credentials/once-lake",
        "penstock-s3/once-lake",
        "penstock-gladly/once-gladly",
        "snowflake-credentials/once-loader",
        "penstock-snowflake/once-dwh",
        "slack-webhook/once-alerts",
    ]
    assert set(actions(apply(text, "--dry-run", "--json")).values()) == {"create"}, "a dry run saves nothing"

    shown = apply(text)
    assert shown.code == 0
    assert "aws_secret_access_key: set (not shown)" in shown.out
    assert "aws_session_token: set (not shown)" in shown.out
    assert "6 created, 0 updated, 0 unchanged" in shown.out
    assert set(actions(apply(text, "--json")).values()) == {"unchanged"}

    lake, dwh = connection("penstock-s3/once-lake"), connection("penstock-snowflake/once-dwh")
    assert lake.secret_access_key.get_secret_value() == SECRETS["LAKE_SECRET"]
    assert lake.session_token.get_secret_value() == SECRETS["LAKE_TOKEN"]
    assert (lake.bucket, lake.region, lake.endpoint_url) == ("acme-lake", "eu-central-1", "http://127.0.0.1:5000")
    assert dwh.auth.private_key.get_secret_value() == SECRETS["PRIVATE_KEY"]


def test_no_file_of_the_server_holds_a_secret_in_clear(
    apply: Callable[..., Ended], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert apply(FILE.format(prefix="grep")).code == 0
    kept = [path for path in tmp_path_factory.getbasetemp().glob("prefect*/**/*") if path.is_file()]
    assert any(path.suffix == ".db" for path in kept)
    # prefect-aws declares the session token as plain text, and Prefect's server writes such fields into its events.
    declared = [value for name, value in SECRETS.items() if name != "LAKE_TOKEN"]
    for path in [*kept, tmp_path / "blocks.yaml"]:
        data = path.read_bytes()
        assert [value for value in declared if value.encode() in data] == [], path


def test_a_change_is_shown_and_saved_and_a_secret_only_as_changed(
    apply: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = FILE.format(prefix="change")
    assert apply(text).code == 0
    monkeypatch.setenv("LAKE_SECRET", "sec-lake-2")
    monkeypatch.setenv("LAKE_TOKEN", "sec-session-2")
    monkeypatch.setenv("PRIVATE_KEY", "sec-key-2")
    changed = text.replace("acme-lake,", "acme-lake, prefix: raw,").replace("api@acme", "elt@acme")
    changed = changed.replace("127.0.0.1:5000", "127.0.0.1:6000")
    for options in (("--dry-run", "--json"), ("--json",)):
        ended = apply(changed, *options)
        assert fields(ended, "aws-credentials/change-lake") == {
            "aws_secret_access_key": (None, None, True),
            "aws_session_token": (None, None, True),
            "aws_client_parameters.endpoint_url": ("http://127.0.0.1:5000", "http://127.0.0.1:6000", False),
        }
        assert fields(ended, "penstock-s3/change-lake") == {"prefix": ("", "raw", False)}
        assert fields(ended, "penstock-gladly/change-gladly") == {
            "email": ("api@acme.example", "elt@acme.example", False)
        }
        assert fields(ended, "snowflake-credentials/change-loader") == {"private_key": (None, None, True)}
        assert actions(ended)["penstock-snowflake/change-dwh"] == "unchanged"
    lake = connection("penstock-s3/change-lake")
    assert (lake.prefix, lake.secret_access_key.get_secret_value()) == ("raw", "sec-lake-2")
    assert connection("penstock-snowflake/change-dwh").auth.private_key.get_secret_value() == "sec-key-2"


def test_what_was_changed_by_hand_is_set_back_and_what_the_file_lacks_is_not_deleted(
    apply: Callable[..., Ended],
) -> None:
    from blocks.gladly import GladlyCredentials

    text = FILE.format(prefix="hand")
    assert apply(text).code == 0
    block = GladlyCredentials.load("hand-gladly")
    block.reports_per_minute = 3
    block.save("hand-gladly", overwrite=True)
    only_lake = "\n".join(text.splitlines()[:13])
    assert set(actions(apply(only_lake, "--json"))) == {"aws-credentials/hand-lake", "penstock-s3/hand-lake"}
    assert GladlyCredentials.load("hand-gladly").reports_per_minute == 3
    ended = apply(text, "--json")
    assert fields(ended, "penstock-gladly/hand-gladly") == {"reports_per_minute": ("3", None, False)}
    assert GladlyCredentials.load("hand-gladly").reports_per_minute is None


def test_a_reference_to_another_block_is_followed_and_a_changed_one_is_a_change(apply: Callable[..., Ended]) -> None:
    text = FILE.format(prefix="follow")
    assert apply(text).code == 0
    lake = "version: 1\nblocks:\n  - type: penstock-s3\n    name: follow-lake\n"
    same = apply(
        f"{lake}    values: {{bucket: acme-lake, credentials: {{block: aws-credentials/follow-lake}}}}", "--json"
    )
    assert actions(same) == {"penstock-s3/follow-lake": "unchanged"}
    absent = apply(f"{lake}    values: {{bucket: acme-lake, credentials: {{block: aws-credentials/absent}}}}")
    assert absent.code == 2
    assert "blocks.yaml:5:5" in absent.err
    assert "block=aws-credentials/absent" in absent.err
    none = apply(f"{lake}    values: {{bucket: acme-lake}}", "--json")
    assert fields(none, "penstock-s3/follow-lake") == {"credentials": ("aws-credentials/follow-lake", None, False)}
    assert connection("penstock-s3/follow-lake").access_key_id is None


MISTAKES = """\
version: 1
blocks:
  - type: penstock-s3
    name: lake
    values:
      bucket: ab
      buckett: x
      credentials: {block: snowflake-credentials/lake}
  - type: aws-credentials
    name: lake
    values:
      aws_secret_access_key: sec-literal
      aws_session_token: "sec-${LAKE_TOKEN}"
      aws_client_parameters: {endpoint: "http://127.0.0.1:5000"}
  - {type: penstock-gladdly, name: acme}
  - type: penstock-gladly
    name: acme
    values:
      organization: acme
      requests_per_second: 0
      token: [sec-in-a-list]
  - type: penstock-gladly
    name: acme
    values: {organization: a, email: "${NOT_SET}", token: "${NEITHER_SET}", concurrent_reports: many}
  - {type: slack-webhook, name: alerts, values: {url: {secret: penstock-s3/x}}}
  - {type: penstock-rest, name: api, values: {base_url: "http://x", auth: basic}}
  - {type: webhook, name: hook, values: {url: "${SLACK_URL}", headers: {Authorization: sec-header}}}
  - {type: aws-secret, name: inline, values: {secret_name: x, aws_credentials: {aws_access_key_id: AKIA}}}
"""


def test_every_mistake_is_named_at_once_with_its_place_and_no_secret(apply: Callable[..., Ended]) -> None:
    ended = apply(MISTAKES)
    assert ended.code == 2
    found = [line for line in ended.err.splitlines() if "blocks.yaml:" in line]
    expected = [
        (6, "blocks[0].values.bucket: too short"),
        (7, "blocks[0].values.buckett: unknown key"),
        (8, "blocks[0].values.credentials: a block of this type cannot be used here"),
        (12, "blocks[1].values.aws_secret_access_key: a secret is in the file"),
        (13, "blocks[1].values.aws_session_token: a secret is one reference"),
        (14, "blocks[1].values.aws_client_parameters.endpoint: unknown key"),
        (15, "blocks[2].type: nothing that is installed has such a block type"),
        (18, "blocks[3].values: `email` is missing"),
        (20, "blocks[3].values.requests_per_second: out of range"),
        (21, "blocks[3].values.token: a secret is in the file"),
        (23, "blocks[4]: `penstock-gladly/acme` is given twice"),
        (24, "blocks[4].values.email: `NOT_SET` is not set"),
        (24, "blocks[4].values.token: `NEITHER_SET` is not set"),
        (24, "blocks[4].values.concurrent_reports: not the right sort of value"),
        (25, "blocks[5].values.url: a block of this type cannot be used here"),
        (26, "blocks[6].values: `basic` credentials need username, password"),
        (27, "blocks[7].values.headers.Authorization: a secret is in the file"),
        (28, "blocks[8].values.aws_credentials: another block is named here"),
    ]
    assert [line for line, _ in expected] == [int(one.split("blocks.yaml:")[1].split(":")[0]) for one in found]
    for (_, words), line in zip(expected, found, strict=True):
        assert words in line
    assert ended.err.count("did you mean `bucket`?") == 1
    assert "did you mean `penstock-gladly`?" in ended.err
    assert "`${NAME}`, or `{secret: <block type>/<block name>}`" in ended.err


def test_settings_that_would_make_no_connection_are_refused_before_anything_is_saved(
    apply: Callable[..., Ended],
) -> None:
    text = FILE.format(prefix="pair")
    ended = apply(text.replace("bucket: acme-lake,", "bucket: acme-lake, kms_key_id: k,"))
    assert ended.code == 2
    assert "blocks.yaml:5:5 error blocks[0].values: kms_key_id goes with encryption" in ended.err
    assert set(actions(apply(text, "--dry-run", "--json")).values()) == {"create"}


def test_blocks_that_refer_to_each_other_in_a_circle_are_refused(apply: Callable[..., Ended]) -> None:
    ended = apply(
        "version: 1\nblocks:\n"
        "  - {type: secret, name: a, values: {value: {secret: secret/b}}}\n"
        "  - {type: secret, name: b, values: {value: {secret: secret/a}}}\n"
    )
    assert ended.code == 2
    assert "in a circle" in ended.err


@pytest.fixture(scope="module")
def secrets_manager() -> Iterator[str]:
    """A secrets manager over HTTP, with one secret as JSON and one as text."""
    import boto3
    from moto.server import ThreadedMotoServer

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    url = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "secretsmanager",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="AKIA",
        aws_secret_access_key="x",
    )
    client.create_secret(Name="acme/gladly", SecretString='{"token": "sec-managed-1"}')
    client.create_secret(Name="acme/plain", SecretString="sec-plain-1")
    yield url
    server.stop()


MANAGED = """\
version: 1
blocks:
  - {{type: secret, name: kept, values: {{value: "${{GLADLY_TOKEN}}"}}}}
  - type: aws-credentials
    name: manager
    values:
      aws_access_key_id: AKIA
      aws_secret_access_key: "${{LAKE_SECRET}}"
      region_name: eu-central-1
      aws_client_parameters: {{endpoint_url: "{url}"}}
  - type: aws-secret
    name: acme
    values: {{secret_name: {name}, aws_credentials: {{block: aws-credentials/manager}}}}
  - type: penstock-gladly
    name: kept
    values: {{organization: a, email: e@x.example, token: {{secret: secret/kept}}}}
  - {{type: penstock-gladly, name: managed, values: {{organization: a, email: e@x.example, token: {reference}}}}}
"""
BY_KEY = "{secret: aws-secret/acme, key: token}"


@pytest.mark.parametrize(
    ("name", "reference", "secret"),
    [
        ("acme/gladly", BY_KEY, "sec-managed-1"),
        ("acme/plain", "{secret: aws-secret/acme}", "sec-plain-1"),
    ],
)
def test_a_secret_comes_from_a_secrets_manager(
    apply: Callable[..., Ended], secrets_manager: str, name: str, reference: str, secret: str
) -> None:
    text = MANAGED.format(url=secrets_manager, name=name, reference=reference)
    assert apply(text).code == 0
    assert connection("penstock-gladly/managed").token.get_secret_value() == secret
    assert connection("penstock-gladly/kept").token.get_secret_value() == SECRETS["GLADLY_TOKEN"]
    assert set(actions(apply(text, "--json")).values()) == {"unchanged"}


@pytest.mark.parametrize(
    ("name", "reference", "code", "words"),
    [
        ("acme/gladly", "{secret: aws-secret/acme, key: tokn}", 2, "not JSON with this key"),
        ("acme/plain", BY_KEY, 2, "not JSON with this key"),
        ("acme/absent", BY_KEY, 1, "did not give the secret"),
    ],
)
def test_a_secret_that_is_not_there_stops_before_anything_is_saved(
    apply: Callable[..., Ended], secrets_manager: str, name: str, reference: str, code: int, words: str
) -> None:
    text = MANAGED.format(url=secrets_manager, name=name, reference=reference).replace("name: managed", "name: never")
    ended = apply(text)
    assert (ended.code, words in ended.err) == (code, True)
    from penstock.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match="no such block"):
        connection("penstock-gladly/never")


def test_a_platform_takes_its_own_blocks_and_what_they_refer_to(
    apply: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, gladly in (("dev", "platform-gladly"), ("prod", "platform-absent")):
        text = PLATFORM.format(name=name, prefix="platform", gladly=gladly)
        (tmp_path / "deployments" / "platforms" / f"{name}.yaml").write_text(text)
    for name in ("PRIVATE_KEY", "SLACK_URL"):
        monkeypatch.delenv(name)
    text = FILE.format(prefix="platform")
    assert apply(text).code == 2
    done = apply(text, "--platform", "dev", "--json")
    assert done.code == 0
    assert list(actions(done)) == [
        "aws-credentials/platform-lake",
        "penstock-s3/platform-lake",
        "penstock-gladly/platform-gladly",
    ]
    lacking = apply(text, "--platform", "prod", "--json")
    assert (lacking.code, json.loads(lacking.out)["missing"]) == (1, ["penstock-gladly/platform-absent"])
    assert "Did you mean prod?" in apply(text, "--platform", "prd").err


def test_a_prefect_that_is_down_is_told_with_one_and_wrong_usage_with_two(
    apply: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = FILE.format(prefix="down")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "0")
    ended = apply(text)
    assert ended.code == 1
    assert "Prefect API" in ended.err
    monkeypatch.setenv("PREFECT_API_URL", os.environ["PREFECT_API_URL"])
    assert apply("version: 2\nblocks: []\n").code == 2


def test_the_types_are_registered_for_the_forms_of_a_server(
    apply: Callable[..., Ended], capsys: pytest.CaptureFixture[str]
) -> None:
    from prefect.client.orchestration import get_client

    from blocks.registry import BLOCK_CLASSES

    with pytest.raises(SystemExit) as caught:
        deployments.cli.main(["blocks", "register"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.count("registered penstock-") == len(BLOCK_CLASSES)
    with get_client(sync_client=True) as client:
        for slug in (*BLOCK_CLASSES, "aws-credentials", "snowflake-credentials"):
            assert client.read_block_type_by_slug(slug).slug == slug
