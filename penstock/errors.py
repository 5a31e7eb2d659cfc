"""The error tree, sorted by what the caller must do next.

    PenstockError
    ├── ConfigurationError   what was asked cannot work: stop before any I/O and fix the file or the command
    ├── TransientError       the other side is unavailable for now: try again with backoff
    │   └── RateLimitedError     it asked for a pause, whose length it may have said
    ├── RejectedError        the other side said no (credentials, rights, a bad request): stop
    ├── DataError            data broke a promise: stop before anything is published
    │   ├── GuardError           a load would have destroyed data; says how to override it once
    │   └── SchemaContractError  columns differ from what the dataset's contract allows
    └── TransformError       dbt could not build

The type alone decides whether a step is retried. A message is constant, the facts are attributes, and what an error
prints comes from those attributes, so an error can cross processes and never carries a secret, a body or a row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Fact = str | int | float | bool | None


class PenstockError(Exception):
    """Base of every error that Penstock raises on purpose.

    Args:
        message: One constant sentence without a full stop; never built from data.
        guidance: One sentence that says what to do next.
        facts: What was seen and where, by name; scalars only. They appear in `str(error)` and in `context()`.
    """

    def __init__(self, message: str, *, guidance: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.guidance = guidance
        self.facts: dict[str, Fact] = {name: _as_fact(value) for name, value in facts.items()}

    def __getattr__(self, name: str) -> Fact:
        facts = self.__dict__.get("facts", {})
        if name in facts:
            fact: Fact = facts[name]
            return fact
        raise AttributeError(name)

    def __str__(self) -> str:
        text = self.message_with_facts()
        return f"{text}. {self.guidance}" if self.guidance else text

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.guidance, self.facts)

    def message_with_facts(self) -> str:
        """Returns the message and what was seen, without the guidance."""
        facts = ", ".join(f"{name}={value}" for name, value in self.facts.items() if value is not None)
        return f"{self.message} ({facts})" if facts else self.message

    def context(self) -> dict[str, Fact]:
        """Returns the facts, for logs and reports."""
        return dict(self.facts)


class Meaning(NamedTuple):
    """What an error of a driver, a server or the system means to the caller; tables map its code to one."""

    kind: type[PenstockError]
    message: str
    guidance: str


class ConfigurationError(PenstockError):
    """What was asked cannot work; nothing was read or written."""


class TransientError(PenstockError):
    """The source, store or warehouse is unavailable for now; the same call may work later."""


class RateLimitedError(TransientError):
    """The other side asked for a pause; `retry_after_seconds` is set where it said how long."""


class RejectedError(PenstockError):
    """The other side refused; the same call will be refused again."""


class DataError(PenstockError):
    """Data broke a promise; nothing was published."""


class GuardError(DataError):
    """A guard stopped a load that would have destroyed data; the table is untouched."""


class SchemaContractError(DataError):
    """The columns that came are not the ones the dataset's schema contract allows."""


class TransformError(PenstockError):
    """dbt could not build what was selected."""


def _as_fact(value: Any) -> Fact:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _rebuild(kind: type[PenstockError], message: str, guidance: str, facts: dict[str, Fact]) -> PenstockError:
    return kind(message, guidance=guidance, **facts)
