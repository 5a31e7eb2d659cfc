"""PostgreSQL's short ways to compare and to date values come to what `penstock.rank` and `penstock.instant` say."""

from __future__ import annotations

import pytest

from tasks.warehouses.postgres.connection import Database
from tasks.warehouses.postgres.order import instant, is_newer
from tasks.warehouses.postgres.warehouse import PostgresWarehouse
from tests.contract.postgres_server import fresh_postgres

VALUES = [
    *(None, "", " ", "a", "Z", "é", "-"),
    *("1", "9", "10", "09", "-1", "+9", "1.5", "1e3", "20260228", "2026022800", "9" * 100, "1" + "0" * 99, "8" * 120),
    *("2026-02-28", "2026-02-29", "2028-02-29", "2026-03-29", "2026-11-01", "2026-13-01", "0000-01-01", "0999-01-01"),
    *("2026-02-28T10:00:00Z", "2026-02-28T24:00:00Z", "2026-02-28T10:00:60Z", "2026-02-28T10:00:00z"),
    *("2026-02-29T10:00:00Z", "2026-02-28T10:00:00+00:00", "2026-02-28T10:00:00.5Z", "2026-02-28T10:00:00.50Z"),
    *("2026-02-28T09:59:59.9999999Z", "2026-02-28T10:00:00.1234561Z", "2026-02-28 10:00:00", "2026-02-28T10:00Z"),
    *("2026-03-08T02:30:00", "2026-03-08T03:00:00", "2026-11-01T01:30:00", "2026-02-28T10:00:00Z\n", "2026-02-28\n"),
    *("2026-02-28T05:00:00", "2026-02-28T15:00:00Z"),
]


@pytest.fixture(scope="module")
def database() -> Database:
    settings = fresh_postgres()
    PostgresWarehouse(settings).migrate()
    return Database(settings)


def test_a_value_is_newer_where_its_rank_is_higher_or_else_its_extraction_later(database: Database) -> None:
    ranked = '(penstock.rank(l."v"), l._extracted_at) >= (penstock.rank(t."v"), t._extracted_at)'
    found = f"SELECT l.v, t.v, l._extracted_at, t._extracted_at, {is_newer('v')}, {ranked}"
    assert is_newer("v") != ranked
    with database.session({"TimeZone": "America/New_York"}) as sql:
        sql.run(
            "CREATE TEMP TABLE stated AS SELECT v, _extracted_at FROM unnest($1::text[]) AS u(v), "
            "(VALUES (TIMESTAMPTZ '2026-03-01Z'), (TIMESTAMPTZ '2026-03-02Z')) AS e(_extracted_at)",
            [VALUES],
        )
        rows = sql.rows(f"{found} FROM stated AS l, stated AS t")
    assert len(rows) == (2 * len(VALUES)) ** 2
    assert [row for row in rows if row[4] is not row[5]] == []


def test_a_value_is_dated_as_the_warehouse_dates_it_everywhere(database: Database) -> None:
    with database.session({"TimeZone": "America/New_York"}) as sql:
        rows = sql.rows(f"SELECT v, {instant('v')}, penstock.instant(v) FROM unnest($1::text[]) AS u(v)", [VALUES])
    assert len(rows) == len(VALUES)
    assert [row for row in rows if row[1] != row[2]] == []
    assert [str(row[1]) for row in rows if row[0] == "2026-02-28"] == ["2026-02-28 00:00:00-05:00"]
