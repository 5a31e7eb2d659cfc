"""What is wrong with a file, with the place and what to do: one `Problem` each, all of a file's at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from penstock.errors import ConfigurationError


class Problem(NamedTuple):
    """One thing that is wrong with a file, or (a warning) that will surprise.

    Args:
        path: The file.
        line: Counted from 1.
        column: Counted from 1.
        key: Dotted path of the key, such as `datasets[2].window.days`; empty for the file as a whole.
        message: What is wrong.
        seen: What stands there; never a secret, and never a value that came from the environment.
        expected: What could stand there.
        suggestion: What was probably meant.
        guidance: One sentence that says what to do.
        is_error: Whether the file cannot be used as it is.
    """

    path: Path
    line: int
    column: int
    key: str
    message: str
    seen: str | None = None
    expected: str | None = None
    suggestion: str | None = None
    guidance: str = ""
    is_error: bool = True

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.sentence()}"

    def sentence(self) -> str:
        """Returns the problem without its place: key, message, what was seen and expected, and the advice."""
        parts = [f"{self.key}: {self.message}" if self.key else self.message]
        if self.seen is not None:
            parts.append(f"seen {self.seen}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        text = "; ".join(parts)
        if self.suggestion:
            text = f"{text}; did you mean `{self.suggestion}`?"
        return f"{text} {self.guidance}".strip() if text.endswith("?") else f"{text}. {self.guidance}".strip()

    def as_json(self) -> dict[str, Any]:
        """Returns the problem for a program to read."""
        return {**self._asdict(), "path": str(self.path)}


class DefinitionProblems(ConfigurationError):  # noqa: N818 - what one reads in it are problems
    """Files that cannot be used as they are; `problems` holds every one, warnings included."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [problem for problem in self.problems if problem.is_error]
        super().__init__(
            "the files cannot be used as they are",
            guidance="Run `penstock validate` to see them again after a change.",
            errors=len(errors),
            files=len({problem.path for problem in errors}),
        )

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems if problem.is_error)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


def has_errors(problems: Iterable[Problem]) -> bool:
    """Tells whether any of the problems is more than a warning."""
    return any(problem.is_error for problem in problems)
