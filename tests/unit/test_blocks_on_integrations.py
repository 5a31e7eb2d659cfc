"""The blocks that nest prefect-aws's and prefect-snowflake's credentials, against the connections that they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prefect_aws.credentials import AwsCredentials
from prefect_snowflake.credentials import SnowflakeCredentials

from blocks.resolution import resolve_connection
from blocks.s3 import S3Store
from blocks.snowflake import SnowflakeDatabase
from penstock.connections import S3Connection, SnowflakeConnection
from penstock.errors import ConfigurationError
from penstock.platform import BlockRef

SECRET = "never-to-be-seen"
KEY = "-----BEGIN PRIVATE KEY-----\nbmV2ZXItdG8tYmUtc2Vlbg==\n-----END PRIVATE KEY-----\n"
SNOWFLAKE: dict[str, Any] = {"account": "acme-eu", "user": "LOADER"}
COMPUTE = {"load": "LOAD_WH", "load_large": None, "transform": None, "reporting": None}


def revealed(connection: Any) -> dict[str, Any]:
    def shown(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shown(one) for name, one in value.items()}
        return value.get_secret_value() if hasattr(value, "get_secret_value") else value

    return {name: value for name, value in shown(connection.model_dump()).items() if value is not None}


def test_an_s3_block_holds_its_bucket_and_all_of_its_credentials() -> None:
    credentials = AwsCredentials(
        aws_access_key_id="AKIA",
        aws_secret_access_key=SECRET,
        aws_session_token=f"{SECRET}-token",
        region_name="eu-central-1",
        assume_role_arn="arn:aws:iam::123456789012:role/loader",
        assume_role_kwargs={"ExternalId": f"{SECRET}-id", "RoleSessionName": "penstock"},
        aws_client_parameters={"endpoint_url": "http://127.0.0.1:5000"},
    )
    block = S3Store(
        bucket="acme-lake",
        prefix="raw",
        credentials=credentials,
        addressing="virtual",
        sts_endpoint_url="http://127.0.0.1:5001",
        encryption="aws:kms",
        kms_key_id="k",
        acl="private",
    )
    connection = block.to_connection()
    expected = {
        "kind": "s3",
        "bucket": "acme-lake",
        "prefix": "raw",
        "region": "eu-central-1",
        "endpoint_url": "http://127.0.0.1:5000",
        "access_key_id": "AKIA",
        "secret_access_key": SECRET,
        "session_token": f"{SECRET}-token",
        "role_arn": "arn:aws:iam::123456789012:role/loader",
        "external_id": f"{SECRET}-id",
        "addressing": "virtual",
        "sts_endpoint_url": "http://127.0.0.1:5001",
        "encryption": "aws:kms",
        "kms_key_id": "k",
        "acl": "private",
    }
    assert expected.keys() == S3Connection.model_fields.keys() - {"profile"}, "what a file can say, a block can say"
    assert revealed(connection) == expected
    assert SECRET not in repr(connection) + str(connection)


def test_a_profile_of_the_worker_stands_in_for_keys() -> None:
    block = S3Store(bucket="acme-lake", credentials=AwsCredentials(profile_name="acme"))
    assert block.to_connection() == S3Connection(kind="s3", bucket="acme-lake", profile="acme")


def test_settings_that_do_not_go_together_are_told_with_the_block_and_no_secret() -> None:
    class Stored(S3Store):
        _block_type_slug = "penstock-test-stored"

        @classmethod
        def load(cls, name: str, **options: Any) -> Any:
            return S3Store(bucket="acme-lake", credentials=AwsCredentials(aws_secret_access_key=SECRET))

    with pytest.raises(ConfigurationError, match="do not go together") as caught:
        resolve_connection(BlockRef(block="penstock-s3/lake"), "store", find_type=lambda slug: Stored)
    assert caught.value.reason == "access_key_id and secret_access_key are given together"
    assert (caught.value.block, caught.value.__cause__) == ("penstock-s3/lake", None)
    assert SECRET not in str(caught.value)


def test_an_s3_block_without_credentials_leaves_them_to_the_worker() -> None:
    assert S3Store(bucket="acme-lake").to_connection() == S3Connection(kind="s3", bucket="acme-lake")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"aws_client_parameters": {"verify": False}}, "aws_client_parameters.verify"),
        ({"aws_client_parameters": {"config": {"retries": {"mode": "standard"}}}}, "aws_client_parameters.config"),
        ({"aws_client_parameters": {"use_ssl": False}}, "aws_client_parameters.use_ssl"),
        ({"assume_role_kwargs": {"Policy": "{}"}}, "assume_role_kwargs.Policy"),
    ],
)
def test_settings_that_the_store_would_not_follow_are_refused(settings: dict[str, Any], named: str) -> None:
    block = S3Store(bucket="acme-lake", credentials=AwsCredentials(**settings))
    with pytest.raises(ConfigurationError, match="does not use") as caught:
        block.to_connection()
    assert caught.value.settings == named


@pytest.mark.parametrize(
    ("credentials", "auth"),
    [
        ({"password": SECRET}, {"kind": "password", "password": SECRET}),
        ({"authenticator": "oauth", "token": SECRET}, {"kind": "oauth", "token": SECRET}),
        ({"private_key": KEY.encode()}, {"kind": "key_pair", "private_key": KEY, "passphrase": None}),
        (
            {"private_key": KEY.encode(), "private_key_passphrase": SECRET, "authenticator": "snowflake_jwt"},
            {"kind": "key_pair", "private_key": KEY, "passphrase": SECRET},
        ),
    ],
)
def test_a_snowflake_block_holds_each_way_to_sign_in(credentials: dict[str, Any], auth: dict[str, Any]) -> None:
    block = SnowflakeDatabase(
        credentials=SnowflakeCredentials(**SNOWFLAKE, **credentials, role="CRED_ROLE"),
        database="ANALYTICS",
        warehouse="LOAD_WH",
    )
    connection = block.to_connection()
    assert revealed(connection)["auth"] == auth
    assert (connection.account, connection.user, connection.role) == ("acme-eu", "LOADER", "CRED_ROLE")
    assert (connection.stage.kind, connection.stage.name) == ("internal", "penstock_lake")
    assert connection.compute.model_dump().items() >= COMPUTE.items()
    assert SECRET not in repr(connection) + repr(block) + block.model_dump_json()


def test_a_snowflake_block_holds_what_computes_and_where_files_are() -> None:
    block = SnowflakeDatabase(
        credentials=SnowflakeCredentials(**SNOWFLAKE, password=SECRET, role="CRED_ROLE"),
        database="ANALYTICS",
        role="OWN_ROLE",
        warehouse="LOAD_WH",
        warehouse_for_large_loads="BIG_WH",
        warehouse_for_transform="DBT_WH",
        warehouse_for_reporting="BI_WH",
        stage="lake",
        storage_integration="S3_INT",
        statement_timeout_seconds=60,
        login_timeout_seconds=5,
        host="127.0.0.1",
        port=8080,
        protocol="http",
    )
    expected = SnowflakeConnection.model_validate(
        {
            "kind": "snowflake",
            "account": "acme-eu",
            "user": "LOADER",
            "auth": {"kind": "password", "password": SECRET},
            "database": "ANALYTICS",
            "role": "OWN_ROLE",
            "compute": {"load": "LOAD_WH", "load_large": "BIG_WH", "transform": "DBT_WH", "reporting": "BI_WH"},
            "stage": {"kind": "external", "name": "lake", "storage_integration": "S3_INT"},
            "statement_timeout_seconds": 60,
            "login_timeout_seconds": 5,
            "host": "127.0.0.1",
            "port": 8080,
            "protocol": "http",
        }
    )
    assert block.to_connection() == expected


def test_a_private_key_in_a_file_is_read_when_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "key.p8"
    credentials = SnowflakeCredentials(**SNOWFLAKE, private_key_path=path)
    block = SnowflakeDatabase(credentials=credentials, database="A", warehouse="W")
    with pytest.raises(ConfigurationError, match="key's file") as caught:
        block.to_connection()
    assert caught.value.path == str(path)
    path.write_text(KEY)
    assert revealed(block.to_connection())["auth"]["private_key"] == KEY


def test_credentials_that_need_a_person_are_refused() -> None:
    credentials = SnowflakeCredentials(**SNOWFLAKE, authenticator="externalbrowser")
    with pytest.raises(ConfigurationError, match="does not use") as caught:
        SnowflakeDatabase(credentials=credentials, database="A", warehouse="W").to_connection()
    assert caught.value.authenticator == "externalbrowser"
