"""One workspace: every incident that is ever declared in it, found by time, and what hangs on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from penstock.local_time import local_date, local_instant, local_midnight
from sandbox.incident_io.identity import ulid
from sandbox.incident_io.lives import LONGEST_LIFE, Life, plan_life
from sandbox.incident_io.services import Catalogue
from sandbox.incident_io.settings import Workspace
from sandbox.incident_io.setup import Setup
from sandbox.seeded import fraction, random_stream

_SATURDAY = 5
_WEEKEND_SHARE = 0.35
_WORKING_HOURS_SHARE = 0.7
_DAY_MINUTES = 24 * 60
_CACHED_DAYS = 2_000
_CLOCK_CHANGE_START = time(0, 30)


class World:
    """Answers which incidents there are at a moment; decided by the seed and the workspace."""

    def __init__(self, workspace: Workspace, *, seed: int, opened_on: date) -> None:
        self.workspace = workspace
        self.zone = ZoneInfo(workspace.timezone)
        self._seed = seed
        self._opened_on = opened_on
        opened = local_midnight(opened_on, self.zone)
        self.setup = Setup(workspace, seed=seed, opened=opened)
        self.catalogue = Catalogue(workspace, seed=seed, opened=opened)
        self._lives_of_day = lru_cache(maxsize=_CACHED_DAYS)(self._plan_day)
        self._first_numbers = [1]

    def lives(self, now: datetime, since: datetime | None = None) -> Iterator[Life]:
        """Yields what has been declared by now, oldest first.

        Args:
            now: In UTC.
            since: Leaves out some of those that nothing has happened to since then.
        """
        first = self._opened_on
        if since is not None:
            first = max(first, local_date(since - LONGEST_LIFE, self.zone) - timedelta(days=1))
        for offset in range((local_date(now, self.zone) - first).days + 1):
            for life in self._lives_of_day(first + timedelta(days=offset)):
                if life.created <= now:
                    yield life

    def find(self, incident_id: str, now: datetime) -> Life | None:
        """Returns an incident by its id, None where there is none."""
        return next((life for life in self.lives(now) if self.incident_id(life) == incident_id), None)

    def incident_id(self, life: Life) -> str:
        """Returns an incident's id."""
        return ulid(life.created, self._seed, self.workspace.name, "incident", life.number)

    def incident_id_back(self, life: Life, count: int) -> str | None:
        """Returns the id of the incident that was declared so many before another."""
        earlier = [one for one in self.lives(life.created) if one.number == life.number - count]
        return self.incident_id(earlier[0]) if earlier else None

    def _plan_day(self, day: date) -> list[Life]:
        count = self._count(day)
        moments = sorted(self._moment(day, place) for place in range(count))
        if self._clock_changes(day):
            moments[0] = local_instant(datetime.combine(day, _CLOCK_CHANGE_START), self.zone)
        first = self._first_number(day)
        return [
            plan_life(
                first + place,
                moment,
                random_stream(self._seed, self.workspace.name, "life", day, place),
                service_count=len(self.catalogue.services),
                is_long=place == 0 and self._clock_changes(day),
            )
            for place, moment in enumerate(sorted(moments))
        ]

    def _moment(self, day: date, place: int) -> datetime:
        stream = random_stream(self._seed, self.workspace.name, "moment", day, place)
        if stream.random() < _WORKING_HOURS_SHARE:
            minute = 9 * 60 + int(stream.random() * 9 * 60)
        else:
            minute = int(stream.random() * _DAY_MINUTES)
        wall = datetime.combine(day, time(minute // 60, minute % 60))
        return local_instant(wall, self.zone) + timedelta(milliseconds=int(stream.random() * 60_000))

    def _count(self, day: date) -> int:
        share = _WEEKEND_SHARE if day.weekday() >= _SATURDAY else 1.0
        drawn = self.workspace.incidents_per_day * share * (0.4 + 1.2 * fraction(self._seed, self.workspace.name, day))
        return max(round(drawn), int(self._clock_changes(day)))

    def _first_number(self, day: date) -> int:
        """Returns the number of the day's first incident: numbers have no gap."""
        place = (day - self._opened_on).days
        while len(self._first_numbers) <= place:
            before = self._opened_on + timedelta(days=len(self._first_numbers) - 1)
            self._first_numbers.append(self._first_numbers[-1] + self._count(before))
        return self._first_numbers[place]

    def _clock_changes(self, day: date) -> bool:
        """Returns whether the zone's clock changes during a day."""
        return local_midnight(day + timedelta(days=1), self.zone) - local_midnight(day, self.zone) != timedelta(days=1)
