"""What gold of the shop must hold, computed from the shop's own tables and without SQL."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.models.shop_bronze import Row

_REPORT_ZONE = ZoneInfo("America/New_York")
_PEOPLE = ("email", "phone", "street")


class Version(NamedTuple):
    """A customer for a time; nothing is known of an inferred one."""

    customer_id: int
    content: tuple[str | None, ...]
    is_inferred: bool
    valid_from: datetime
    valid_to: datetime | None

    def is_valid_at(self, moment: datetime) -> bool:
        return self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)


class Day(NamedTuple):
    """What was sold on a day."""

    orders: int
    cancelled: int
    customers: int
    units: int
    gross: Decimal
    net: Decimal


def versions_of(seen: Iterable[Row], orders: Iterable[Row]) -> list[Version]:
    """Returns the versions of all customers.

    Args:
        seen: The rows of customers that any run has read.
        orders: All orders.
    """
    by_customer: dict[int, dict[datetime, Row]] = defaultdict(dict)
    for row in seen:
        by_customer[row["id"]][row["updated_at"]] = row
    ordered_at: dict[int, datetime] = {}
    for order in orders:
        customer = order["customer_id"]
        ordered_at[customer] = min(order["placed_at"], ordered_at.get(customer, order["placed_at"]))
    found: list[Version] = []
    for customer in by_customer.keys() | ordered_at.keys():
        changes = _changes([row for _, row in sorted(by_customer[customer].items())])
        first_order = ordered_at.get(customer)
        if first_order is not None and (not changes or first_order < changes[0][0]):
            found.append(Version(customer, (None,) * 4, True, first_order, changes[0][0] if changes else None))
        for (begins, content), (ends, _) in pairwise([*changes, (None, ())]):
            found.append(Version(customer, content, False, begins, ends))
    return found


def days_of(orders: Iterable[Row], items: Iterable[Row]) -> dict[date, Day]:
    """Returns what was sold on each day of the report's zone."""
    units: dict[int, int] = defaultdict(int)
    for item in items:
        units[item["order_id"]] += item["quantity"]
    by_day: dict[date, list[Row]] = defaultdict(list)
    for order in orders:
        by_day[local_date(order["placed_at"])].append(order)
    return {day: _sum_day(placed, units) for day, placed in by_day.items()}


def local_date(moment: datetime) -> date:
    """Returns the report's day of a moment in UTC."""
    return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(_REPORT_ZONE).date()


def _changes(rows: Sequence[Row]) -> list[tuple[Any, tuple[str | None, ...]]]:
    """Returns when a customer became what, without what changes nothing that is kept."""
    changes: list[tuple[Any, tuple[str | None, ...]]] = []
    for row in rows:
        content = (*(_hashed(row[column]) for column in _PEOPLE), row["city"])
        if not changes or changes[-1][1] != content:
            changes.append((row["updated_at"], content))
    return changes


def _sum_day(placed: Sequence[Row], units: dict[int, int]) -> Day:
    sold = [order for order in placed if order["status"] != "cancelled"]
    return Day(
        orders=len(placed),
        cancelled=len(placed) - len(sold),
        customers=len({order["customer_id"] for order in placed}),
        units=sum(units[order["id"]] for order in sold),
        gross=sum((order["total"] for order in placed), Decimal(0)),
        net=sum((order["total"] for order in sold), Decimal(0)),
    )


def _hashed(value: str | None) -> str | None:
    return None if value is None else hashlib.sha256(f"{value.strip().lower()}local".encode()).hexdigest()
