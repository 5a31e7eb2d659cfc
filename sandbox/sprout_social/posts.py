"""Posts that profiles published, and their lifetime numbers, which grow for weeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import exp
from random import Random
from typing import Any

from sandbox.seeded import random_stream, seed_number, skewed
from sandbox.sprout_social.roster import USERS, Profile, email_of

# Post type and content of what each network has.
_TYPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "twitter": (("TWEET", "TEXT"), ("TWEET", "PHOTO"), ("TWEET", "LINK")),
    "facebook": (("FACEBOOK_POST", "PHOTO"), ("FACEBOOK_POST", "LINK"), ("FACEBOOK_POST", "VIDEO")),
    "instagram": (("INSTAGRAM_MEDIA", "PHOTO"), ("INSTAGRAM_MEDIA", "ALBUM"), ("INSTAGRAM_STORY", "VIDEO")),
    "linkedin": (("LINKEDIN_COMPANY_UPDATE", "LINK"), ("LINKEDIN_COMPANY_UPDATE", "POLL")),
    "youtube": (("YOUTUBE_VIDEO", "VIDEO"),),
    "tiktok": (("TIKTOK_VIDEO", "VIDEO"),),
    "threads": (("THREADS_POST", "TEXT"), ("THREADS_POST", "PHOTO")),
}
_TEXTS = (
    "New frames are here 👓",
    'Five pairs, five days,\n"free" at home.',
    "Sun's out, shades on ☀️ #summer",
    "Brillen, die passen: größer, kleiner, überall.",
    "Our stores are closed on Monday.",
)
_PREFIXES = {"twitter": "tw", "facebook": "fb", "instagram": "ig", "linkedin": "li", "youtube": "yt", "tiktok": "tt"}
_GROWTH_HOURS = 36.0
_NO_TEXT_SHARE, _NATIVE_SHARE, _TAGGED_SHARE = 0.06, 0.2, 0.5


@dataclass(frozen=True)
class Post:
    """A published post."""

    profile: Profile
    guid: str
    created: datetime
    post_type: str
    content: str
    record: Mapping[str, Any]
    final: Mapping[str, int]

    def values(self, now: datetime) -> dict[str, int]:
        """Returns its lifetime numbers as they stand now."""
        hours = max(0.0, (now - self.created) / timedelta(hours=1))
        share = 1 - exp(-hours / _GROWTH_HOURS)
        return {name: value if name == "seconds" else int(value * share) for name, value in self.final.items()}


class Posts:
    """All posts of a seed."""

    def __init__(self, seed: int, opened_on: date) -> None:
        self._seed = seed
        self._opened_on = opened_on
        self._of_day = lru_cache(maxsize=20_000)(self._make)

    def between(self, profile: Profile, start: datetime, end: datetime) -> list[Post]:
        """Returns a profile's posts of `[start, end)` in order of time."""
        first = max(start.date(), profile.joined_on, self._opened_on)
        days = [first + timedelta(days=number) for number in range((end.date() - first).days + 1)]
        return [post for day in days for post in self._of_day(profile, day) if start <= post.created < end]

    def _make(self, profile: Profile, day: date) -> list[Post]:
        stream = random_stream(self._seed, "posts", profile.id, day)
        count = int(profile.posts_per_day * (0.5 + stream.random()) + stream.random())
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        moments = sorted(midnight + timedelta(seconds=int(stream.random() * 86_400)) for _ in range(count))
        return [self._make_post(profile, moment, number, stream) for number, moment in enumerate(moments)]

    def _make_post(self, profile: Profile, created: datetime, number: int, stream: Random) -> Post:
        types = _TYPES[profile.network]
        post_type, content = types[int(stream.random() * len(types))]
        native = seed_number(self._seed, "post", profile.id, created, number) % 10**15
        guid = f"{_PREFIXES.get(profile.network, 'th')}:{native}"
        seen = int(profile.followers * skewed(stream, 0.04, 0.8)) + 5
        record = {
            "guid": guid,
            "created_time": write_time(created),
            "network": profile.network,
            "customer_profile_id": str(profile.id),
            "post_category": "POST",
            "post_type": post_type,
            "content_category": content,
            "perma_link": f"https://{profile.network}.example/p/{native}",
            "text": None if stream.random() < _NO_TEXT_SHARE else _TEXTS[int(stream.random() * len(_TEXTS))],
            "is_boosted": stream.random() < _NO_TEXT_SHARE,
            "from": {"guid": f"{profile.network}:{profile.id}", "name": profile.name},
            "internal": _internal(stream),
        }
        return Post(profile, guid, created, post_type, content, record, _final(seen, stream))


def write_time(moment: datetime) -> str:
    """Returns a time as Sprout writes it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sender(number: int) -> dict[str, Any]:
    """Returns a user of Sprout as the sender of something."""
    user, first, last = USERS[number % len(USERS)]
    return {"id": user, "email": email_of(user), "first_name": first, "last_name": last}


def _internal(stream: Random) -> dict[str, Any]:
    tags = [{"id": 31 + int(stream.random() * 5)}] if stream.random() < _TAGGED_SHARE else []
    # What was published outside of Sprout has no sender there.
    is_native = stream.random() < _NATIVE_SHARE
    return {"tags": tags, "sent_by": None if is_native else sender(int(stream.random() * len(USERS)))}


def _final(seen: int, stream: Random) -> dict[str, int]:
    reactions = int(seen * 0.05 * (0.4 + stream.random()))
    videos = int(seen * 0.4 * stream.random())
    return {
        "impressions": seen,
        "reach": int(seen * 0.8),
        "reactions": reactions,
        "likes": int(reactions * 0.9),
        "comments": int(seen * 0.004 * stream.random()),
        "shares": int(seen * 0.006 * stream.random()),
        "saves": int(seen * 0.003 * stream.random()),
        "clicks": int(seen * 0.015 * stream.random()),
        "videos": videos,
        "watched": videos // 3,
        "seconds": 3 + int(stream.random() * 40),
    }
