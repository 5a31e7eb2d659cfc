"""What the shop's tables hold at a time; a pure function of the seed and the clock, so that it evolves as a shop does.

Customers move, orders go from placed to delivered or cancelled, a few orders are committed two hours after their own
time, products are withdrawn (a marker), and stock that runs out leaves its table (a logged delete).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Rows = list[tuple[Any, ...]]

_LATE = timedelta(hours=2)
_CITIES = ("Torino", "Genova", "Milano", "Bari", "Palermo", "Zürich")
_STEPS = (("placed", 0), ("paid", 1), ("shipped", 26), ("delivered", 74))
_WAREHOUSES = ("north", "south")


@dataclass(frozen=True)
class ShopSettings:
    """How large the shop is.

    Args:
        seed: Which shop it is.
        opened_at: When it had its first customer.
        customers: How many it gets in all.
        products: How many it offers.
        orders_per_day: How many are placed each day.
    """

    seed: int = 1
    opened_at: datetime = datetime(2026, 3, 16, tzinfo=UTC)
    customers: int = 60
    products: int = 25
    orders_per_day: int = 24


def tables_at(settings: ShopSettings, at: datetime) -> dict[str, Rows]:
    """Returns each table's rows at a time, by its name; what is committed later is not there yet."""
    orders = list(_orders(settings, at))
    changes = [row for row in _stock_changes(settings) if row[5] <= at]
    return {
        "customers": list(_customers(settings, at)),
        "products": list(_products(settings, at)),
        "orders": orders,
        "order_items": [item for order in orders for item in _items(settings, order)],
        "inventory": _stock(changes),
        "inventory_changes": changes,
    }


def _customers(settings: ShopSettings, at: datetime) -> Iterator[tuple[Any, ...]]:
    for number in range(1, settings.customers + 1):
        chance = random.Random(f"{settings.seed}-customer-{number}")  # noqa: S311
        created_at = settings.opened_at + timedelta(minutes=chance.randrange(60 * 24 * 4))
        moves = sorted(
            created_at + timedelta(minutes=chance.randrange(60 * 24 * 8)) for _ in range(chance.randrange(4))
        )
        if created_at > at:
            continue
        changes = [created_at, *(moved for moved in moves if moved <= at)]
        city = _CITIES[(number + len(changes)) % len(_CITIES)]
        street = f"Via {chance.choice('ABCDEF')}. {number}, {len(changes)}"
        phone = None if chance.random() < 1 / 4 else f"+39 {number:06d}"
        yield number, f"customer{number}@example.com", phone, street, city, created_at, changes[-1]


def _products(settings: ShopSettings, at: datetime) -> Iterator[tuple[Any, ...]]:
    for number in range(1, settings.products + 1):
        chance = random.Random(f"{settings.seed}-product-{number}")  # noqa: S311
        changes = [settings.opened_at + timedelta(minutes=number)]
        changes += sorted(changes[0] + timedelta(minutes=chance.randrange(60 * 24 * 6)) for _ in range(2))
        is_withdrawn = chance.random() < 1 / 3
        seen = [moment for moment in changes if moment <= at]
        if not seen:
            continue
        deleted_at = changes[-1] if is_withdrawn and len(seen) == len(changes) else None
        price = _price(settings, number) + Decimal(len(seen) - 1) / 10
        yield number, f"SKU-{number:04d}", f"Product “{number}”", price, seen[-1], deleted_at


def _orders(settings: ShopSettings, at: datetime) -> Iterator[tuple[Any, ...]]:
    days = max(0, (at - settings.opened_at).days + 1)
    for number in range(1, days * settings.orders_per_day + 1):
        chance = random.Random(f"{settings.seed}-order-{number}")  # noqa: S311
        day = (number - 1) // settings.orders_per_day
        placed_at = settings.opened_at + timedelta(days=day, seconds=chance.randrange(86_400))
        committed_at = placed_at + (_LATE if number % 10 == 0 else timedelta())
        if committed_at > at:
            continue
        steps = [(name, placed_at + timedelta(hours=hours)) for name, hours in _STEPS]
        if number % 9 == 0:
            steps = [steps[0], ("cancelled", placed_at + timedelta(hours=5))]
        status, updated_at = [step for step in steps if step[1] <= at][-1]
        customer = chance.randrange(settings.customers) + 1
        total = sum((item[3] * item[4] for item in _lines(settings, number)), Decimal(0))
        yield number, customer, status, total, placed_at, updated_at


def _items(settings: ShopSettings, order: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for line in _lines(settings, order[0]):
        yield *line, order[4]


def _lines(settings: ShopSettings, order: int) -> Rows:
    chance = random.Random(f"{settings.seed}-lines-{order}")  # noqa: S311
    products = chance.sample(range(1, settings.products + 1), chance.randint(1, 3))
    return [
        (order, line, product, chance.randint(1, 4), _price(settings, product))
        for line, product in enumerate(products, start=1)
    ]


def _price(settings: ShopSettings, product: int) -> Decimal:
    chance = random.Random(f"{settings.seed}-price-{product}")  # noqa: S311
    return Decimal(chance.randrange(100, 20_000)) / 100


def _stock_changes(settings: ShopSettings) -> Rows:
    """Returns the log of all that happens to the stock, in its order."""
    found: Rows = []
    for product in range(1, settings.products + 1):
        for warehouse in _WAREHOUSES:
            chance = random.Random(f"{settings.seed}-stock-{product}-{warehouse}")  # noqa: S311
            moment = settings.opened_at + timedelta(seconds=chance.randrange(86_400))
            is_there = False
            for _ in range(chance.randint(1, 9)):
                operation = "D" if is_there and chance.random() < 1 / 4 else "U" if is_there else "I"
                is_there = operation != "D"
                quantity = chance.randint(1, 500) if is_there else None
                found.append((product, warehouse, quantity, operation, moment))
                moment += timedelta(seconds=chance.randrange(1, 86_400))
    ordered = sorted(found, key=lambda row: (row[4], row[0], row[1]))
    return [(number, *row) for number, row in enumerate(ordered, start=1)]


def _stock(changes: Rows) -> Rows:
    stock: dict[tuple[int, str], tuple[Any, ...]] = {}
    for _number, product, warehouse, quantity, operation, moment in changes:
        stock.pop((product, warehouse), None)
        if operation != "D":
            stock[product, warehouse] = (product, warehouse, quantity, moment)
    return list(stock.values())
