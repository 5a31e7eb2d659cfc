"""The sandbox for users' own tests: `def test_x(penstock_sandbox): ...`.

pytest loads this module in every run of every project where Penstock is installed, so nothing but pytest is imported
until a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.server import Sandbox

FIXED_TIME = "2026-03-20T12:00:00Z"


@pytest.fixture(scope="session")
def penstock_sandbox_server() -> Iterator[Sandbox]:
    """One sandbox for the whole test run; prefer `penstock_sandbox`, which starts each test afresh."""
    from sandbox.clock import Clock
    from sandbox.server import serve
    from sandbox.settings import SandboxSettings

    with serve(SandboxSettings(clock=Clock(FIXED_TIME))) as sandbox:
        yield sandbox


@pytest.fixture
def penstock_sandbox(penstock_sandbox_server: Sandbox) -> Iterator[Sandbox]:
    """A sandbox whose clock stands at `FIXED_TIME`, with no faults in force and nothing in its log."""
    penstock_sandbox_server.reset()
    penstock_sandbox_server.clock.set(FIXED_TIME)
    yield penstock_sandbox_server
    penstock_sandbox_server.reset()
