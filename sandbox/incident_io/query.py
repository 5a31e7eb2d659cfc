"""What a list is asked for: page size, cursor, order, and the bracket filters of incidents, all checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sandbox.incident_io.problems import InvalidRequestError

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

DEFAULT_PAGE_SIZE = 25
_FILTER = re.compile(r"([a-z_]+)\[([^\[\]]+)\]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMES = ("created_at", "updated_at")
_TIME_OPERATORS = ("gte", "lte", "date_range")
_LIST_OPERATORS = {
    "status": ("one_of", "not_in"),
    "status_category": ("one_of", "not_in"),
    "severity": ("one_of", "not_in"),
    "mode": ("one_of",),
}
_MODES = frozenset({"standard", "retrospective", "test", "tutorial"})
_DEFAULT_MODES = frozenset({"standard", "retrospective"})
_ORDERS = ("created_at_newest_first", "created_at_oldest_first")
_ALL_TIME = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
Bounds = tuple[datetime, datetime]


@dataclass
class IncidentQuery:
    """Which incidents are asked for; `bounds` are inclusive, `texts` hold (wanted, values) by field."""

    oldest_first: bool = False
    modes: frozenset[str] = _DEFAULT_MODES
    bounds: dict[str, Bounds] = field(default_factory=dict)
    texts: list[tuple[str, bool, frozenset[str]]] = field(default_factory=list)

    def since(self) -> datetime | None:
        """Returns the earliest time of a change that can matter; None where all can."""
        earliest = max((bounds[0] for bounds in self.bounds.values()), default=_ALL_TIME[0])
        return None if earliest == _ALL_TIME[0] else earliest

    def takes(self, times: dict[str, datetime], texts: dict[str, str | None]) -> bool:
        """Returns whether an incident with these times, and these texts by field, is asked for."""
        in_time = all(first <= times[name] <= last for name, (first, last) in self.bounds.items())
        return in_time and all((texts[name] in values) == wanted for name, wanted, values in self.texts)


def page_size(query: QueryParams, largest: int, *, required: bool = False) -> int:
    """Returns how many records a page shall hold.

    Raises:
        InvalidRequestError: It is missing where it is required, no number, or larger than the documented maximum.
    """
    text = query.get("page_size")
    if text is None and required:
        raise InvalidRequestError("page_size", "page_size is required", "is_required")
    if text is not None and not (text.isdecimal() and 1 <= int(text) <= largest):
        raise InvalidRequestError("page_size", f"page_size must be between 1 and {largest}")
    return int(text) if text is not None else DEFAULT_PAGE_SIZE


def check_names(query: QueryParams, known: Iterable[str]) -> None:
    """Raises InvalidRequestError where a parameter is asked for that the list does not have."""
    strangers = [name for name in query if name not in {"page_size", "after", *known}]
    if strangers:
        raise InvalidRequestError(strangers[0], "unknown parameter")


def read_incident_query(query: QueryParams, *, lte_is_midnight: bool) -> IncidentQuery:
    """Returns which incidents are asked for.

    Raises:
        InvalidRequestError: A filter or its value is not one of the documented.
    """
    asked = IncidentQuery()
    for name in query:
        if name in {"page_size", "after"}:
            continue
        if name == "sort_by":
            asked.oldest_first = _one_of(name, query[name], _ORDERS) == _ORDERS[1]
        else:
            _read_filter(asked, name, query.getlist(name), lte_is_midnight=lte_is_midnight)
    return asked


def _read_filter(asked: IncidentQuery, name: str, values: list[str], *, lte_is_midnight: bool) -> None:
    match = _FILTER.fullmatch(name)
    column, operator = match.groups() if match else ("", "")
    if column in _TIMES and operator in _TIME_OPERATORS:
        first, last = asked.bounds.get(column, _ALL_TIME)
        start, end = _read_dates(name, operator, values, lte_is_midnight=lte_is_midnight)
        asked.bounds[column] = max(first, start), min(last, end)
    elif operator in _LIST_OPERATORS.get(column, ()):
        if column == "mode":
            asked.modes = frozenset(_one_of(name, value, _MODES) for value in values)
        else:
            asked.texts.append((column, operator == "one_of", frozenset(values)))
    else:
        raise InvalidRequestError(name, "unknown filter")


def _read_dates(name: str, operator: str, values: list[str], *, lte_is_midnight: bool) -> Bounds:
    first, _, last = values[0].partition("~")
    start, end = _ALL_TIME
    if operator in ("gte", "date_range"):
        start = _midnight(name, first)
    if operator in ("lte", "date_range"):
        end = _midnight(name, last if operator == "date_range" else first)
        end += timedelta(0) if lte_is_midnight else timedelta(days=1, microseconds=-1)
    return start, end


def _midnight(name: str, text: str) -> datetime:
    problem = InvalidRequestError(name, "must be a date, such as 2026-01-02")
    if not _DATE.fullmatch(text):
        raise problem
    try:
        return datetime.combine(date.fromisoformat(text), time.min, UTC)
    except ValueError as error:
        raise problem from error


def _one_of(name: str, value: str, allowed: Iterable[str]) -> str:
    if value not in set(allowed):
        raise InvalidRequestError(name, "is not one of the allowed values")
    return value
