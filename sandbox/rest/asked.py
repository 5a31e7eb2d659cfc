"""What a request asks for: its parameters from the query or a JSON body, and the time bounds among them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from sandbox.rest.collection import Place, TimeFilter
from sandbox.rest.store import Bounds

if TYPE_CHECKING:
    from starlette.requests import Request


class BadQueryError(Exception):
    """A request that is answered with 400; the text names the parameter, never its value."""


class Asked:
    """The parameters of one request."""

    def __init__(self, query: dict[str, str], body: dict[str, Any]) -> None:
        self._query = query
        self._body = body

    def text(self, name: str, place: Place) -> str | None:
        """Returns a parameter from where it belongs; one that stands elsewhere is ignored, as servers do.

        Inside a body the name may be dotted.
        """
        if place == "query":
            return self._query.get(name)
        value: Any = self._body
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return None if value is None else str(value)

    def number(self, name: str, place: Place, *, default: int) -> int:
        """Returns a whole number that is not negative.

        Raises:
            BadQueryError: It is none.
        """
        text = self.text(name, place)
        if text is None:
            return default
        if not text.isdecimal():
            raise BadQueryError(f"{name} must be a whole number")
        return int(text)


async def read_asked(request: Request) -> Asked:
    """Returns a request's parameters.

    Raises:
        BadQueryError: A POST's body is no JSON object.
    """
    body: Any = {}
    if request.method == "POST":
        try:
            body = orjson.loads(await request.body() or b"{}")
        except orjson.JSONDecodeError as error:
            raise BadQueryError("the body must be JSON") from error
    if not isinstance(body, dict):
        raise BadQueryError("the body must be a JSON object")
    return Asked(dict(request.query_params), body)


def read_bounds(asked: Asked, time_filter: TimeFilter | None) -> Bounds:
    """Returns the time bounds of a request.

    Raises:
        BadQueryError: A bound is malformed, or one is required and missing.
    """
    if time_filter is None:
        return None, None
    start = asked.text(time_filter.start_name, time_filter.place)
    end = asked.text(time_filter.end_name, time_filter.place)
    if start is None and time_filter.required:
        raise BadQueryError(f"{time_filter.start_name} is required")
    return (
        None if start is None else _read_bound(start, time_filter, time_filter.start_name),
        None if end is None else _read_end(end, time_filter),
    )


def _read_end(text: str, time_filter: TimeFilter) -> datetime:
    end = _read_bound(text, time_filter, time_filter.end_name)
    if time_filter.format == "date" and time_filter.end_inclusive:
        return end + timedelta(days=1) - timedelta(microseconds=1)
    return end


def _read_bound(text: str, time_filter: TimeFilter, name: str) -> datetime:
    try:
        if time_filter.format == "date":
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        if time_filter.format == "iso":
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        if "%" in time_filter.format:
            moment = datetime.strptime(text, time_filter.format)  # noqa: DTZ007 - the next line gives it a zone
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        number = int(text)
    except ValueError as error:
        raise BadQueryError(f"{name} is not a time in the format {time_filter.format}") from error
    return datetime.fromtimestamp(number / 1000 if time_filter.format == "epoch_milliseconds" else number, UTC)
