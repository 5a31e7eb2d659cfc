"""A profile's numbers of each day, which come hours after it ended and are restated for three days more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from sandbox.seeded import random_stream
from sandbox.sprout_social.posts import Posts
from sandbox.sprout_social.roster import Profile

# A day is there eight hours after it ended; what share of its numbers is in, by full days since then.
_DELAY = timedelta(hours=8)
_ARRIVED = (0.86, 0.95, 0.99, 1.0)
_RESTATED = frozenset({"impressions", "reach", "reactions", "likes", "comments", "shares", "clicks", "videos", "saves"})
_NULL_SHARE = 0.015
_SATURDAY = 5


class ProfileDays:
    """Rows of profile analytics as they stand at a moment."""

    def __init__(self, seed: int, posts: Posts) -> None:
        self._seed = seed
        self._posts = posts
        self._followers: dict[int, list[int]] = {}
        self._drawn = lru_cache(maxsize=20_000)(self._draw)

    def visible_days(self, profile: Profile, first: date, last: date, now: datetime) -> Iterator[date]:
        """Yields the days, the last included, that a profile has numbers of by now."""
        day = max(first, profile.joined_on)
        while day <= last and _ready_at(day) <= now:
            yield day
            day += timedelta(days=1)

    def values(self, profile: Profile, day: date, now: datetime) -> dict[str, Any]:
        """Returns a day's numbers as they stand now."""
        share = _ARRIVED[min((now - _ready_at(day)).days, len(_ARRIVED) - 1)]
        final = self._drawn(profile, day)
        return {
            **{name: int(value * share) if name in _RESTATED and value else value for name, value in final.items()},
            **self._sent(profile, day),
            "followers": self._count_followers(profile, day),
        }

    def _draw(self, profile: Profile, day: date) -> dict[str, Any]:
        stream = random_stream(self._seed, "profile-day", profile.id, day)
        busy = 0.7 if day.weekday() >= _SATURDAY else 1.0
        seen = int(profile.followers * busy * (0.02 + 0.06 * stream.random())) + 20
        engaged = {
            "reactions": int(seen * 0.03 * (0.5 + stream.random())),
            "comments": int(seen * 0.004 * (0.5 + stream.random())),
            "shares": int(seen * 0.003 * (0.5 + stream.random())),
            "clicks": int(seen * 0.01 * (0.5 + stream.random())),
            "videos": int(seen * 0.2 * stream.random()),
            "saves": int(seen * 0.002 * stream.random()),
        }
        gained = int(profile.followers * 0.0008 * (0.5 + stream.random())) + 1
        lost = int(gained * (0.2 + 0.9 * stream.random()))
        return {
            **engaged,
            "impressions": None if stream.random() < _NULL_SHARE else seen,
            "reach": int(seen * 0.7),
            "likes": int(engaged["reactions"] * 0.9),
            "quotes": engaged["shares"] // 4,
            "visits": seen // 9,
            "gained": gained,
            "lost": lost,
            "net": gained - lost,
            **_audience(profile, stream),
        }

    def _sent(self, profile: Profile, day: date) -> dict[str, Any]:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        sent = self._posts.between(profile, start, start + timedelta(days=1))
        types = [post.post_type for post in sent]
        contents = [post.content for post in sent]
        return {
            "posts": len(sent),
            # An empty breakdown is an array, where any other is an object.
            "by_type": {name: types.count(name) for name in sorted(set(types))} or [],
            "by_content": {name: contents.count(name) for name in sorted(set(contents))} or [],
        }

    def _count_followers(self, profile: Profile, day: date) -> int:
        counts = self._followers.setdefault(profile.id, [])
        while len(counts) <= (day - profile.joined_on).days:
            next_day = profile.joined_on + timedelta(days=len(counts))
            counts.append((counts[-1] if counts else profile.followers) + self._drawn(profile, next_day)["net"])
        return counts[(day - profile.joined_on).days]


def _audience(profile: Profile, stream: Random) -> dict[str, Any]:
    american = 0.6 + 0.1 * stream.random()
    return {
        "countries": {"US": int(profile.followers * american), "CA": int(profile.followers * (0.9 - american))},
        "cities": {"New York, NY": profile.followers // 9, "São Paulo": profile.followers // 60},
        "ages": {"25-34.F": profile.followers // 4, "25-34.M": profile.followers // 6},
    }


def _ready_at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) + _DELAY
