"""Every load strategy in plain Python, written from what they promise and not from how a warehouse does it.

Rows are mappings; times are numbers of days. A model gives what its table holds as rows without metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

Row = dict[str, Any]
KEY, ORDER, VALUE, OP = "id", "seq", "value", "op"


class RefusedError(Exception):
    """The load must be refused."""


class Batch(NamedTuple):
    """What one load brings; `first` and `last` are None for everything."""

    first: int | None
    last: int | None
    extracted: float
    rows: Sequence[Row]


class Model(Protocol):
    def load(self, batch: Batch) -> None: ...

    def rows(self) -> list[Row]: ...


class FullRefreshModel:
    def __init__(self) -> None:
        self._rows: list[Row] = []

    def load(self, batch: Batch) -> None:
        if len(batch.rows) < len(self._rows) / 2 or (self._rows and not batch.rows):
            raise RefusedError
        self._rows = [dict(row) for row in batch.rows]

    def rows(self) -> list[Row]:
        return self._rows


class AppendModel:
    def __init__(self) -> None:
        self._loaded: list[tuple[int, int]] = []
        self._by_window: dict[tuple[int, int], list[Row]] = {}

    def load(self, batch: Batch) -> None:
        assert batch.first is not None
        assert batch.last is not None
        window = (batch.first, batch.last)
        inside = [one for one in self._loaded if window[0] <= one[0] and one[1] <= window[1]]
        if any(one[0] < window[1] and window[0] < one[1] for one in self._loaded if one not in inside):
            raise RefusedError
        if not batch.rows and any(self._by_window.get(one) for one in inside):
            raise RefusedError
        for one in inside:
            self._by_window.pop(one, None)
        self._loaded.append(window)
        self._by_window[window] = [dict(row) for row in batch.rows]

    def rows(self) -> list[Row]:
        return [row for rows in self._by_window.values() for row in rows]


class PartitionModel:
    """Rows hold their day in `seq`."""

    def __init__(self) -> None:
        self._rows: list[Row] = []

    def load(self, batch: Batch) -> None:
        assert batch.first is not None
        assert batch.last is not None
        days = range(batch.first, batch.last)
        if any(row[ORDER] not in days for row in batch.rows):
            raise RefusedError
        kept = [row for row in self._rows if row[ORDER] not in days]
        if not batch.rows and len(kept) < len(self._rows):
            raise RefusedError
        self._rows = kept + [dict(row) for row in batch.rows]

    def rows(self) -> list[Row]:
        return self._rows


class IncrementalModel:
    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._newest: dict[str, tuple[Any, Row]] = {}

    def load(self, batch: Batch) -> None:
        for row in batch.rows:
            age = (_rank(row[ORDER]), batch.extracted) if self._ordered else batch.extracted
            known = self._newest.get(row[KEY])
            if known is None or age >= known[0]:
                self._newest[row[KEY]] = (age, dict(row))

    def rows(self) -> list[Row]:
        return [row for _, row in self._newest.values()]


class CdcModel:
    """Changes are put in order and replayed one by one."""

    def __init__(self, *, hard: bool) -> None:
        self._hard = hard
        self._rows: dict[str, Row] = {}
        self._age: dict[str, Any] = {}

    def load(self, batch: Batch) -> None:
        for row in sorted(batch.rows, key=lambda row: _rank(row[ORDER])):
            age = (_rank(row[ORDER]), batch.extracted)
            if row[KEY] in self._age and age < self._age[row[KEY]]:
                continue
            self._age[row[KEY]] = age
            self._apply(row)

    def _apply(self, row: Row) -> None:
        if row[OP] != "d":
            self._rows[row[KEY]] = {**row, "_is_deleted": False}
        elif row[KEY] in self._rows:
            marks = {ORDER: row[ORDER], OP: row[OP], "_is_deleted": True}
            self._rows[row[KEY]] = {**self._rows[row[KEY]], **marks}
        else:
            self._rows[row[KEY]] = {**row, "_is_deleted": True}
        if self._hard:
            del self._rows[row[KEY]]["_is_deleted"]
            if row[OP] == "d":
                del self._rows[row[KEY]]

    def rows(self) -> list[Row]:
        return list(self._rows.values())


class Seen(NamedTuple):
    """That a key was there with some values, or was not there any more (`row` is None), at a time."""

    time: float
    row: Row | None
    extracted: float


class HistoricalModel:
    """A key's history is a list of sightings; its versions are read off it."""

    def __init__(self, *, ordered: bool, close: bool) -> None:
        self._ordered = ordered
        self._close = close
        self._seen: dict[str, list[Seen]] = {}
        self._newest = float("-inf")

    def load(self, batch: Batch) -> None:
        if self._close and batch.extracted >= self._newest:
            self._close_absent(batch)
        self._newest = max(self._newest, batch.extracted)
        by_key: dict[str, list[Seen]] = {}
        for row in batch.rows:
            time = row[ORDER] if self._ordered else batch.extracted
            sightings = by_key.setdefault(row[KEY], [])
            sightings[:] = [one for one in sightings if one.time != time]
            sightings.append(Seen(time, dict(row), batch.extracted))
        for key, sightings in by_key.items():
            self._see(key, sorted(sightings, key=lambda seen: seen.time))

    def _close_absent(self, batch: Batch) -> None:
        keys = {row[KEY] for row in batch.rows}
        is_open = {key: history for key, history in self._seen.items() if history[-1].row is not None}
        if is_open and (not batch.rows or len(batch.rows) < len(is_open) / 2):
            raise RefusedError
        for key, history in is_open.items():
            if key not in keys and history[-1].time < batch.extracted:
                history.append(Seen(batch.extracted, None, batch.extracted))

    def _see(self, key: str, sightings: list[Seen]) -> None:
        history = self._seen.setdefault(key, [])
        last = history[-1] if history else None
        if last is not None and last.row is None and sightings[-1].time <= last.time < sightings[-1].extracted:
            sightings[-1] = sightings[-1]._replace(time=sightings[-1].extracted)
        for new in sightings:
            if not self._is_known(history, new):
                self._insert(history, new)
        self._drop_repeated(history)

    def _is_known(self, history: list[Seen], new: Seen) -> bool:
        if self._ordered:
            return any(old.time == new.time and old.row == new.row for old in history)
        before = [old for old in history if old.time <= new.time]
        return bool(before) and before[-1].row == new.row

    def _insert(self, history: list[Seen], new: Seen) -> None:
        same = [old for old in history if old.time == new.time and old.row is not None]
        if same and same[0].extracted > new.extracted:
            return
        history[:] = [old for old in history if old not in same]
        history.append(new)
        history.sort(key=lambda seen: (seen.time, seen.row is not None))

    def _drop_repeated(self, history: list[Seen]) -> None:
        if not self._ordered:
            history[:] = [
                seen for number, seen in enumerate(history) if not number or history[number - 1].row != seen.row
            ]

    def rows(self) -> list[Row]:
        return [version for history in self._seen.values() for version in _versions(history)]


def _versions(history: Sequence[Seen]) -> Iterable[Row]:
    for number, seen in enumerate(history):
        if seen.row is not None:
            ends = history[number + 1].time if number + 1 < len(history) else None
            yield {**seen.row, "_valid_from": seen.time, "_valid_to": ends, "_is_current": ends is None}


def _rank(value: Any) -> tuple[bool, Any]:
    return (value is not None, value or 0)
