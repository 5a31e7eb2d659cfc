"""What the files say of a platform that cannot work there; told without a connection and without an environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from penstock.errors import ConfigurationError
from penstock.findings import Finding, nearest
from penstock.pipeline import PipelineSpec, expand
from penstock.platform import PlatformSpec


def check_platform(platform: PlatformSpec) -> Iterator[Finding]:
    """Yields what is wrong with a platform by itself: limits of connections that it does not have."""
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
