"""What PostgreSQL's errors become, on the real server where it can be brought to them; tables stay as they were."""

from __future__ import annotations

import pickle
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors as driver_errors

from penstock.connections import PostgresConnection
from penstock.errors import ConfigurationError, DataError, PenstockError, RejectedError, TransientError
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tasks.warehouses.postgres import loading
from tasks.warehouses.postgres.errors import BY_CLASS, BY_CODE, explain, meaning_of
from tests.contract.postgres_server import DATABASE, administrator, fresh_postgres, postgres
from tests.contract.warehouse_cases import TARGET, Loader

APPEND = {"kind": "append"}
SECRET = "s3cret-in-a-row"
CODES = sorted(
    kind.sqlstate
    for kind in vars(driver_errors).values()
    if isinstance(kind, type) and issubclass(kind, psycopg.Error) and getattr(kind, "sqlstate", None)
)


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    return make_loader(fresh_postgres(), tmp_path)


def make_loader(connection: PostgresConnection, folder: Path) -> Loader:
    return Loader(open_warehouse(connection), LocalStore(folder / "lake"))


@contextmanager
def role(name: str, *grants: str, **settings: Any) -> Iterator[PostgresConnection]:
    """Gives a connection as a user of its own, with rights; the user goes at the end."""
    name = f"{name}_{DATABASE}"
    with administrator(DATABASE) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'right'")
        try:
            for grant in grants:
                connection.execute(grant.format(role=name, database=DATABASE))
            yield postgres(user=name, **settings)
        finally:
            connection.execute(f"DROP OWNED BY {name}")
            connection.execute(f"DROP ROLE {name}")


def test_the_tables_name_every_class_of_errors_that_the_driver_knows() -> None:
    assert {code[:2] for code in CODES} - {"00", "01"} == set(BY_CLASS)
    assert set(BY_CODE) <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_error_becomes_one_of_ours_without_what_it_quotes(code: str) -> None:
    error = explain(driver_errors.lookup(code)(f"value {SECRET!r} is wrong"))
    assert isinstance(error, PenstockError)
    assert SECRET not in str(error)
    assert error.sqlstate == code
    assert pickle.loads(pickle.dumps(error)).context() == error.context()  # noqa: S301


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ('connection failed: FATAL:  password authentication failed for user "ada"', RejectedError, "password"),
        ("connection failed: fe_sendauth: no password supplied", RejectedError, "password"),
        ('connection failed: FATAL:  role "ada" does not exist', RejectedError, "user"),
        ('connection failed: FATAL:  database "dwh" does not exist', ConfigurationError, "no such database"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "ada"', RejectedError, "pg_hba"),
        ("failed to resolve host 'nowhere': Name or service not known", ConfigurationError, "no such host"),
        ("server does not support SSL, but SSL was required", ConfigurationError, "TLS"),
        ("FATAL:  sorry, too many clients already", TransientError, "room"),
        ("FATAL:  the database system is starting up", TransientError, "starting"),
        ("connection failed: Connection refused", TransientError, "cannot be reached"),
        ("connection timeout expired", TransientError, "cannot be reached"),
        ("consuming input failed: server closed the connection unexpectedly", TransientError, "broke"),
    ],
)
def test_what_is_said_of_a_connection_tells_its_kind(text: str, kind: type[PenstockError], told: str) -> None:
    error = explain(psycopg.OperationalError(text))
    assert type(error) is kind
    assert told in str(error)


@contextmanager
def refusing_server(code: str, text: str) -> Iterator[int]:
    """Serves the wire protocol up to an error that ends the connection, as a server does before it lets anybody in."""
    fields = b"".join(name + value.encode() + b"\0" for name, value in ((b"S", "FATAL"), (b"C", code), (b"M", text)))
    answer = b"E" + struct.pack("!I", len(fields) + 5) + fields + b"\0"

    class Refusal(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while len(head := self.request.recv(8)) == 8:
                length, request = struct.unpack("!II", head)
                if request in {80877103, 80877104}:  # SSLRequest, GSSENCRequest
                    self.request.sendall(b"N")
                    continue
                self.request.recv(length)
                self.request.sendall(answer)
                return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusal) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("code", "text", "kind", "told"),
    [
        ("28P01", 'password authentication failed for user "ada"', RejectedError, "credentials"),
        ("28000", 'no pg_hba.conf entry for host "127.0.0.1", user "ada"', RejectedError, "pg_hba"),
        ("42501", 'permission denied for database "dwh"', RejectedError, "lacks a right"),
        ("3D000", 'database "dwh" does not exist', ConfigurationError, "CREATE DATABASE"),
        ("53300", "sorry, too many clients already", TransientError, "no room"),
        ("57P03", "the database system is starting up", TransientError, "starting"),
    ],
)
def test_a_server_that_lets_nobody_in_is_told_by_why(
    code: str, text: str, kind: type[PenstockError], told: str, tmp_path: Path
) -> None:
    with refusing_server(code, text) as port, pytest.raises(kind, match=told) as raised:
        make_loader(postgres(host="127.0.0.1", port=port, password=SECRET), tmp_path).warehouse.migrate()
    assert type(raised.value) is kind
    assert SECRET not in str(raised.value)


def test_a_server_that_is_not_there_may_come_back(tmp_path: Path) -> None:
    fresh_postgres()
    with pytest.raises(TransientError, match="cannot be reached"):
        make_loader(postgres(port=1), tmp_path).load(APPEND, [{"csv": "id\n1\n"}])


def test_a_database_and_a_host_that_are_not_there_are_wrong_settings(tmp_path: Path) -> None:
    fresh_postgres()
    for settings, told in (({"database": "nowhere"}, "CREATE DATABASE"), ({"host": "nowhere.invalid"}, "host")):
        with pytest.raises(ConfigurationError, match=told):
            make_loader(postgres(**settings), tmp_path).warehouse.migrate()


def test_a_user_who_does_not_exist_is_refused(tmp_path: Path) -> None:
    fresh_postgres()
    with pytest.raises(RejectedError, match="user or the password"):
        make_loader(postgres(user="nobody_at_all", password=SECRET), tmp_path).warehouse.migrate()


def test_a_missing_right_names_the_grant(tmp_path: Path) -> None:
    fresh_postgres(is_new=True)
    with role("without") as connection:
        loader = make_loader(connection, tmp_path)
        with pytest.raises(RejectedError) as raised:
            loader.warehouse.migrate()
        assert raised.value.missing_right == f'GRANT CREATE, TEMPORARY ON DATABASE "{DATABASE}"'
        make_loader(postgres(), tmp_path).warehouse.migrate()
        with pytest.raises(RejectedError) as raised:
            loader.warehouse.loads()
        assert raised.value.missing_right == 'GRANT USAGE, CREATE ON SCHEMA "penstock"'


def test_a_user_with_the_rights_of_the_docs_loads_and_another_without_the_table_does_not(tmp_path: Path) -> None:
    fresh_postgres(is_new=True)
    grants = ("GRANT CREATE, TEMPORARY ON DATABASE {database} TO {role}",)
    with role("rightful", *grants) as connection:
        loader = make_loader(connection, tmp_path)
        loader.load({"kind": "incremental", "keys": ["id"]}, [{"csv": "id\n1\n"}])
        loader.load({"kind": "incremental", "keys": ["id"]}, [{"csv": "id,n\n1,2\n"}], at=2)
        assert loader.rows() == [{"id": "1", "n": "2"}]
        others = (
            "GRANT USAGE ON SCHEMA penstock, acme_bronze TO {role}",
            "GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA penstock TO {role}",
        )
        with role("other", *others) as other:
            with pytest.raises(RejectedError) as raised:
                make_loader(other, tmp_path).load(APPEND, [{"csv": "id\n1\n"}], at=3, batch_id="another")
            assert str(raised.value.missing_right).endswith('ON TABLE "rest__orders"')
        assert len(loader.warehouse.loads()) == 2


def test_a_statement_that_takes_too_long_changes_nothing_and_is_not_tried_again(tmp_path: Path) -> None:
    loader = make_loader(fresh_postgres(), tmp_path)
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    slow = make_loader(postgres(statement_timeout_seconds=1), tmp_path)
    with administrator(DATABASE) as connection:
        connection.execute(
            "CREATE FUNCTION acme_bronze.wait() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_sleep(5); RETURN NEW; END'"
        )
        connection.execute(
            f"CREATE TRIGGER slow BEFORE INSERT ON {TARGET} FOR EACH ROW EXECUTE FUNCTION acme_bronze.wait()"
        )
    with pytest.raises(RejectedError, match="statement_timeout_seconds"):
        slow.load(APPEND, [{"csv": "id\n2\n"}], at=2, batch_id="slow")
    assert loader.rows() == [{"id": "1"}]
    assert len(loader.warehouse.loads()) == 1


@pytest.mark.parametrize("body", ["csv", "jsonl"])
def test_a_connection_that_is_ended_in_mid_copy_leaves_the_table_and_the_load_can_be_tried_again(
    body: str, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    big = "".join(f"{number}\n" if body == "csv" else f'{{"id": {number}}}\n' for number in range(400_000))
    plan = loader.plan(APPEND, at=2)
    batch = loader.batch(plan, [{body: f"id\n{big}" if body == "csv" else big}])
    copy_in = loading.Sql.copy_in

    def end_after_the_first_block(sql: Any, statement: str, chunks: Iterator[bytes]) -> int:
        def cut() -> Iterator[bytes]:
            yield next(chunks)
            with administrator() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = %s AND application_name = 'penstock' AND query LIKE 'COPY%%'",
                    [DATABASE],
                )
            yield from chunks

        return copy_in(sql, statement, cut())

    with monkeypatch.context() as patched:
        patched.setattr(loading.Sql, "copy_in", end_after_the_first_block)
        with pytest.raises(TransientError):
            loader.warehouse.load(plan, batch, loader.store)
    assert loader.rows() == [{"id": "1"}]
    assert len(loader.warehouse.loads()) == 1
    assert loader.warehouse.load(plan, batch, loader.store).rows_landed == 400_000


def test_a_deadlock_leaves_the_table_and_the_load_can_be_tried_again(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    plan = loader.plan(APPEND, at=2)
    batch = loader.batch(plan, [{"csv": "id\n2\n"}])
    record = loading.record
    with administrator(DATABASE) as other, monkeypatch.context() as patched:
        other.execute("SET deadlock_timeout = '60s'")  # the load finds it first, and is the one that is ended
        other.execute("BEGIN; LOCK TABLE penstock.files")
        waiting = threading.Thread(target=other.execute, args=(f"LOCK TABLE {TARGET}",))

        def record_when_the_other_waits(state: Any) -> Any:
            waiting.start()
            asked = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"
            with administrator(DATABASE) as watcher:
                while not watcher.execute(asked, [other.info.backend_pid]).fetchall():
                    waiting.join(0.01)
            return record(state)

        patched.setattr(loading, "record", record_when_the_other_waits)
        with pytest.raises(TransientError) as raised:
            loader.warehouse.load(plan, batch, loader.store)
        waiting.join()
    assert raised.value.sqlstate == "40P01"
    assert loader.rows() == [{"id": "1"}]
    assert loader.warehouse.load(plan, batch, loader.store).rows_landed == 1


def test_a_value_that_does_not_fit_a_typed_column_is_not_quoted(loader: Loader) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n"}], at=1)
    with administrator(DATABASE) as connection:
        connection.execute(f"ALTER TABLE {TARGET} ALTER COLUMN id TYPE integer USING id::integer")
    with pytest.raises(DataError, match="does not fit") as raised:
        loader.load(APPEND, [{"csv": f"id\n{SECRET}\n"}], at=2)
    assert SECRET not in str(raised.value)
    assert loader.rows() == [{"id": 1}]


def test_a_key_that_no_index_can_hold_is_told(loader: Loader) -> None:
    import random

    chance = random.Random(1)  # noqa: S311
    key = "".join(chance.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=9000))
    with pytest.raises(DataError, match="larger than PostgreSQL can hold"):
        loader.load({"kind": "incremental", "keys": ["id"]}, [{"csv": f"id\n{key}\n"}])
    assert not loader.is_there()


def test_a_wrong_query_is_answered_in_the_servers_words_but_without_values(loader: Loader) -> None:
    loader.load(APPEND, [{"csv": f"id\n{SECRET}\n"}])
    with pytest.raises(RejectedError) as raised:
        loader.warehouse.query(f"SELECT nmae FROM {TARGET}")
    assert 'column "nmae" does not exist' in str(raised.value.driver_message)
    with pytest.raises(DataError) as failed:
        loader.warehouse.query(f"SELECT id::integer FROM {TARGET}")
    assert SECRET not in str(failed.value)
    with pytest.raises(RejectedError, match="only reads"):
        loader.warehouse.query(f"COMMIT; DELETE FROM {TARGET}")
    assert loader.rows() == [{"id": SECRET}]


def test_a_question_mark_that_is_no_parameter_stays(loader: Loader) -> None:
    query = "SELECT '?' || ? || \"a?\" /* ? */ FROM (SELECT 'c'::text AS \"a?\") AS s -- ?"
    assert loader.warehouse.query(query, ["b"]).rows == [("?bc",)]


def test_meanings_do_not_depend_on_what_a_message_quotes() -> None:
    error = driver_errors.InvalidTextRepresentation("invalid input: database nowhere does not exist")
    assert meaning_of(error).kind is DataError
