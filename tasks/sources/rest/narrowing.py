"""Records of an interval, picked out of what an API with a coarser clock gives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from penstock.artifacts import Interval
from penstock.errors import DataError
from tasks.sources.rest.body import Raw, field_of


class Within(NamedTuple):
    """Whose time in a field lies in an interval.

    Args:
        field: Dotted path of a time in ISO-8601 with an offset.
    """

    field: str
    interval: Interval

    def of(self, records: Sequence[Raw]) -> list[Raw]:
        """Returns those records whose time lies in the interval; all of them for a full interval.

        Raises:
            DataError: A record has no such time, so that nobody can say where it belongs.
        """
        if self.interval.is_full:
            return list(records)
        start, end = self.interval.bounds()
        return [record for record in records if start <= self._time_of(record) < end]

    def _time_of(self, record: Raw) -> datetime:
        value = field_of(record, self.field)
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise DataError(
                "a record has no time in the field that decides whether it belongs to the window",
                guidance="Check `narrowed_by` in the dataset's `window_parameters`: every record needs a time there.",
                field=self.field,
            )
        return moment
