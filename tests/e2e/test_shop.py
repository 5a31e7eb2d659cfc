"""The shop's pipeline over two days of a real database: every bronze table is what the database says it must be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from penstock.report import RunReport
from sandbox.shop.database import write_shop
from sandbox.shop.world import ShopSettings, tables_at
from tests.contract import mariadb_server, postgres_server
from tests.e2e.conftest import Project

FILE = Path(__file__).resolve().parents[2] / "deployments/clients/mercato/mercato-shop-daily.yaml"
DAYS = [datetime(2026, 3, 19, 5, tzinfo=UTC), datetime(2026, 3, 20, 5, tzinfo=UTC)]
SHOP = ShopSettings()


def pairs(settings: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {value!r}" for name, value in settings.items() if value is not None) + "}"


def as_loaded(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    plain = [
        tuple(one.replace(tzinfo=None) if isinstance(one, datetime) else one for one in row)  # the shop's are naive
        for row in rows
    ]
    return sorted(plain, key=repr)


def run_days(project: Project, connection: Any) -> list[RunReport]:
    project.write_platform(f"mercato-shop: {pairs(connection.model_dump(mode='json'))}")
    project.write_pipeline("mercato-shop-daily", FILE.read_text(encoding="utf-8").partition("client: mercato\n")[2])
    reports = []
    for day in DAYS:
        write_shop(connection, day, SHOP)
        reports.append(project.run("mercato-shop-daily", options={"at": day}))
    return reports


@pytest.mark.parametrize("kind", ["mysql", "postgres"])
def test_two_days_of_the_shop_arrive_as_the_database_has_them(project: Project, kind: str) -> None:
    connection = mariadb_server.mariadb() if kind == "mysql" else postgres_server.fresh_postgres()
    reports = run_days(project, connection)
    assert [report.summary() for report in reports if not report.is_green] == []
    yesterday, today = (tables_at(SHOP, day) for day in DAYS)

    def bronze(table: str, columns: str, condition: str = "true") -> list[tuple[Any, ...]]:
        return as_loaded(project.query(f"SELECT {columns} FROM acme_bronze.sql__{table} WHERE {condition}"))

    customers = "id, email, phone, street, city, created_at, updated_at"
    assert bronze("customers", customers, "_is_current") == as_loaded(today["customers"])
    versions = {*map(tuple, yesterday["customers"]), *map(tuple, today["customers"])}
    assert len(versions) > len(today["customers"])
    assert bronze("customers", customers) == as_loaded(list(versions))
    orders = "id, customer_id, status, total, placed_at, updated_at"
    assert bronze("orders", orders) == as_loaded(today["orders"])
    items = "order_id, line, product_id, quantity, price, ordered_at"
    assert bronze("order_items", items) == as_loaded(today["order_items"])
    products = "id, sku, name, price, updated_at, deleted_at"
    offered = [row for row in today["products"] if row[5] is None]
    assert bronze("products", products, "NOT _is_deleted") == as_loaded(offered)
    deleted = as_loaded([(row[0],) for row in today["products"] if row[5] is not None])
    assert deleted
    assert bronze("products", "id", "_is_deleted") == deleted
    assert bronze("inventory", "product_id, warehouse, quantity, changed_at") == as_loaded(today["inventory"])
    assert len(today["inventory"]) < len({row[1:3] for row in today["inventory_changes"]})


def test_the_bronze_tables_have_the_databases_own_types(project: Project) -> None:
    run_days(project, mariadb_server.mariadb())
    types = dict(
        project.query("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'sql__orders'")
    )
    assert types["id"] == "INTEGER"
    assert types["total"] == "DECIMAL(12,2)"
    assert types["updated_at"] == "TIMESTAMP"
