"""A customer's profiles, groups, tags, users, teams, topics and queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

BRAND_GROUP, CARE_GROUP, SHOPS_GROUP = 1201, 1202, 1203
_SHOPS = ("Boston", "Chicago", "Denver", "Kraków", "São Paulo")
# Sprout's ids are whole numbers; a customer's begin here, so that no two customers share one.
_IDS_PER_CUSTOMER = 100_000
_FIRST_SHOPS = 2


@dataclass(frozen=True)
class Profile:
    """A connected profile.

    Args:
        network: As posts and messages name it.
        joined_on: When it was connected, from when on it is listed.
        followers: On the day it was connected.
        posts_per_day: On average.
    """

    id: int
    network_type: str
    network: str
    name: str
    native_name: str
    groups: tuple[int, ...]
    followers: int
    posts_per_day: float
    joined_on: date = date(2025, 1, 1)
    link: str | None = None
    shop: str | None = None

    def describe(self) -> dict[str, Any]:
        """Returns the profile as `GET /metadata/customer` lists it."""
        described: dict[str, Any] = {
            "customer_profile_id": self.id,
            "network_type": self.network_type,
            "name": self.name,
            "native_name": self.native_name,
            "native_id": str(self.id * 7919),
            "groups": list(self.groups),
        }
        if self.link is not None:
            described["link"] = self.link
        if self.shop is not None:
            described["network_metadata"] = {"address": f"{self.id % 900} Main Street, {self.shop}", "store_code": "S1"}
        return described


# network_type, network, name, native name, groups, followers, posts a day, day of joining
_BRAND: tuple[tuple[str, str, str, str, tuple[int, ...], int, float, date], ...] = (
    ("twitter", "twitter", "Warby Parker", "warbyparker", (BRAND_GROUP,), 91_000, 1.6, date(2025, 1, 1)),
    ("twitter", "twitter", "Warby Care", "warbycare", (CARE_GROUP, BRAND_GROUP), 12_400, 0.4, date(2025, 1, 1)),
    ("facebook", "facebook", "Warby Parker", "warbyparker", (BRAND_GROUP,), 760_000, 1.1, date(2025, 1, 1)),
    (
        "fb_instagram_account",
        "instagram",
        "Warby Parker",
        "warbyparker",
        (BRAND_GROUP,),
        640_000,
        2.9,
        date(2025, 1, 1),
    ),
    ("fb_instagram_account", "instagram", "Warby Kids", "warbykids", (BRAND_GROUP,), 23_000, 0.6, date(2025, 9, 10)),
    ("linkedin_company", "linkedin", "Warby Parker", "warby-parker", (BRAND_GROUP,), 118_000, 0.5, date(2025, 1, 1)),
    ("youtube", "youtube", "Warby Parker", "WarbyParkerTV", (BRAND_GROUP,), 44_000, 0.2, date(2025, 1, 1)),
    ("tiktok", "tiktok", "Warby Parker", "warbyparker", (BRAND_GROUP,), 87_000, 0.9, date(2025, 3, 1)),
    ("threads", "threads", "Warby Parker", "warbyparker", (BRAND_GROUP,), 51_000, 0.7, date(2025, 11, 3)),
)
_TAGS = (
    (31, "Spring launch", "CAMPAIGN", True),
    (32, "Home try-on", "CAMPAIGN", True),
    (33, "Complaint", "LABEL", True),
    (34, 'Praise, "thank you"', "LABEL", True),
    (35, "Influencer", "LABEL", True),
    (36, "Holiday 2024", "CAMPAIGN", False),
)
USERS = (
    (71, "Ada", "Okafor"),
    (72, "Bruno", "Łukasik"),
    (73, "Chen", "Wei"),
    (74, "Dolores", "Núñez"),
    (75, "Emil", "Sørensen"),
)
QUEUE_IDS = (81, 82)


class Roster:
    """What hardly changes."""

    def __init__(self, customer: int, *, more_profiles: int = 0) -> None:
        self.customer = customer
        first = customer % 1_000 * _IDS_PER_CUSTOMER
        brand = [
            Profile(first + number, *fields, link=None if number == 1 else f"https://{fields[1]}.example/{fields[3]}")
            for number, fields in enumerate(_BRAND)
        ]
        self.profiles = (
            *brand,
            *(_shop(first + 100 + number, number) for number in range(_FIRST_SHOPS + more_profiles)),
        )
        self.by_id = {profile.id: profile for profile in self.profiles}

    def listed(self, today: date) -> list[Profile]:
        """Returns the profiles that are connected by now."""
        return [profile for profile in self.profiles if profile.joined_on <= today]

    def lists(self, name: str, today: date) -> list[dict[str, Any]]:
        """Returns the records of one of the metadata lists."""
        if name == "customer":
            return [profile.describe() for profile in self.listed(today)]
        return _LISTS[name]()


def email_of(user: int) -> str:
    """Returns a user's address."""
    return f"user{user}@example.com"


def _groups() -> list[dict[str, Any]]:
    names = {BRAND_GROUP: "Brand", CARE_GROUP: "Care", SHOPS_GROUP: "Shops"}
    return [{"group_id": group, "name": name} for group, name in names.items()]


def _tags() -> list[dict[str, Any]]:
    return [
        {
            "tag_id": tag,
            "text": text,
            "type": kind,
            "active": active,
            "any_group": tag % 2 == 1,
            "groups": [] if tag % 2 else [BRAND_GROUP],
        }
        for tag, text, kind, active in _TAGS
    ]


def _users() -> list[dict[str, Any]]:
    return [{"id": user, "name": f"{first} {last}", "email": email_of(user)} for user, first, last in USERS]


def _teams() -> list[dict[str, Any]]:
    return [{"id": 91, "name": "Care", "description": "Answers customers"}]


def _topics() -> list[dict[str, Any]]:
    topic = {"id": "5f1c8a", "name": "Eyewear", "topic_type": "BRAND_HEALTH", "description": "", "theme_groups": []}
    return [{**topic, "group_id": BRAND_GROUP, "availability_time": "2025-01-01T00:00:00Z"}]


def _queues() -> list[dict[str, Any]]:
    names = zip(QUEUE_IDS, ("Social care", "Escalations"), strict=True)
    return [{"id": queue, "name": name, "description": None, "associated_teams": [91]} for queue, name in names]


_LISTS: Mapping[str, Callable[[], list[dict[str, Any]]]] = {
    "groups": _groups,
    "tags": _tags,
    "users": _users,
    "teams": _teams,
    "topics": _topics,
    "queues": _queues,
}


def _shop(identity: int, number: int) -> Profile:
    city = _SHOPS[number % len(_SHOPS)]
    return Profile(
        identity,
        "facebook",
        "facebook",
        f"Warby Parker {city}",
        f"warbyparker{number}",
        (SHOPS_GROUP,),
        2_000 + 370 * number,
        0.3,
        date(2025, 1, 1) if number < _FIRST_SHOPS else date(2026, 1, 5),
        link=f"https://facebook.example/warbyparker{number}",
        shop=city,
    )
