"""1 M rows into a PostgreSQL table of 10 M, as an upsert and as versions, beside the set statements of one's own hand.

Those do the same: land, keep one row of each key, delete and insert (or end and insert), analyze; the table has an
index on its key. The server is that of `postgres_load`, with its own settings; the peak told is the client's.
"""

from __future__ import annotations

import sys
import time

from benchmarks.loads import TARGET, load_into, measure, report
from benchmarks.measuring import print_line
from benchmarks.merge import COLUMNS, HISTORY, METADATA, ROUNDS, ROWS, UPSERT, VERSIONS, batch
from benchmarks.postgres_load import SERVER, database
from penstock.connections import PostgresConnection
from penstock.strategy import LoadStrategy
from tasks.warehouses.postgres.warehouse import PostgresWarehouse

DATABASE = "penstock_bench_merge"
SESSION = "SET work_mem = '64MB'; SET temp_buffers = '64MB'; SET jit = off"
"""What a load of ours sets too."""
CHUNK_BYTES = 2**20


def make_base(name: str, versions: str) -> None:
    """Makes a database whose table has 10 M rows and an index on the key."""
    rows = (
        f"SELECT (i::bigint * 7919 % {ROWS})::text AS id, "
        "to_char(TIMESTAMP '2026-02-01' + make_interval(secs => i % 86400), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
        "AS updated_at, "
        "'name ' || i AS name, (i % 1000 / 4.0)::text AS amount, md5(i::text) AS note "
        f"FROM generate_series(0, {ROWS - 1}) AS r(i)"
    )
    with database("postgres") as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with database(name) as connection:
        connection.execute(f"CREATE SCHEMA {TARGET.schema_name}")
        connection.execute(f"CREATE TABLE {TARGET} AS SELECT *, {METADATA.format(day=1)}{versions} FROM ({rows}) AS r")
        connection.execute(f"CREATE INDEX ON {TARGET} (id)")
        connection.execute(f"VACUUM ANALYZE {TARGET}")
    PostgresWarehouse(connection_to(name)).migrate()


def connection_to(name: str) -> PostgresConnection:
    return PostgresConnection.model_validate({"kind": "postgres", **SERVER, "database": name})


def drop(name: str) -> None:
    with database("postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def copy_base(name: str) -> None:
    """Puts a fresh copy of a base in place, with nothing left to write by the server."""
    drop(DATABASE)
    with database("postgres") as connection:
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {name} STRATEGY file_copy")
        connection.execute("CHECKPOINT")


def by_hand(*statements: str) -> None:
    """Runs hand-written statements over the newest row of each key of the batch, in one transaction."""
    columns = ", ".join(f"{name} text" for name in COLUMNS)
    path = batch()
    began = time.perf_counter()
    with database(DATABASE) as connection, path.open("rb") as file:
        connection.execute(SESSION)
        with connection.transaction():
            connection.execute(f"CREATE TEMP TABLE landing ({columns}) ON COMMIT DROP")
            with connection.cursor().copy("COPY landing FROM STDIN (FORMAT csv, HEADER)") as copy:
                while chunk := file.read(CHUNK_BYTES):
                    copy.write(chunk)
            connection.execute("ANALYZE landing")
            connection.execute(
                "CREATE TEMP TABLE newest ON COMMIT DROP AS "
                "SELECT DISTINCT ON (id) * FROM landing ORDER BY id, updated_at DESC, ctid DESC"
            )
            connection.execute("ANALYZE newest")
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"ANALYZE {TARGET}")
    report(seconds=time.perf_counter() - began)


def run_upsert_floor() -> None:
    by_hand(
        f"DELETE FROM {TARGET} AS t USING newest AS l WHERE t.id = l.id AND l.updated_at >= t.updated_at",
        f"INSERT INTO {TARGET} SELECT *, {METADATA.format(day=2)} FROM newest AS l "
        f"WHERE NOT EXISTS (SELECT 1 FROM {TARGET} AS t WHERE t.id = l.id)",
    )


def run_history_floor() -> None:
    by_hand(
        f"UPDATE {TARGET} AS t SET _valid_to = l.updated_at::timestamptz, _is_current = false FROM newest AS l "
        "WHERE t.id = l.id AND t._is_current AND l.updated_at > t.updated_at",
        f"INSERT INTO {TARGET} SELECT *, {METADATA.format(day=2)}{VERSIONS} FROM newest AS l",
    )


def load(strategy: LoadStrategy) -> None:
    report(seconds=load_into(PostgresWarehouse(connection_to(DATABASE)), [batch()], strategy, day=1))


ROLES = {
    "upsert_floor": run_upsert_floor,
    "upsert": lambda: load(UPSERT),
    "history_floor": run_history_floor,
    "history": lambda: load(HISTORY),
}
TITLES = {
    "upsert_floor": "DELETE and INSERT by hand (the floor)",
    "upsert": "incremental",
    "history_floor": "UPDATE and INSERT by hand (the floor)",
    "history": "historical",
}


def main() -> None:
    bases = {"upsert": f"{DATABASE}_base", "history": f"{DATABASE}_base_versions"}
    batch()
    best: dict[str, tuple[float, float]] = {}
    try:
        for kind, versions in (("upsert", ""), ("history", VERSIONS)):
            drop(bases[kind])
            make_base(bases[kind], versions)
        print(f"{ROWS // 10:,} rows of CSV into {ROWS:,} in PostgreSQL, best of {ROUNDS}")
        for _ in range(ROUNDS):
            for role in ROLES:
                copy_base(bases[role.split("_")[0]])
                found, measured = measure("benchmarks.postgres_merge", role)
                best[role] = min(best.get(role, (float("inf"), 0.0)), (found["seconds"], measured.peak_mb))
    finally:
        for name in (DATABASE, *bases.values()):
            drop(name)
    for role, title in TITLES.items():
        print_line(title, *best[role])
        if role in bases:
            print(f"  ratio {best[role][0] / best[f'{role}_floor'][0]:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ROLES[sys.argv[1]]()
    else:
        main()
