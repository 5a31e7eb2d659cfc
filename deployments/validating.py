"""Validates a project's files, or some of them, and says what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deployments.catalog import inspect_catalog, problems_of
from penstock.errors import ConfigurationError
from tasks.definitions.problems import Problem
from tasks.definitions.project import Project


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
            f"{_counted(self.pipelines, 'pipeline')}, {_counted(self.datasets, 'dataset')}, "
            f"{_counted(self.platforms, 'platform')}"
        )
        found = [_counted(number, noun) for number, noun in self._found() if number]
        return f"{read}: {' and '.join(found) or 'valid'}"

    def _found(self) -> tuple[tuple[int, str], ...]:
        return (self.errors, "error"), (len(self.problems) - self.errors, "warning")


def validate_files(project: Project, paths: Sequence[Path]) -> ValidationResult:
    """Validates files against the whole project; without paths, all of them.

    Raises:
        ConfigurationError: a path does not exist.
    """
    for path in paths:
        if not path.exists():
            raise ConfigurationError("there is no such file or folder", guidance="Check the path.", path=path)
    known = {*project.pipeline_paths(), *project.platform_paths()}
    extra = [path.resolve() for path in paths if path.is_file() and path.resolve() not in known]
    catalog = inspect_catalog(project, [path for path in extra if not path.name.startswith("_")])
    return ValidationResult(
        pipelines=len(catalog.files),
        datasets=sum(len(pipeline.datasets) for pipeline in catalog.pipelines),
        platforms=len(catalog.platform_files),
        problems=problems_of(catalog, paths) if paths else catalog.problems,
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


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
