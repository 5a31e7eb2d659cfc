"""Generated accounts and orders: what a shop's API would hold, growing and changing with the clock.

An order passes through `created`, `paid`, `shipped` and `delivered` (or `cancelled`) within ten days; its `updated_at`
moves each time, so that re-reading by `updated_at` is worth it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from sandbox.rest.collection import Auth, AuthKind, Collection, Paging, PagingStyle, RecordSource, TimeFilter
from sandbox.seeded import identifier, random_stream

OPENED_ON = date(2025, 10, 1)
ACCOUNT_COUNT = 120
ORDERS_PER_DAY = 30
_LONGEST_LIFE_DAYS = 10
_CANCELLED_SHARE = 0.06
_NOTE_SHARE = 0.3
_EXPRESS_SHARE = 0.2
_CITIES = ("New York", "São Paulo", "Kraków", "Nairobi", "Osaka")
_TIERS = ("free", "team", 'enterprise, "plus"')

Life = tuple[dict[str, Any], list[tuple[datetime, str]]]

PAGING_STYLES: tuple[PagingStyle, ...] = (
    "none",
    "page",
    "offset",
    "cursor",
    "header_cursor",
    "keyset",
    "next_url",
    "link_header",
)
AUTH_KINDS: tuple[AuthKind, ...] = ("none", "basic", "bearer", "api_key_header", "api_key_query", "oauth2")


class Shop:
    """The accounts and orders of one seed, as they stand at the clock's time."""

    def __init__(self, seed: int, now: Callable[[], datetime]) -> None:
        self._seed = seed
        self._now = now
        self._orders_of_day = lru_cache(maxsize=1_000)(self._make_orders)

    def accounts(self, start: datetime | None, end: datetime | None) -> Iterator[dict[str, Any]]:
        """Yields accounts, by the time of their last change."""
        now = self._now()
        for number in range(ACCOUNT_COUNT):
            account = _account(self._seed, number)
            changed = datetime.fromisoformat(account["updated_at"])
            if changed <= now and _is_within(changed, start, end):
                yield account

    def orders(self, start: datetime | None, end: datetime | None) -> Iterator[dict[str, Any]]:
        """Yields orders as they stand now, by the time of their last change, oldest orders first."""
        now = self._now()
        first = OPENED_ON if start is None else max(OPENED_ON, start.date() - timedelta(days=_LONGEST_LIFE_DAYS))
        last = now.date() if end is None else min(now.date(), end.date())
        for offset in range((last - first).days + 1):
            for order, changes in self._orders_of_day(first + timedelta(days=offset)):
                past = [change for change in changes if change[0] <= now]
                if past and _is_within(past[-1][0], start, end):
                    changed, status = past[-1]
                    yield {**order, "status": status, "updated_at": _write(changed)}

    def _make_orders(self, day: date) -> list[Life]:
        stream = random_stream(self._seed, "orders", day)
        count = round(ORDERS_PER_DAY * (0.7 + 0.6 * stream.random()))
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        moments = sorted(midnight + timedelta(milliseconds=int(stream.random() * 86_400_000)) for _ in range(count))
        return [self._make_order(stream, number, moment) for number, moment in enumerate(moments)]

    def _make_order(self, stream: Random, number: int, created: datetime) -> Life:
        order = {
            "id": identifier(self._seed, "order", created.date(), number),
            "account_id": _account_id(int(stream.random() * ACCOUNT_COUNT)),
            "amount": round(5 + stream.random() * 400, 2),
            "currency": "USD",
            "items": 1 + int(stream.random() * 5),
            "note": None if stream.random() >= _NOTE_SHARE else 'leave at the door,\n"ring twice"',
            "shipping": {"city": _draw_city(stream), "express": stream.random() < _EXPRESS_SHARE},
            "created_at": _write(created),
        }
        return order, _changes(stream, created)


def demo_collections(seed: int, now: Callable[[], datetime]) -> dict[str, Collection]:
    """Returns the generated collections: accounts and orders, and orders once more in every paging and auth style."""
    shop = Shop(seed, now)
    by_time = TimeFilter()
    cursor = Paging(style="cursor", next_path="paging.next_cursor", total_path="paging.total")
    found = {
        "accounts": Collection(records=shop.accounts, paging=Paging(total_path="paging.total"), time_filter=by_time),
        "orders": Collection(records=shop.orders, paging=cursor, time_filter=by_time),
        "accounts/{account_id}/orders": Collection(records=shop.orders, paging=cursor, time_filter=by_time),
    }
    for style in PAGING_STYLES:
        found[f"paging/{style}/orders"] = _styled(shop.orders, Paging(style=style), by_time)
    for kind in AUTH_KINDS:
        auth = Auth(kind=kind, name="api_key" if kind == "api_key_query" else "X-Api-Key")
        found[f"auth/{kind}/orders"] = Collection(records=shop.orders, auth=auth, time_filter=by_time)
    return found


def _styled(orders: RecordSource, paging: Paging, time_filter: TimeFilter) -> Collection:
    in_headers = paging.style in {"header_cursor", "link_header", "none"}
    return Collection(
        records=orders, paging=paging, time_filter=time_filter, record_path="" if in_headers else "result.items"
    )


def _changes(stream: Random, created: datetime) -> list[tuple[datetime, str]]:
    paid = created + timedelta(minutes=stream.random() * 90)
    shipped = paid + timedelta(hours=4 + stream.random() * 60)
    if stream.random() < _CANCELLED_SHARE:
        return [(created, "created"), (paid, "cancelled")]
    delivered = shipped + timedelta(hours=18 + stream.random() * 120)
    return [(created, "created"), (paid, "paid"), (shipped, "shipped"), (delivered, "delivered")]


@lru_cache(maxsize=1_000)
def _account(seed: int, number: int) -> dict[str, Any]:
    stream = random_stream(seed, "account", number)
    opened = datetime(OPENED_ON.year, OPENED_ON.month, OPENED_ON.day, tzinfo=UTC)
    created = opened + timedelta(hours=stream.random() * 3_000)
    updated = created + timedelta(hours=stream.random() * 1_500)
    return {
        "id": _account_id(number),
        "name": f"Account {number:03d}",
        "tier": _TIERS[int(stream.random() * len(_TIERS))],
        "address": {"city": _draw_city(stream), "lines": [f"{number} Main Street"]},
        "created_at": _write(created),
        "updated_at": _write(updated),
    }


def _draw_city(stream: Random) -> str:
    return _CITIES[int(stream.random() * len(_CITIES))]


def _account_id(number: int) -> str:
    return f"acc_{number:04d}"


def _is_within(moment: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or start <= moment) and (end is None or moment < end)


def _write(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
