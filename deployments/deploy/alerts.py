"""Alerts as code: Prefect automations that notify somebody of runs that failed, crashed, are late or do not end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from deployments.deploy.sending import Sender
from penstock.errors import ConfigurationError
from penstock.platform import AlertSpec, PlatformSpec
from penstock.window import parse_duration

if TYPE_CHECKING:
    from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger

PAGE_SIZE = 100
RUNNING = "prefect.flow-run.Running"
ENDS = frozenset(
    f"prefect.flow-run.{name}"
    # A run that waits for files takes no time meanwhile, and has a deadline of its own.
    for name in ("Completed", "Failed", "Crashed", "Cancelled", "TimedOut", "AwaitingFiles")
)
EVENTS = {
    "failed": frozenset({"prefect.flow-run.Failed", "prefect.flow-run.TimedOut"}),
    "crashed": frozenset({"prefect.flow-run.Crashed"}),
    "late": frozenset({"prefect.flow-run.Late"}),
}
DESCRIPTIONS = {
    "failed": "A run failed.",
    "crashed": "The process of a run ended without a word.",
    "late": "No worker has begun a run in time.",
    "stuck": "A run has not ended in the time that the platform allows.",
}
SUBJECT = "{{ deployment.name }}: run {{ flow_run.name }} is %s"
BODY = """\
{{ deployment.name }}, run {{ flow_run.name }}: {{ flow_run.state.name }}
{{ flow_run.state.message }}
{{ flow_run|ui_url }}"""


@dataclass(frozen=True, slots=True)
class AlertChange:
    """One automation of a plan; `automation` is what is sent, `found_id` which one is changed or removed."""

    action: Literal["create", "update", "unchanged", "prune"]
    name: str
    automation: Any = None
    found_id: str | None = None


def name_prefix(platform: PlatformSpec) -> str:
    """Returns how the names of a platform's automations begin, which marks them as ours."""
    return f"penstock {platform.project}/{platform.platform}: "


async def plan_alerts(sender: Sender, platform: PlatformSpec, *, prune: bool) -> tuple[AlertChange, ...]:
    """Returns what makes a server's automations those of a platform's `alerts`.

    Raises:
        ConfigurationError: there is no such notification block.
    """
    if platform.project is None or (platform.alerts is None and not prune):
        return ()
    desired = await _desired(sender, platform, platform.alerts) if platform.alerts is not None else []
    found = await _ours(sender, name_prefix(platform))
    changes = [_change(one, found.pop(one.name, [])) for one in desired]
    flat = [change for several in changes for change in several]
    extra = [one for several in found.values() for one in several] if prune else []
    return (*flat, *(AlertChange("prune", one.name, found_id=str(one.id)) for one in extra))


async def apply_alert(sender: Sender, change: AlertChange) -> None:
    """Sends one change."""
    path = {"id": change.found_id}
    is_update = change.action == "update"
    body = change.automation.model_dump(mode="json", exclude_unset=is_update) if change.automation else None
    if change.action == "create":
        await sender.request("POST", "/automations/", json=body)
    elif is_update:
        await sender.request("PUT", "/automations/{id}", path_params=path, json=body)
    elif change.action == "prune":
        await sender.request("DELETE", "/automations/{id}", path_params=path)


async def _desired(sender: Sender, platform: PlatformSpec, alerts: AlertSpec) -> list[AutomationCore]:
    from prefect.events.actions import SendNotification
    from prefect.events.schemas.automations import AutomationCore

    block_id = await _notification_block(sender, alerts.notify)
    return [
        AutomationCore(
            name=name_prefix(platform) + kind,
            description=f"{DESCRIPTIONS[kind]} Made by `penstock deploy`; edit the platform file.",
            trigger=_trigger(kind, platform, alerts),
            actions=[SendNotification(block_document_id=block_id, subject=SUBJECT % kind, body=BODY)],
        )
        for kind in dict.fromkeys(alerts.on)
    ]


def _trigger(kind: str, platform: PlatformSpec, alerts: AlertSpec) -> EventTrigger:
    """Returns when to notify: at an event; for `stuck` when none of the ends follows the start in time."""
    from prefect.events.schemas.automations import EventTrigger, Posture

    tags = (f"platform:{platform.platform}", f"project:{platform.project}")
    which: dict[str, Any] = {
        "match": {"prefect.resource.id": "prefect.flow-run.*"},
        "match_related": [
            {"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in tags
        ],
        "for_each": {"prefect.resource.id"},
    }
    if kind != "stuck":
        return EventTrigger(posture=Posture.Reactive, expect=set(EVENTS[kind]), within=timedelta(0), **which)
    allowed = parse_duration(alerts.stuck_after)
    within = timedelta(days=allowed.days, minutes=allowed.minutes)
    return EventTrigger(posture=Posture.Proactive, after={RUNNING}, expect=set(ENDS), within=within, **which)


def _change(desired: AutomationCore, found: Sequence[Automation]) -> list[AlertChange]:
    """Returns what becomes of the automations of one name; Prefect allows several of a name, and ours is one."""
    if not found:
        return [AlertChange("create", desired.name, desired)]
    first, *others = found
    same = ("description", "trigger", "actions")
    is_same = all(getattr(first, name) == getattr(desired, name) for name in same)
    kept = desired.model_copy(update={"enabled": first.enabled})  # switched off by hand stays off
    change = AlertChange("unchanged" if is_same else "update", desired.name, kept, str(first.id))
    return [change, *(AlertChange("prune", one.name, found_id=str(one.id)) for one in others)]


async def _ours(sender: Sender, prefix: str) -> dict[str, list[Automation]]:
    found: dict[str, list[Automation]] = {}
    offset = 0
    while True:
        page = await sender.client.read_automations(limit=PAGE_SIZE, offset=offset)
        for one in page:
            if one.name.startswith(prefix):
                found.setdefault(one.name, []).append(one)
        offset += len(page)
        if len(page) < PAGE_SIZE:
            return found


async def _notification_block(sender: Sender, reference: str) -> Any:
    from prefect.exceptions import ObjectNotFound

    type_slug, name = reference.split("/", 1)
    try:
        return (await sender.client.read_block_document_by_name(name, type_slug, include_secrets=False)).id
    except ObjectNotFound as error:
        raise ConfigurationError(
            "the notification block that `alerts` names is not on the server",
            guidance="Make it in the Prefect UI (Blocks), or name another under `alerts.notify`.",
            block=reference,
        ) from error
