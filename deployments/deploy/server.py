"""What a Prefect server has: read as far as a plan needs it, changed by nothing here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deployments.deploy.sending import Sender
from penstock.errors import ConfigurationError

PAGE_SIZE = 200
NAMES_A_REQUEST = 200
POOL_TYPES = {"process": ("process",), "docker": ("docker",), "ecs": ("ecs", "ecs:push"), "kubernetes": ("kubernetes",)}


@dataclass(frozen=True, slots=True)
class FoundSchedule:
    """A schedule of a deployment; `cron` is None for one of another kind, made by hand."""

    id: str
    slug: str | None
    cron: str | None
    timezone: str
    active: bool


@dataclass(frozen=True, slots=True)
class FoundDeployment:
    """A deployment as the server has it, `settings` under the names by which they are sent."""

    id: str
    flow: str
    name: str
    settings: dict[str, Any]
    schedules: tuple[FoundSchedule, ...]

    @property
    def full_name(self) -> str:
        """What `prefect deployment run` calls it."""
        return f"{self.flow}/{self.name}"

    @property
    def tags(self) -> frozenset[str]:
        """Its tags."""
        return frozenset(self.settings["tags"])


@dataclass(frozen=True, slots=True)
class ServerState:
    """The deployments that a plan may touch, and the flows that they are of, by name."""

    deployments: tuple[FoundDeployment, ...]
    flow_ids: dict[str, str]


def require_api() -> str:
    """Returns the Prefect API that the settings name.

    Raises:
        ConfigurationError: they name none; the server that Penstock keeps for `penstock run` has no scheduler.
    """
    from flows.local_server import configured_api_url

    url = configured_api_url()
    if url is None:
        raise ConfigurationError(
            "no Prefect API is configured",
            guidance="Start one with `prefect server start`, and `export PREFECT_API_URL=http://127.0.0.1:4200/api`.",
        )
    return url


async def read_state(
    sender: Sender, names: Sequence[str], flows: Iterable[str], owner_tags: Sequence[str] | None
) -> ServerState:
    """Returns the deployments of these names, those with all of these tags, and the ids of these flows."""
    found: dict[str, dict[str, Any]] = {}
    by_name = [list(names[start : start + NAMES_A_REQUEST]) for start in range(0, len(names), NAMES_A_REQUEST)]
    asked: list[dict[str, Any]] = [{"name": {"any_": chunk}} for chunk in by_name]
    if owner_tags is not None:  # what a deployment has is 10 KB and more: most that are ours have one of the names
        ours = {"tags": {"all_": list(owner_tags)}}
        asked[:1] = [{"operator": "or_", **ours, **asked[0]} if asked else ours]
    for filters in asked:
        found.update(await _deployments(sender, filters))
    flow_names = await _flows(sender, "id", sorted({one["flow_id"] for one in found.values()}))
    wanted = await _flows(sender, "name", sorted(set(flows)))
    return ServerState(
        deployments=tuple(_found(one, flow_names[one["flow_id"]]) for one in found.values()),
        flow_ids={name: flow_id for flow_id, name in wanted.items()},
    )


async def read_work_pool(sender: Sender, name: str, pool_type: str) -> dict[str, Any] | None:
    """Returns a work pool; None where there is none.

    Raises:
        ConfigurationError: it is of another type than the platform says.
    """
    from prefect.exceptions import ObjectNotFound

    try:
        pool = await sender.client.read_work_pool(name)
    except ObjectNotFound:
        return None
    if pool.type not in POOL_TYPES[pool_type]:
        raise ConfigurationError(
            "the work pool is of another type than the platform says",
            guidance="Set `work_pool_type` in the platform file to the pool's type, or name another pool.",
            work_pool=name,
            type=pool.type,
            work_pool_type=pool_type,
        )
    return dict(pool.base_job_template)


async def _deployments(sender: Sender, filters: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    offset = 0
    while True:
        body = {"deployments": filters, "limit": PAGE_SIZE, "offset": offset, "sort": "NAME_ASC"}
        page = (await sender.request("POST", "/deployments/filter", json=body)).json()
        found.update({one["id"]: one for one in page})
        offset += len(page)
        if len(page) < PAGE_SIZE:
            return found


async def _flows(sender: Sender, key: str, values: Sequence[str]) -> dict[str, str]:
    """Returns the names of flows by their ids."""
    found: dict[str, str] = {}
    for start in range(0, len(values), NAMES_A_REQUEST):
        body = {"flows": {key: {"any_": values[start : start + NAMES_A_REQUEST]}}, "limit": PAGE_SIZE}
        answer = await sender.request("POST", "/flows/filter", json=body)
        found.update({one["id"]: one["name"] for one in answer.json()})
    return found


def _found(answer: dict[str, Any], flow: str) -> FoundDeployment:
    limit = answer.get("global_concurrency_limit") or {}
    options = answer.get("concurrency_options") or {}
    kept = (
        "version", "description", "tags", "entrypoint", "parameters", "parameter_openapi_schema",
        "enforce_parameter_schema", "pull_steps", "work_pool_name", "job_variables",
    )  # fmt: skip
    settings = {key: answer.get(key) for key in kept}
    settings["concurrency_limit"] = limit.get("limit")
    settings["concurrency_options"] = {key: value for key, value in options.items() if value is not None}
    schedules = tuple(_schedule(one) for one in answer.get("schedules") or [])
    return FoundDeployment(answer["id"], flow, answer["name"], settings, schedules)


def _schedule(answer: dict[str, Any]) -> FoundSchedule:
    rule = answer["schedule"]
    return FoundSchedule(
        answer["id"], answer.get("slug"), rule.get("cron"), rule.get("timezone") or "UTC", answer["active"]
    )
