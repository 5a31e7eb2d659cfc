"""Sends a plan's changes, several at once; one that fails stops none of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from deployments.deploy.alerts import AlertChange, apply_alert
from deployments.deploy.planning import Change, ScheduleChange
from deployments.deploy.server import answered
from penstock.errors import PenstockError

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

AT_ONCE = 4
"""Requests in flight: SQLite lets one write at a time, and refuses those that wait too long."""

RUNS_A_PAGE = 200


class Outcome(NamedTuple):
    """A change that was sent, or why it was not."""

    change: Change | AlertChange
    error: PenstockError | None = None


async def apply_changes(
    client: PrefectClient, changes: Sequence[Change], alerts: Sequence[AlertChange], flow_ids: dict[str, str]
) -> tuple[Outcome, ...]:
    """Sends what differs and returns what came of each; what is unchanged is not among them.

    Raises:
        PenstockError: a flow that deployments need could not be registered; nothing was sent after it.
    """
    flow_ids = await _with_flows(client, changes, flow_ids)
    gate = asyncio.Semaphore(AT_ONCE)

    async def guarded(change: Change | AlertChange, send: Callable[[], Awaitable[None]]) -> Outcome:
        async with gate:
            try:
                with answered():
                    await send()
            except PenstockError as error:
                return Outcome(change, error)
            return Outcome(change)

    sending = [
        guarded(one, lambda one=one: _send(client, one, flow_ids))  # type: ignore[misc]
        for one in changes
        if one.action != "unchanged"
    ]
    sending += [
        guarded(one, lambda one=one: apply_alert(client, one))  # type: ignore[misc]
        for one in alerts
        if one.action != "unchanged"
    ]
    return tuple(await asyncio.gather(*sending))


async def _with_flows(client: PrefectClient, changes: Sequence[Change], known: dict[str, str]) -> dict[str, str]:
    missing = sorted({one.flow for one in changes if one.action == "create"} - known.keys())
    made = {}
    for name in missing:
        with answered():
            made[name] = str(await client.create_flow_from_name(name))
    return {**known, **made}


async def _send(client: PrefectClient, change: Change, flow_ids: dict[str, str]) -> None:
    if change.action == "create":
        schedules = [_schedule(one) for one in change.schedules]
        body = {"name": change.name, "flow_id": flow_ids[change.flow], **change.fields, "schedules": schedules}
        await client.request("POST", "/deployments/", json=body)
    elif change.action == "update":
        await _update(client, change)
    elif change.action == "prune":
        await _prune(client, change)


async def _update(client: PrefectClient, change: Change) -> None:
    """Removes, changes and makes schedules one by one: Prefect replaces them all, or keeps what a list has no more."""
    path = {"id": change.deployment_id}
    for one in change.schedules:
        where = {**path, "schedule_id": one.found.id if one.found else None}
        if one.desired is None:  # its future runs go with it
            await client.request("DELETE", "/deployments/{id}/schedules/{schedule_id}", path_params=where)
        elif one.found is not None:
            await client.request(
                "PATCH", "/deployments/{id}/schedules/{schedule_id}", path_params=where, json=_schedule(one)
            )
        else:
            await client.request("POST", "/deployments/{id}/schedules", path_params=path, json=[_schedule(one)])
    if change.fields:
        await client.request("PATCH", "/deployments/{id}", path_params=path, json=change.fields)


async def _prune(client: PrefectClient, change: Change) -> None:
    """Deletes a deployment and every run of it that has not begun; Prefect keeps those that wait for a free place."""
    waiting = {
        "deployments": {"id": {"any_": [change.deployment_id]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    runs = (await client.request("POST", "/flow_runs/filter", json={**waiting, "limit": RUNS_A_PAGE})).json()
    queued = [run["id"] for run in runs if run["state_name"] == "AwaitingConcurrencySlot"]
    await client.request("DELETE", "/deployments/{id}", path_params={"id": change.deployment_id})
    for run in queued:
        await client.request("DELETE", "/flow_runs/{id}", path_params={"id": run})


def _schedule(change: ScheduleChange) -> dict[str, Any]:
    desired = change.desired
    if desired is None:
        raise AssertionError("a removed schedule is not sent")
    rule = {"cron": desired.cron, "timezone": desired.timezone, "day_or": True}
    return {"schedule": rule, "active": change.active, "slug": desired.slug}
