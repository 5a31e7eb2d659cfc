"""Begins clients and pipelines: small files, with comments, that validate as they are."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from pydantic import TypeAdapter, ValidationError

from penstock.errors import ConfigurationError
from penstock.findings import nearest
from penstock.sources.registry import SOURCES
from penstock.spec import Name, snake
from penstock.window import Timezone
from tasks.definitions.client_flows import flow_name, flow_path, shadows_module
from tasks.definitions.project import DEFAULTS_NAME, Project


def new_client(project: Project, client: str) -> list[Path]:
    """Writes a client's folder with its defaults, and its flow; returns the written files.

    Raises:
        ConfigurationError: the name cannot be used, or one of the files exists already.
    """
    _check(Name, client, "a client's name is lower-case letters and digits, in words joined by one hyphen")
    if shadows_module(client):
        raise ConfigurationError(
            "the client's flow would hide a Python module of that name",
            guidance=f"Give the client a longer name, such as {client}-co.",
            client=client,
        )
    return _write(
        {
            project.clients / client / DEFAULTS_NAME: _filled("client_defaults.yaml", {"client": client}),
            project.root / flow_path(client): client_flow(client),
        }
    )


def client_flow(client: str) -> str:
    """Returns the module of a client's flow."""
    return _filled("client_flow.py.txt", {"client": client, "flow": flow_name(client)})


def new_pipeline(
    project: Project, pipeline: str, *, client: str, source: str, connection: str | None = None, timezone: str = "UTC"
) -> list[Path]:
    """Writes a pipeline file with an example of each thing that its kind of source can do; returns its path in a list.

    Args:
        project: Where to write.
        pipeline: The pipeline's name.
        client: Whose it is.
        source: A kind of source.
        connection: Logical name of the credentials; `<client>-<source>` by default.
        timezone: Zone of the example's windows and schedule.

    Raises:
        ConfigurationError: a name cannot be used, there is no such client or source, or the file exists already.
    """
    _check(Name, pipeline, "a pipeline's name is lower-case letters and digits, in words joined by one hyphen")
    _check(Timezone, timezone, "the time zone is not an IANA name such as America/New_York")
    if source not in SOURCES:
        close = nearest(source, SOURCES)
        raise ConfigurationError(
            "there is no such kind of source",
            guidance=f"Did you mean {close}?" if close else f"There are: {', '.join(SOURCES)}.",
            source=source,
        )
    folder = project.clients / client
    if not folder.is_dir():
        close = nearest(client, [path.name for path in project.clients.glob("*/")])
        raise ConfigurationError(
            "there is no such client",
            guidance=f"Did you mean {close}?" if close else f"Begin it with `penstock new client {client}`.",
            client=client,
        )
    names = {
        "pipeline": pipeline,
        "client": client,
        "connection": connection or default_connection(client, source),
        "timezone": timezone,
    }
    return _write({folder / f"{pipeline}.yaml": _filled(f"pipelines/{source}.yaml", names)})


def default_connection(client: str, source: str) -> str:
    """Returns the connection's name where none is given."""
    return f"{client}-{source.replace('_', '-')}"


def _check(kind: Any, value: str, message: str) -> None:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        name = snake(value).replace("_", "-")
        guidance = f"Write it like {name}." if kind is Name and name else "Choose another."
        raise ConfigurationError(message, guidance=guidance, seen=value) from error


def read_template(name: str) -> str:
    """Returns the text of a template."""
    return files("deployments").joinpath("templates", name).read_text(encoding="utf-8")


def _filled(template: str, names: dict[str, str]) -> str:
    return Template(read_template(template)).substitute(names)


def _write(texts: dict[Path, str]) -> list[Path]:
    for path in texts:
        if path.exists():
            raise ConfigurationError(
                "the file exists already", guidance="Nothing was written; choose another name.", path=path
            )
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)
