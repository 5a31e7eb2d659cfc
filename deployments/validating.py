"""Validates a project's files, or some of them, and says what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from deployments.catalog import inspect_catalog, problems_of
from penstock.errors import ConfigurationError
from penstock.wording import counted
from tasks.definitions.problems import Problem
from tasks.definitions.project import DEFAULTS_NAME, Project
from tasks.definitions.reading import find_pipeline


class ValidationResult(NamedTuple):
    """What was read, and what is wrong with it."""

    pipelines: int
    datasets: int
    platforms: int
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> int:
        """How many problems make a file unusable."""
        return sum(problem.is_error for problem in self.problems)

    def summary(self) -> str:
        """Returns the result in one line."""
        read = (
            f"{counted(self.pipelines, 'pipeline')}, {counted(self.datasets, 'dataset')}, "
            f"{counted(self.platforms, 'platform')}"
        )
        found = [counted(number, noun) for number, noun in self._found() if number]
        return f"{read}: {' and '.join(found) or 'valid'}"

    def _found(self) -> tuple[tuple[int, str], ...]:
        return (self.errors, "error"), (len(self.problems) - self.errors, "warning")


def validate_files(project: Project, paths: Sequence[Path]) -> ValidationResult:
    """Validates files against the whole project; without paths, all of them. A pipeline's name stands for its file.

    Raises:
        ConfigurationError: there is no such path or pipeline, or there is nothing to validate in it.
    """
    paths = [path if path.exists() else find_pipeline(str(path), project) for path in paths]
    known = {*project.pipeline_paths(), *project.platform_paths()}
    resolved = [path.resolve() for path in paths]
    extra = [path for path in resolved if path.is_file() and path not in known and not path.name.startswith("_")]
    catalog = inspect_catalog(project, extra)
    read = {*known, *extra, *(problem.path.resolve() for problem in catalog.problems)}
    for path in paths:
        _refuse_nothing(path, read)
    return ValidationResult(
        pipelines=len(catalog.files),
        datasets=sum(len(pipeline.datasets) for pipeline in catalog.pipelines),
        platforms=len(catalog.platform_files),
        problems=problems_of(catalog, paths) if paths else catalog.problems,
    )


def _refuse_nothing(path: Path, read: Iterable[Path]) -> None:
    """Refuses a path without any file that was read; a client's defaults count where the client has pipelines."""
    place = path.resolve()
    folder = place.parent if place.name == DEFAULTS_NAME else place
    if not any(file == folder or folder in file.parents for file in read):
        raise ConfigurationError(
            "there is no pipeline or platform file to validate",
            guidance="They are deployments/clients/<client>/<pipeline>.yaml and deployments/platforms/<platform>.yaml; "
            "name a file that is kept elsewhere itself, not its folder.",
            path=path,
        )


def print_result(result: ValidationResult, *, as_json: bool) -> None:
    """Prints the problems and a summary, or all of it as JSON."""
    if as_json:
        answer = {
            "valid": result.errors == 0,
            "pipelines": result.pipelines,
            "datasets": result.datasets,
            "platforms": result.platforms,
            "problems": [problem.as_json() for problem in result.problems],
        }
        print(json.dumps(answer, indent=2))
        return
    from rich.console import Console

    from deployments.problem_display import print_problems

    console = Console(highlight=False)
    print_problems(console, result.problems)
    console.print(result.summary(), style="bold red" if result.errors else "green", soft_wrap=True)
