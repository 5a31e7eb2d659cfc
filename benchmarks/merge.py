"""1 M rows into a table of 10 M, as an upsert and as versions, beside the set statements one would write by hand."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.loads import DATA, TARGET, load, measure, remove_warehouse, report
from benchmarks.measuring import print_line
from penstock.strategy import Historical, Incremental

ROUNDS = 2
ROWS = int(os.environ.get("PENSTOCK_BENCH_ROWS", "10000000"))
WAREHOUSE = DATA / "merge.duckdb"
MEMORY_LIMIT = "1GB"
"""For both sides: with the 256 MB that a load has by default, the DELETE by hand fails."""
COLUMNS = ("id", "updated_at", "name", "amount", "note")
METADATA = (
    "'batch.csv' AS _source_file, 'bench-{day}' AS _batch_id, TIMESTAMPTZ '2026-03-0{day} 00:00Z' AS _window_start, "
    "TIMESTAMPTZ '2026-03-0{day} 00:00Z' AS _window_end, TIMESTAMPTZ '2026-03-0{day} 00:00Z' AS _extracted_at, "
    "now() AS _loaded_at"
)
VERSIONS = ", updated_at::TIMESTAMPTZ AS _valid_from, NULL::TIMESTAMPTZ AS _valid_to, true AS _is_current"
UPSERT = Incremental(kind="incremental", keys=("id",), order_by="updated_at")
HISTORY = Historical(kind="historical", keys=("id",), order_by="updated_at")


def connect(path: Path) -> Any:
    import duckdb

    return duckdb.connect(str(path), config={"memory_limit": MEMORY_LIMIT, "preserve_insertion_order": False})


def base(versions: str) -> Path:
    """Returns a warehouse whose table has 10 M rows, made where it is not there."""
    path = DATA / f"merge-base-{ROWS}{'-versions' if versions else ''}.duckdb"
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        rows = (
            f"SELECT (i * 7919 % {ROWS})::VARCHAR AS id, "
            "strftime(TIMESTAMP '2026-02-01' + to_seconds(i % 86400), '%Y-%m-%dT%H:%M:%SZ') AS updated_at, "
            "'name ' || i AS name, (i % 1000 / 4)::VARCHAR AS amount, md5(i::VARCHAR) AS note "
            f"FROM range({ROWS}) AS r(i)"
        )
        with connect(path) as connection:
            connection.execute(f"CREATE SCHEMA {TARGET.schema_name}")
            connection.execute(f"CREATE TABLE {TARGET} AS SELECT *, {METADATA.format(day=1)}{versions} FROM ({rows})")
    return path


def batch() -> Path:
    """Returns 1 M newer rows as CSV, made where they are not there.

    Nineteen keys in twenty are known; one row in a hundred comes twice, as from an API whose pages overlap.
    """
    path = DATA / f"merge-batch-{ROWS}.csv"
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        rows = (
            f"SELECT (i * 7919 % {ROWS} + {ROWS // 20})::VARCHAR AS id, "
            "strftime(TIMESTAMP '2026-03-01' + to_seconds(i % 86400), '%Y-%m-%dT%H:%M:%SZ') AS updated_at, "
            "'new ' || i AS name, (i % 1000 / 4)::VARCHAR AS amount, md5(i::VARCHAR) AS note "
            f"FROM (SELECT * FROM range(0, {ROWS}, 10) UNION ALL SELECT * FROM range(0, {ROWS}, 1000)) AS r(i)"
        )
        with connect(Path(":memory:")) as connection:
            connection.execute(f"COPY ({rows}) TO '{path}' (HEADER)")
    return path


def by_hand(*statements: str) -> None:
    """Runs hand-written statements over a landing table of the batch, in one transaction."""
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
    reader = f"read_csv('{batch()}', auto_detect=false, header=true, delim=',', quote='\"', columns={{{columns}}})"
    began = time.perf_counter()
    with connect(WAREHOUSE) as connection:
        connection.execute("BEGIN")
        connection.execute(
            f"CREATE TEMP TABLE landing AS SELECT DISTINCT ON (id) *, {METADATA.format(day=2)} FROM {reader} "
            "ORDER BY id, updated_at DESC"
        )
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")
    report(seconds=time.perf_counter() - began)


def run_upsert_floor() -> None:
    by_hand(
        f"DELETE FROM {TARGET} AS t USING landing AS l WHERE t.id = l.id AND l.updated_at >= t.updated_at",
        f"INSERT INTO {TARGET} BY NAME SELECT * FROM landing AS l "
        f"WHERE NOT EXISTS (SELECT 1 FROM {TARGET} AS t WHERE t.id = l.id)",
    )


def run_history_floor() -> None:
    by_hand(
        f"UPDATE {TARGET} AS t SET _valid_to = l.updated_at::TIMESTAMPTZ, _is_current = false FROM landing AS l "
        "WHERE t.id = l.id AND t._is_current AND l.updated_at > t.updated_at",
        f"INSERT INTO {TARGET} BY NAME SELECT *{VERSIONS} FROM landing",
    )


def run_upsert() -> None:
    report(seconds=load(WAREHOUSE, [batch()], UPSERT, day=1, memory_limit=MEMORY_LIMIT))


def run_upsert_small() -> None:
    report(seconds=load(WAREHOUSE, [batch()], UPSERT, day=1))


def run_history() -> None:
    report(seconds=load(WAREHOUSE, [batch()], HISTORY, day=1, memory_limit=MEMORY_LIMIT))


def run_history_small() -> None:
    report(seconds=load(WAREHOUSE, [batch()], HISTORY, day=1))


ROLES = {
    "upsert_floor": run_upsert_floor,
    "upsert": run_upsert,
    "upsert_small": run_upsert_small,
    "history_floor": run_history_floor,
    "history": run_history,
    "history_small": run_history_small,
}
TITLES = {
    "upsert_floor": "DELETE and INSERT by hand (the floor)",
    "upsert": "incremental",
    "upsert_small": "incremental, in the default 256 MB",
    "history_floor": "UPDATE and INSERT by hand (the floor)",
    "history": "historical",
    "history_small": "historical, in the default 256 MB",
}


def main() -> None:
    bases = {"upsert": base(""), "history": base(VERSIONS)}
    batch()
    print(f"{ROWS // 10:,} rows of CSV into {ROWS:,}, both sides in {MEMORY_LIMIT}, best of {ROUNDS}")
    best: dict[str, tuple[float, float]] = {}
    for _ in range(ROUNDS):
        for role in ROLES:
            remove_warehouse(WAREHOUSE)
            shutil.copyfile(bases[role.split("_")[0]], WAREHOUSE)
            found, measured = measure("benchmarks.merge", role)
            best[role] = min(best.get(role, (float("inf"), 0.0)), (found["seconds"], measured.peak_mb))
    remove_warehouse(WAREHOUSE)
    for role, title in TITLES.items():
        print_line(title, *best[role])
        if role in bases:
            print(f"  ratio {best[role][0] / best[f'{role}_floor'][0]:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ROLES[sys.argv[1]]()
    else:
        main()
