"""Reads pipeline and platform files strictly; every problem of a file is found in one pass."""

from __future__ import annotations

import os
from collections.abc import Collection
from collections.abc import Mapping as Variables
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from penstock.connections import DuckDBConnection, FolderConnection
from penstock.errors import ConfigurationError
from penstock.findings import nearest
from penstock.pipeline import PIPELINES, PipelineSpec, UndecidedPipeline
from penstock.pipeline_checks import check_pipeline
from penstock.platform import DbtCloudJob, DbtTarget, PlatformSpec
from penstock.spec import Spec
from tasks.definitions.problems import DefinitionProblems, Problem, has_errors
from tasks.definitions.project import DEFAULTS_NAME, Project
from tasks.definitions.references import ReferenceResolver
from tasks.definitions.secrets import literal_secrets, reference_problems
from tasks.definitions.strict_yaml import Parsed, read_yaml
from tasks.definitions.tree import Entry, Mapping, Scalar, merge, text_at
from tasks.definitions.validation import to_problem, validate

S = TypeVar("S", bound=Spec)
R = TypeVar("R", bound=Spec)

_DEPLOY_TIME_KEYS = frozenset({"image", "job_variables", "work_pool"})
"""What only deployments use: their references are resolved when deployments are made, not when a run starts."""


class Definition(NamedTuple, Generic[S]):
    """A file as far as it could be read; usable when `spec` is there and no problem is an error."""

    path: Path
    root: Mapping | None
    spec: S | None
    problems: tuple[Problem, ...]

    def require(self) -> S:
        """Returns the spec.

        Raises:
            DefinitionProblems: the file cannot be used as it is.
        """
        if self.spec is None or has_errors(self.problems):
            raise DefinitionProblems(self.problems)
        return self.spec


def read_pipeline(path: Path) -> PipelineSpec:
    """Returns a pipeline file, with its client's `_defaults.yaml` underneath.

    Raises:
        DefinitionProblems: the file cannot be used as it is; all problems are in it.
    """
    return inspect_pipeline(path).require()


def read_platform(
    name: str,
    project: Project,
    *,
    connections: Collection[str] | None = None,
    environment: Variables[str, str] | None = None,
) -> PlatformSpec:
    """Returns a platform with its references resolved and its folders absolute.

    Args:
        name: Name of a file in `deployments/platforms`.
        project: Whose platform.
        connections: Those that are used; the others are left out as they are, so that what they lack stops nobody.
            All by default.
        environment: What references mean; the process's own by default.

    Raises:
        ConfigurationError: there is no such platform.
        DefinitionProblems: the file cannot be used as it is, or a variable is not set.
    """
    path = project.platforms / f"{name}.yaml"
    if not path.is_file():
        raise _unknown("there is no such platform", name, [path.stem for path in project.platform_paths()])
    variables = dict(os.environ if environment is None else environment)
    variables["PENSTOCK_HOME"] = str(project.home_in(variables))
    return _rooted(inspect_platform(path, variables, connections=connections).require(), project.root)


def find_pipeline(name_or_path: str, project: Project) -> Path:
    """Returns the file of a pipeline, given its name or the file itself.

    Raises:
        ConfigurationError: there is no such pipeline; the nearest name is in the guidance.
    """
    is_path = name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path or os.sep in name_or_path
    if is_path:
        path = Path(name_or_path)
        if path.is_file():
            return path.resolve()
        raise ConfigurationError(
            "there is no such file", guidance="Give a pipeline's name, or the path of its YAML file.", path=name_or_path
        )
    by_name = {path.stem: path for path in project.pipeline_paths()}
    if name_or_path not in by_name:
        raise _unknown("there is no such pipeline", name_or_path, list(by_name))
    return by_name[name_or_path]


def inspect_pipeline(path: Path, defaults: dict[Path, Parsed] | None = None) -> Definition[PipelineSpec]:
    """Reads a pipeline file as far as possible.

    Args:
        path: The file.
        defaults: `_defaults.yaml` files that were read already, by path; new ones are added.
    """
    root, problems = read_yaml(path)
    base, base_problems = _defaults_for(path, {} if defaults is None else defaults)
    problems += base_problems
    if root is None:
        return Definition(path, None, None, tuple(problems))
    merged = merge(base, root) if base else root
    if not isinstance(merged, Mapping):
        return Definition(path, root, None, tuple(problems))
    kind = text_at(merged, "source", "kind")
    if kind not in PIPELINES:
        problems += [*_source_problems(merged, kind), *validate(UndecidedPipeline, merged).problems]
        return Definition(path, merged, None, tuple(problems))
    validated = validate(PIPELINES[kind], merged)
    problems += validated.problems
    if validated.spec is not None:
        problems += [to_problem(finding, merged) for finding in check_pipeline(validated.spec)]
    return Definition(path, merged, validated.spec, tuple(problems))


def inspect_platform(
    path: Path, environment: Variables[str, str] | None, *, connections: Collection[str] | None = None
) -> Definition[PlatformSpec]:
    """Reads a platform file as far as possible.

    Args:
        path: The file.
        environment: What references mean; None for checks that must not depend on a machine.
        connections: Reads only these connections; all by default.
    """
    root, problems = read_yaml(path)
    if root is None:
        return Definition(path, None, None, tuple(problems))
    if environment is not None and "home" not in root.entries:
        home = Scalar("${PENSTOCK_HOME}", "${PENSTOCK_HOME}", root.mark)
        root = Mapping({**root.entries, "home": Entry(root.mark, home)}, root.mark)
    if connections is not None:
        root = _with_connections(root, connections)
    resolver = ReferenceResolver(environment, kept=_DEPLOY_TIME_KEYS)
    resolved = resolver.resolve(root)
    validated = validate(PlatformSpec, resolved, keeps_references=environment is None)
    problems += [*reference_problems(root, _DEPLOY_TIME_KEYS), *resolver.problems]
    return Definition(
        path, resolved, validated.spec, (*problems, *literal_secrets(root, resolved), *validated.problems)
    )


def _with_connections(root: Mapping, names: Collection[str]) -> Mapping:
    """Returns a platform's tree without the connections that are not named."""
    entry = root.entries.get("connections")
    if entry is None or not isinstance(entry.value, Mapping):
        return root
    kept = {name: one for name, one in entry.value.entries.items() if name in names}
    used = Entry(entry.key_mark, Mapping(kept, entry.value.mark))
    return Mapping({**root.entries, "connections": used}, root.mark)


def _defaults_for(path: Path, known: dict[Path, Parsed]) -> Parsed:
    defaults = path.parent / DEFAULTS_NAME
    if defaults not in known:
        known[defaults] = read_yaml(defaults) if defaults.is_file() else (None, [])
    return known[defaults]


def _source_problems(root: Mapping, kind: str | None) -> list[Problem]:
    """Returns what is wrong with the kind of source, which decides what a dataset may say."""
    known = ", ".join(f"`{one}`" for one in PIPELINES)
    if "source" not in root.entries:
        missing = Problem(*root.mark, "", "`source` is missing", expected=f"a kind ({known}) and a connection")
        return [missing, *_missing_datasets(root)]
    entry = root.entries["source"]
    kind_entry = entry.value.entries.get("kind") if isinstance(entry.value, Mapping) else None
    if kind_entry is None:
        problem = Problem(*entry.key_mark, "source", "`source` lacks its `kind`", expected=f"kind: {known}")
    else:
        problem = Problem(
            *kind_entry.key_mark,
            "source.kind",
            "unknown kind",
            seen=f"`{kind}`" if kind else "something else than text",
            expected=known,
            suggestion=nearest(kind, PIPELINES) if kind else None,
        )
    return [problem, *_missing_datasets(root)]


def _missing_datasets(root: Mapping) -> list[Problem]:
    return [] if "datasets" in root.entries else [Problem(*root.mark, "", "`datasets` is missing")]


def _unknown(message: str, name: str, known: list[str]) -> ConfigurationError:
    close = nearest(name, known)
    listed = ", ".join(known) if known else "none"
    return ConfigurationError(
        message,
        guidance=f"Did you mean {close}?" if close else f"The project has: {listed}.",
        name=name,
    )


def _rooted(platform: PlatformSpec, root: Path) -> PlatformSpec:
    """Returns the platform with relative folders taken from the project's root, wherever a run was started."""
    return platform.model_copy(
        update={
            "home": root / platform.home,
            "store": _rooted_setting(platform.store, root),
            "warehouse": _rooted_setting(platform.warehouse, root),
            "connections": {name: _rooted_setting(one, root) for name, one in platform.connections.items()},
            "dbt": _rooted_dbt(platform.dbt, root),
        }
    )


def _rooted_dbt(dbt: DbtTarget | DbtCloudJob, root: Path) -> DbtTarget | DbtCloudJob:
    if isinstance(dbt, DbtCloudJob):
        return dbt
    return dbt.model_copy(update={"project_dir": root / dbt.project_dir, "profiles_dir": root / dbt.profiles_dir})


def _rooted_setting(setting: R, root: Path) -> R:
    path = setting.path if isinstance(setting, FolderConnection | DuckDBConnection) else None
    return setting.model_copy(update={"path": str(root / Path(path).expanduser())}) if path is not None else setting
