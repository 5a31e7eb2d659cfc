"""Blocks that a real Prefect API keeps, as stores, warehouses and connections of a platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.connections import DbtCloudConnection, GladlyConnection, S3Connection, SnowflakeConnection
from penstock.errors import ConfigurationError, RejectedError, TransientError
from penstock.platform import BlockRef, DbtCloudJob, DbtTarget, PlatformSpec
from tasks.environment import Environment
from tests.fakes.scripted_api import Answer, scripted_api

SECRET = "never-to-be-seen"


@pytest.fixture(autouse=True)
def prefect(prefect_url: str) -> Iterator[None]:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: prefect_url}):
        yield


def platform(**settings: str) -> Environment:
    references = {name: BlockRef(block=block) for name, block in settings.items()}
    fields = {"store": {"kind": "folder", "path": "x"}, "warehouse": {"kind": "duckdb", "path": "x"}, **references}
    return Environment(PlatformSpec(version=1, platform="prod", dbt=DbtTarget(target="prod"), **fields))


def test_a_rotated_secret_is_seen_by_the_next_resolution_also_in_a_nested_block() -> None:
    from prefect_aws.credentials import AwsCredentials
    from prefect_snowflake.credentials import SnowflakeCredentials

    from blocks.gladly import GladlyCredentials
    from blocks.resolution import resolve_connection
    from blocks.s3 import S3Store
    from blocks.snowflake import SnowflakeDatabase

    def save(secret: str) -> tuple[AwsCredentials, SnowflakeCredentials]:
        aws = AwsCredentials(aws_access_key_id="AKIA", aws_secret_access_key=secret, region_name="eu-central-1")
        aws.save("lake", overwrite=True)
        snowflake = SnowflakeCredentials(account="acme", user="LOADER", private_key=secret.encode())
        snowflake.save("loader", overwrite=True)
        GladlyCredentials(organization="acme", email="a@b.example", token=secret).save("rotated", overwrite=True)
        return aws, snowflake

    aws, snowflake = save("first")
    S3Store(bucket="acme-lake", credentials=aws).save("lake", overwrite=True)
    SnowflakeDatabase(credentials=snowflake, database="DWH", warehouse="WH").save("dwh", overwrite=True)
    for secret in ("first", "second"):
        save(secret)
        store = resolve_connection(BlockRef(block="penstock-s3/lake"), "store")
        warehouse = resolve_connection(BlockRef(block="penstock-snowflake/dwh"), "warehouse")
        gladly = resolve_connection(BlockRef(block="penstock-gladly/rotated"), "acme-gladly")
        assert isinstance(store, S3Connection)
        assert isinstance(warehouse, SnowflakeConnection)
        assert isinstance(gladly, GladlyConnection)
        assert store.secret_access_key is not None
        assert warehouse.auth.kind == "key_pair"
        found = (store.secret_access_key, warehouse.auth.private_key, gladly.token)
        assert [one.get_secret_value() for one in found] == [secret] * 3


def test_store_and_warehouse_of_a_platform_are_opened_from_blocks(tmp_path: Path) -> None:
    from blocks.duckdb_file import DuckDBFile
    from blocks.folder import FolderStore

    FolderStore(path=str(tmp_path / "lake")).save("opened", overwrite=True)
    DuckDBFile(path=str(tmp_path / "w.duckdb")).save("opened", overwrite=True)
    environment = platform(store="penstock-folder/opened", warehouse="penstock-duckdb/opened")
    with environment.lake().open_write("ingest/a") as file:
        file.write(b"whole")
    environment.warehouse().migrate()
    assert (tmp_path / "lake" / "ingest" / "a").read_bytes() == b"whole"
    assert environment.warehouse().loads() == []


def test_a_block_of_another_kind_as_the_store_is_refused_when_the_file_is_read() -> None:
    with pytest.raises(ValueError, match="`penstock-gladly` cannot be used here") as caught:
        platform(store="penstock-gladly/acme")
    assert "penstock-folder, penstock-s3" in str(caught.value)


def test_a_missing_block_and_one_that_lacks_a_setting_say_so_without_a_secret() -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import BlockDocumentUpdate

    from blocks.gladly import GladlyCredentials
    from blocks.resolution import resolve_connection

    with pytest.raises(ConfigurationError, match="no such block"):
        resolve_connection(BlockRef(block="penstock-gladly/absent"), "acme-gladly")

    block = GladlyCredentials(organization="acme", email="a@b.example", token=SECRET)
    identifier = block.save("incomplete", overwrite=True)
    with get_client(sync_client=True) as client:
        # As a block is that was saved before a field became required.
        client.update_block_document(
            identifier, BlockDocumentUpdate(data={"organization": "acme", "token": SECRET}, merge_existing_data=False)
        )
    with pytest.raises(ConfigurationError, match="cannot be used as they are") as caught:
        resolve_connection(BlockRef(block="penstock-gladly/incomplete"), "acme-gladly")
    assert caught.value.settings == "email"
    assert caught.value.__cause__ is None
    assert SECRET not in str(caught.value)


def test_a_prefect_api_that_is_down_or_refuses_is_told_apart() -> None:
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    from blocks.resolution import resolve_connection

    reference = BlockRef(block="penstock-gladly/acme")
    closed = temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0})
    with closed, pytest.raises(TransientError, match="cannot be reached"):
        resolve_connection(reference, "acme-gladly")
    for status, message in ((401, "did not accept the credentials"), (403, "lack a right")):
        with (
            scripted_api(lambda _asked, status=status: Answer({"detail": "no"}, status)) as api,
            temporary_settings({PREFECT_API_URL: f"{api.url}/api", PREFECT_CLIENT_MAX_RETRIES: 0}),
            pytest.raises(RejectedError, match=message),
        ):
            resolve_connection(reference, "acme-gladly")


def test_a_dbt_cloud_account_in_a_block_is_found_and_applied_with_its_platform() -> None:
    from blocks.dbt_cloud import DbtCloudAccount
    from deployments.block_files.applying import references_of

    DbtCloudAccount(account_id=7, token=SECRET).save("acme", overwrite=True)
    core = platform()
    job = DbtCloudJob(engine="cloud", connection=BlockRef(block="penstock-dbt-cloud/acme"), job_id=44)
    in_cloud = Environment(core.platform.model_copy(update={"dbt": job}))
    found = in_cloud.dbt_cloud()
    assert isinstance(found, DbtCloudConnection)
    assert (found.account_id, found.token.get_secret_value()) == (7, SECRET)
    assert [one.block for one in references_of(in_cloud.platform)] == ["penstock-dbt-cloud/acme"]
    with pytest.raises(ConfigurationError, match="does not build in dbt Cloud"):
        core.dbt_cloud()
