"""Begins a pipeline from a dbt source that a person wrote: a dataset for each table, with what dbt knows of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from deployments.catalog import inspect_catalog
from deployments.generated_files import is_generated
from deployments.scaffolding import default_connection, new_pipeline_path, write_new
from penstock.errors import ConfigurationError
from penstock.findings import nearest
from penstock.naming import bronze_table, standardise_column
from penstock.sources.base import DatasetSpec
from penstock.sources.registry import SOURCES
from penstock.spec import snake
from tasks.definitions.project import Project

_SCHEMA_LINE = "# yaml-language-server: $schema=../../pipeline.schema.json\n"
_UNITS = {"minute": "m", "hour": "h", "day": "d"}


class DbtSource(NamedTuple):
    """A source of a dbt project, as its YAML file has it."""

    name: str
    description: str
    tables: tuple[dict[str, Any], ...]


class Scaffold(NamedTuple):
    """A written pipeline file, its kind of source, and the datasets of which dbt does not tell what they read."""

    path: Path
    kind: str
    undecided: tuple[str, ...]


def new_pipeline_from_dbt(
    project: Project, pipeline: str, dbt_source: str, *, client: str, source: str | None, connection: str | None
) -> Scaffold:
    """Writes a pipeline file with one dataset for each table of a dbt source.

    Args:
        project: Where to read and write.
        pipeline: The pipeline's name.
        dbt_source: Name of a source of the dbt project.
        client: Whose pipeline it is.
        source: A kind of source; by default the one that the dbt source's name ends in.
        connection: Logical name of the credentials; `<client>-<source>` by default.

    Raises:
        ConfigurationError: a name cannot be used, there is no such client or source, or the file exists already.
    """
    found = find_dbt_source(project, dbt_source)
    kind = source or kind_of(dbt_source, client)
    path = new_pipeline_path(project, pipeline, client, kind)
    datasets = [_dataset(table, kind, client) for table in found.tables]
    document = {
        "version": 1,
        "pipeline": pipeline,
        "client": client,
        "description": found.description or f"The tables of the dbt source {dbt_source}.",
        "source": {"kind": kind, "connection": connection or default_connection(client, kind)},
        # What any source can do: dbt knows nothing of windows.
        "window": {"kind": "full"},
        "load_strategy": {"kind": "full_refresh"},
        "datasets": datasets,
    }
    text = yaml.safe_dump(document, default_flow_style=None, sort_keys=False, allow_unicode=True, width=120)
    write_new({path: f"{_SCHEMA_LINE}{text}"})
    undecided = tuple(str(one["name"]) for one in datasets if not _is_valid(SOURCES[kind].dataset, one))
    return Scaffold(path, kind, undecided)


def find_dbt_source(project: Project, name: str) -> DbtSource:
    """Returns a source by its name, from the dbt projects of all platforms.

    Raises:
        ConfigurationError: there is no such source, it has no table, or it is generated from pipelines already.
    """
    known: dict[str, tuple[Path, dict[str, Any]]] = {}
    for path in _yaml_paths(project):
        for source in _sources_in(path):
            known[str(source["name"])] = (path, source)
    if name not in known:
        close = nearest(name, known)
        raise ConfigurationError(
            "the dbt project has no such source",
            guidance=f"Did you mean {close}?" if close else f"It has: {', '.join(sorted(known)) or 'none'}.",
            source=name,
        )
    path, source = known[name]
    if is_generated(path):
        raise ConfigurationError(
            "the dbt source is generated from pipeline files already",
            guidance="Add datasets to the pipeline that its tables name.",
            source=name,
            path=path,
        )
    shared = source.get("config") or source
    tables = tuple(_inheriting(table, shared) for table in source.get("tables") or [])
    if not tables:
        raise ConfigurationError("the dbt source has no table", guidance="Name one that has.", source=name)
    return DbtSource(name, _plain_text(source.get("description")), tables)


def kind_of(source: str, client: str) -> str:
    """Returns the kind of source that a dbt source's name ends in: `<client>_<kind>`, or the kind alone.

    Raises:
        ConfigurationError: the name says none.
    """
    kind = source.removeprefix(f"{snake(client)}_")
    if kind in SOURCES:
        return kind
    raise ConfigurationError(
        "the dbt source's name does not say from which kind of source its tables come",
        guidance=f"Give it with --source: {', '.join(SOURCES)}.",
        source=source,
    )


def _plain_text(said: Any) -> str:
    """Returns a description on one line, without what dbt would render."""
    text = " ".join(str(said or "").split())
    return "" if "{" in text else text


def _dataset(table: dict[str, Any], kind: str, client: str) -> dict[str, Any]:
    name = snake(str(table["name"]))
    identifier = str(table.get("identifier") or table["name"]).lower()
    config = {**table, **(table.get("config") or {})}
    found: dict[str, Any] = {"name": name}
    if description := _plain_text(table.get("description")):
        found["description"] = description
    if "{" not in identifier and identifier != bronze_table(client, kind, name).name:
        found["table"] = identifier
    found.update(_what_it_reads(SOURCES[kind].dataset, name))
    if freshness := _freshness(config.get("freshness")):
        found["freshness"] = freshness
    if people := [standardise_column(column["name"]) for column in table.get("columns") or [] if _is_pii(column)]:
        found["governance"] = {"pii": people}
    return found


def _what_it_reads(dataset: type[DatasetSpec], name: str) -> dict[str, str]:
    """Returns the key and value by which a kind's dataset reads the thing that is called like the table.

    Nothing where no single key is enough, or where several would do, such as a collection and an export of one name.
    """
    own = {key: field for key, field in dataset.model_fields.items() if key not in DatasetSpec.model_fields}
    named = {key: name for key, field in own.items() if name in _choices(field.annotation)}
    asked = {**named, **({"path": f"/{name}"} if "path" in own else {})}
    fitting = {key: value for key, value in asked.items() if _is_valid(dataset, {"name": name, key: value})}
    return fitting if len(fitting) == 1 else {}


def _choices(annotation: Any) -> Iterator[Any]:
    """Yields the values that a type lists, also as one of several."""
    for one in get_args(annotation):
        if get_args(one):
            yield from _choices(one)
        elif get_origin(annotation) is Literal:
            yield one


def _is_valid(model: type[BaseModel], values: dict[str, Any]) -> bool:
    try:
        model.model_validate(values)
    except ValidationError:
        return False
    return True


def _freshness(said: Any) -> dict[str, str] | None:
    if not isinstance(said, dict):
        return None
    ages = {key: said.get(key) for key in ("warn_after", "error_after")}
    found = {key: f"{age['count']}{_UNITS[age['period']]}" for key, age in ages.items() if age}
    return found if "warn_after" in found else None


def _is_pii(column: dict[str, Any]) -> bool:
    config = {**column, **(column.get("config") or {})}
    tags = config.get("tags") or []
    meta = config.get("meta") or {}
    return "pii" in ([tags] if isinstance(tags, str) else tags) or bool(meta.get("contains_pii") or meta.get("pii"))


def _inheriting(table: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    freshness = shared.get("freshness")
    return {"freshness": freshness, **table} if freshness else table


def _yaml_paths(project: Project) -> Iterator[Path]:
    folders = {project.root / one.dbt.project_dir for one in inspect_catalog(project).platforms.values()}
    for folder in sorted(folders):
        yield from sorted([*folder.glob("models/**/*.yml"), *folder.glob("models/**/*.yaml")])


def _sources_in(path: Path) -> Iterable[dict[str, Any]]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError("a file of dbt is not YAML", guidance="Correct it.", path=path) from error
    return (found.get("sources") or []) if isinstance(found, dict) else []
