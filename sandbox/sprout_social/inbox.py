"""Messages that profiles receive and send, and the cases that some of them become."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from sandbox.seeded import random_stream, seed_number, skewed
from sandbox.sprout_social.posts import sender, write_time
from sandbox.sprout_social.roster import QUEUE_IDS, USERS, Profile

# No reply, and nothing of a case, comes later than this after the message.
_LONGEST_REPLY = timedelta(days=3)
_LONGEST_CASE = timedelta(days=21)
_REPLY_SHARE, _CASE_SHARE, _TAG_SHARE, _UNKNOWN_LANGUAGE = 0.55, 0.2, 0.35, 0.1
_REOPENED_SHARE, _NEVER_CLOSED_SHARE, _ON_HOLD_SHARE = 0.15, 0.08, 0.3
_TEXTS = (
    "My order has not arrived yet",
    "love these 😍😍",
    'The screw fell out.\nIs that "covered"?',
    "¿Tienen tienda en Ciudad de México?",
    "@warbyparker still waiting…",
    "Thanks!",
)
_LANGUAGES = ("en", "en", "en", "es", "fr", "de")
_PRIORITIES = ("UNDEFINED", "LOW", "MEDIUM", "HIGH")
_TYPES = ("GENERAL", "SUPPORT", "QUESTION", "FEEDBACK", "LEAD")


@dataclass(frozen=True)
class Case:
    """A case: what changed when, oldest first, as (time, status, number of the user it is assigned to)."""

    id: int
    created: datetime
    facts: Mapping[str, Any]
    changes: tuple[tuple[datetime, str, int], ...]

    def describe(self, now: datetime, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """Returns the case as it stands now."""
        past = [change for change in self.changes if change[0] <= now]
        changed, status, user = past[-1]
        return {
            "id": self.id,
            "status": status,
            **self.facts,
            "created_time": write_time(self.created),
            "updated_time": write_time(changed),
            "closed_time": write_time(changed) if status == "CLOSED" else None,
            "assigned_by": USERS[0][0] if len(past) > 1 else None,
            "assignees": [{"id": USERS[user][0], "type": "USER"}] if len(past) > 1 else [],
            "messages": messages,
        }


@dataclass(frozen=True)
class Message:
    """A received or sent message; `tagged` is when its tags were put on."""

    profile: Profile
    guid: str
    created: datetime
    is_sent: bool
    record: Mapping[str, Any]
    tagged: datetime | None
    case: Case | None

    def describe(self, now: datetime) -> dict[str, Any]:
        """Returns the message as it stands now: its case and tags come after it."""
        internal = dict(self.record["internal"])
        if self.tagged is None or self.tagged > now:
            internal["tags"] = []
        has_case = self.case is not None and self.case.created <= now
        return {**self.record, "case_id": self.case.id if self.case and has_case else None, "internal": internal}


class Inbox:
    """All messages and cases of a seed."""

    def __init__(self, seed: int, opened_on: date, per_day: float) -> None:
        self._seed = seed
        self._opened_on = opened_on
        self._per_day = per_day
        self._of_day = lru_cache(maxsize=20_000)(self._make)

    def messages(self, profile: Profile, start: datetime, end: datetime) -> list[Message]:
        """Returns what a profile received and sent in `[start, end)`, in order of time."""
        found = (message for message in self._around(profile, start - _LONGEST_REPLY, end))
        return sorted((one for one in found if start <= one.created < end), key=lambda one: (one.created, one.guid))

    def cases(self, profile: Profile, start: datetime, end: datetime, now: datetime) -> Iterator[dict[str, Any]]:
        """Yields the cases that may have changed between two times, as they stand now."""
        talks: dict[int, list[Message]] = {}
        for message in self._around(profile, start - _LONGEST_CASE, end):
            if message.case is not None and message.created <= now:
                talks.setdefault(message.case.id, []).append(message)
        for messages in talks.values():
            case = messages[0].case
            if case is not None and case.created <= now:
                described = [
                    {
                        "message_guid": one.guid,
                        "anchor": number == 0,
                        "case_message_direction": "OUTBOUND" if one.is_sent else "INBOUND",
                    }
                    for number, one in enumerate(messages)
                ]
                yield case.describe(now, described)

    def _around(self, profile: Profile, start: datetime, end: datetime) -> Iterator[Message]:
        first = max(start.date(), profile.joined_on, self._opened_on)
        for number in range((end.date() - first).days + 1):
            yield from self._of_day(profile, first + timedelta(days=number))

    def _make(self, profile: Profile, day: date) -> list[Message]:
        stream = random_stream(self._seed, "inbox", profile.id, day)
        count = int(self._per_day * (0.4 + 1.2 * stream.random()))
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        made: list[Message] = []
        for _ in range(count):
            received = self._receive(profile, midnight + timedelta(seconds=int(stream.random() * 86_400)), stream)
            made.append(received)
            if stream.random() < _REPLY_SHARE:
                made.append(self._reply(received, stream))
        return made

    def _receive(self, profile: Profile, created: datetime, stream: Random) -> Message:
        author = int(stream.random() * 3_000)
        case = self._open_case(profile, created, stream) if stream.random() < _CASE_SHARE else None
        tags = [{"id": 33 + int(stream.random() * 3)}] if stream.random() < _TAG_SHARE else []
        language = None if stream.random() < _UNKNOWN_LANGUAGE else _LANGUAGES[int(stream.random() * len(_LANGUAGES))]
        record = {
            **self._record(profile, created, stream, kind="MENTION" if stream.random() < 0.5 else "DIRECT_MESSAGE"),  # noqa: PLR2004
            "text": _TEXTS[int(stream.random() * len(_TEXTS))],
            "from": {
                "guid": f"{profile.network}:{author}",
                "name": f"Customer {author}",
                "screen_name": f"customer{author}",
                "profile_url": f"https://{profile.network}.example/customer{author}",
            },
            "language_code": language,
            "publishing_post_id": None,
            "internal": {"tags": tags, "sent_by": None},
        }
        tagged = created + timedelta(minutes=skewed(stream, 90)) if tags else None
        return Message(profile, str(record["guid"]), created, False, record, tagged, case)

    def _reply(self, received: Message, stream: Random) -> Message:
        delay = min(timedelta(minutes=int(skewed(stream, 55, 1.4)) + 1), _LONGEST_REPLY)
        created = received.created + delay
        number = int(stream.random() * len(USERS))
        record = {
            **self._record(received.profile, created, stream, kind="REPLY"),
            "text": f"Hi {received.record['from']['name']}, we are on it.",
            "from": {"guid": f"{received.profile.network}:{received.profile.id}", "name": received.profile.name},
            "language_code": "en",
            "publishing_post_id": seed_number("publishing", received.guid) % 10**9,
            "internal": {"tags": [], "sent_by": sender(number)},
        }
        return Message(received.profile, str(record["guid"]), created, True, record, None, received.case)

    def _record(self, profile: Profile, created: datetime, stream: Random, *, kind: str) -> dict[str, Any]:
        native = seed_number(self._seed, "message", profile.id, created, stream.random()) % 10**15
        return {
            "guid": f"{profile.network[:2]}m:{native}",
            "created_time": write_time(created),
            "network": profile.network,
            "customer_profile_id": profile.id,
            "profile_guid": f"{profile.network}:{profile.id}",
            "post_category": "DIRECT" if kind == "DIRECT_MESSAGE" else "POST",
            "post_type": f"{profile.network.upper()}_{kind}",
            "content_category": "TEXT",
            "perma_link": None if kind == "DIRECT_MESSAGE" else f"https://{profile.network}.example/m/{native}",
        }

    def _open_case(self, profile: Profile, received: datetime, stream: Random) -> Case:
        created = received + timedelta(minutes=2 + int(stream.random() * 28))
        tags = [{"tag_id": 33, "updated_by": USERS[0][0], "updated_on": write_time(created)}]
        facts = {
            "type": _TYPES[int(stream.random() * len(_TYPES))],
            "priority": _PRIORITIES[int(stream.random() * len(_PRIORITIES))],
            "queue_id": QUEUE_IDS[int(stream.random() * len(QUEUE_IDS))] if stream.random() < 0.9 else None,  # noqa: PLR2004
            "group_id": profile.groups[0],
            "created_by": USERS[int(stream.random() * len(USERS))][0],
            "tags": tags if stream.random() < _TAG_SHARE else [],
        }
        identity = 10_000_000 + seed_number(self._seed, "case", profile.id, received) % 90_000_000
        return Case(identity, created, facts, tuple(_changes(created, stream)))


def _changes(created: datetime, stream: Random) -> Iterator[tuple[datetime, str, int]]:
    """Yields what happens to a case; all of it within `_LONGEST_CASE`."""
    user = int(stream.random() * len(USERS))
    yield created, "OPEN", user
    moment = created + timedelta(minutes=skewed(stream, 30))
    yield moment, "IN_PROGRESS", user
    if stream.random() < _ON_HOLD_SHARE:
        moment += timedelta(hours=skewed(stream, 6))
        yield moment, "ON_HOLD", user
    if stream.random() < _NEVER_CLOSED_SHARE:
        return
    moment += timedelta(hours=skewed(stream, 10))
    yield moment, "CLOSED", user
    if stream.random() < _REOPENED_SHARE:
        moment += timedelta(hours=skewed(stream, 20))
        yield moment, "OPEN", user
        yield moment + timedelta(hours=skewed(stream, 16)), "CLOSED", (user + 1) % len(USERS)
