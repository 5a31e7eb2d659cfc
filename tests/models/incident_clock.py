"""What incidents took, from the API's own answers, with each workspace's setup written out; nothing of it is dbt's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import md5
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]
Pair = tuple[str, str]

REPORT_ZONE = ZoneInfo("America/New_York")


class Setup(NamedTuple):
    """From which of its own moments to which a workspace takes its times; the impact may end at one of two."""

    detect: Pair
    respond: Pair | None
    impact: tuple[Pair, ...]
    hot: frozenset[str]
    cold: frozenset[str]
    services: str
    reported: str = "Reported at"
    resolved: str = "Resolved at"


SETUPS = {
    "platform": Setup(
        detect=("Impact start", "Reported at"),
        respond=("Reported at", "Accepted at"),
        impact=(("Impact start", "Fixed at"), ("Impact start", "Resolved at")),
        hot=frozenset({"Critical"}),
        cold=frozenset({"Minor"}),
        services="Affected services",
    ),
    "payments": Setup(
        detect=("Reported at", "Identified at"),
        respond=("Reported at", "Identified at"),
        impact=(("Reported at", "Fixed at"), ("Reported at", "Resolved at")),
        hot=frozenset({"SEV1"}),
        cold=frozenset({"SEV3"}),
        services="Impacted Components",
    ),
    "mobile": Setup(
        detect=("Impact start", "Reported at"),
        respond=None,
        impact=(("Impact start", "Resolved at"),),
        hot=frozenset({"High", "Urgent"}),
        cold=frozenset({"Low"}),
        services="Product area",
    ),
    "east": Setup(
        detect=("Started at", "Declared at"),
        respond=None,
        impact=(("Started at", "Mitigated at"), ("Started at", "Resolved at")),
        hot=frozenset({"Busy"}),
        cold=frozenset(),
        services="Affected services",
        reported="Declared at",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One incident of gold."""

    workspace: str
    reference: str
    category: str
    temperature: str | None
    reported_on: date
    detect: int | None
    respond: int | None
    resolve: int | None
    impact_minutes: float | None
    negatives: int
    reopened: int
    excluded: str | None
    is_resolved: bool


def time_incident(workspace: str, incident: Row, reopened: int) -> Timed:
    """Returns an incident's times as a person would take them from its page."""
    setup = SETUPS[workspace]
    moments = _moments(incident)
    category = incident["incident_status"]["category"]
    spans = {
        "detect": _span(moments, [setup.detect]),
        "respond": _span(moments, [setup.respond] if setup.respond else []),
        "resolve": _span(moments, [(setup.reported, setup.resolved)]),
        "impact": _span(moments, setup.impact),
    }
    if incident["mode"] == "retrospective":
        spans["respond"] = None
    known = {name: seconds if seconds is None or seconds >= 0 else None for name, seconds in spans.items()}
    is_test, is_dropped = incident["mode"] in {"test", "tutorial"}, category in {"declined", "merged", "canceled"}
    reported = moments.get(setup.reported) or _time(incident["created_at"])
    return Timed(
        workspace=workspace,
        reference=incident["reference"],
        category=category,
        temperature=_temperature(setup, incident["severity"]),
        reported_on=reported.astimezone(REPORT_ZONE).date(),
        detect=known["detect"],
        respond=known["respond"],
        resolve=known["resolve"],
        impact_minutes=None if known["impact"] is None else known["impact"] / 60,
        negatives=sum(seconds is not None and seconds < 0 for seconds in spans.values()),
        reopened=reopened,
        excluded=incident["mode"] if is_test else category if is_dropped else None,
        is_resolved=setup.resolved in moments,
    )


def count_reopened(updates: Iterable[Row]) -> Counter[str]:
    """Returns how often each incident was opened again, as the people who posted said."""
    return Counter(update["incident_id"] for update in updates if update["message"] == "It is back")


def services_of(workspace: str, incident: Row, names: Mapping[str, str]) -> set[str]:
    """Returns the services of an incident in lower case, by the newest names that the catalogue has had for them."""
    entries = [
        value["value_catalog_entry"]
        for field in incident["custom_field_entries"]
        if field["custom_field"]["name"] == SETUPS[workspace].services
        for value in field["values"]
    ]
    return {names.get(entry["id"], entry["name"]).lower() for entry in entries} or {"(none)"}


def hash_services(services: Iterable[str]) -> str:
    """Returns the hash of a set of services: that of the hashes of their names, in order, with commas between."""
    return _md5(",".join(sorted(_md5(service) for service in services)))


def key_of(*parts: str) -> str:
    """Returns the key that gold makes of values."""
    return _md5("\x1f".join(parts))


def sum_weeks(incidents: Iterable[Timed]) -> dict[tuple[date, str, str], tuple[object, ...]]:
    """Returns by Monday, workspace and temperature: counts, impact, and mean, median and ninth decile of resolving."""
    weeks: dict[tuple[date, str, str], list[Timed]] = defaultdict(list)
    for one in incidents:
        monday = one.reported_on - timedelta(days=one.reported_on.weekday())
        weeks[monday, one.workspace, one.temperature or "unknown"].append(one)
    return {key: _summed(group) for key, group in weeks.items()}


def _summed(group: Sequence[Timed]) -> tuple[object, ...]:
    counted = [one for one in group if one.excluded is None]
    impact = [one.impact_minutes for one in counted if one.impact_minutes is not None]
    resolve = sorted(one.resolve for one in counted if one.resolve is not None)
    return (
        len(counted),
        len(group) - len(counted),
        sum(one.reopened > 0 for one in counted),
        sum(not one.is_resolved for one in counted),
        sum(one.negatives for one in counted),
        round(sum(impact), 6) if impact else None,
        round(sum(resolve) / len(resolve), 6) if resolve else None,
        _quantile(resolve, 0.5),
        _quantile(resolve, 0.9),
    )


def _quantile(ordered: Sequence[int], share: float) -> float | None:
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low, high = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
    return round(low + (high - low) * (place - int(place)), 6)


def _moments(incident: Row) -> dict[str, datetime]:
    entries = incident["incident_timestamp_values"]
    return {
        entry["incident_timestamp"]["name"]: _time(entry["value"]["value"]) for entry in entries if entry.get("value")
    }


def _span(moments: Mapping[str, datetime], pairs: Sequence[Pair]) -> int | None:
    """Returns whole seconds between moments that are cut to seconds."""
    for first, last in pairs:
        if first in moments and last in moments:
            return int(moments[last].timestamp()) - int(moments[first].timestamp())
    return None


def _temperature(setup: Setup, severity: Row | None) -> str | None:
    if severity is None:
        return None
    return "hot" if severity["name"] in setup.hot else "cold" if severity["name"] in setup.cold else "warm"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
