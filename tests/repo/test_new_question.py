"""An analyst follows "A new question" of docs/dbt.md in a copy of the project: its two files, and its commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from sandbox.gladly.settings import GladlySettings
from sandbox.server import serve
from sandbox.settings import SandboxSettings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/dbt.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## A new question\n")[2].partition("\n## ")[0]
FILES = re.findall(r"^`([^`\n]+)`\n\n```\w+\n(.*?)^```$", SECTION, flags=re.DOTALL | re.MULTILINE)
LOAD, ASK = (block.splitlines() for block in re.findall(r"```sh\n(.*?)```", SECTION, flags=re.DOTALL))
MODEL = "agg_reopened_conversations_weekly"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "target", "logs")
    for folder in ("deployments/clients", "deployments/platforms", "flows/clients", "dbt"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for path, text in FILES:
        assert not (tmp_path / path).exists(), f"{path} is there already"
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def run(command: str, project: Path, **environment: str) -> str:
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "PENSTOCK_", "PREFECT_"))
    }
    variables |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200", **environment}
    done = subprocess.run(
        ["bash", "-c", command], cwd=project, env=variables, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.timeout(900)  # five processes that each read the whole project
def test_a_new_question_becomes_a_tested_model_that_the_pipeline_builds(copy: Path) -> None:
    build, show, again, catalogue = ASK
    # The pipeline runs once, with the model's files in place: what it loads is there for the other commands, too.
    assert LOAD[0] == again == "penstock run warbyparker-gladly-daily"
    places = {"DBT_PROJECT_DIR": "dbt", "DBT_PROFILES_DIR": "dbt", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    settings = SandboxSettings(gladly=GladlySettings(conversations_per_day=40))
    with serve(settings) as sandbox:
        run(again, copy, PENSTOCK_SANDBOX_URL=sandbox.url)
    with duckdb.connect(str(copy / ".penstock/warehouse.duckdb"), read_only=True) as warehouse:
        ran = dict(warehouse.execute("SELECT node_name, status FROM penstock.transforms").fetchall())
        answer = warehouse.execute(
            f"SELECT sum(conversation_count), sum(closed_count), sum(reopened_count) FROM gold.{MODEL}"
        ).fetchone()
        told = warehouse.execute(
            "SELECT count(*), count(*) FILTER (close_count > 0), count(*) FILTER (reopen_count > 0)"
            " FROM gold.fct_conversations WHERE first_channel IS NOT NULL"
        ).fetchone()
    assert ran[MODEL] == "success"
    assert {name for name in ran if name.startswith(("unique", "not_null", "relationships")) and MODEL in name} == {
        f"unique_{MODEL}_channel_week_id",
        f"not_null_{MODEL}_channel_week_id",
        f"relationships_{MODEL}_channel__channel__ref_dim_channels_",
    }
    assert answer == told
    assert answer is not None
    assert 0 < answer[2] < answer[1] < answer[0]

    run(LOAD[1], copy, **places)
    built = run(build, copy, **places)
    assert "Done. PASS=4 WARN=0 ERROR=0" in built
    assert "1 unit test" in built
    assert "reopened_count" in run(show, copy, **places)
    run(catalogue, copy)
    page = (copy / "catalogue/models" / f"{MODEL}.html").read_text(encoding="utf-8")
    assert "gladly__conversations.times_reopened" in page
