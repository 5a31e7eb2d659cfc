"""All of a project's pipelines and platforms, read together and held against each other."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from deployments.platform_checks import check_platform
from penstock.errors import ConfigurationError
from penstock.findings import Finding, Where, nearest
from penstock.governance import is_too_sensitive
from penstock.naming import qualified_dataset
from penstock.pipeline import PipelineSpec, target_of
from penstock.platform import PlatformSpec
from penstock.sources.registry import SOURCES
from penstock.spec import Spec
from tasks.definitions.client_flows import flow_path, shadows_module
from tasks.definitions.problems import DefinitionProblems, Problem, has_errors
from tasks.definitions.project import DEFAULTS_NAME, Project
from tasks.definitions.reading import Definition, inspect_pipeline, inspect_platform
from tasks.definitions.strict_yaml import Parsed
from tasks.definitions.validation import to_problem

PipelineFile = Definition[PipelineSpec]
PlatformFile = Definition[PlatformSpec]


class Catalog(NamedTuple):
    """Everything that a project describes. `problems` holds errors and warnings, by file and line."""

    project: Project
    files: tuple[PipelineFile, ...]
    platform_files: tuple[PlatformFile, ...]
    problems: tuple[Problem, ...]

    @property
    def pipelines(self) -> tuple[PipelineSpec, ...]:
        """The pipelines that can be read, by file name."""
        return tuple(file.spec for file in self.files if file.spec is not None)

    @property
    def platforms(self) -> dict[str, PlatformSpec]:
        """The platforms that can be read, by name; references to the environment stand in them as they are written."""
        return {file.spec.platform: file.spec for file in self.platform_files if file.spec is not None}

    def platform(self, name: str) -> PlatformSpec:
        """Returns a platform, to deploy to; to run, `read_platform` reads it with its environment.

        Where a reference stands for what only its value can be checked as, such as a URL, the platform comes without
        its connections, and with what the environment says of its store and warehouse.

        Raises:
            ConfigurationError: there is no such platform.
            DefinitionProblems: it cannot be read without a variable that is not set.
        """
        unread = next((file for file in self.platform_files if file.spec is None and file.path.stem == name), None)
        if unread is not None:
            bare = inspect_platform(unread.path, None, connections=())
            return bare.spec or inspect_platform(unread.path, os.environ, connections=()).require()
        if name not in self.platforms:
            close = nearest(name, self.platforms)
            raise ConfigurationError(
                "there is no such platform",
                guidance=f"Did you mean {close}?" if close else f"The project has: {', '.join(self.platforms)}.",
                name=name,
            )
        return self.platforms[name]


def load_catalog(project: Project) -> Catalog:
    """Returns a project's catalog.

    Raises:
        DefinitionProblems: a file cannot be used as it is; all problems of all files are in it.
    """
    catalog = inspect_catalog(project)
    if has_errors(catalog.problems):
        raise DefinitionProblems(catalog.problems)
    return catalog


def inspect_catalog(project: Project, extra: Sequence[Path] = ()) -> Catalog:
    """Reads every file of a project as far as possible, needing no connection and no environment.

    Args:
        project: Whose files.
        extra: Pipeline files elsewhere that are held against the project too.
    """
    defaults: dict[Path, Parsed] = {}
    files = tuple(inspect_pipeline(path, defaults) for path in (*project.pipeline_paths(), *extra))
    platforms = tuple(inspect_platform(path, None) for path in project.platform_paths())
    found = [problem for file in files for problem in file.problems]
    found += [problem for file in platforms for problem in file.problems]
    found += _name_problems(files)
    found += _table_problems(files)
    found += _place_problems(files, project)
    found += _connection_problems(files, platforms)
    found += _governance_problems(files, platforms)
    found += _platform_problems(platforms)
    found += _stray_files(project)
    return Catalog(project, files, platforms, tuple(sorted(dict.fromkeys(found), key=_by_place)))


def problems_of(catalog: Catalog, paths: Iterable[Path]) -> tuple[Problem, ...]:
    """Returns the problems of some files or folders; a client's defaults stand for the client's whole folder."""
    wanted = {path.parent if path.name == DEFAULTS_NAME else path for path in (one.resolve() for one in paths)}
    return tuple(
        problem for problem in catalog.problems if wanted & {problem.path.resolve(), *problem.path.resolve().parents}
    )


def _by_place(problem: Problem) -> tuple[str, int, int, str]:
    return str(problem.path), problem.line, problem.column, problem.key


def _read(files: Sequence[PipelineFile]) -> Iterator[tuple[PipelineFile, PipelineSpec]]:
    return ((file, file.spec) for file in files if file.spec is not None)


def _problem(file: Definition[Spec] | PipelineFile | PlatformFile, finding: Finding) -> Problem:
    if file.root is None:
        return Problem(file.path, 1, 1, "", finding.message, guidance=finding.guidance, is_error=finding.is_error)
    return to_problem(finding, file.root)


def _name_problems(files: Sequence[PipelineFile]) -> Iterator[Problem]:
    first: dict[str, Path] = {}
    for file, spec in _read(files):
        if spec.pipeline != file.path.stem:
            finding = Finding(
                ("pipeline",),
                f"the pipeline is named `{spec.pipeline}` and its file `{file.path.name}`",
                "Give both the same name: it is what commands and deployments call it by.",
                suggestion=file.path.stem,
            )
            yield _problem(file, finding)
        if spec.pipeline in first:
            finding = Finding(
                ("pipeline",),
                f"a pipeline is named `{spec.pipeline}` already, in {first[spec.pipeline]}",
                "Names are unique over all clients: begin the name with the client's.",
            )
            yield _problem(file, finding)
        first.setdefault(spec.pipeline, file.path)


def _table_problems(files: Sequence[PipelineFile]) -> Iterator[Problem]:
    writers: dict[str, tuple[str, str]] = {}
    owners: dict[tuple[str, str, str], str] = {}
    for file, spec in _read(files):
        for index, dataset in enumerate(spec.datasets):
            for instance in spec.for_each or (None,):
                target = str(target_of(spec, dataset, instance))
                name = qualified_dataset(dataset.name, instance.name if instance else None)
                pipeline, other = writers.setdefault(target, (spec.pipeline, name))
                owner = owners.setdefault((spec.client, spec.source.kind, name), spec.pipeline)
                if pipeline == spec.pipeline and owner != spec.pipeline:
                    finding = Finding(
                        ("datasets", index, "name"),
                        f"`{name}` names a dataset of the pipeline `{owner}` too: their files would share a place in "
                        "the object store, and dbt could not tell their sources apart",
                        "Give one of them another name.",
                    )
                    yield _problem(file, finding)
                if pipeline != spec.pipeline:
                    finding = Finding(
                        ("datasets", index, "table" if dataset.table else "name"),
                        f"`{target}` is loaded by `{other}` of the pipeline `{pipeline}` already",
                        "Give one of them another table with `table`.",
                    )
                    yield _problem(file, finding)


def _place_problems(files: Sequence[PipelineFile], project: Project) -> Iterator[Problem]:
    """Yields pipelines that are not in their client's folder, and clients without a flow."""
    has_flows = (project.root / "flows").is_dir()
    for file, spec in _read(files):
        folder = file.path.parent
        if folder.parent != project.clients:
            continue
        if spec.client != folder.name:
            finding = Finding(
                ("client",),
                f"the client is `{spec.client}`, and the file is in the folder of `{folder.name}`",
                "Move the file, or name the folder's client.",
                suggestion=folder.name,
            )
            yield _problem(file, finding)
        elif shadows_module(spec.client):
            finding = Finding(
                ("client",),
                f"the flow of `{spec.client}` would hide a Python module of that name",
                "Give the client a longer name.",
            )
            yield _problem(file, finding)
        elif has_flows and not (project.root / flow_path(spec.client)).is_file():
            finding = Finding(
                ("client",),
                f"the client has no flow: there is no {flow_path(spec.client)}",
                f"Make it with `penstock new client {spec.client}`.",
            )
            yield _problem(file, finding)


def _connection_problems(files: Sequence[PipelineFile], platforms: Sequence[PlatformFile]) -> Iterator[Problem]:
    for file, spec in _read(files):
        places: list[tuple[Where, str]] = [
            (("for_each", index, "connection"), instance.connection) for index, instance in enumerate(spec.for_each)
        ]
        for where, name in places or [(("source", "connection"), spec.source.connection)]:
            for platform in platforms:
                finding = _connection_finding(spec, name, platform.spec) if platform.spec else None
                if finding is not None:
                    # A pipeline begins on one platform; nothing can be deployed to another one before it has all.
                    is_error = finding.is_error or not any(
                        name in one.spec.connections for one in platforms if one.spec
                    )
                    yield _problem(file, finding._replace(where=where, is_error=is_error))


def _connection_finding(spec: PipelineSpec, name: str, platform: PlatformSpec) -> Finding | None:
    accepted = SOURCES[spec.source.kind].connections
    connection = platform.connections.get(name)
    if connection is None:
        return Finding(
            (),
            f"the platform `{platform.platform}` has no connection `{name}`",
            f"Add one of kind {_kinds(accepted)} to `connections` in deployments/platforms/{platform.platform}.yaml.",
            suggestion=nearest(name, platform.connections),
            is_error=False,
        )
    if connection.kind in accepted:
        return None
    return Finding(
        (),
        f"`{name}` is a connection of kind `{connection.kind}` on the platform `{platform.platform}`, and a "
        f"`{spec.source.kind}` source takes {_kinds(accepted)}",
        "Name another connection, or change its kind.",
    )


def _governance_problems(files: Sequence[PipelineFile], platforms: Sequence[PlatformFile]) -> Iterator[Problem]:
    """Yields datasets that are more sensitive than what a platform may hold that has their connection."""
    limited = [one.spec for one in platforms if one.spec is not None and one.spec.governance is not None]
    for file, spec in _read(files):
        names = {instance.connection for instance in spec.for_each} or {spec.source.connection}
        for index, dataset in enumerate(spec.datasets):
            classification = dataset.governance.over(spec.governance).classification
            for platform in limited:
                limit = platform.governance.classification if platform.governance else None
                if names & set(platform.connections) and is_too_sensitive(classification, limit):
                    finding = Finding(
                        ("datasets", index, "name"),
                        f"`{dataset.name}` is `{classification}`, and the platform `{platform.platform}` may hold "
                        f"`{limit}` data at most",
                        "Leave its connection out of that platform, or correct either classification.",
                    )
                    yield _problem(file, finding)


def _stray_files(project: Project) -> Iterator[Problem]:
    """Yields YAML files that nothing reads, because of their name or their folder; silence would hide a typo."""
    read = {*project.pipeline_paths(), *project.platform_paths(), *project.clients.glob(f"*/{DEFAULTS_NAME}")}
    for folder in (project.clients, project.platforms):
        for path in sorted({*folder.rglob("*.yaml"), *folder.rglob("*.yml")} - read):
            is_underscored = path.name.startswith("_")
            yield Problem(
                path,
                1,
                1,
                "",
                "the file is not read by anything",
                expected="deployments/clients/<client>/<pipeline>.yaml or deployments/platforms/<platform>.yaml",
                suggestion=DEFAULTS_NAME if is_underscored else None,
                guidance="Rename or move it.",
            )


def _kinds(accepted: Iterable[str]) -> str:
    return " or ".join(f"`{kind}`" for kind in sorted(accepted))


def _platform_problems(platforms: Sequence[PlatformFile]) -> Iterator[Problem]:
    for file in platforms:
        platform = file.spec
        if platform is None:
            continue
        if platform.platform != file.path.stem:
            finding = Finding(
                ("platform",),
                f"the platform is named `{platform.platform}` and its file `{file.path.name}`",
                "Give both the same name.",
                suggestion=file.path.stem,
            )
            yield _problem(file, finding)
        yield from (_problem(file, finding) for finding in check_platform(platform))
