"""Sprout's filter language: `<field>.<op>(<arguments>)`, several of which all hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.sprout_social.problems import RefusedError

_FILTER = re.compile(r"\s*([a-z_]+(?:\.[a-z_]+)*)\.(eq|neq|gt|gte|lt|lte|in|exists|match)\(([^()]*)\)\s*")
_RANGE = re.compile(r"([^.]+(?:\.\d+)?)(\.{2,3})([^.]+(?:\.\d+)?)")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Filter:
    """One condition, its arguments as they were written."""

    field: str
    operator: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Range:
    """A range of times or days: `..` has its end, `...` has not."""

    first: datetime
    last: datetime
    has_end: bool

    def holds(self, moment: datetime) -> bool:
        """Returns whether a time lies in it."""
        return self.first <= moment <= self.last if self.has_end else self.first <= moment < self.last


class Filters:
    """The conditions of one request.

    Args:
        texts: As they came.
        allowed: Fields that the endpoint knows.
        timezone: Zone of times without an offset; it changes nothing else.
    """

    def __init__(self, texts: Any, allowed: Iterable[str], timezone: Any = None) -> None:
        if not isinstance(texts, list) or not texts:
            raise RefusedError(400, "filters are required")
        self._zone = _zone(timezone)
        self._filters = [_parse(text) for text in texts]
        unknown = {one.field for one in self._filters} - set(allowed)
        if unknown:
            raise RefusedError(400, "a filter names a field that cannot be filtered by")

    def ids(self, field: str, *, most: int) -> set[int]:
        """Returns the ids of a required `eq`."""
        found = [one for one in self._filters if one.field == field and one.operator == "eq"]
        if len(found) != 1:
            raise RefusedError(400, f"{field}.eq is required")
        values = found[0].arguments
        if not all(value.isdecimal() for value in values) or not 0 < len(values) <= most:
            raise RefusedError(400, f"{field} takes 1 to {most} ids")
        return set(map(int, values))

    def range(self, field: str, *, days: bool = False) -> Range | None:
        """Returns the range of a field's `in`, None where there is none."""
        found = [one for one in self._filters if one.field == field and one.operator == "in"]
        if not found:
            return None
        parts = _RANGE.fullmatch(found[0].arguments[0]) if len(found[0].arguments) == 1 else None
        if len(found) > 1 or parts is None:
            raise RefusedError(400, f"{field}.in takes one range")
        first, last = (self._moment(text, days=days) for text in (parts[1], parts[3]))
        return Range(first, last, parts[2] == "..")

    def rest(self, *answered: str) -> Callable[[Row], bool]:
        """Returns the test of all conditions on other fields than those that were asked for."""
        left = [one for one in self._filters if one.field not in answered]
        return lambda row: all(_holds(one, _values(row, one.field)) for one in left)

    def _moment(self, text: str, *, days: bool) -> datetime:
        try:
            if days:
                day = date.fromisoformat(text)
                return datetime(day.year, day.month, day.day, tzinfo=UTC)
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise RefusedError(400, "a range holds something that is no time") from error
        return (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).astimezone(UTC)


def _parse(text: Any) -> Filter:
    parts = _FILTER.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        raise RefusedError(400, "a filter cannot be read")
    return Filter(parts[1], parts[2], tuple(argument.strip() for argument in parts[3].split(",")))


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(name or "UTC"))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise RefusedError(400, "timezone is not an ICANN name") from error


def _values(row: Row, field: str) -> list[Any]:
    """Returns what a row has at a dotted path, spread over arrays; nulls are not there."""
    found: list[Any] = [row]
    for key in field.split("."):
        inner = [value.get(key) for value in found if isinstance(value, Mapping)]
        found = [one for value in inner for one in (value if isinstance(value, list) else [value]) if one is not None]
    return found


def _holds(one: Filter, values: list[Any]) -> bool:
    texts = [str(value) for value in values]
    match one.operator:
        case "exists":
            return bool(texts) == (one.arguments == ("true",))
        case "eq":
            return any(text in one.arguments for text in texts)
        case "neq":
            return not any(text in one.arguments for text in texts)
        case "match":
            return any(one.arguments[0].lower() in text.lower() for text in texts)
        case _:
            raise RefusedError(400, "the operator does not go with this field")
