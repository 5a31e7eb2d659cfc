"""Silver and gold of the shop over two runs, the second with late customers, held against its own tables."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sandbox.shop.world import tables_at
from tests.models.bronze import query
from tests.models.dbt_process import DbtProcess
from tests.models.gold_build import GOLD_KEYS, WITHOUT_UNIT_TESTS, Gold, comparable
from tests.models.shop_bronze import FIRST, LATE_CUSTOMERS, SECOND, SHOP, Row, customers_of_run, load_shop, rows_at
from tests.models.shop_history import Version, days_of, local_date, versions_of

TABLES = (
    "dim_customers_history",
    "dim_inventory",
    "dim_products",
    "dim_products_history",
    "fct_orders",
    "fct_order_lines",
    "agg_sales_daily",
    "rpt_customer_value",
)
WITHOUT_TESTS = ("--resource-type", "model", "--resource-type", "snapshot")
VERSIONS = """
    SELECT customer_id, [email_hash, phone_hash, street_hash, city], is_inferred, valid_from, valid_to
    FROM gold.dim_customers_history
"""
ORDERS_WITH_VERSIONS = """
    SELECT o.order_id, v.customer_id, v.is_inferred, v.valid_from
    FROM gold.fct_orders AS o
    JOIN gold.dim_customers_history AS v ON v.customer_version_id = o.customer_version_id
"""


class Shop(NamedTuple):
    """A warehouse after the second run, and what it was after the first; gold after each build of the second."""

    warehouse: Path
    before: Path
    statuses: dict[str, str]
    second: Gold
    again: Gold


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    warehouse, lake = folder / "warehouse.duckdb", folder / "lake"
    dbt = DbtProcess(folder, warehouse)
    load_shop(warehouse, lake, at=FIRST)
    build(dbt, warehouse, *WITHOUT_TESTS)
    before = Path(shutil.copy(warehouse, folder / "before.duckdb"))
    load_shop(warehouse, lake, at=SECOND, since=FIRST)
    second = build(dbt, warehouse, *WITHOUT_UNIT_TESTS)
    return Shop(warehouse, before, dbt.statuses(), second, build(dbt, warehouse, *WITHOUT_TESTS))


def build(dbt: DbtProcess, warehouse: Path, *arguments: str) -> Gold:
    ended = dbt.run("build", "--select", "source:mercato_sql+", *arguments)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-1000:]
    return {name: query(warehouse, f"SELECT * FROM gold.{name} ORDER BY {GOLD_KEYS[name]}") for name in TABLES}


def expected_versions(orders: Sequence[Row], *, is_second: bool) -> list[Version]:
    seen = customers_of_run(FIRST) + (customers_of_run(SECOND) if is_second else [])
    return versions_of(seen, orders)


def found_versions(warehouse: Path) -> list[Version]:
    rows: list[tuple[Any, ...]] = query(warehouse, VERSIONS)
    return [Version(row[0], tuple(row[1]), *row[2:]) for row in rows]


def test_only_orders_before_their_customers_warn(shop: Shop) -> None:
    warned = {name.split(".")[2] for name, status in shop.statuses.items() if status == "warn"}
    assert set(shop.statuses.values()) == {"success", "pass", "warn", "no-op"}
    assert warned == {"assert_orders_are_of_known_customers"}


def test_another_build_changes_no_row(shop: Shop) -> None:
    assert all(shop.second.values())
    assert shop.again == shop.second


def test_versions_of_customers_are_those_of_every_row_that_was_read(shop: Shop) -> None:
    for warehouse, at in ((shop.before, FIRST), (shop.warehouse, SECOND)):
        expected = expected_versions(rows_at("orders", at), is_second=at == SECOND)
        assert sorted(found_versions(warehouse), key=repr) == sorted(expected, key=repr)
    known = [version for version in expected if not version.is_inferred]
    assert len(known) > len({version.customer_id for version in known}), "somebody moved"
    assert any(version.is_inferred for version in expected)


def test_each_order_stands_with_the_version_of_its_time(shop: Shop) -> None:
    orders = rows_at("orders", SECOND)
    versions = expected_versions(orders, is_second=True)
    expected = {
        (order["id"], version.customer_id, version.is_inferred, version.valid_from)
        for order in orders
        for version in versions
        if version.customer_id == order["customer_id"] and version.is_valid_at(order["placed_at"])
    }
    assert len(expected) == len(orders)
    assert set(query(shop.warehouse, ORDERS_WITH_VERSIONS)) == expected


def test_orders_of_late_customers_leave_their_inferred_version(shop: Shop) -> None:
    before = {row[0]: row[1:] for row in query(shop.before, ORDERS_WITH_VERSIONS)}
    after = {row[0]: row[1:] for row in query(shop.warehouse, ORDERS_WITH_VERSIONS)}
    moved = [order for order, (_, was_inferred, _) in before.items() if was_inferred and not after[order][1]]
    assert moved
    assert {before[order][0] for order in moved} <= LATE_CUSTOMERS


def test_orders_have_the_newest_status_and_the_shops_totals(shop: Shop) -> None:
    found = query(
        shop.warehouse,
        "SELECT order_id, customer_id, status, total_amount, placed_at, updated_at, placed_date FROM gold.fct_orders",
    )
    expected = [(*order.values(), local_date(order["placed_at"])) for order in rows_at("orders", SECOND)]
    assert sorted(found) == sorted(expected)
    lines = query(
        shop.warehouse, "SELECT order_id, line_number, product_id, quantity, unit_price FROM gold.fct_order_lines"
    )
    assert sorted(lines) == sorted(tuple(item.values())[:5] for item in rows_at("order_items", SECOND))


def test_days_sum_the_orders_placed_on_them(shop: Shop) -> None:
    found = query(
        shop.warehouse,
        """
        SELECT date_day, order_count, cancelled_order_count, customer_count, unit_count, gross_amount, net_amount
        FROM gold.agg_sales_daily
        """,
    )
    assert {row[0]: row[1:] for row in found} == days_of(rows_at("orders", SECOND), rows_at("order_items", SECOND))


def test_customers_are_worth_what_their_orders_come_to(shop: Shop) -> None:
    orders = rows_at("orders", SECOND)
    found = query(
        shop.warehouse,
        "SELECT customer_id, order_count, net_amount, first_order_date, last_order_date FROM gold.rpt_customer_value",
    )
    expected = []
    for customer in {row["customer_id"] for row in orders} | {row["id"] for row in rows_at("customers", SECOND)}:
        placed = [order for order in orders if order["customer_id"] == customer]
        days = sorted(local_date(order["placed_at"]) for order in placed) or [None]
        net = sum(order["total"] for order in placed if order["status"] != "cancelled")
        expected.append((customer, len(placed), net, days[0], days[-1]))
    assert comparable(found) == comparable(expected)


def test_withdrawn_products_are_closed_with_their_last_price(shop: Shop) -> None:
    found = query(shop.warehouse, "SELECT product_id, price, is_withdrawn, withdrawn_at FROM gold.dim_products")
    expected = [
        (*state, row["deleted_at"]) for state, row in zip(products_of(SECOND), rows_at("products", SECOND), strict=True)
    ]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert {is_withdrawn for _, _, is_withdrawn, _ in found} == {True, False}


def test_the_snapshot_has_each_state_of_a_product_that_a_build_saw(shop: Shop) -> None:
    states: dict[int, dict[datetime, tuple[object, ...]]] = {}
    for at in (FIRST, SECOND):
        for state, row in zip(products_of(at), rows_at("products", at), strict=True):
            states.setdefault(row["id"], {})[row["updated_at"]] = state
    expected = [
        (*state, begins, ends)
        for seen in states.values()
        for (begins, state), ends in zip(sorted(seen.items()), [*sorted(seen)[1:], None], strict=True)
    ]
    found = query(
        shop.warehouse,
        "SELECT product_id, price, is_withdrawn, valid_from, valid_to FROM gold.dim_products_history",
    )
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert len(expected) > len(states)


def test_stock_that_ran_out_between_the_runs_is_closed(shop: Shop) -> None:
    first, second = stock_at(FIRST), stock_at(SECOND)
    left = first.keys() - second.keys()
    assert left
    ((loaded_at,),) = query(
        shop.warehouse, "SELECT max(_loaded_at) AT TIME ZONE 'UTC' FROM mercato_bronze.sql__inventory"
    )
    found = query(
        shop.warehouse, "SELECT product_id, warehouse, quantity, is_deleted, deleted_at FROM gold.dim_inventory"
    )
    expected = {(*key, quantity, False, None) for key, quantity in second.items()}
    assert set(found) == expected | {(*key, 0, True, loaded_at) for key in left}


def products_of(at: datetime) -> list[tuple[object, ...]]:
    """Returns id, price and whether it is withdrawn of each product after a run; the price is the last one offered."""
    offered = {row["id"]: row["price"] for row in rows_at("products", FIRST) if row["deleted_at"] is None}
    return [
        (row["id"], row["price"], False)
        if row["deleted_at"] is None
        else (row["id"], offered.get(row["id"], row["price"]), True)
        for row in rows_at("products", at)
    ]


def stock_at(at: datetime) -> dict[tuple[int, str], int]:
    """Returns what the shop has in stock."""
    return {(product, place): quantity for product, place, quantity, _ in tables_at(SHOP, at)["inventory"]}
