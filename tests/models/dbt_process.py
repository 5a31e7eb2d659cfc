"""Runs dbt as users and the runner do: in a process of its own, which writes nothing beside the project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2] / "dbt"


class DbtProcess:
    """dbt with a warehouse, keeping its target and logs in a folder."""

    def __init__(self, folder: Path, warehouse: Path, *, project: Path = PROJECT, profiles: Path = PROJECT) -> None:
        self.target = folder / "target"
        self._command = [sys.executable, "-m", "dbt.cli.main", "--no-use-colors"]
        self._places = ["--project-dir", str(project), "--profiles-dir", str(profiles)]
        self._folder = folder
        self._variables = {
            "PENSTOCK_WAREHOUSE_PATH": str(warehouse),
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }

    def run(self, *arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs one dbt command and returns how it ended."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "PENSTOCK_"))}
        return subprocess.run(
            [*self._command, *arguments, *self._places],
            cwd=self._folder,
            env={**inherited, **self._variables, **(variables or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def statuses(self) -> dict[str, str]:
        """Returns the status of each node of the last build by its id."""
        results = json.loads((self.target / "run_results.json").read_text(encoding="utf-8"))["results"]
        return {result["unique_id"]: result["status"] for result in results}

    def manifest(self) -> dict[str, Any]:
        """Returns what dbt knows of the project."""
        return dict(json.loads((self.target / "manifest.json").read_text(encoding="utf-8")))
