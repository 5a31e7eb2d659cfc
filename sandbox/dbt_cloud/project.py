"""What a run of the emulated dbt Cloud builds: anything that answers a dbt command with a log and dbt's files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class StepResult(NamedTuple):
    """How a dbt command ended.

    Args:
        succeeded: What dbt's exit code says.
        logs: What dbt printed.
        artifacts: The files that it wrote, by name.
    """

    succeeded: bool
    logs: str
    artifacts: Mapping[str, bytes]


class CloudProject(Protocol):
    """A dbt project that runs build; it may be generated, or run the real dbt."""

    def failing_preparation(self) -> str | None:
        """Returns the words of the step before dbt that fails in this run, or None."""

    def build(self, arguments: Sequence[str], *, only: Collection[str] | None = None) -> StepResult:
        """Builds what the arguments of `dbt build` select; of these only some nodes in a retry."""

    def reset(self) -> None:
        """Forgets what was built so far."""
