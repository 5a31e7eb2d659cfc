"""What each report endpoint answers: its required filters, its limits, and its rows in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.clock import to_milliseconds
from sandbox.faults import LateRows
from sandbox.sprout_social.filters import Filters, Range
from sandbox.sprout_social.inbox import Inbox
from sandbox.sprout_social.metrics import check_metrics, pick_post_metrics, pick_profile_metrics
from sandbox.sprout_social.posts import Posts
from sandbox.sprout_social.problems import RefusedError
from sandbox.sprout_social.profile_days import ProfileDays
from sandbox.sprout_social.roster import Profile, Roster
from sandbox.sprout_social.settings import SproutSocialSettings

MOST_IDS = 100
_LONGEST_PERIOD = timedelta(days=366)
_LONGEST_CASE_WINDOW = timedelta(days=7)
_PROFILE = "customer_profile_id"
_POST_FILTERS = (_PROFILE, "created_time", "internal.tags.id", "post_type", "guid")
_MESSAGE_FILTERS = (_PROFILE, "group_id", "created_time", "post_type", "tag_id", "language_code", "from.guid", "guid")
_CASE_FILTERS = (
    *("case_id", "created_time", "updated_time", "status", "priority", "type", "queue_id", "assigned_to", "tags"),
)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Asked:
    """A request that was let in."""

    body: Mapping[str, Any]
    now: datetime
    late_rows: LateRows


class Customer:
    """One customer's world."""

    def __init__(self, customer: int, *, seed: int, settings: SproutSocialSettings) -> None:
        self.roster = Roster(customer, more_profiles=settings.more_profiles)
        self._opened_on = settings.opened_on
        self._posts = Posts(seed, settings.opened_on)
        self._days = ProfileDays(seed, self._posts)
        self._inbox = Inbox(seed, settings.opened_on, settings.messages_per_day)

    def profile_days(self, asked: Asked) -> Rows:
        """Returns rows of profile analytics, a profile after the other."""
        filters = Filters(asked.body.get("filters"), (_PROFILE, "reporting_period"))
        profiles = self._profiles(filters, asked.now)
        period = filters.range("reporting_period", days=True)
        if period is None or period.last - period.first > _LONGEST_PERIOD:
            raise RefusedError(400, "reporting_period.in is required, and takes a year at most")
        metrics = check_metrics(asked.body.get("metrics"), of_posts=False)
        first = max(period.first.date(), self._opened_on)
        last = period.last.date() if period.has_end else period.last.date() - timedelta(days=1)
        return [
            {
                "dimensions": {_PROFILE: str(profile.id), "reporting_period.by(day)": day.isoformat()},
                "metrics": pick_profile_metrics(metrics, profile.network, self._days.values(profile, day, asked.now)),
            }
            for profile in profiles
            for day in self._days.visible_days(profile, first, last, asked.now)
            if not asked.late_rows.hides(
                to_milliseconds(datetime(day.year, day.month, day.day, tzinfo=UTC)), f"{profile.id}-{day}"
            )
        ]

    def posts(self, asked: Asked) -> Rows:
        """Returns rows of post analytics, with the fields that were asked for."""
        filters = Filters(asked.body.get("filters"), _POST_FILTERS, asked.body.get("timezone"))
        profiles = self._profiles(filters, asked.now)
        metrics = check_metrics(asked.body.get("metrics"), of_posts=True)
        start, end, window = _span(filters.range("created_time"), asked.now)
        holds = filters.rest(_PROFILE, "created_time")
        found = [
            (post.created, post.guid, post)
            for profile in profiles
            for post in self._posts.between(profile, start, end)
            if window(post.created) and holds({**post.record, "internal": _tagged(post.record["internal"])})
        ]
        return [
            {
                **pick_fields(post.record, asked.body.get("fields")),
                "metrics": pick_post_metrics(metrics, post.profile.network, post.values(asked.now)),
            }
            for created, guid, post in _sorted(found, asked.body)
            if not asked.late_rows.hides(to_milliseconds(created), guid)
        ]

    def messages(self, asked: Asked) -> Rows:
        """Returns received and sent messages."""
        filters = Filters(asked.body.get("filters"), _MESSAGE_FILTERS, asked.body.get("timezone"))
        groups = filters.ids("group_id", most=MOST_IDS)
        profiles = [one for one in self._profiles(filters, asked.now) if groups & set(one.groups)]
        start, end, window = _span(filters.range("created_time"), asked.now)
        holds = filters.rest(_PROFILE, "group_id", "created_time")
        found = [
            (message.created, message.guid, message.describe(asked.now))
            for profile in profiles
            for message in self._inbox.messages(profile, start, end)
            if window(message.created)
        ]
        return [
            pick_fields(record, asked.body.get("fields"))
            for created, guid, record in _sorted(found, asked.body)
            if holds({**record, "tag_id": [tag["id"] for tag in record["internal"]["tags"]]})
            and not asked.late_rows.hides(to_milliseconds(created), guid)
        ]

    def cases(self, asked: Asked) -> Rows:
        """Returns cases as they stand now."""
        filters = Filters(asked.body.get("filters"), _CASE_FILTERS, asked.body.get("timezone"))
        ranges = {name: filters.range(name) for name in ("created_time", "updated_time")}
        for found in filter(None, ranges.values()):
            if found.last - found.first > _LONGEST_CASE_WINDOW:
                raise RefusedError(400, "a time range of cases may be 7 days long")
        start = min((one.first for one in ranges.values() if one), default=asked.now - _LONGEST_CASE_WINDOW)
        # Nothing of a case comes before its first message: what changed by then was received by then.
        end = min([asked.now, *(one.last for one in ranges.values() if one)])
        cases = [
            case
            for profile in self.roster.listed(asked.now.date())
            for case in self._inbox.cases(profile, start, end, asked.now)
            if all(one is None or one.holds(_moment(case[name])) for name, one in ranges.items())
            and filters.rest(*ranges)({**case, "case_id": case["id"]})
            and not asked.late_rows.hides(to_milliseconds(_moment(case["updated_time"])), str(case["id"]))
        ]
        by = str((asked.body.get("sort") or ["created_time:asc"])[0]).partition(":")[0]
        return sorted(cases, key=lambda case: (case.get(by) or "", case["id"]))

    def _profiles(self, filters: Filters, now: datetime) -> list[Profile]:
        ids = filters.ids(_PROFILE, most=MOST_IDS)
        listed = {profile.id: profile for profile in self.roster.listed(now.date())}
        if not ids <= set(listed):
            raise RefusedError(403, "no access to a profile")
        return [listed[identity] for identity in sorted(ids)]


def pick_fields(record: Mapping[str, Any], fields: Any) -> dict[str, Any]:
    """Returns a record with the asked fields, of which dotted ones come nested; without any, its guid alone."""
    picked: dict[str, Any] = {}
    for field in fields or ["guid"]:
        keys = str(field).split(".")
        if keys[0] in record:
            picked[keys[0]] = _merge(picked.get(keys[0]), _pick(record[keys[0]], keys[1:]))
    return picked


def _pick(value: Any, keys: list[str]) -> Any:
    if not keys or value is None:
        return value
    if isinstance(value, list):
        return [_pick(one, keys) for one in value]
    return {keys[0]: _pick(value.get(keys[0]), keys[1:])}


def _merge(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **{name: _merge(one.get(name), value) for name, value in other.items()}}
    return other


def _tagged(internal: Mapping[str, Any]) -> dict[str, Any]:
    return {"tags": internal["tags"]}


def _sorted(found: list[tuple[datetime, str, Any]], body: Mapping[str, Any]) -> list[tuple[datetime, str, Any]]:
    """Returns rows in the asked order; the newest first without one."""
    order = str((body.get("sort") or ["created_time:desc"])[0])
    place = 1 if order.startswith("guid") else 0
    return sorted(found, key=lambda row: (row[place], row[1]), reverse=order.endswith(":desc"))


def _span(window: Range | None, now: datetime) -> tuple[datetime, datetime, Callable[[datetime], bool]]:
    """Returns between which times to look, and the test of the exact window; nothing of the future is there."""
    start = window.first if window else now - timedelta(days=30)
    end = min(window.last + timedelta(seconds=1) if window else now, now + timedelta(microseconds=1))
    return start, end, window.holds if window else lambda _moment: True


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
