"""Reads and checks the body of a report request, by the rules of Gladly's reference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from sandbox.clock import to_milliseconds
from sandbox.faults import LateRows
from sandbox.gladly.contacts import Contact
from sandbox.gladly.problems import BadRequestError, Problem
from sandbox.gladly.roster import Agent, Inbox, Roster
from sandbox.gladly.timeline import DAY, MINUTE, day_bounds

LEVELS = ("halfHourly", "daily", "weekly", "monthly", "quarterly")
_LONGEST_HALF_HOURLY = 31 * DAY
_CHANNELS = {
    "chat": {"CHAT"},
    "email": {"EMAIL"},
    "fbMessenger": {"FB_MESSENGER"},
    "sms": {"SMS"},
    "twitter": {"TWITTER"},
    "voice": {"PHONE_CALL", "VOICEMAIL"},
    "whatsapp": {"WHATSAPP"},
    "instagramDirect": {"INSTAGRAM_DIRECT"},
}


@dataclass(frozen=True)
class ReportRequest:
    """A checked request.

    Args:
        start: First millisecond asked for.
        end: First millisecond no longer asked for.
        now: Rows from here on have not happened yet.
        label: The first and last day, or minute, as they were asked.
    """

    start: int
    end: int
    now: int
    zone: ZoneInfo
    level: str
    label: tuple[str, str]
    channels: frozenset[str] | None
    inboxes: frozenset[str] | None
    teams: frozenset[str] | None
    late_rows: LateRows

    @property
    def visible_end(self) -> int:
        """The end of what can be known: what was asked, or what has happened."""
        return min(self.end, self.now + 1)

    def wants_contact(self, contact: Contact, inbox: Inbox | None) -> bool:
        """Returns whether the filters let a contact pass that stands in an inbox."""
        held_in = inbox or contact.inbox
        return (self.channels is None or contact.channel in self.channels) and self.wants_inbox(held_in)

    def wants_inbox(self, inbox: Inbox | None) -> bool:
        """Returns whether the inbox filter lets something pass."""
        return self.inboxes is None or (inbox is not None and inbox.id in self.inboxes)

    def wants_agent(self, agent: Agent, roster: Roster) -> bool:
        """Returns whether the team filter lets an agent pass."""
        return self.teams is None or roster.teams[agent.team].id in self.teams


@dataclass(frozen=True)
class ReportRules:
    """What a metric set allows in its requests."""

    takes_level: bool = False
    takes_minutes: bool = False
    needs_minutes: bool = False


def read_body(body: bytes) -> dict[str, Any]:
    """Returns the request's JSON object.

    Raises:
        BadRequestError: It is none.
    """
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(Problem("invalid", "request body must be JSON")) from error
    if not isinstance(asked, dict):
        raise BadRequestError(Problem("invalid", "request body must be a JSON object"))
    return asked


def check_request(
    asked: dict[str, Any], rules: ReportRules, *, roster: Roster, zone: ZoneInfo, now: int, late_rows: LateRows
) -> ReportRequest:
    """Returns what is asked; `zone` is the organisation's, which counts where the request names none.

    Raises:
        BadRequestError: A field is missing, malformed or not allowed for this metric set.
    """
    if rules.needs_minutes or {"startAtTime", "endAtTime"} & asked.keys():
        start, end = _read_minutes(asked, rules)
        label = (asked["startAtTime"], asked["endAtTime"])
    else:
        zone = _read_zone(asked, zone)
        start, end = _read_days(asked, zone)
        label = (asked["startAt"], asked["endAt"])
    filters = asked.get("filters") or {}
    if not isinstance(filters, dict):
        raise BadRequestError(Problem("invalid", "filters must be an object", "filters"))
    return ReportRequest(
        start=start,
        end=end,
        now=now,
        zone=zone,
        level=_read_level(asked, rules, end - start),
        label=label,
        channels=_read_channel(filters),
        inboxes=_read_ids(filters, "inboxes", {inbox.id for inbox in roster.inboxes}),
        teams=_read_ids(filters, "teams", {team.id for team in roster.teams}),
        late_rows=late_rows,
    )


def _read_days(asked: dict[str, Any], zone: ZoneInfo) -> tuple[int, int]:
    first, last = _read_day(asked, "startAt"), _read_day(asked, "endAt")
    if last < first:
        raise BadRequestError(Problem("invalid", "endAt must not be before startAt", "endAt"))
    # endAt is an inclusive day: up to just before the next midnight.
    return day_bounds(first, zone)[0], day_bounds(last, zone)[1]


def _read_day(asked: dict[str, Any], name: str) -> date:
    text = _required(asked, name)
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except (TypeError, ValueError) as error:
        raise BadRequestError(Problem("invalid", f"{name} must be formatted as YYYY-MM-DD", name)) from error


def _read_minutes(asked: dict[str, Any], rules: ReportRules) -> tuple[int, int]:
    if not (rules.takes_minutes or rules.needs_minutes):
        raise BadRequestError(Problem("invalid", "startAtTime is not supported for this metricSet", "startAtTime"))
    for name in ("startAt", "endAt", "timezone"):
        if name in asked:
            raise BadRequestError(Problem("present", f"{name} must be absent when startAtTime is given", name))
    start, end = _read_minute(asked, "startAtTime"), _read_minute(asked, "endAtTime")
    if end < start:
        raise BadRequestError(Problem("invalid", "endAtTime must not be before startAtTime", "endAtTime"))
    # "Includes up to 1 minute past" (work session events); taken to hold wherever minutes are given.
    return start, end + MINUTE


def _read_minute(asked: dict[str, Any], name: str) -> int:
    problem = Problem("invalid", f"{name} must be formatted as YYYY-MM-DDThh:mmZ", name)
    text = _required(asked, name)
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M%z")
    except (TypeError, ValueError) as error:
        raise BadRequestError(problem) from error
    return to_milliseconds(moment)


def _read_zone(asked: dict[str, Any], default: ZoneInfo) -> ZoneInfo:
    name = asked.get("timezone")
    if name is None:
        return default
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise BadRequestError(Problem("invalid", "timezone must be an IANA time zone", "timezone")) from error


def _read_level(asked: dict[str, Any], rules: ReportRules, span: int) -> str:
    level = asked.get("aggregationLevel")
    if level is None:
        return "daily"
    if not rules.takes_level:
        raise BadRequestError(
            Problem("invalid", "aggregationLevel is not supported for this metricSet", "aggregationLevel")
        )
    if level not in LEVELS:
        raise BadRequestError(Problem("invalid", "aggregationLevel is unknown", "aggregationLevel"))
    if level == "halfHourly" and span > _LONGEST_HALF_HOURLY:
        raise BadRequestError(Problem("invalid", "halfHourly is limited to one month", "aggregationLevel"))
    return str(level)


def _read_channel(filters: dict[str, Any]) -> frozenset[str] | None:
    channel = filters.get("channel", "allChannels")
    if channel == "allChannels":
        return None
    if channel not in _CHANNELS:
        raise BadRequestError(Problem("invalid", "channel is unknown", "filters.channel"))
    return frozenset(_CHANNELS[channel])


def _read_ids(filters: dict[str, Any], name: str, known: set[str]) -> frozenset[str] | None:
    ids = filters.get(name)
    if not ids:
        return None
    if not isinstance(ids, list) or not known.issuperset(ids):
        raise BadRequestError(Problem("invalid", f"{name} must hold ids that exist", f"filters.{name}"))
    return frozenset(ids)


def _required(asked: dict[str, Any], name: str) -> Any:
    value = asked.get(name)
    if value in {None, ""}:
        raise BadRequestError(Problem("blank", f"{name} cannot be blank", name))
    return value
