"""Real tables from real servers into real warehouses: each value is the source's, whole and change by change.

The flights of 2013 and the eight tables of TPC-H go MariaDB -> lake -> DuckDB and PostgreSQL -> lake -> PostgreSQL.
TPC-H is of scale factor 0.01 here; `PENSTOCK_TEST_TPCH_SCALE=1` runs the same at the full size, by hand.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.contract import postgres_server
from tests.e2e.conftest import DUCKDB, Project
from tests.e2e.sql_databases import INSTANT, TABLES, Database, checksum, open_database, write_files

FLIGHTS = 336_776
FIRST, SECOND = datetime(2026, 3, 19, 5, tzinfo=UTC), datetime(2026, 3, 20, 5, tzinfo=UTC)
ORDERS = {**TABLES["orders"], "updated_at": INSTANT, "deleted_at": INSTANT}
COLUMNS = ", ".join(ORDERS)
key_and_change = itemgetter(0, 9)

Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_files(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module", params=["mysql", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with open_database(request.param) as found:
        yield found


def pairs(settings: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {value!r}" for name, value in settings.items() if value is not None) + "}"


def write_platform(project: Project, database: Database) -> str:
    """Writes where the database is, and returns the kind of the warehouse that its tables go to."""
    warehouse, kind = DUCKDB, "duckdb"
    if database.kind == "postgres":
        warehouse, kind = pairs(postgres_server.fresh_postgres().model_dump(mode="json")), "postgres"
    source = f"shop: {pairs(database.connection.model_dump(mode='json'))}"
    project.write_platform(source, warehouse=warehouse)
    return kind


def test_the_flights_and_all_of_tpch_arrive_with_every_value(
    project: Project, database: Database, files: dict[str, Path]
) -> None:
    for table, columns in TABLES.items():
        database.create(table, columns)
        database.fill(table, list(columns), files[table])
    warehouse = write_platform(project, database)
    tables = "\n".join(f"  - {{name: {table}, load_type: full}}" for table in TABLES)
    project.write_pipeline(
        "tables", f"source: {{kind: sql, connection: shop}}\nwindow: {{kind: full}}\ntables:\n{tables}\n"
    )

    report = project.run("tables")

    assert report.is_green, report.summary()
    expected = {table: database.checksum(table, columns) for table, columns in TABLES.items()}
    assert {
        table: checksum(project.query, warehouse, f"acme_bronze.sql__{table}", columns)
        for table, columns in TABLES.items()
    } == expected
    # No comment and no address of TPC-H holds a line's end: a line is a row.
    assert {table: found[0] for table, found in expected.items()} == {
        table: path.read_bytes().count(b"\n") - 1 for table, path in files.items()
    }
    assert expected["flights"][0] == FLIGHTS


class Shop(NamedTuple):
    """The orders as they are before a day and after it, computed without any database."""

    before: dict[int, Row]
    after: dict[int, Row]


def change_orders(file: Path) -> Shop:
    """Returns TPC-H's orders, and what they become when 1 % each are changed, added and marked as deleted.

    Times of change lie all over the day, its first moment and its last microsecond among them.
    """
    chosen = random.Random(7)  # noqa: S311 - it has to be the same each time
    with file.open(encoding="utf-8", newline="") as found:
        before: dict[int, Row] = {
            int(one[0]): (
                *(int(one[0]), int(one[1]), one[2], Decimal(one[3]), date.fromisoformat(one[4])),
                *(*one[5:7], int(one[7]), one[8]),
                *(FIRST - timedelta(microseconds=chosen.randrange(1, 10**12)), None),
            )
            for one in list(csv.reader(found))[1:]
        }
    count = len(before) // 100
    moments = [SECOND - timedelta(microseconds=chosen.randrange(1, 86_400 * 10**6)) for _ in range(3 * count)]
    moments[0], moments[-1] = FIRST, SECOND - timedelta(microseconds=1)
    touched = chosen.sample(sorted(before), 2 * count)
    deleted = set(touched[count:])
    after = dict(before)
    for number, moment in zip(touched, moments, strict=False):
        key, customer, _, price, *rest, _, _ = before[number]
        kept = before[number][:9] if number in deleted else (key, customer, "X", price + Decimal("0.01"), *rest)
        after[number] = (*kept, moment, moment if number in deleted else None)
    for number, moment in enumerate(moments[2 * count :], start=max(before) + 1):
        words = (
            "N",
            Decimal("12345.60"),
            date(2026, 3, 19),
            "1-URGENT",
            "Clerk#000000001",
            0,
            "späte \"Zeile\", 'neu'\\",
        )
        after[number] = (number, 1, *words, moment, None)
    assert len(after) == len(before) + count
    return Shop(before, after)


def write_rows(file: Path, rows: Iterable[Row]) -> Path:
    """Writes rows as CSV with a header; times are in UTC, as the databases' sessions are."""
    with file.open("w", encoding="utf-8", newline="") as written:
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(ORDERS)
        writer.writerows(
            (one.replace(tzinfo=None) if isinstance(one, datetime) else one for one in row) for row in rows
        )
    return file


def write_changes(database: Database, shop: Shop) -> None:
    """Makes the table, which holds the orders before the day, hold those after it; rows that stay are not written."""
    places = ", ".join(["%s"] * len(ORDERS))
    sets = ", ".join(f"{name} = %s" for name in ORDERS)
    added = [row for key, row in shop.after.items() if key not in shop.before]
    changed = [(*row, key) for key, row in shop.after.items() if key in shop.before and row != shop.before[key]]
    with database.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.executemany(f"INSERT INTO changing_orders VALUES ({places})", added)
        cursor.executemany(f"UPDATE changing_orders SET {sets} WHERE o_orderkey = %s", changed)
        cursor.execute("COMMIT")


def test_a_day_of_changes_gives_exact_upserts_versions_and_deletes(
    project: Project, database: Database, files: dict[str, Path], tmp_path: Path
) -> None:
    shop = change_orders(files["orders"])
    warehouse = write_platform(project, database)
    database.create("changing_orders", ORDERS)
    common = "source_table: changing_orders, primary_key: o_orderkey, watermark_column: updated_at"
    project.write_pipeline(
        "orders",
        f"""
        source: {{kind: sql, connection: shop}}
        window: {{kind: since_last, timezone: UTC, initial: "2026-03-01T00:00:00Z"}}
        tables:
          - {{name: scd1, load_type: incremental, {common}}}
          - {{name: scd2, load_type: scd2, {common}}}
          - {{name: cdc, load_type: cdc, {common}, delete_marker: deleted_at}}
        """,
    )
    database.fill("changing_orders", list(ORDERS), write_rows(tmp_path / "orders.csv", shop.before.values()))
    first = project.run("orders", options={"at": FIRST})
    write_changes(database, shop)
    second = project.run("orders", options={"at": SECOND})

    assert first.is_green, first.summary()
    assert second.is_green, second.summary()
    touched = [key for key, row in shop.after.items() if row != shop.before.get(key)]
    assert [one.result.rows_landed for one in second.datasets if one.result] == [len(touched)] * 3

    def bronze(table: str, more: str = "") -> list[Row]:
        rows = project.query(f"SELECT {COLUMNS}{more} FROM acme_bronze.sql__{table}")
        return sorted(map(in_utc, rows), key=key_and_change)

    assert bronze("scd1") == sorted(shop.after.values(), key=key_and_change)
    assert bronze("scd2", ", _valid_from, _valid_to, _is_current") == sorted(versions(shop), key=key_and_change)
    assert bronze("cdc", ", source_deleted, _is_deleted") == sorted(marked(shop), key=key_and_change)
    source = database.checksum("changing_orders", ORDERS)
    assert checksum(project.query, warehouse, "acme_bronze.sql__scd1", ORDERS) == source


def versions(shop: Shop) -> list[Row]:
    """Returns each version with the time from which it held, until when it did, and whether it still does."""
    ended = {key: row[-2] for key, row in shop.after.items() if row != shop.before.get(key)}
    old = [(*row, row[-2], ended.get(key), key not in ended) for key, row in shop.before.items()]
    return [*old, *((*shop.after[key], moment, None, True) for key, moment in ended.items())]


def marked(shop: Shop) -> list[Row]:
    """Returns each row and whether it is deleted; a deleted one keeps its values as they were, but for the order's."""
    return [
        (*shop.before[key][:9], row[-2], None, True, True) if row[-1] is not None else (*row, False, False)
        for key, row in shop.after.items()
    ]


def in_utc(row: Row) -> Row:
    return tuple(one.astimezone(UTC) if isinstance(one, datetime) else one for one in row)
