"""What the files say of a platform that cannot work there; told without a connection and without an environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel

from penstock.connections import Connection, StoreConnection, WarehouseConnection
from penstock.errors import ConfigurationError
from penstock.findings import Finding, Where, nearest
from penstock.pipeline import PipelineSpec, expand
from penstock.platform import BLOCK_PREFIX, BlockRef, PlatformSpec


def check_platform(platform: PlatformSpec) -> Iterator[Finding]:
    """Yields what is wrong with a platform by itself: types of blocks, and limits of connections it does not have."""
    yield from _block_findings(("store",), platform.store, StoreConnection)
    yield from _block_findings(("warehouse",), platform.warehouse, WarehouseConnection)
    for name, setting in platform.connections.items():
        yield from _block_findings(("connections", name), setting, Connection)
    for name in platform.limits:
        if name not in platform.connections:
            yield Finding(
                ("limits", name),
                f"`{name}` is not a connection of the platform, so nothing would be limited",
                "Limits are by connection: name one of `connections`.",
                suggestion=nearest(name, platform.connections),
            )


def require_connections(pipelines: Iterable[PipelineSpec], platform: PlatformSpec) -> None:
    """Checks that a platform has every connection of the pipelines that are to be deployed to it.

    Raises:
        ConfigurationError: one is missing; the run would fail on the worker.
    """
    lacking = {
        dataset.connection: pipeline.pipeline
        for pipeline in pipelines
        for dataset in expand(pipeline)
        if dataset.connection not in platform.connections
    }
    if lacking:
        raise ConfigurationError(
            "the platform lacks connections that pipelines name",
            guidance=f"Add them to `connections` in deployments/platforms/{platform.platform}.yaml.",
            platform=platform.platform,
            connections=", ".join(f"{name} (of {pipeline})" for name, pipeline in sorted(lacking.items())),
        )


def connection_kinds(union: Any) -> tuple[str, ...]:
    """Returns the `kind` of each member of a union of connections."""
    members = get_args(union)
    if not isinstance(members[0], type) or not issubclass(members[0], BaseModel):  # Annotated: the union is within
        members = get_args(members[0])
    return tuple(get_args(member.model_fields["kind"].annotation)[0] for member in members)


def _block_findings(where: Where, setting: Any, union: Any) -> Iterator[Finding]:
    if not isinstance(setting, BlockRef):
        return
    types = {f"{BLOCK_PREFIX}{kind.replace('_', '-')}": kind for kind in connection_kinds(union)}
    slug, _, name = setting.block.partition("/")
    if slug not in types:
        close = next((one for one, kind in types.items() if kind == nearest(setting.kind, types.values())), None)
        yield Finding(
            (*where, "block"),
            f"`{slug}` is not a type of block that can be here",
            f"There are {', '.join(sorted(types))}.",
            suggestion=f"{close}/{name}" if close else None,
        )
