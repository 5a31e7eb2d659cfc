"""The real dbt behind the sandbox's dbt Cloud: what a run of a job builds is a project on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from sandbox.dbt_cloud.project import StepResult

_DBT = "from dbt.cli.main import cli; cli()"


class RealDbt:
    """Runs dbt Core over a project, as dbt Cloud would.

    Args:
        folder: Of the project and its profile.
        state: For dbt's own files.
        variables: Lead the profile to the warehouse.
    """

    def __init__(self, folder: Path, state: Path, variables: dict[str, str]) -> None:
        self._folder = folder
        self._state = state
        self._environment = {**os.environ, **variables, "NO_COLOR": "1"}

    def failing_preparation(self) -> str | None:
        return None

    def build(self, arguments: Sequence[str], *, only: Collection[str] | None = None) -> StepResult:
        assert only is None
        results = self._state / "target" / "run_results.json"
        results.unlink(missing_ok=True)
        places = {
            "--project-dir": self._folder,
            "--profiles-dir": self._folder,
            "--target-path": self._state / "target",
            "--log-path": self._state / "logs",
        }
        line = [
            sys.executable,
            "-c",
            _DBT,
            "build",
            *(str(part) for pair in places.items() for part in pair),
            *arguments,
        ]
        done = subprocess.run(line, env=self._environment, capture_output=True, text=True, timeout=240, check=False)
        names = ("manifest.json", "run_results.json") if results.is_file() else ()
        files = {name: (self._state / "target" / name).read_bytes() for name in names}
        return StepResult(done.returncode == 0, done.stdout, files)

    def reset(self) -> None:
        """Keeps what was built: it is in the warehouse."""
