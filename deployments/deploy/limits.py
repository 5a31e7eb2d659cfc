"""Limits as code: Prefect's global concurrency limits that hold how many extractions use a connection at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from deployments.deploy.sending import Sender
from penstock.platform import PlatformSpec

PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class LimitChange:
    """One limit of a plan; `before` is what the server has, `found_id` which one is changed or removed."""

    action: Literal["create", "update", "unchanged", "prune"]
    name: str
    limit: int | None = None
    before: int | None = None
    found_id: str | None = None

    def as_text(self) -> str:
        """Returns the change as a plan says it."""
        if self.limit is None:
            return "concurrency limit"
        return f"concurrency limit {self.limit}" + (f", was {self.before}" if self.action == "update" else "")


async def plan_limits(sender: Sender, platform: PlatformSpec, *, prune: bool) -> tuple[LimitChange, ...]:
    """Returns what makes a server's limits those of a platform; those of a name that is not ours are not looked at."""
    if not platform.limits and not prune:
        return ()
    found = await _ours(sender, platform.limit_prefix)
    changes = [_change(name, limit, found.pop(name, None)) for name, limit in sorted(platform.managed_limits.items())]
    extra = [found[name] for name in sorted(found)] if prune else []
    return (*changes, *(LimitChange("prune", one["name"], before=one["limit"], found_id=one["id"]) for one in extra))


async def apply_limit(sender: Sender, change: LimitChange) -> None:
    """Sends one change; a limit that was switched off by hand stays off."""
    path, this_one = "/v2/concurrency_limits/{id_or_name}", {"id_or_name": change.found_id}
    if change.action == "create":
        await sender.request("POST", "/v2/concurrency_limits/", json={"name": change.name, "limit": change.limit})
    elif change.action == "update":
        await sender.request("PATCH", path, path_params=this_one, json={"limit": change.limit})
    elif change.action == "prune":
        await sender.request("DELETE", path, path_params=this_one)


def _change(name: str, limit: int, found: dict[str, Any] | None) -> LimitChange:
    if found is None:
        return LimitChange("create", name, limit)
    is_same = found["limit"] == limit
    return LimitChange("unchanged" if is_same else "update", name, limit, found["limit"], found["id"])


async def _ours(sender: Sender, prefix: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    offset = 0
    while True:
        body = {"limit": PAGE_SIZE, "offset": offset}
        page = (await sender.request("POST", "/v2/concurrency_limits/filter", json=body)).json()
        found.update({one["name"]: one for one in page if one["name"].startswith(prefix)})
        offset += len(page)
        if len(page) < PAGE_SIZE:
            return found
