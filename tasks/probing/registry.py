"""How each kind of connection is probed, one line each; a probe's module is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import cast

from penstock.connections import AnyConnection
from penstock.sources.base import DatasetSpec
from tasks.probing.contract import Seen

PROBES = {
    "anthropic": "tasks.probing.declared",
    "copilot": "tasks.probing.declared",
    "cursor": "tasks.probing.declared",
    "datadog_slo": "tasks.probing.datadog_slo",
    "folder": "tasks.probing.files",
    "gladly": "tasks.probing.gladly",
    "google": "tasks.probing.google",
    "incident_io": "tasks.probing.incident_io",
    "litellm": "tasks.probing.declared",
    "mysql": "tasks.probing.sql",
    "nobl9": "tasks.probing.nobl9",
    "openai": "tasks.probing.declared",
    "postgres": "tasks.probing.sql",
    "rest": "tasks.probing.rest",
    "s3": "tasks.probing.files",
    "sftp": "tasks.probing.sftp",
    "sourcegraph": "tasks.probing.declared",
    "sprout_social": "tasks.probing.sprout_social",
    "windsurf": "tasks.probing.declared",
}
"""Modules with `probe(name, connection, datasets, *, timeout_seconds)`, by kind of connection."""


def probe_connection(
    name: str, connection: AnyConnection, datasets: Sequence[DatasetSpec], *, timeout_seconds: float
) -> Seen:
    """Sends the least request that proves that a source's system can be read.

    Args:
        name: The connection's logical name.
        connection: What it means.
        datasets: Those that are read through it.
        timeout_seconds: How long an answer may take.

    Raises:
        PenstockError: The system cannot be reached, or refuses.
    """
    probe = import_module(PROBES[connection.kind]).probe
    return cast("Seen", probe(name, connection, datasets, timeout_seconds=timeout_seconds))
