"""Tables of real servers, with the values that trip readers up: each arrives as it is, or is refused by name."""

from __future__ import annotations

import json
import logging
import threading
import traceback
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from pyarrow import parquet

from penstock.artifacts import Extraction, Interval
from penstock.errors import ConfigurationError, DataError, RejectedError, TransientError
from penstock.naming import BatchKeys
from penstock.sources.sql import SqlDataset, SqlSource
from tasks.probing.registry import probe_connection
from tasks.sources.contract import ExtractRequest
from tasks.sources.sql import mysql, mysql_rows, postgres
from tasks.sources.sql.extract import extract
from tasks.sources.sql.mysql_fields import PacketsDecoder
from tasks.sources.sql.postgres_fields import CopyDecoder
from tasks.sources.sql.session import Counts
from tasks.staging.local import LocalStore
from tasks.staging.manifest import LakeSink
from tests.contract import mariadb_server, postgres_server

FULL = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, tzinfo=UTC))
DAY = Interval(
    start=datetime(2026, 3, 1, tzinfo=UTC), end=datetime(2026, 3, 2, tzinfo=UTC), as_of=datetime(2026, 3, 2, tzinfo=UTC)
)


class Server(NamedTuple):
    """A database, and a way past Penstock to put something into it."""

    kind: str
    connection: Any

    def run(self, *statements: str) -> None:
        if self.kind == "postgres":
            with postgres_server.administrator(postgres_server.DATABASE) as server:
                for statement in statements:
                    server.execute(statement)
            return
        with mariadb_server.administrator(mariadb_server.DATABASE) as cursor:
            cursor.execute("SET time_zone = '+00:00', sql_mode = ''")
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture(scope="module")
def pg() -> Server:
    return Server("postgres", postgres_server.fresh_postgres())


@pytest.fixture(scope="module")
def maria() -> Server:
    return Server("mysql", mariadb_server.mariadb())


@pytest.fixture(params=["postgres", "mysql"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue("pg" if request.param == "postgres" else "maria")
    found.run("DROP TABLE IF EXISTS t")
    return found


class Lake:
    """Extracts into a folder and reads what is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.batches = 0

    def extract(self, server: Server, interval: Interval = FULL, **dataset: Any) -> Extraction:
        self.batches += 1
        keys = BatchKeys(
            client="acme", source="sql", dataset="t", strategy="append", interval=interval, batch_id=f"b{self.batches}"
        )
        sink = LakeSink(LocalStore(self.folder), keys, dataset="t", interval=interval)
        source = SqlSource(kind="sql", connection="shop")
        asked = SqlDataset.model_validate({"name": "t", **dataset})
        extract(ExtractRequest(source, asked, interval, "shop"), server.connection, sink)
        return sink.complete()

    def table(self, server: Server, interval: Interval = FULL, **dataset: Any) -> pa.Table:
        extraction = self.extract(server, interval, **dataset)
        tables = [parquet.read_table(self.folder / file.key) for file in extraction.files]
        table = pa.concat_tables(tables)
        assert extraction.row_count == table.num_rows
        return table


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


POSTGRES_VALUES: dict[str, tuple[str, str, Any, str]] = {
    "small": ("smallint", "-32768", -32768, "int16"),
    "big": ("bigint", "9223372036854775807", 2**63 - 1, "int64"),
    "exact": ("numeric(38,10)", "'-1234567890123456789012345678.0123456789'", None, "decimal128(38, 10)"),
    "price": ("numeric(15,2)", "-1234567890123.40", Decimal("-1234567890123.40"), "decimal128(15, 2)"),
    "wide": ("numeric(60,2)", "'12345678901234567890123456789012345678901234567890.12'", None, "string"),
    "any_digits": ("numeric", "'1.230'", "1.230", "string"),
    "truth": ("boolean", "true", True, "bool"),
    "real4": ("real", "0.1", None, "float"),
    "double8": ("double precision", "'NaN'", None, "double"),
    "day": ("date", "'0001-01-01'", date(1, 1, 1), "date32[day]"),
    "clock": ("time", "'23:59:59.999999'", time(23, 59, 59, 999999), "time64[us]"),
    "naive": ("timestamp", "'2026-03-01 02:03:04.000005'", datetime(2026, 3, 1, 2, 3, 4, 5), "timestamp[us]"),  # noqa: DTZ001
    "instant": (
        "timestamptz",
        "'2026-03-01 02:03:04+05:30'",
        datetime(2026, 2, 28, 20, 33, 4, tzinfo=UTC),
        "timestamp[us, tz=UTC]",
    ),
    "bytes": ("bytea", r"'\x00ff22'", b"\x00\xff\x22", "binary"),
    "no_bytes": ("bytea", "''", b"", "binary"),
    "words": ("text", "E'a,\"b\"\\n\\tü\\\\N'", 'a,"b"\n\tü\\N', "string"),
    "empty": ("text", "''", "", "string"),
    "padded": ("char(4)", "'ab'", "ab  ", "string"),
    "document": ("jsonb", """'{"a": [1, null]}'""", '{"a": [1, null]}', "string"),
    "list": ("text[]", "ARRAY['a', NULL, 'b,c']", '["a",null,"b,c"]', "string"),
    "span": ("interval", "'1 year 2 days 3 hours'", "P1Y2DT3H", "string"),
    "id": ("uuid", "'123e4567-e89b-12d3-a456-426614174000'", "123e4567-e89b-12d3-a456-426614174000", "string"),
    "address": ("inet", "'10.0.0.1/8'", "10.0.0.1/8", "string"),
    "range": ("int4range", "'[1,5)'", "[1,5)", "string"),
    "bits": ("bit(3)", "B'101'", "101", "string"),
}

MARIADB_VALUES: dict[str, tuple[str, str, Any, str]] = {
    "tiny": ("tinyint", "-128", -128, "int8"),
    "flag": ("bit(1)", "b'1'", True, "bool"),
    "bits": ("bit(64)", "18446744073709551615", 2**64 - 1, "uint64"),
    "unsigned_big": ("bigint unsigned", "18446744073709551615", 2**64 - 1, "uint64"),
    "medium": ("mediumint unsigned", "16777215", 16777215, "uint32"),
    "exact": ("decimal(38,10)", "-1234567890123456789012345678.0123456789", None, "decimal128(38, 10)"),
    "price": ("decimal(15,2)", "-1234567890123.40", Decimal("-1234567890123.40"), "decimal128(15, 2)"),
    "share": ("decimal(18,18)", "-0.000000000000000001", Decimal("-1e-18"), "decimal128(18, 18)"),
    "whole": ("decimal(18,0)", "-999999999999999999", Decimal(-999999999999999999), "decimal128(18, 0)"),
    "filled": ("decimal(9,3) unsigned zerofill", "1.5", Decimal("1.5"), "decimal128(9, 3)"),
    "wide": ("decimal(65,30)", "1.000000000000000000000000000001", "1.000000000000000000000000000001", "string"),
    "real4": ("float", "0.1", None, "float"),
    "double8": ("double", "0.1234567890123456", 0.1234567890123456, "double"),
    "day": ("date", "'2026-03-01'", date(2026, 3, 1), "date32[day]"),
    "naive": ("datetime(6)", "'2026-03-01 02:03:04.000005'", datetime(2026, 3, 1, 2, 3, 4, 5), "timestamp[us]"),  # noqa: DTZ001
    "instant": (
        "timestamp(3) NULL",
        "'2026-03-01 02:03:04.500'",
        datetime(2026, 3, 1, 2, 3, 4, 500000, tzinfo=UTC),
        "timestamp[us, tz=UTC]",
    ),
    "span": ("time", "'-838:59:59'", "-838:59:59", "string"),
    "year4": ("year", "2026", 2026, "int16"),
    "choice": ("enum('x','y')", "'y'", "y", "string"),
    "choices": ("set('p','q')", "'p,q'", "p,q", "string"),
    "document": ("json", """'{"a": [1, null]}'""", '{"a": [1, null]}', "string"),
    "bytes": ("varbinary(9)", "x'00FF22'", b"\x00\xff\x22", "binary"),
    "no_bytes": ("blob", "''", b"", "binary"),
    "words": ("text", "'a,\"b\"\\n\\tü\\\\N'", 'a,"b"\n\tü\\N', "string"),
    "latin": ("varchar(9) CHARACTER SET latin1", "'é€'", "é€", "string"),
    "empty": ("varchar(9)", "''", "", "string"),
    "id": ("uuid", "'123e4567-e89b-12d3-a456-426614174000'", "123e4567-e89b-12d3-a456-426614174000", "string"),
    "place": ("point", "point(1, 2)", "POINT(1 2)", "string"),
}


@pytest.mark.parametrize(("name", "values"), [("pg", POSTGRES_VALUES), ("maria", MARIADB_VALUES)])
def test_every_type_arrives_exactly_with_its_own_type_and_null_as_null(
    request: pytest.FixtureRequest, lake: Lake, name: str, values: dict[str, tuple[str, str, Any, str]]
) -> None:
    server: Server = request.getfixturevalue(name)
    quote = '"' if name == "pg" else "`"
    columns = ", ".join(f"{quote}{column}{quote} {one[0]}" for column, one in values.items())
    literals = ", ".join(one[1] for one in values.values())
    nulls = ", ".join("NULL" for _ in values)
    server.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t ({columns})", f"INSERT INTO t VALUES ({literals}), ({nulls})")
    table = lake.table(server)
    assert {field.name: str(field.type) for field in table.schema} == {column: one[3] for column, one in values.items()}
    found, empty = table.to_pylist()
    assert set(empty.values()) == {None}
    assert found.pop("exact") == Decimal("-1234567890123456789012345678.0123456789")
    assert found.pop("real4") == pytest.approx(0.1, abs=1e-8)
    if name == "pg":
        assert str(found.pop("double8")) == "nan"
        assert found.pop("wide") == "12345678901234567890123456789012345678901234567890.12"
    assert found == {column: values[column][2] for column in found}


@pytest.mark.parametrize(
    ("name", "of_type", "value"),
    [
        ("pg", "timestamptz", "'infinity'"),
        ("pg", "date", "'-infinity'"),
        ("pg", "numeric(9,2)", "'NaN'"),
        ("pg", "time", "'24:00:00'"),
        ("pg", "date", "'0044-03-15 BC'"),
        ("maria", "date", "'0000-00-00'"),
        ("maria", "datetime", "'2026-00-10 00:00:00'"),
    ],
)
def test_a_value_that_no_warehouse_holds_is_refused_by_name_and_read_as_text_where_wanted(
    request: pytest.FixtureRequest, lake: Lake, name: str, of_type: str, value: str
) -> None:
    server: Server = request.getfixturevalue(name)
    server.run(
        "DROP TABLE IF EXISTS t", f"CREATE TABLE t (id int, odd {of_type})", f"INSERT INTO t VALUES (1, {value})"
    )
    with pytest.raises(DataError, match="column=odd") as caught:
        lake.extract(server)
    assert value.strip("'") not in "".join(traceback.format_exception(caught.value))
    assert str(caught.value.table).endswith(".t")
    assert lake.table(server, as_text=["odd"]).column("odd").to_pylist() == [value.strip("'")]


@pytest.mark.parametrize("said", ["null", None], ids=["as text", "as YAML's null"])
@pytest.mark.parametrize(
    ("name", "of_type", "value"),
    [("pg", "timestamptz", "'infinity'"), ("pg", "date", "'0044-03-15 BC'"), ("maria", "datetime", "'0000-00-00'")],
)
def test_unfit_times_become_null_where_the_dataset_says_so(
    request: pytest.FixtureRequest, lake: Lake, name: str, of_type: str, value: str, said: str | None
) -> None:
    server: Server = request.getfixturevalue(name)
    server.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t (odd {of_type})")
    server.run(f"INSERT INTO t VALUES ({value}), ('2026-03-01')")
    found = lake.table(server, unfit_times=said).column("odd").to_pylist()
    assert [one and one.year for one in found] == [None, 2026]


def test_a_table_of_a_thousand_columns_and_one_of_a_single_null_arrive_whole(server: Server, lake: Lake) -> None:
    columns = ", ".join(f"c{number} int" for number in range(1_005))
    server.run(f"CREATE TABLE t ({columns})", f"INSERT INTO t VALUES ({', '.join(map(str, range(1_005)))})")
    assert list(lake.table(server).to_pylist()[0].values()) == list(range(1_005))
    server.run("DROP TABLE t", "CREATE TABLE t (note text)", "INSERT INTO t VALUES (NULL), (''), ('\ufeffmark')")
    assert lake.table(server).column("note").to_pylist() == [None, "", "\ufeffmark"]


def test_bytes_and_bits_are_read_as_text_or_refused_but_never_guessed(maria: Server, lake: Lake) -> None:
    maria.run("DROP TABLE IF EXISTS t", "CREATE TABLE t (raw varbinary(9), bits bit(9), place point)")
    maria.run("INSERT INTO t VALUES ('\u00fc', b'100000001', POINT(1, 2)), (NULL, NULL, NULL)")
    found = lake.table(maria, as_text=["raw", "bits", "place"]).to_pylist()
    assert found == [
        {"raw": "\u00fc", "bits": "257", "place": "POINT(1 2)"},
        {"raw": None, "bits": None, "place": None},
    ]
    maria.run("INSERT INTO t (raw) VALUES (x'e9')")
    with pytest.raises(DataError, match="not UTF-8"):
        lake.table(maria, as_text=["raw"])


def test_no_row_gives_the_columns_and_no_error(server: Server, lake: Lake) -> None:
    server.run("CREATE TABLE t (id int, note text)")
    table = lake.table(server)
    assert (table.num_rows, table.schema.names) == (0, ["id", "note"])


def test_many_blocks_and_long_rows_arrive_in_full(server: Server, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "BLOCK_BYTES", 4_096)
    monkeypatch.setattr(mysql_rows, "BLOCK_BYTES", 4_096)
    monkeypatch.setattr(mysql_rows, "_SPARE_BYTES", 700)
    series = "generate_series(1, 2000) AS s (seq)" if server.kind == "postgres" else "seq_1_to_2000"
    text = "text" if server.kind == "postgres" else "mediumtext"
    server.run(f"CREATE TABLE t (id int PRIMARY KEY, note {text})")
    server.run(
        f"INSERT INTO t SELECT seq, repeat('ü', CASE WHEN seq % 500 = 0 THEN 70000 ELSE seq % 300 END) FROM {series}"
    )
    table = lake.table(server)
    assert sorted(table.column("id").to_pylist()) == list(range(1, 2001))
    lengths = {row["id"]: len(row["note"]) for row in table.to_pylist()}
    assert lengths == {one: 70_000 if one % 500 == 0 else one % 300 for one in range(1, 2001)}


@pytest.mark.parametrize(
    ("of_type", "value"),
    [("longblob", "REPEAT('x', 9000000)"), ("longtext", "REPEAT('x', 16777215)")],
    ids=["hexadecimal-longer-than-a-text-may-be", "row-longer-than-a-packet"],
)
def test_a_value_that_mariadb_cannot_send_is_refused_and_never_null(
    maria: Server, lake: Lake, of_type: str, value: str
) -> None:
    maria.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t (note {of_type})", f"INSERT INTO t VALUES (NULL), ({value})")
    with pytest.raises(DataError, match="longer than the server can send"):
        lake.extract(maria)


def test_ranges_of_a_table_hold_each_row_once(pg: Server, lake: Lake) -> None:
    pg.run("DROP TABLE IF EXISTS t", "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 20000) AS g")
    extraction = lake.extract(pg, parallel_ranges=4)
    assert len(extraction.files) == 4
    assert sorted(lake.table(pg, parallel_ranges=4).column("id").to_pylist()) == list(range(1, 20001))


def test_all_ranges_see_the_snapshot_of_the_first_connection(
    pg: Server, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    pg.run("DROP TABLE IF EXISTS t", "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 5000) AS g")
    real = postgres.PostgresSession.read

    def read_late(self: Any, *arguments: Any, **options: Any) -> Any:
        pg.run("INSERT INTO t SELECT g FROM generate_series(5001, 9000) AS g", "DELETE FROM t WHERE id <= 100")
        return real(self, *arguments, **options)

    monkeypatch.setattr(postgres.PostgresSession, "read", read_late)
    assert sorted(lake.table(pg, parallel_ranges=3).column("id").to_pylist()) == list(range(1, 5001))


def test_a_row_that_is_lost_on_the_way_is_missed(server: Server, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    server.run("CREATE TABLE t (id int)", "INSERT INTO t VALUES (1), (2), (3)")
    decoder = CopyDecoder if server.kind == "postgres" else PacketsDecoder
    real = decoder.decode
    monkeypatch.setattr(decoder, "decode", lambda self, block: real(self, block).slice(1))
    with pytest.raises(DataError, match="another number of rows") as caught:
        lake.extract(server)
    assert caught.value.facts["rows_read"] == 2
    assert caught.value.facts["rows_counted"] == 3


@pytest.mark.parametrize("is_mariadb", [True, False])
def test_mariadb_tells_what_it_has_sent_and_mysql_counts_again_in_the_snapshot(
    maria: Server, monkeypatch: pytest.MonkeyPatch, is_mariadb: bool
) -> None:
    maria.run("DROP TABLE IF EXISTS t", "CREATE TABLE t (id int, day date) ENGINE=InnoDB")
    maria.run("INSERT INTO t VALUES (1, '2026-03-01'), (2, '2026-03-01'), (3, '2026-03-02'), (4, NULL)")
    with mysql.open_mysql(maria.connection) as session:
        monkeypatch.setattr(session, "_is_mariadb", is_mariadb)
        table, dataset = session.describe("t"), SqlDataset(name="t", window_column="day")
        columns, selection = session.read_columns(table, dataset), session.select(table, dataset, DAY, "UTC")
        reading = session.read(table, columns, selection, ranges=None)
        blocks = reading.parts[0]()
        assert reading.decoder.decode(next(blocks)).num_rows == 2
        maria.run("INSERT INTO t VALUES (5, '2026-03-01'), (6, NULL)")
        assert list(blocks) == []
        assert reading.counts.result(timeout=10) == Counts(rows=2, null_rows=1)


def test_a_null_in_the_window_column_stops_is_read_or_is_told_as_the_dataset_says(server: Server, lake: Lake) -> None:
    server.run("CREATE TABLE t (id int, day date)")
    server.run("INSERT INTO t VALUES (1, '2026-02-28'), (2, '2026-03-01'), (3, '2026-03-02'), (4, NULL)")
    with pytest.raises(DataError, match="rows=1"):
        lake.extract(server, DAY, window_column="day")
    assert lake.table(server, DAY, window_column="day", null_cursor="include").column("id").to_pylist() == [2, 4]
    skipped = lake.extract(server, DAY, window_column="day", null_cursor="skip")
    assert skipped.row_count == 1
    assert "rows whose day is NULL were not read: 1" in skipped.warnings[0]


@pytest.mark.parametrize(
    ("of_type", "inside", "outside", "options"),
    [
        ("date", "'2026-03-01'", "'2026-03-02'", {}),
        ("timestamp", "'2026-03-01 23:59:59'", "'2026-03-02 00:00:00'", {}),
        ("bigint", "1772409599", "1772409600", {"window_type": "epoch_seconds"}),
        ("bigint", "1772409599999", "1772409600000", {"window_type": "epoch_milliseconds"}),
    ],
)
def test_a_window_is_half_open_whatever_the_column_holds(
    server: Server, lake: Lake, of_type: str, inside: str, outside: str, options: dict[str, str]
) -> None:
    server.run(f"CREATE TABLE t (id int, at_time {of_type} NOT NULL)")
    server.run(f"INSERT INTO t VALUES (1, {inside}), (2, {outside})")
    assert lake.table(server, DAY, window_column="at_time", **options).column("id").to_pylist() == [1]


def test_a_delete_marker_adds_a_column_that_says_what_is_deleted(server: Server, lake: Lake) -> None:
    server.run("CREATE TABLE t (id int, gone date, flag int)")
    server.run("INSERT INTO t VALUES (1, NULL, 0), (2, '2026-03-01', 1), (3, NULL, NULL)")
    assert lake.table(server, delete_marker="gone").column("source_deleted").to_pylist() == [False, True, False]
    assert lake.table(server, delete_marker="flag").column("source_deleted").to_pylist() == [False, True, False]


@pytest.mark.parametrize(
    ("dataset", "fact"),
    [
        ({"source_table": "nowhere"}, "table=nowhere"),
        ({"columns": ["nme"]}, "column=nme"),
        ({"window_column": "note"}, "column=note"),
        ({"as_text": ["nme"]}, "named_by=as_text"),
    ],
)
def test_what_is_not_there_is_a_configuration_error_with_its_name(
    server: Server, lake: Lake, dataset: dict[str, Any], fact: str
) -> None:
    server.run("CREATE TABLE t (id int, note text)")
    with pytest.raises(ConfigurationError, match=fact):
        lake.extract(server, DAY, **dataset)


def test_a_missing_right_is_refused_by_the_probe_and_by_the_extraction(server: Server, lake: Lake) -> None:
    server.run("CREATE TABLE t (id int)", "DROP USER IF EXISTS penstock_reader")
    create = "CREATE ROLE penstock_reader LOGIN" if server.kind == "postgres" else "CREATE USER penstock_reader"
    server.run(create)
    try:
        reader = server._replace(
            connection=server.connection.model_copy(update={"user": "penstock_reader", "password": None})
        )
        with pytest.raises((RejectedError, ConfigurationError)) as caught:
            lake.extract(reader)
        assert caught.value.guidance
        with pytest.raises((RejectedError, ConfigurationError)):
            probe_connection("shop", reader.connection, [SqlDataset(name="t")], timeout_seconds=10)
    finally:
        server.run("DROP USER penstock_reader")
    assert probe_connection("shop", server.connection, [SqlDataset(name="t")], timeout_seconds=10).note


def test_a_server_that_is_not_there_is_transient_and_no_password_is_shown(
    server: Server, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = {"host": "127.0.0.1", "port": 9, "database": "x", "user": "x", "password": "s3cret-value"}
    away = type(server.connection).model_validate({"kind": server.kind, **settings})
    with pytest.raises(TransientError, match="cannot be reached") as caught:
        lake.extract(server._replace(connection=away))
    shown = "".join(traceback.format_exception(caught.value)) + json.dumps(caught.value.context()) + repr(away)
    assert "s3cret-value" not in shown + caplog.text


def test_a_connection_that_ends_in_the_middle_is_transient_and_leaves_no_batch(
    server: Server, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "BLOCK_BYTES", 65_536)
    monkeypatch.setattr(mysql_rows, "BLOCK_BYTES", 65_536)
    series = "generate_series(1, 100000) AS s (seq)" if server.kind == "postgres" else "seq_1_to_100000"
    server.run("CREATE TABLE t (id int, note text)", f"INSERT INTO t SELECT seq, repeat('x', 200) FROM {series}")
    killed = threading.Event()
    real = LakeSink.open_file

    def open_and_kill(self: LakeSink, *arguments: Any, **options: Any) -> Any:
        if not killed.is_set():
            killed.set()
            _kill_readers(server)
        return real(self, *arguments, **options)

    monkeypatch.setattr(LakeSink, "open_file", open_and_kill)
    with pytest.raises(TransientError) as caught:
        lake.extract(server)
    assert caught.value.connection == "shop"
    assert [info.key for info in LocalStore(lake.folder).list("ingest/")] == []


def _kill_readers(server: Server) -> None:
    if server.kind == "postgres":
        server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'COPY %' AND pid <> pg_backend_pid()"
        )
        return
    with mariadb_server.administrator() as cursor:
        cursor.execute(
            "SELECT id FROM information_schema.processlist WHERE db = %s AND info LIKE 'SELECT `%%'",
            (mariadb_server.DATABASE,),
        )
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")


def test_bytes_that_are_no_utf_8_are_refused(lake: Lake) -> None:
    name = f"{postgres_server.DATABASE}_ascii"
    postgres_server.fresh_postgres()
    with postgres_server.administrator() as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        with postgres_server.administrator(name) as server:
            server.execute("CREATE TABLE t (note text)")
            server.execute(r"INSERT INTO t VALUES (convert_from('\xff'::bytea, 'SQL_ASCII'))")
        with pytest.raises(DataError, match="not UTF-8") as caught:
            lake.extract(Server("postgres", postgres_server.postgres(name)))
        assert caught.value.table == "t"
    finally:
        with postgres_server.administrator() as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_since_last_window_reads_on_where_the_last_one_ended(server: Server, lake: Lake) -> None:
    server.run("CREATE TABLE t (id int, at_time timestamp NOT NULL)")
    start = datetime(2026, 3, 1, tzinfo=UTC)
    moments = [start + timedelta(hours=hour) for hour in range(48)]
    server.run("INSERT INTO t VALUES " + ", ".join(f"({n}, '{one:%F %T}')" for n, one in enumerate(moments)))
    parts = [Interval(start=one, end=two, as_of=two) for one, two in zip(moments[::7], moments[7::7], strict=False)]
    read = [n for part in parts for n in lake.table(server, part, window_column="at_time").column("id").to_pylist()]
    assert read == list(range(42))
