"""Finds a client's flow: the one in `flows/clients/<client>.py`, as a deployment's entrypoint names it."""

from __future__ import annotations

from typing import Any

from prefect import Flow
from prefect.flows import load_flow_from_entrypoint

from penstock.errors import ConfigurationError
from tasks.definitions.client_flows import flow_name, flow_path
from tasks.definitions.project import Project


def client_flow(project: Project, client: str) -> Flow[Any, Any]:
    """Loads a client's flow.

    Raises:
        ConfigurationError: the client has no flow module.
    """
    path = project.root / flow_path(client)
    if not path.is_file():
        raise ConfigurationError(
            "the client has no flow", guidance=f"Make one with `penstock new client {client}`.", expected=path
        )
    return load_flow_from_entrypoint(f"{path}:{flow_name(client)}", use_placeholder_flow=False)
