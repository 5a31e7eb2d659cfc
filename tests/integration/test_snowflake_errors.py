"""What Snowflake refuses: an error of the right kind, which says what to do, and a table that is as it was."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector.errors import OperationalError

from penstock.connections import SnowflakeConnection
from penstock.errors import ConfigurationError, DataError, PenstockError, RejectedError, TransientError
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tasks.warehouses.snowflake.errors import explain
from tests.contract.warehouse_cases import Loader
from tests.fakes.snowflake.connection import snowflake_connection

APPEND = {"kind": "append"}
REFUSED = [
    ("COPY INTO", 630, "Statement reached its statement or warehouse timeout of 3,600 second(s) and was canceled.", RejectedError, None),
    ("COPY INTO", 606, "No active warehouse selected in the current session.  Select an active warehouse with the 'use warehouse' command.", ConfigurationError, "active warehouse"),
    ("INSERT INTO \"ACME", 3001, "SQL access control error:\nInsufficient privileges to operate on table 'REST__ORDERS'", ConfigurationError, "REST__ORDERS"),
    ("UPDATE penstock", 625, "Statement '01b' has locked table 'LOCK' in transaction 1 and this lock has not yet been released.", TransientError, None),
    ("INSERT INTO penstock.loads", 2003, "SQL compilation error:\nObject 'PENSTOCK.LOADS' does not exist or not authorized.", ConfigurationError, "PENSTOCK.LOADS"),
    ("COPY INTO", 91016, "Remote file 'stage://x/y.csv' was not found.", DataError, "not found"),
    ("COPY INTO", 100144, "Invalid UTF8 detected in string '0xFF'", DataError, None),
    ("COMMIT", 604, "SQL execution canceled", TransientError, None),
]  # fmt: skip


def loader_of(connection: SnowflakeConnection, folder: Path) -> Loader:
    return Loader(open_warehouse(connection), LocalStore(folder / "lake"))


def fail_next(connection: SnowflakeConnection, pattern: str, code: int, message: str) -> None:
    """Makes the next statement of the connection's database that matches fail."""
    with (
        snowflake.connector.connect(
            account="acme",
            user="tests",
            password="x",
            host=connection.host,
            port=connection.port,
            protocol="http",
            database=connection.database,
        ) as session,
        session.cursor() as cursor,
    ):
        cursor.execute(f"CALL penstock_test_fail('{pattern}', {code}, '{message.replace(chr(39), chr(39) * 2)}')")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[SnowflakeConnection, Loader]:
    connection = snowflake_connection()
    loader = loader_of(connection, tmp_path_factory.mktemp("snowflake"))
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    return connection, loader


@pytest.mark.parametrize(("pattern", "code", "message", "kind", "told"), REFUSED, ids=lambda value: str(value)[:20])
def test_a_refused_load_is_told_by_its_kind_and_leaves_the_table_as_it_was(
    loaded: tuple[SnowflakeConnection, Loader],
    pattern: str,
    code: int,
    message: str,
    kind: type[PenstockError],
    told: str | None,
) -> None:
    connection, loader = loaded
    fail_next(connection, pattern, code, message)
    plan = loader.plan(APPEND, at=2)
    batch = loader.batch(plan, [{"csv": "id,more\n2,x\n"}])
    ledger, ids = loader.warehouse.loads(), loader.rows(["id"])
    with pytest.raises(kind) as raised:
        loader.warehouse.load(plan, batch, loader.store)
    assert type(raised.value) is kind
    facts = raised.value.context()
    assert facts["error_number"] == code
    assert (told in facts["driver_message"]) if told else (facts.get("driver_message") is None)
    assert pickle.loads(pickle.dumps(raised.value)).context() == facts
    assert (loader.warehouse.loads(), loader.rows(["id"])) == (ledger, ids)


def test_a_connection_that_drops_in_mid_copy_is_transient_and_the_load_can_be_tried_again(tmp_path: Path) -> None:
    connection = snowflake_connection(statement_timeout_seconds=4)
    loader = loader_of(connection, tmp_path)
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    fail_next(connection, "COPY INTO", 0, "")
    plan = loader.plan(APPEND, at=2)
    batch = loader.batch(plan, [{"csv": "id\n2\n"}])
    with pytest.raises(TransientError):
        loader.warehouse.load(plan, batch, loader.store)
    assert loader.rows() == [{"id": "1"}]
    assert loader.warehouse.load(plan, batch, loader.store).outcome == "loaded"
    assert loader.rows() == [{"id": "1"}, {"id": "2"}]


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("bad-password", "refused the credentials"),
        ("bad-key", "refused the credentials"),
        ("expired-token", "OAuth token has expired"),
        ("no-role", "role is not granted"),
    ],
)
def test_a_refused_login_is_not_tried_again_and_says_what_is_wrong(
    user: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    auth: dict[str, Any] = {"kind": "password", "password": "a-secret-word"}
    if user == "expired-token":
        auth = {"kind": "oauth", "token": "a-secret-word"}
    if user == "bad-key":
        auth = {"kind": "key_pair", "private_key": private_key()}
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigurationError, match=message) as raised:
        open_warehouse(snowflake_connection(user=user, auth=auth)).loads()
    assert "a-secret-word" not in f"{raised.value} {raised.value.context()}"


@pytest.mark.parametrize("kind", ["key_pair", "oauth", "password"])
def test_each_way_of_signing_in_loads(kind: str, tmp_path: Path) -> None:
    auth: dict[str, dict[str, Any]] = {
        "key_pair": {"private_key": private_key()},
        "oauth": {"token": "token"},
        "password": {"password": "word"},
    }
    loader = loader_of(snowflake_connection(auth={"kind": kind, **auth[kind]}), tmp_path)
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    assert loader.rows() == [{"id": "1"}]


def test_a_key_that_is_none_is_refused_before_anything_is_asked() -> None:
    connection = snowflake_connection(port=1, auth={"kind": "key_pair", "private_key": "not a key"})
    with pytest.raises(ConfigurationError, match="private key") as raised:
        open_warehouse(connection).loads()
    assert "not a key" not in f"{raised.value!r}{raised.value.context()}"


def test_a_server_that_is_not_there_is_transient() -> None:
    connection = snowflake_connection(port=1, login_timeout_seconds=1)
    with pytest.raises(TransientError, match="cannot be reached"):
        open_warehouse(connection).loads()


def test_an_unknown_error_of_the_network_is_transient_and_an_unknown_statement_is_not() -> None:
    assert isinstance(explain(OperationalError(msg="x", errno=253003)), TransientError)
    assert isinstance(explain(snowflake.connector.errors.ProgrammingError(msg="x", errno=1003)), RejectedError)


def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()
