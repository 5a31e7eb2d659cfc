"""What every emulated service is given, and how a service is declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.faults import FaultPlan
from sandbox.request_log import RequestLog
from sandbox.tokens import TokenOffice

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from sandbox.clock import Clock
    from sandbox.settings import SandboxSettings

# Where a service leaves, in a request's scope, a few words on what was asked; the log keeps them.
DETAIL_KEY = "sandbox.detail"
# Where the fault layer leaves the names of the paging faults that a request meets.
PAGING_FAULT_KEY = "sandbox.paging_fault"


@dataclass(frozen=True)
class ErrorBody:
    """An error as one vendor words it."""

    content: bytes
    media_type: str


@dataclass
class SandboxContext:
    """The one world that all services share."""

    settings: SandboxSettings
    clock: Clock
    faults: FaultPlan = field(default_factory=FaultPlan)
    log: RequestLog = field(default_factory=RequestLog)
    tokens: TokenOffice = field(default_factory=TokenOffice)
    reset_actions: list[Callable[[], None]] = field(default_factory=list)

    def on_reset(self, action: Callable[[], None]) -> None:
        """Registers what a service must forget between two tests."""
        self.reset_actions.append(action)


@dataclass(frozen=True)
class Service:
    """One emulated system.

    Args:
        name: First segment of its paths.
        home: Path below the sandbox's URL that a connection's base URL ends in.
        build_routes: Makes its routes, with paths relative to `/<name>`.
        describe_error: Words a failure with a status in the vendor's form, for faults that answer in its stead.
    """

    name: str
    home: str
    build_routes: Callable[[SandboxContext], Sequence[BaseRoute]]
    describe_error: Callable[[int], ErrorBody]
