from __future__ import annotations

from functools import partial
from typing import Any

import httpx

from penstock.artifacts import Interval
from penstock.connections import SproutSocialConnection
from sandbox.sprout_social.roster import SHOPS_GROUP
from sandbox.sprout_social.settings import (
    SPROUT_CLIENT_ID,
    SPROUT_CLIENT_SECRET,
    SPROUT_CUSTOMER_ID,
    SPROUT_TOKEN,
    SPROUT_TOKEN_PATH,
    SproutSocialSettings,
)
from tests.contract.source_cases.case import Case, Place, Row

SETTINGS = {"sprout_social": SproutSocialSettings(messages_per_day=4)}
_ROOT = f"/v1/{SPROUT_CUSTOMER_ID}"
_METRICS = ["lifetime.impressions", "lifetime.comments_count"]
_FIELDS = ["guid", "created_time", "customer_profile_id", "text", "internal.tags.id"]


def _connect(place: Place, secret: str | None) -> SproutSocialConnection:
    base_url = place.sandbox.service_url("sprout_social")
    given = {"kind": "sprout_social", "token": secret or SPROUT_TOKEN, "base_url": base_url}
    return SproutSocialConnection.model_validate(given)


def _connect_oauth(place: Place, secret: str | None) -> SproutSocialConnection:
    base_url = place.sandbox.service_url("sprout_social")
    client = {"client_id": SPROUT_CLIENT_ID, "client_secret": secret or SPROUT_CLIENT_SECRET}
    address = {"base_url": base_url, "token_url": f"{base_url}{SPROUT_TOKEN_PATH}"}
    return SproutSocialConnection.model_validate({"kind": "sprout_social", **client, **address})


def _ask(place: Place, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    url = f"{place.sandbox.service_url('sprout_social')}{path}"
    headers = {"Authorization": f"Bearer {SPROUT_TOKEN}"}
    answer = httpx.request("POST" if body else "GET", url, headers=headers, json=body).raise_for_status()
    return answer.json()  # type: ignore[no-any-return]


def _profiles(place: Place, network_type: str | None = None) -> list[Row]:
    listed = _ask(place, f"{_ROOT}/metadata/customer")["data"]
    return [one for one in listed if network_type in (None, one["network_type"])]


def _numbered(place: Place, path: str, body: dict[str, Any]) -> list[Row]:
    first = _ask(place, path, body)
    pages = range(2, first["paging"]["total_pages"] + 1)
    return first["data"] + [row for page in pages for row in _ask(place, path, {**body, "page": page})["data"]]  # type: ignore[no-any-return]


def _by_cursor(place: Place, path: str, body: dict[str, Any]) -> list[Row]:
    answer = _ask(place, path, body)
    cursor = answer["paging"].get("next_cursor")
    following = _by_cursor(place, path, {**body, "page_cursor": cursor}) if cursor else []
    return answer["data"] + following  # type: ignore[no-any-return]


def _ids(profiles: list[Row]) -> str:
    return f"customer_profile_id.eq({', '.join(str(one['customer_profile_id']) for one in profiles)})"


def _times(field: str, interval: Interval) -> str:
    start, end = interval.bounds()
    return f"{field}.in({start:%Y-%m-%dT%H:%M:%S}...{end:%Y-%m-%dT%H:%M:%S})"


def _days(place: Place, interval: Interval) -> list[Row]:
    """Days of all profiles, asked for one by one; the source asks by network."""
    start, end = interval.bounds()
    rows = []
    for profile in _profiles(place):
        filters = [_ids([profile]), f"reporting_period.in({start:%Y-%m-%d}...{end:%Y-%m-%d})"]
        body = {"filters": filters, "metrics": ["likes", "net_follower_growth", "posts_sent_by_post_type"]}
        for row in _numbered(place, f"{_ROOT}/analytics/profiles", body):
            day = row["dimensions"]["reporting_period.by(day)"]
            rows.append(
                {"customer_profile_id": row["dimensions"]["customer_profile_id"], "reporting_period": day, **row}
            )
    return rows


def _posts(place: Place, interval: Interval) -> list[Row]:
    filters = [_ids(_profiles(place, "fb_instagram_account")), _times("created_time", interval)]
    body = {"filters": filters, "metrics": _METRICS, "fields": _FIELDS}
    return _numbered(place, f"{_ROOT}/analytics/posts", body)


def _messages(place: Place, interval: Interval) -> list[Row]:
    shops = [one for one in _profiles(place) if SHOPS_GROUP in one["groups"]]
    body = {
        "filters": [f"group_id.eq({SHOPS_GROUP})", _ids(shops), _times("created_time", interval)],
        "fields": [*_FIELDS, "case_id"],
    }
    return _by_cursor(place, f"{_ROOT}/messages", body)


def _cases(place: Place, interval: Interval) -> list[Row]:
    return _by_cursor(place, f"{_ROOT}/cases/filter", {"filters": [_times("updated_time", interval)]})


_NETWORKS = ("facebook", "instagram", "linkedin", "threads", "tiktok", "x", "youtube")
_SHOP_IDS = [SPROUT_CUSTOMER_ID % 1_000 * 100_000 + 100 + number for number in range(2)]
_case = partial(Case, kind="sprout_social", connect=_connect, secrets=(SPROUT_TOKEN,), fixed_token=True)

CASES = {
    "sprout-profile-analytics": _case(
        dataset={
            "endpoint": "profile_analytics",
            "metrics": {name: ["likes", "net_follower_growth", "posts_sent_by_post_type"] for name in _NETWORKS},
        },
        path="/sprout_social/v1/*/analytics/profiles",
        truth=_days,
        has_late_rows=True,
        column="metrics",
    ),
    "sprout-post-analytics": _case(
        dataset={
            "endpoint": "post_analytics",
            "networks": ["instagram"],
            "metrics": {"instagram": _METRICS},
            "fields": _FIELDS,
            "page_size": 2,
        },
        path="/sprout_social/v1/*/analytics/posts",
        truth=_posts,
        has_late_rows=True,
        column="metrics",
        has_pages=True,
    ),
    "sprout-messages": _case(
        dataset={
            "endpoint": "messages",
            "profiles": _SHOP_IDS,
            "fields": [*_FIELDS, "case_id"],
            "page_size": 5,
        },
        path="/sprout_social/v1/*/messages",
        truth=_messages,
        has_late_rows=True,
        column="text",
    ),
    "sprout-cases": Case(
        kind="sprout_social",
        connect=_connect_oauth,
        secrets=(SPROUT_CLIENT_SECRET,),
        dataset={"endpoint": "cases", "page_size": 5},
        path="/sprout_social/v1/*/cases/filter",
        token_path=f"/sprout_social{SPROUT_TOKEN_PATH}",
        truth=_cases,
        has_late_rows=True,
        column="priority",
    ),
    "sprout-list": _case(
        dataset={"endpoint": "profiles"},
        path="/sprout_social/v1/*/metadata/customer",
        truth=lambda place, _interval: _profiles(place),
        honours_window=False,
        one_request=True,
        column="native_name",
    ),
}
