"""The fixtures that users' own tests get."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import httpx
import pytest

from sandbox.faults import Fault
from sandbox.server import Sandbox

FIXED = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_a_fresh_sandbox_at_the_fixed_time(penstock_sandbox: Sandbox, turn: int):
    assert penstock_sandbox.clock.now() == FIXED
    assert len(penstock_sandbox.log) == 0
    assert penstock_sandbox.faults.in_force() == []
    penstock_sandbox.faults.add(Fault(kind="server_error", times=None))
    penstock_sandbox.clock.advance(days=turn)
    assert httpx.get(f"{penstock_sandbox.url}/rest/orders").status_code == 503
    assert len(penstock_sandbox.log) == 1


def test_loading_the_plugin_imports_nothing_but_pytest():
    script = (
        "import pytest, sys\nbefore = set(sys.modules)\nimport sandbox.pytest_plugin\n"
        "print(sorted(name for name in set(sys.modules) - before if not name.startswith('sandbox')))\n"
        "print(sorted(name for name in sys.modules if name.startswith('sandbox')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['sandbox', 'sandbox.pytest_plugin']"]
