"""What the files say a server must have; whatever can be wrong with it is found here, before anything is sent."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, get_type_hints

from typing_extensions import TypedDict

from deployments.catalog import Catalog
from deployments.compile import Fill, compile_deployments, pull_steps
from deployments.deploy.commit import current_commit, with_commit
from penstock.errors import ConfigurationError
from penstock.findings import nearest
from penstock.pipeline import PipelineSpec
from penstock.platform import PlatformSpec
from tasks.definitions.project import Project
from tasks.definitions.references import UnsetError, resolve_references

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class DesiredSchedule:
    """A schedule; `active` is None where the file leaves it to whoever switches it in Prefect."""

    slug: str
    cron: str
    timezone: str
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class DesiredDeployment:
    """A deployment; `settings` has Prefect's API's own names and holds what can be compared and sent."""

    flow: str
    name: str
    settings: Mapping[str, Any]
    schedules: tuple[DesiredSchedule, ...] = ()

    @property
    def full_name(self) -> str:
        """What `prefect deployment run` calls it."""
        return f"{self.flow}/{self.name}"


class LoadedFlow(NamedTuple):
    """What a deployment needs to know of its flow: its name, its parameters' JSON Schema, and how it checks them."""

    name: str
    schema: dict[str, Any]
    parameters: TypeAdapter[Any]


def desired_deployments(
    catalog: Catalog, platform: PlatformSpec, names: Collection[str] = ()
) -> tuple[DesiredDeployment, ...]:
    """Returns the deployments of a platform, checked as far as that is possible without the server.

    Args:
        catalog: Whose pipelines.
        platform: Where they run, as its file writes it: references to the environment are resolved here.
        names: Only these pipelines; all by default.

    Raises:
        ConfigurationError: a pipeline of that name, a variable, an entrypoint or a parameter is missing or wrong.
    """
    _check_names(names, catalog.pipelines)
    compiled = compile_deployments(catalog, platform, filler(os.environ))
    clients = {pipeline.pipeline: pipeline.client for pipeline in catalog.pipelines}
    chosen = [one for one in compiled if not names or one["name"] in names]
    commit = current_commit(catalog.project.root)
    flows: dict[str, LoadedFlow] = {}
    found = []
    for one in chosen:
        entrypoint = one["entrypoint"]
        if entrypoint not in flows:
            flows[entrypoint] = load_flow(catalog.project, clients[one["name"]], entrypoint)
        _check_parameters(one, flows[entrypoint])
        found.append(_desired(one, flows[entrypoint], platform, commit))
    return tuple(found)


def filler(environment: Mapping[str, str]) -> Fill:
    """Returns what resolves the references of a work pool's settings.

    Raises:
        ConfigurationError: (the returned function) a variable without a default is not set.
    """

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(one) for key, one in value.items()}
        if isinstance(value, list):
            return [fill(one) for one in value]
        if not isinstance(value, str):
            return value
        try:
            return resolve_references(value, environment)
        except UnsetError as error:
            raise ConfigurationError(
                "a variable that the platform's work pool settings refer to is not set",
                guidance="Set it, or give a default as in `${NAME:-default}`.",
                variables=", ".join(error.names),
            ) from None

    return fill


def load_flow(project: Project, client: str, entrypoint: str) -> LoadedFlow:
    """Imports a client's flow as a worker will.

    Raises:
        ConfigurationError: it cannot be imported, or there is no flow of that name.
    """
    from prefect.utilities.callables import parameter_schema
    from pydantic import TypeAdapter

    from flows.loading import client_flow

    try:
        with _project_first_on_path(project):
            flow = client_flow(project, client)
        schema = parameter_schema(flow).model_dump_for_openapi()
        return LoadedFlow(flow.name, schema, TypeAdapter(_parameters_type(flow.fn)))
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(
            "a client's flow cannot be imported, so no worker could run it",
            guidance="Mend the module; `python -c 'import flows.clients.<client>'` shows where it fails.",
            entrypoint=entrypoint,
            error=f"{type(error).__name__}: {error}",
        ) from error


@contextmanager
def _project_first_on_path(project: Project) -> Iterator[None]:
    root = str(project.root)
    sys.path.insert(0, root)
    try:
        yield
    finally:
        sys.path.remove(root)


def _check_names(names: Collection[str], pipelines: Collection[PipelineSpec]) -> None:
    known = {pipeline.pipeline for pipeline in pipelines}
    for name in names:
        if name not in known:
            close = nearest(name, known)
            raise ConfigurationError(
                "there is no such pipeline",
                guidance=f"Did you mean {close}?"
                if close
                else "`penstock validate` counts the pipelines that there are.",
                name=name,
            )


def _parameters_type(function: Callable[..., Any]) -> Any:
    """Returns the type of a dictionary of a flow's parameters.

    Prefect's own checks build the like of it, and a copy of the JSON Schema, anew for each deployment: 10 ms.
    """
    from pydantic import ConfigDict, with_config

    hints = get_type_hints(function, include_extras=True)
    fields = {
        name: hints.get(name, Any) if _is_required(one) else NotRequired[hints.get(name, Any)]
        for name, one in inspect.signature(function).parameters.items()
    }
    made = TypedDict("Parameters", fields)  # type: ignore[misc]  # its fields are known when it runs
    return with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))(made)


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind not in {
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.VAR_KEYWORD,
    }


def _check_parameters(compiled: Mapping[str, Any], loaded: LoadedFlow) -> None:
    """Checks as Prefect's server does (JSON's types, none turned into another) and as the flow will (its signature).

    Raises:
        ConfigurationError: a parameter is missing, unknown or of the wrong type.
    """
    from pydantic import ValidationError

    try:
        loaded.parameters.validate_json(json.dumps(compiled["parameters"]), strict=True)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)]
        raise ConfigurationError(
            "a deployment's parameters are not what its flow takes",
            guidance="A client's flow takes `pipeline`, and has a default for everything else.",
            deployment=compiled["name"],
            entrypoint=compiled["entrypoint"],
            problem="; ".join(problems),
        ) from None


def _desired(
    compiled: Mapping[str, Any], loaded: LoadedFlow, platform: PlatformSpec, commit: str | None
) -> DesiredDeployment:
    limit = compiled["concurrency_limit"]
    desired = DesiredDeployment(
        flow=loaded.name,
        name=compiled["name"],
        settings={
            "version": with_commit(compiled["version"], commit),
            "description": compiled["description"],
            "tags": compiled["tags"],
            "entrypoint": compiled["entrypoint"],
            "parameters": compiled["parameters"],
            "parameter_openapi_schema": loaded.schema,
            "enforce_parameter_schema": True,
            "pull_steps": pull_steps(platform),
            "work_pool_name": compiled["work_pool"]["name"],
            "job_variables": compiled["work_pool"]["job_variables"],
            "concurrency_limit": limit["limit"],
            "concurrency_options": {"collision_strategy": limit["collision_strategy"]},
        },
    )
    return replace(desired, schedules=tuple(DesiredSchedule(**one) for one in compiled["schedules"]))
