"""What a deploy would change; a function of what is desired and what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deployments.deploy.commit import without_commit
from deployments.deploy.desired import DesiredDeployment, DesiredSchedule
from deployments.deploy.server import FoundDeployment, FoundSchedule, ServerState
from penstock.errors import ConfigurationError

Action = Literal["create", "update", "unchanged", "prune"]

FIELD_NAMES = {
    "parameter_openapi_schema": "parameter schema",
    "enforce_parameter_schema": "parameter check",
    "concurrency_options": "collision strategy",
    "work_pool_name": "work pool",
}
"""How a plan calls the fields whose names in Prefect's API say little."""


@dataclass(frozen=True, slots=True)
class ScheduleChange:
    """One schedule to make, to change (`found`, whose slug stays) or to remove (no `desired`)."""

    desired: DesiredSchedule | None
    found: FoundSchedule | None
    active: bool = True

    def as_text(self) -> str:
        """Returns the change as a plan says it."""
        if self.desired is None:
            return f"- schedule {self.found.slug or self.found.cron or 'made by hand' if self.found else ''}"
        sign = "~" if self.found else "+"
        off = "" if self.active else ", off"
        return f"{sign} schedule {self.desired.slug} ({self.desired.cron} {self.desired.timezone}{off})"


@dataclass(frozen=True, slots=True)
class Change:
    """One deployment of a plan.

    Attributes:
        action: What is done with it.
        flow: Its flow's name.
        name: Its own.
        fields: What is sent, under the API's names.
        before: What the server has of these fields.
        schedules: What is done with its schedules; a new deployment's are part of it.
        remarks: What stays as somebody left it by hand.
        deployment_id: Which one it is; None for a new one.
    """

    action: Action
    flow: str
    name: str
    fields: dict[str, Any]
    before: dict[str, Any]
    schedules: tuple[ScheduleChange, ...] = ()
    remarks: tuple[str, ...] = ()
    deployment_id: str | None = None

    @property
    def full_name(self) -> str:
        """What `prefect deployment run` calls it."""
        return f"{self.flow}/{self.name}"

    def changed(self) -> list[str]:
        """Returns what changes, in words."""
        fields = [FIELD_NAMES.get(name, name.replace("_", " ")) for name in self.fields]
        return [*fields, *(one.as_text() for one in self.schedules)] if self.action == "update" else []


def plan_changes(
    desired: Sequence[DesiredDeployment],
    state: ServerState,
    owner_tags: Sequence[str],
    *,
    prune: bool = False,
    adopt: bool = False,
) -> tuple[Change, ...]:
    """Returns what makes a server's deployments the desired ones: creations and updates by name, then removals.

    Args:
        desired: What there must be.
        state: What there is.
        owner_tags: The tags of what this project made on this platform, which alone may be removed.
        prune: Whether to remove deployments, and schedules made by hand, that are not desired.
        adopt: Whether to take over deployments of a desired name that another made.

    Raises:
        ConfigurationError: a deployment of a desired name was made by another, and is not to be taken over.
    """
    found = {one.full_name: one for one in state.deployments}
    changes = []
    for one in desired:
        there = found.pop(one.full_name, None)
        if there is not None and not adopt:
            _refuse_foreign(there, owner_tags)
        changes.append(_create(one) if there is None else _update(one, there, prune=prune))
    if prune:
        ours = [one for one in found.values() if one.tags >= set(owner_tags)]
        changes += [_prune(one) for one in sorted(ours, key=lambda one: one.full_name)]
    return tuple(changes)


def _create(desired: DesiredDeployment) -> Change:
    schedules = tuple(ScheduleChange(one, None, one.active is not False) for one in desired.schedules)
    return Change("create", desired.flow, desired.name, dict(desired.settings), {}, schedules)


def _prune(found: FoundDeployment) -> Change:
    schedules = tuple(ScheduleChange(None, one) for one in found.schedules)
    return Change("prune", found.flow, found.name, {}, {}, schedules, deployment_id=found.id)


def _update(desired: DesiredDeployment, found: FoundDeployment, *, prune: bool) -> Change:
    fields = {name: value for name, value in desired.settings.items() if _differs(name, value, found.settings[name])}
    before = {name: found.settings[name] for name in fields}
    schedules, remarks = _schedule_changes(desired.schedules, found.schedules, prune=prune)
    action: Action = "update" if fields or schedules else "unchanged"
    return Change(action, desired.flow, desired.name, fields, before, schedules, remarks, found.id)


def _differs(name: str, desired: Any, found: Any) -> bool:
    """Tells whether a field must be sent: a commit alone is no change of the pipeline, and tags have no order."""
    if name == "version":
        return without_commit(desired) != without_commit(found)
    if name == "tags":
        return sorted(desired) != sorted(found or [])
    return bool(desired != found)


def _schedule_changes(
    desired: Sequence[DesiredSchedule], found: Sequence[FoundSchedule], *, prune: bool
) -> tuple[tuple[ScheduleChange, ...], tuple[str, ...]]:
    by_slug = {one.slug: one for one in found if one.slug is not None}
    removed = [one for one in by_slug.values() if one.slug not in {schedule.slug for schedule in desired}]
    by_hand = [one for one in found if one.slug is None]
    removed += by_hand if prune else []
    changes = [ScheduleChange(None, one) for one in removed]
    remarks = [] if prune else [f"a schedule made by hand stays ({one.cron or 'not cron'})" for one in by_hand]
    for one in desired:
        there = by_slug.get(one.slug)
        active = _active(one, there, found)
        if there is None or (there.cron, there.timezone, there.active) != (one.cron, one.timezone, active):
            changes.append(ScheduleChange(one, there, active))
        if one.active is None and not active:
            remarks.append(f"schedule {one.slug} stays off")
    return tuple(changes), tuple(remarks)


def _active(desired: DesiredSchedule, there: FoundSchedule | None, found: Iterable[FoundSchedule]) -> bool:
    """Returns whether a schedule is on: as the file says, else as whoever switched it in Prefect left it.

    Slugs of schedules without a name are their numbers, so that one may have moved to another slug, or was renamed:
    what runs at the same times is the same schedule.
    """
    if desired.active is not None:
        return desired.active
    times = (desired.cron, desired.timezone)
    if there is not None and (there.cron, there.timezone) == times:
        return there.active
    moved = next((one for one in found if (one.cron, one.timezone) == times), there)
    return True if moved is None else moved.active


def _refuse_foreign(found: FoundDeployment, owner_tags: Sequence[str]) -> None:
    """Refuses what was made by hand, or by another project or platform on the same server.

    Raises:
        ConfigurationError: it was.
    """
    managed, platform, *project = owner_tags
    claims = {tag.split(":", 1)[0]: tag for tag in found.tags if tag.startswith(("platform:", "project:"))}
    if (
        managed in found.tags
        and claims.get("platform", platform) == platform
        and (not project or claims.get("project", project[0]) == project[0])
    ):
        return
    raise ConfigurationError(
        "a deployment of that name was made by another",
        guidance="Give the pipeline another name, use a Prefect server or workspace of its own for each platform, "
        "or take the deployment over with --adopt.",
        deployment=found.full_name,
        tags=", ".join(sorted(found.tags)),
    )
