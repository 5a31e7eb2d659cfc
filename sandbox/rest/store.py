"""A collection's records as encoded JSON, ready to be cut into pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from sandbox.faults import LateRows
from sandbox.rest.collection import Collection, Record
from sandbox.seeded import seed_number

Bounds = tuple[datetime | None, datetime | None]

# Numbers from here on are milliseconds: as seconds they would lie beyond the year 5000.
_FIRST_MILLISECONDS = 1e11
_CACHED_SELECTIONS = 8
_NO_RULES = LateRows([])


class RecordStore:
    """Encodes each record once, and remembers the newest selections, so that a page costs a slice and a join.

    Args:
        now: Tells the time, on which what a function gives may depend.
        parent_column: Field that must equal the parent's id from the path, in collections below a parent.
    """

    def __init__(self, collection: Collection, *, now: Callable[[], datetime], parent_column: str = "") -> None:
        self._collection = collection
        self._now = now
        self._parent_column = parent_column
        self._selections: dict[tuple[object, ...], Sequence[bytes]] = {}
        self._encoded: list[bytes] | None = None
        self._times: list[float] | None = None
        self._places: dict[str, dict[str, list[int]]] = {}

    def select(self, bounds: Bounds, *, parent: str = "", late_rows: LateRows = _NO_RULES) -> Sequence[bytes]:
        """Returns the records within the bounds, the end inclusive where the collection's filter says so.

        Args:
            bounds: Lower and upper end, either None for open.
            parent: The parent's id; empty in collections without one.
            late_rows: Rules that hide rows; while there are any, nothing is remembered.
        """
        if late_rows:
            return self._without_late(self._find(bounds, parent), late_rows)
        # What a function gives can change with the clock; a list cannot.
        moment = self._now() if callable(self._collection.records) else None
        key = (bounds, parent, moment)
        if key not in self._selections:
            while len(self._selections) >= _CACHED_SELECTIONS:
                self._selections.pop(next(iter(self._selections)))
            self._selections[key] = self._find(bounds, parent)
        return self._selections[key]

    def find(self, record_id: str) -> bytes | None:
        """Returns the record with an id, or None."""
        column = self._collection.id_column
        records = self._collection.records
        if callable(records):
            return next((encode(record) for record in records(None, None) if _field(record, column) == record_id), None)
        encoded = self._encode_all(records)
        places = self._places_by(column, encoded).get(record_id, [])
        return encoded[places[0]] if places else None

    def _find(self, bounds: Bounds, parent: str) -> Sequence[bytes]:
        records = self._collection.records
        column = self._parent_column
        if callable(records):
            found = records(*bounds)
            return [encode(record) for record in found if not column or _field(record, column) == parent]
        encoded = self._encode_all(records)
        if not column:
            return self._within(encoded, range(len(encoded)), bounds)
        return self._within(encoded, self._places_by(column, encoded).get(parent, []), bounds)

    def _within(self, encoded: list[bytes], places: Sequence[int], bounds: Bounds) -> list[bytes]:
        time_filter = self._collection.time_filter
        if time_filter is None or bounds == (None, None):
            return encoded if len(places) == len(encoded) else [encoded[place] for place in places]
        if self._times is None:
            self._times = [read_time(orjson.loads(record).get(time_filter.column)) for record in encoded]
        start = bounds[0].timestamp() if bounds[0] else float("-inf")
        end = bounds[1].timestamp() if bounds[1] else float("inf")
        times = self._times
        if time_filter.end_inclusive:
            return [encoded[place] for place in places if start <= times[place] <= end]
        return [encoded[place] for place in places if start <= times[place] < end]

    def _encode_all(self, records: Iterable[Record]) -> list[bytes]:
        if self._encoded is None:
            self._encoded = [encode(record) for record in records]
        return self._encoded

    def _places_by(self, column: str, encoded: list[bytes]) -> dict[str, list[int]]:
        if column not in self._places:
            places: dict[str, list[int]] = {}
            for place, record in enumerate(encoded):
                places.setdefault(_field(record, column), []).append(place)
            self._places[column] = places
        return self._places[column]

    def _without_late(self, encoded: Sequence[bytes], late_rows: LateRows) -> Sequence[bytes]:
        time_filter = self._collection.time_filter
        if time_filter is None:
            return encoded
        kept = []
        for record in encoded:
            at = read_time(orjson.loads(record).get(time_filter.column))
            if at == float("-inf") or not late_rows.hides(int(at * 1000), str(seed_number(record))):
                kept.append(record)
        return kept


def encode(record: Record) -> bytes:
    """Returns a record as JSON; one that is JSON already as it is."""
    return record if isinstance(record, bytes) else orjson.dumps(record)


def read_time(value: Any) -> float:
    """Returns a record's time in seconds since the epoch; minus infinity where it has none that can be read."""
    if isinstance(value, int | float):
        return value / 1000 if value >= _FIRST_MILLISECONDS else float(value)
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return float("-inf")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _field(record: Record, column: str) -> str:
    return str((orjson.loads(record) if isinstance(record, bytes) else record).get(column))
