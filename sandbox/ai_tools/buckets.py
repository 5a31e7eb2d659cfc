"""Usage in buckets of time, as Anthropic and OpenAI give it: a page is some buckets, a cursor leads to the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sandbox.ai_tools.gate import Asked, Record, RefusedError
from sandbox.ai_tools.world import DAY, HOUR, SECOND, Use

WIDTHS = {"1d": DAY, "1h": HOUR, "1m": 60 * SECOND}
# Default and most buckets of a page, by width.
PAGE_SIZES = {"1d": (7, 31), "1h": (24, 168), "1m": (60, 1440)}
_CURSOR = "page_"


class Buckets(NamedTuple):
    """The buckets of one page: when each starts and ends, and what leads to the next page."""

    spans: list[tuple[int, int]]
    has_more: bool
    next_page: str | None


def read_width(asked: Asked, allowed: Iterable[str]) -> str:
    """Returns the asked width."""
    width = asked.query.get("bucket_width", "1d")
    if width not in allowed:
        raise RefusedError(400, f"bucket_width must be one of {', '.join(allowed)}")
    return width


def read_buckets(asked: Asked, start: int, end: int | None, *, width: str, sizes: tuple[int, int]) -> Buckets:
    """Returns the buckets of the asked page; bounds are snapped down to the width, as both vendors do."""
    step = WIDTHS[width]
    stop = asked.now if end is None else end
    first = start // step * step
    if first >= stop:
        raise RefusedError(400, "the end must be after the start")
    default, most = sizes
    size = asked.number("limit", default=default, most=most)
    count = -(-(min(stop, asked.now + step) - first) // step)
    offset = _read_cursor(asked.query.get("page"))
    spans = [(first + place * step, first + (place + 1) * step) for place in range(offset, min(offset + size, count))]
    following = offset + size
    has_more = following < count
    shown = offset if asked.paging_fault == "repeated_page_token" and offset else following
    is_named = has_more and asked.paging_fault != "missing_page_token"
    return Buckets(spans, has_more, f"{_CURSOR}{shown}" if is_named else None)


def read_groups(asked: Asked, name: str, allowed: Sequence[str]) -> list[str]:
    """Returns what a bucket is split by."""
    groups = asked.query.getlist(name)
    for group in groups:
        if group not in allowed:
            raise RefusedError(400, f"{name}: {group} is not one of {', '.join(allowed)}")
    return groups


def group_facts(facts: Iterable[tuple[Record, Use]], groups: Sequence[str], known: Sequence[str]) -> list[Any]:
    """Returns `(dimensions, uses)`, in a fixed order; a dimension that was not asked for is null."""
    found: dict[tuple[Any, ...], list[Use]] = defaultdict(list)
    for dimensions, use in facts:
        found[tuple(dimensions.get(name) if name in groups else None for name in known)].append(use)
    ordered = sorted(found.items(), key=lambda item: [str(part) for part in item[0]])
    return [(dict(zip(known, key, strict=True)), uses) for key, uses in ordered]


def page_of_list(asked: Asked, records: list[Record], *, after: str, most: int) -> Record:
    """Returns a page of a list that is read on after the last id."""
    size = asked.number("limit", default=20, most=most)
    last = asked.query.get(after)
    ids = [record["id"] for record in records]
    if last is not None and last not in ids:
        raise RefusedError(400, f"{after}: no such id")
    start = 0 if last is None else ids.index(last) + 1
    shown = records[start : start + size]
    has_more = start + size < len(records)
    last_id = shown[-1]["id"] if shown else None
    if asked.paging_fault == "repeated_page_token":
        last_id = last or last_id
    if asked.paging_fault == "missing_page_token":
        last_id = None
    first_id = shown[0]["id"] if shown else None
    return {"data": asked.changed(shown), "has_more": has_more, "first_id": first_id, "last_id": last_id}


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    number = cursor.removeprefix(_CURSOR)
    if number == cursor or not number.isdecimal():
        raise RefusedError(400, "page: invalid cursor")
    return int(number)
