"""6 M rows of CSV into text bronze beside a bare CREATE TABLE AS; 1 M nested JSON records into bronze."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from benchmarks.loads import DATA, header, lineitem, load, measure, remove_warehouse, report
from benchmarks.measuring import print_line
from penstock.strategy import Append, FullRefresh

ROUNDS = 2
JSON_RECORDS = 1_000_000
WAREHOUSE = DATA / "csv_load.duckdb"
METADATA = (
    "'lineitem.csv' AS _source_file, 'bench-0' AS _batch_id, TIMESTAMPTZ '2026-03-01 00:00:00+00' AS _window_start, "
    "TIMESTAMPTZ '2026-03-02 00:00:00+00' AS _window_end, TIMESTAMPTZ '2026-03-02 00:00:00+00' AS _extracted_at, "
    "now() AS _loaded_at"
)


def json_records() -> Path:
    """Returns nested records of about 330 bytes as JSON lines, generated where they are not there."""
    path = DATA / "records.jsonl"
    if path.exists():
        return path
    DATA.mkdir(parents=True, exist_ok=True)
    chance = random.Random(1)  # noqa: S311 - test data
    words = (
        "alpha",
        "bravo",
        "charlie",
        "delta",
        "echo",
        "foxtrot",
        "golf",
        "hotel",
        "india",
        "juliet",
        "kilo",
        "lima",
    )
    with path.open("w", encoding="utf-8") as file:
        for number in range(JSON_RECORDS):
            one, two, three, four = chance.choices(words, k=4)
            moment = f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T10:{number % 60:02d}:{number * 7 % 60:02d}Z"
            note = "null" if number % 5 else f'"{one} {three} {two} {four}, {one} again"'
            file.write(
                f'{{"id":"{number:08d}-{chance.getrandbits(64):016x}","created_at":"{moment}","updated_at":"{moment}",'
                f'"status":"{one}","amount":{number % 1000 / 4},"count":{number % 17},"active":true,'
                f'"customer":{{"id":{number % 5000},"name":"{two} {three}","address":{{"city":"{four}","zip":"9"}}}},'
                f'"tags":["{two}","{four}"],"channel":"email","note":{note}}}\n'
            )
    return path


def run_floor() -> None:
    """The bare mechanism, with the engine's defaults: the same text and metadata in one statement."""
    import duckdb

    path = lineitem()
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in header(path))
    began = time.perf_counter()
    with duckdb.connect(str(WAREHOUSE)) as connection:
        connection.execute(
            f"CREATE TABLE lineitem AS SELECT *, {METADATA} FROM read_csv('{path}', header=true, columns={{{columns}}})"
        )
    report(seconds=time.perf_counter() - began)


def run_append() -> None:
    report(seconds=load(WAREHOUSE, [lineitem()], Append(kind="append")))


def run_full_refresh() -> None:
    report(seconds=load(WAREHOUSE, [lineitem()], FullRefresh(kind="full_refresh")))


def run_json() -> None:
    report(seconds=load(WAREHOUSE, [json_records()], Append(kind="append")))


ROLES = {"floor": run_floor, "append": run_append, "full_refresh": run_full_refresh, "json": run_json}


def main() -> None:
    lineitem()
    json_records()
    print(f"{lineitem().stat().st_size / 1e6:.0f} MB of CSV, 6,001,215 rows, into text bronze, best of {ROUNDS}")
    best: dict[str, tuple[float, float]] = {}
    for _ in range(ROUNDS):
        for role in ROLES:
            remove_warehouse(WAREHOUSE)
            found, measured = measure("benchmarks.csv_load", role)
            best[role] = min(best.get(role, (float("inf"), 0.0)), (found["seconds"], measured.peak_mb))
    remove_warehouse(WAREHOUSE)
    print_line("CREATE TABLE AS, the engine's defaults (the floor)", *best["floor"])
    print_line("append", *best["append"])
    print_line("full_refresh", *best["full_refresh"])
    print(f"  ratio {best['append'][0] / best['floor'][0]:.2f} and {best['full_refresh'][0] / best['floor'][0]:.2f}")
    print_line(f"{JSON_RECORDS:,} JSON records, {json_records().stat().st_size / 1e6:.0f} MB", *best["json"])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ROLES[sys.argv[1]]()
    else:
        main()
