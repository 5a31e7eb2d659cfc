"""Sends a plan's changes, several at once; one that fails stops none of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from blocks.prefect_failures import asking_prefect
from deployments.deploy.alerts import AlertChange, apply_alert
from deployments.deploy.limits import LimitChange, apply_limit
from deployments.deploy.planning import Change, ScheduleChange
from deployments.deploy.sending import Sender
from penstock.errors import PenstockError

RUNS_A_PAGE = 200


AnyChange = Change | AlertChange | LimitChange
"""One thing of a plan: a deployment, an automation or a limit."""


class Outcome(NamedTuple):
    """A change that was sent, or why it was not."""

    change: AnyChange
    error: PenstockError | None = None


async def apply_changes(sender: Sender, changes: Sequence[AnyChange], flow_ids: dict[str, str]) -> tuple[Outcome, ...]:
    """Sends what differs and returns what came of each; what is unchanged is not among them.

    Raises:
        PenstockError: a flow that deployments need could not be registered; nothing was sent after it.
    """
    deployments = [one for one in changes if isinstance(one, Change)]
    flow_ids = await _with_flows(sender, deployments, flow_ids)

    async def guarded(change: AnyChange) -> Outcome:
        try:
            with asking_prefect(quote_answer=True):
                await _send(sender, change, flow_ids)
        except PenstockError as error:
            return Outcome(change, error)
        return Outcome(change)

    return tuple(await asyncio.gather(*(guarded(one) for one in changes if one.action != "unchanged")))


async def _with_flows(sender: Sender, changes: Sequence[Change], known: dict[str, str]) -> dict[str, str]:
    missing = sorted({one.flow for one in changes if one.action == "create"} - known.keys())
    made = {}
    for name in missing:
        with asking_prefect(quote_answer=True):
            made[name] = (await sender.request("POST", "/flows/", json={"name": name})).json()["id"]
    return {**known, **made}


async def _send(sender: Sender, change: AnyChange, flow_ids: dict[str, str]) -> None:
    if isinstance(change, AlertChange):
        await apply_alert(sender, change)
    elif isinstance(change, LimitChange):
        await apply_limit(sender, change)
    elif change.action == "create":
        schedules = [_schedule(one) for one in change.schedules]
        body = {"name": change.name, "flow_id": flow_ids[change.flow], **change.fields, "schedules": schedules}
        await sender.request("POST", "/deployments/", json=body)
    elif change.action == "update":
        await _update(sender, change)
    elif change.action == "prune":
        await _prune(sender, change)


async def _update(sender: Sender, change: Change) -> None:
    """Removes, changes and makes schedules one by one: Prefect replaces them all, or keeps what a list has no more."""
    path = {"id": change.deployment_id}
    for one in change.schedules:
        where = {**path, "schedule_id": one.found.id if one.found else None}
        if one.desired is None:  # its future runs go with it
            await sender.request("DELETE", "/deployments/{id}/schedules/{schedule_id}", path_params=where)
        elif one.found is not None:
            await sender.request(
                "PATCH", "/deployments/{id}/schedules/{schedule_id}", path_params=where, json=_schedule(one)
            )
        else:
            await sender.request("POST", "/deployments/{id}/schedules", path_params=path, json=[_schedule(one)])
    if change.fields:
        await sender.request("PATCH", "/deployments/{id}", path_params=path, json=change.fields)


async def _prune(sender: Sender, change: Change) -> None:
    """Deletes a deployment and every run of it that has not begun; Prefect keeps those that wait for a free place."""
    waiting = {
        "deployments": {"id": {"any_": [change.deployment_id]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    runs = (await sender.request("POST", "/flow_runs/filter", json={**waiting, "limit": RUNS_A_PAGE})).json()
    queued = [run["id"] for run in runs if run["state_name"] == "AwaitingConcurrencySlot"]
    await sender.request("DELETE", "/deployments/{id}", path_params={"id": change.deployment_id})
    for run in queued:
        await sender.request("DELETE", "/flow_runs/{id}", path_params={"id": run})


def _schedule(change: ScheduleChange) -> dict[str, Any]:
    desired = change.desired
    if desired is None:
        raise AssertionError("a removed schedule is not sent")
    rule = {"cron": desired.cron, "timezone": desired.timezone, "day_or": True}
    return {"schedule": rule, "active": change.active, "slug": desired.slug}
