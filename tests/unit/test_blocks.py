from __future__ import annotations

import inspect
import re
import subprocess
import sys
from typing import Any

import pytest
from pydantic import TypeAdapter

from blocks.base import ConnectionBlock
from blocks.catalog import BLOCK_TYPES
from blocks.dbt_cloud import DbtCloudAccount
from blocks.duckdb_file import DuckDBFile
from blocks.folder import FolderStore
from blocks.gladly import GladlyCredentials
from blocks.postgres import PostgresDatabase
from blocks.resolution import resolve_connection
from blocks.rest import RestCredentials
from blocks.sftp import SftpServer
from blocks.sprout_social import SproutSocialCredentials
from penstock.connections import (
    Connection,
    DbtCloudConnection,
    DuckDBConnection,
    FolderConnection,
    GladlyConnection,
    PostgresConnection,
    RateLimit,
    SftpConnection,
    SproutSocialConnection,
    StoreConnection,
    WarehouseConnection,
    kinds_of,
)
from penstock.errors import ConfigurationError
from penstock.platform import BlockRef, block_type_of

SECRET = "never-to-be-seen"
GLADLY = {"organization": "acme", "email": "api@acme.example", "token": SECRET}
REST: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "none": ({}, {"kind": "none"}),
    "basic": (
        {"username": "me", "password": SECRET},
        {"kind": "basic", "username": "me", "password": SECRET},
    ),
    "bearer": ({"token": SECRET}, {"kind": "bearer", "token": SECRET}),
    "api_key": (
        {"api_key_name": "X-Key", "api_key": SECRET, "api_key_location": "query"},
        {"kind": "api_key", "name": "X-Key", "value": SECRET, "location": "query"},
    ),
    "api_key_pair": (
        {"api_key_name": "X-Key", "api_key": SECRET, "second_api_key_name": "X-App", "second_api_key": SECRET},
        {"kind": "api_key_pair", "name": "X-Key", "value": SECRET, "second_name": "X-App", "second_value": SECRET},
    ),
    "oauth2": (
        {"token_url": "https://id.example.com/token", "client_id": "me", "client_secret": SECRET, "scope": "read"},
        {
            "kind": "oauth2",
            "token_url": "https://id.example.com/token",
            "client_id": "me",
            "client_secret": SECRET,
            "scope": "read",
            "secret_in": "body",
            "parameters": {},
        },
    ),
}


@pytest.mark.parametrize("slug", sorted(BLOCK_TYPES))
def test_each_block_follows_prefects_standards(slug: str) -> None:
    block = BLOCK_TYPES[slug]
    assert re.fullmatch(r"penstock-[a-z0-9-]+", slug)
    assert (block._block_type_slug, block.get_block_type_slug()) == (slug, slug)
    assert block._block_type_name
    assert block._block_type_name.startswith("Penstock ")
    assert f"{block.__name__}.load(" in inspect.getdoc(block)
    for name, field in block.model_fields.items():
        assert field.title, name
        assert field.description, name

    assert str(block._documentation_url).startswith("https://")
    assert block.get_description()


def test_every_kind_of_connection_has_a_block() -> None:
    kinds = {*kinds_of(Connection), *kinds_of(StoreConnection), *kinds_of(WarehouseConnection)}
    kinds |= set(kinds_of(DbtCloudConnection))
    assert {block_type_of(kind) for kind in kinds} == set(BLOCK_TYPES)
    assert {BlockRef(block=f"{block_type_of(kind)}/any").kind for kind in kinds} == kinds


def test_prefect_knows_the_blocks_and_not_their_base() -> None:
    from prefect.blocks.core import Block
    from prefect.utilities.dispatch import get_registry_for_type

    known = get_registry_for_type(Block) or {}
    assert set(BLOCK_TYPES) <= set(known)
    assert ConnectionBlock not in known.values()


def test_prefect_finds_all_types_by_the_entry_point_that_its_server_loads() -> None:
    from importlib.metadata import entry_points

    (entry,) = entry_points(group="prefect.collections", name="penstock")
    assert entry.load().BLOCK_TYPES is BLOCK_TYPES


def test_secrets_are_fields_that_prefect_encrypts_and_masks() -> None:
    assert GladlyCredentials.model_json_schema()["secret_fields"] == ["token"]
    assert set(RestCredentials.model_json_schema()["secret_fields"]) == {
        "password",
        "token",
        "api_key",
        "second_api_key",
        "client_secret",
    }
    blocks = [GladlyCredentials(**GLADLY)] + [
        RestCredentials(base_url="https://api.example.com", auth=auth, **fields) for auth, (fields, _) in REST.items()
    ]
    for block in blocks:
        assert SECRET not in repr(block) + str(block) + block.model_dump_json() + repr(block.to_connection())


def test_an_sftp_block_holds_its_connection() -> None:
    given = {"host": "sftp.example.com", "username": "acme", "password": SECRET, "host_keys": ["SHA256:" + "a" * 43]}
    block = SftpServer(**given, path="/out/", private_key=SECRET)
    assert block.to_connection() == SftpConnection.model_validate(
        {"kind": "sftp", **given, "path": "/out", "private_key": SECRET}
    )
    assert SECRET not in repr(block)


def test_a_gladly_block_holds_its_connection() -> None:
    block = GladlyCredentials(**GLADLY, reports_per_minute=30)
    expected = GladlyConnection.model_validate({"kind": "gladly", **GLADLY, "reports_per_minute": 30})
    assert block.to_connection() == expected
    assert block.to_connection().token.get_secret_value() == SECRET


def test_a_dbt_cloud_block_holds_its_connection() -> None:
    given: dict[str, Any] = {"account_id": 7, "token": SECRET, "base_url": "https://ab123.us1.dbt.com"}
    block = DbtCloudAccount(**given)
    assert block.to_connection() == DbtCloudConnection.model_validate({"kind": "dbt_cloud", **given})
    assert DbtCloudAccount(account_id=7, token=SECRET).to_connection().base_url == "https://cloud.getdbt.com"
    assert DbtCloudAccount.model_json_schema()["secret_fields"] == ["token"]
    assert SECRET not in repr(block) + block.model_dump_json() + repr(block.to_connection())


@pytest.mark.parametrize("credentials", [{"token": SECRET}, {"client_id": "me", "client_secret": SECRET}])
def test_a_sprout_social_block_holds_its_connection(credentials: dict[str, str]) -> None:
    given = {**credentials, "customer_id": 7, "requests_per_minute": 30}
    block = SproutSocialCredentials(**given)
    assert block.to_connection() == SproutSocialConnection.model_validate({"kind": "sprout_social", **given})
    assert set(SproutSocialCredentials.model_json_schema()["secret_fields"]) == {"token", "client_secret"}
    assert SECRET not in repr(block) + block.model_dump_json() + repr(block.to_connection())
    assert set(SproutSocialConnection.model_fields) - {"kind"} == set(SproutSocialCredentials.model_fields)


@pytest.mark.parametrize("auth", REST)
def test_a_rest_block_holds_each_kind_of_credentials(auth: Any) -> None:
    fields, expected = REST[auth]
    block = RestCredentials(base_url="https://api.example.com", auth=auth, **fields, rate_limit_requests=5)
    connection = block.to_connection()
    assert connection.rate_limit == RateLimit(requests=5, seconds=1)
    assert connection.auth == TypeAdapter(type(connection.auth)).validate_python(expected)


@pytest.mark.parametrize("auth", [auth for auth in REST if auth != "none"])
def test_a_rest_block_without_what_its_credentials_need_names_it(auth: Any) -> None:
    fields, _ = REST[auth]
    missing = next(iter(fields))
    with pytest.raises(ValueError, match=missing):
        RestCredentials(
            base_url="https://x.example", auth=auth, **{name: fields[name] for name in fields if name != missing}
        )


DECLARED = {
    "penstock-anthropic": {"api_key": SECRET},
    "penstock-copilot": {"token": SECRET, "organizations": ["orbit", "orbit-labs"], "enterprise": "orbit-group"},
    "penstock-cursor": {"api_key": SECRET},
    "penstock-litellm": {"api_key": SECRET},
    "penstock-openai": {"api_key": SECRET},
    "penstock-sourcegraph": {"token": SECRET, "instance_url": "https://sg.example.com"},
    "penstock-windsurf": {"service_key": SECRET, "group_name": "platform"},
}


@pytest.mark.parametrize("slug", DECLARED)
def test_an_ai_tools_block_holds_every_setting_of_its_connection(slug: str) -> None:
    settings = {"base_url": "https://proxy.example.com", "requests_per_minute": 7, **DECLARED[slug]}
    block = BLOCK_TYPES[slug](**settings)
    kind = slug.removeprefix("penstock-")
    assert block.to_connection() == TypeAdapter(Connection).validate_python({"kind": kind, **settings})
    assert set(settings) == set(BLOCK_TYPES[slug].model_fields)
    [secret] = block.model_json_schema()["secret_fields"]
    assert settings[secret] == SECRET
    assert SECRET not in repr(block) + block.model_dump_json() + repr(block.to_connection())


def test_a_folder_block_holds_its_path() -> None:
    assert FolderStore(path="/srv/drops").to_connection() == FolderConnection(kind="folder", path="/srv/drops")


def test_warehouse_blocks_hold_every_setting_of_their_connection() -> None:
    duckdb = {"path": "/srv/w.duckdb", "memory_limit": "1GB", "threads": 2, "lock_timeout_seconds": 5.0}
    assert DuckDBFile(**duckdb).to_connection() == DuckDBConnection.model_validate({"kind": "duckdb", **duckdb})
    postgres = {
        "host": "db.example.com",
        "port": 5433,
        "database": "analytics",
        "user": "loader",
        "password": SECRET,
        "sslmode": "verify-full",
        "sslrootcert": "/etc/ssl/ca.pem",
        "connect_timeout_seconds": 5,
        "statement_timeout_seconds": 60,
        "lock_timeout_seconds": 7.0,
    }
    assert set(postgres) | {"kind"} == set(PostgresConnection.model_fields)
    held = PostgresDatabase(**postgres).to_connection()
    assert held == PostgresConnection.model_validate({"kind": "postgres", **postgres})


class Stored(ConnectionBlock):
    """Prefect's answers without a server: one block, and the error that Prefect raises for any other."""

    _block_type_slug = "penstock-stored"

    path: str = "/srv"

    def to_connection(self) -> FolderConnection:
        return FolderConnection(kind="folder", path=self.path)

    @classmethod
    def load(cls, name: str, **options: Any) -> Any:
        assert options == {"_sync": True}
        if name != "drops":
            raise ValueError(f"Unable to find block document named {name} for block type penstock-stored")
        return cls(path="/srv/drops")


def test_inline_settings_are_the_connection() -> None:
    inline = FolderConnection(kind="folder", path="/srv")
    assert resolve_connection(inline, "acme-drops") is inline


def test_a_reference_is_loaded_through_its_own_type() -> None:
    found = resolve_connection(
        BlockRef(block="penstock-stored/drops"), "acme-drops", find_type={"penstock-stored": Stored}.__getitem__
    )
    assert found == FolderConnection(kind="folder", path="/srv/drops")


def test_a_block_that_is_not_there_names_connection_and_block() -> None:
    with pytest.raises(ConfigurationError, match="no such block") as caught:
        resolve_connection(
            BlockRef(block="penstock-stored/other"), "acme-drops", find_type={"penstock-stored": Stored}.__getitem__
        )
    assert (caught.value.connection, caught.value.block) == ("acme-drops", "penstock-stored/other")


def test_a_block_that_holds_something_else_than_is_needed_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="another kind of connection") as caught:
        resolve_connection(
            BlockRef(block="penstock-stored/drops"),
            "warehouse",
            accepted=(DuckDBConnection, PostgresConnection),
            find_type={"penstock-stored": Stored}.__getitem__,
        )
    assert "penstock-duckdb or penstock-postgres" in str(caught.value)


def test_an_unknown_block_type_is_told_the_nearest_one() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean penstock-gladly"):
        resolve_connection(BlockRef(block="penstock-gladdly/acme"), "acme-gladly")


@pytest.mark.parametrize("slug", ["penstock-gladly", "penstock-duckdb", "penstock-postgres"])
def test_a_block_type_is_found_without_the_integrations_of_prefect(slug: str) -> None:
    code = (
        "import sys; from blocks.registry import block_type;"
        f"block_type({slug!r}); print(sorted({{'prefect_aws', 'prefect_snowflake', 'boto3'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_inline_connections_are_resolved_without_prefect() -> None:
    code = (
        "import sys; from blocks.resolution import resolve_connection;"
        "from penstock.connections import FolderConnection;"
        "resolve_connection(FolderConnection(kind='folder', path='/srv'), 'x'); print('prefect' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
