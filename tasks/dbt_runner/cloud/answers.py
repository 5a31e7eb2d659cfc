"""What dbt Cloud's Administrative API v2 answers, as far as it is used (dbt-labs/dbt-cloud-openapi-spec)."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

QUEUED = 1
RUNNING = 3
SUCCESS = 10
ERROR = 20
CANCELLED = 30
_ENDED = frozenset({SUCCESS, ERROR, CANCELLED})
_NAMES = {
    QUEUED: "queued",
    2: "starting",
    RUNNING: "running",
    SUCCESS: "success",
    ERROR: "error",
    CANCELLED: "cancelled",
}
_BUILD = "`dbt build"
_DELETED = 2


class Status(msgspec.Struct, frozen=True):
    """How the API says that it went, beside the HTTP status."""

    is_success: bool = True


class Envelope(msgspec.Struct, Generic[T], frozen=True):
    """What every answer but an artifact comes in."""

    status: Status
    data: T | None = None


class CloudAccount(msgspec.Struct, frozen=True):
    """An account; a locked one runs nothing."""

    id: int
    name: str = ""
    state: int = 1
    locked: bool | None = None

    @property
    def is_locked(self) -> bool:
        """Whether the account is suspended or gone."""
        return bool(self.locked) or self.state == _DELETED


class CloudJobInfo(msgspec.Struct, frozen=True):
    """A job; dbt Cloud deactivates one whose runs have failed too often."""

    id: int
    name: str = ""
    state: int = 1
    deactivated: bool | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether the job was deleted; such a job can still be asked for."""
        return self.state == _DELETED


class CloudStep(msgspec.Struct, frozen=True):
    """A step of a run; those before dbt's own fetch the project and make its profile."""

    index: int
    name: str
    status: int | None = None
    logs: str | None = None

    @property
    def is_build(self) -> bool:
        """Whether it is the command that was asked for; the name of a dbt step quotes its command."""
        return _BUILD in self.name


class CloudTrigger(msgspec.Struct, frozen=True):
    """Why a run was started."""

    cause: str | None = None


class CloudRun(msgspec.Struct, frozen=True):
    """A run of a job; steps and trigger only where they were asked for."""

    id: int
    status: int
    status_message: str | None = None
    href: str | None = None
    artifacts_saved: bool | None = None
    can_retry: bool | None = None
    run_steps: list[CloudStep] | None = None
    trigger: CloudTrigger | None = None

    @property
    def has_ended(self) -> bool:
        """Whether its status is final."""
        return self.status in _ENDED

    @property
    def state(self) -> str:
        """Its status in a word."""
        return _NAMES.get(self.status, str(self.status))

    @property
    def facts(self) -> dict[str, Any]:
        """What an error says of it."""
        return {"run": self.id, "address": self.href}

    @property
    def build_step(self) -> CloudStep | None:
        """The step that built, where the run got that far."""
        return next((step for step in reversed(self.run_steps or []) if step.is_build), None)

    @property
    def failed_step(self) -> CloudStep | None:
        """The first step that failed."""
        return next((step for step in self.run_steps or [] if step.status == ERROR), None)

    @property
    def failed_before_dbt(self) -> bool:
        """Whether the run failed while it was prepared: fetching the project, its profile, its packages."""
        if self.status != ERROR:
            return False
        failed = self.failed_step
        return not self.run_steps if failed is None else not failed.is_build and not self._has_built

    @property
    def _has_built(self) -> bool:
        return self.build_step is not None and self.build_step.status in _ENDED
