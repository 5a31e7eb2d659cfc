"""6 M rows of CSV into PostgreSQL's text bronze beside a bare `psql \\copy` of the same file into a text table.

The server is 127.0.0.1:5432 as the user `postgres`, or what PGHOST, PGPORT and PGUSER say. Its own memory and time are
those of both; the peak told is the client's: psql's, or the loading process's.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.loads import DATA, TARGET, header, lineitem, load_into, measure, report
from benchmarks.measuring import print_line, run_measured
from penstock.connections import PostgresConnection
from penstock.strategy import Append, FullRefresh, Incremental, LoadStrategy
from tasks.warehouses.postgres.warehouse import PostgresWarehouse

ROUNDS = 2
DATABASE = "penstock_bench"
SERVER = {
    "host": os.environ.get("PGHOST", "127.0.0.1"),
    "port": int(os.environ.get("PGPORT", "5432")),
    "user": os.environ.get("PGUSER", "postgres"),
}
FLOOR_TABLE = "bare"
UPSERT_ROWS = 1_000_000


@contextmanager
def database(name: str = DATABASE) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(**SERVER, dbname=name, autocommit=True) as connection:
        yield connection


def prepare_floor() -> None:
    columns = ", ".join(f"{name} text" for name in header(lineitem()))
    with database() as connection:
        connection.execute(f"DROP TABLE IF EXISTS {FLOOR_TABLE}; CREATE TABLE {FLOOR_TABLE} ({columns})")


def run_floor() -> tuple[float, float]:
    """Returns the seconds and the peak megabytes of psql."""
    prepare_floor()
    copy = f"\\copy {FLOOR_TABLE} from '{lineitem()}' with (format csv, header)"
    where = [f"--{name}={value}" for name, value in (("host", SERVER["host"]), ("port", SERVER["port"]))]
    measured = run_measured(["psql", "-q", *where, f"--username={SERVER['user']}", f"--dbname={DATABASE}", "-c", copy])
    return measured.seconds, measured.peak_mb


def load(strategy: LoadStrategy, *, day: int = 0, path: Path | None = None) -> None:
    connection = PostgresConnection.model_validate({"kind": "postgres", **SERVER, "database": DATABASE})
    seconds = load_into(PostgresWarehouse(connection), [path or lineitem()], strategy, day=day)
    report(seconds=seconds)


def first_rows() -> Path:
    """Returns a file with the first rows of lineitem."""
    path = DATA / "lineitem_first.csv"
    if not path.exists():
        with lineitem().open("rb") as source, path.open("wb") as head:
            for _, line in zip(range(UPSERT_ROWS + 1), source, strict=False):
                head.write(line)
    return path


KEYS = Incremental(kind="incremental", keys=("l_orderkey", "l_linenumber"), order_by="l_shipdate")
ROLES = {
    "first": lambda: load(FullRefresh(kind="full_refresh")),
    "refresh": lambda: load(FullRefresh(kind="full_refresh"), day=1),
    "append": lambda: load(Append(kind="append"), day=2),
    "upsert": lambda: load(KEYS, day=3, path=first_rows()),
}
NAMES = {
    "first": "full_refresh or append, the first load of the table",
    "refresh": "full_refresh of the same rows over them",
    "append": "append of a day of the same rows to them",
    "upsert": f"incremental: {UPSERT_ROWS:,} of them again by two keys, into 12 M",
}


def main() -> None:
    lineitem()
    first_rows()
    print(f"{lineitem().stat().st_size / 1e6:.0f} MB of CSV, 6,001,215 rows, into text bronze, best of {ROUNDS}")
    with database("postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    best: dict[str, tuple[float, float]] = {}
    try:
        for _ in range(ROUNDS):
            with database() as connection:
                connection.execute(f"DROP SCHEMA IF EXISTS penstock, {TARGET.schema_name} CASCADE")
                connection.execute("CHECKPOINT")
            best["floor"] = min(best.get("floor", (float("inf"), 0.0)), run_floor())
            for role in ROLES:
                with database() as connection:
                    connection.execute("CHECKPOINT")
                found, measured = measure("benchmarks.postgres_load", role)
                best[role] = min(best.get(role, (float("inf"), 0.0)), (found["seconds"], measured.peak_mb))
                time.sleep(1)
    finally:
        with database("postgres") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    print_line("psql \\copy into a text table (the floor)", *best["floor"])
    for role, name in NAMES.items():
        print_line(name, *best[role])
    ratios = ", ".join(f"{role} {best[role][0] / best['floor'][0]:.2f}" for role in NAMES)
    print(f"  ratio to the floor: {ratios}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ROLES[sys.argv[1]]()
    else:
        main()
