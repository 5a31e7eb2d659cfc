"""Shows problems of files, and errors, to a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from penstock.errors import PenstockError
from tasks.definitions.problems import DefinitionProblems, Problem


def print_error(error: PenstockError) -> None:
    """Prints an error on standard error: what is wrong, what was seen, and what to do; no trace."""
    console = Console(stderr=True)
    if isinstance(error, DefinitionProblems):
        print_problems(console, error.problems)
        return
    console.print(_marked("error", "bold red", error.message), soft_wrap=True)
    for name, value in error.facts.items():
        if value is not None:
            console.print(Text(f"  {name.replace('_', ' ')}: {value}"), soft_wrap=True)
    if error.guidance:
        console.print(Text(f"  {error.guidance}", style="cyan"), soft_wrap=True)


def print_problems(console: Console, problems: Iterable[Problem]) -> None:
    """Prints problems, each beginning with `file:line:column`, which terminals and editors turn into a link."""
    for problem in problems:
        word, style = ("error", "bold red") if problem.is_error else ("warning", "yellow")
        place = f"{shown_path(problem.path)}:{problem.line}:{problem.column}"
        key = f"{problem.key}: " if problem.key else ""
        console.print(Text.assemble((place, "bold"), " ", (word, style), f" {key}{problem.message}"), soft_wrap=True)
        for line, line_style in _details(problem):
            console.print(Text(f"  {line}", style=line_style), soft_wrap=True)


def shown_path(path: Path) -> str:
    """Returns a path as seen from the current folder, where it lies below it."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(path)


def _details(problem: Problem) -> Iterable[tuple[str, str]]:
    if problem.seen is not None:
        yield f"seen: {problem.seen}", ""
    if problem.expected:
        yield f"expected: {problem.expected}", ""
    if problem.suggestion:
        yield f"did you mean `{problem.suggestion}`?", "green"
    if problem.guidance:
        yield problem.guidance, "cyan"


def _marked(word: str, style: str, text: str) -> Text:
    return Text.assemble((f"{word}: ", style), text)
