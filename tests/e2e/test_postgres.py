"""The demonstration's pipeline with PostgreSQL as its warehouse: bronze, silver and gold, twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from sandbox.clock import Clock
from sandbox.gladly.settings import GladlySettings
from sandbox.server import serve
from sandbox.settings import SandboxSettings
from tests.contract.postgres_server import DATABASE, administrator, fresh_postgres

ROOT = Path(__file__).resolve().parents[2]
TABLES = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('warbyparker_bronze', 'gold')"


def contents() -> dict[str, str]:
    """Returns a hash of each table's rows that their order does not change."""
    with administrator(DATABASE) as connection:
        return {
            table: str(
                connection.execute(
                    f"SELECT count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table} AS t"
                ).fetchone()
            )
            for (table,) in connection.execute(TABLES).fetchall()
        }


def test_the_same_pipeline_runs_on_postgres_and_a_second_run_changes_no_row(tmp_path: Path, prefect_url: str) -> None:
    connection: dict[str, Any] = fresh_postgres().model_dump(mode="json", exclude_none=True)
    for folder in ("deployments/clients", "deployments/platforms", "flows/clients", "dbt"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "target", "logs")
        )
    platform = tmp_path / "deployments" / "platforms" / "local.yaml"
    settings = yaml.safe_load(platform.read_text(encoding="utf-8"))
    settings |= {"warehouse": connection, "dbt": {"project_dir": "dbt", "target": "postgres"}}
    platform.write_text(yaml.safe_dump(settings), encoding="utf-8")
    gladly = GladlySettings(conversations_per_day=40)
    with serve(SandboxSettings(clock=Clock("2026-03-21T06:00:00Z"), gladly=gladly)) as sandbox:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
        environment = {
            **inherited,
            "PREFECT_API_URL": prefect_url,
            "PENSTOCK_SANDBOX_URL": sandbox.url,
            "PENSTOCK_PII_SALT": "salt",
            "COLUMNS": "160",
        }
        runs = []
        for _ in range(2):
            command = [str(Path(sys.executable).with_name("penstock")), "run", "warbyparker-gladly-daily"]
            ended = subprocess.run(
                [*command, "--at", "2026-03-20T06:00"],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
            assert ended.returncode == 0, ended.stdout + ended.stderr
            runs.append(contents())
    first, second = runs
    assert {"gold.fct_contacts", "gold.rpt_service_level_daily"} <= set(first)
    assert all(not content.startswith("('0 ") for table, content in first.items() if table.startswith("warbyparker"))
    assert second == first
