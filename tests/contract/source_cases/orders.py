"""Rows that the suite makes itself, for sources that read what somebody else put there."""

from __future__ import annotations

from datetime import datetime, timedelta

from penstock.artifacts import Interval
from tests.contract.source_cases.case import FIRST, Case, Row

CASES: dict[str, Case] = {}

ORDERS = [
    {"id": number, "updated_at": (FIRST + timedelta(minutes=12 * number)).isoformat(), "note": 'a\n"b", ü'}
    for number in range(360)
]


def orders_between(interval: Interval) -> list[Row]:
    start, end = interval.bounds()
    return [order for order in ORDERS if start <= datetime.fromisoformat(str(order["updated_at"])) < end]
