"""What the project does on other targets than the local one, of stale bronze, and by the commands of its guide."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb

from tests.models.bronze import COLLECTIONS, REPORTS, table_of
from tests.models.dbt_process import PROJECT, DbtProcess
from tests.models.gold_build import Built

GUIDE = PROJECT.parent / "docs" / "dbt.md"
DEVELOPER_PROFILE = """
penstock:
  target: ada
  outputs:
    ada: {type: duckdb, path: "{{ env_var('PENSTOCK_WAREHOUSE_PATH') }}", schema: ada}
"""


def test_other_targets_build_beside_production_and_hash_people_with_a_salt_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text(DEVELOPER_PROFILE, encoding="utf-8")
    dbt = DbtProcess(tmp_path, tmp_path / "warehouse.duckdb", profiles=tmp_path)
    salted = dbt.run("parse", variables={"PENSTOCK_PII_SALT": "x"})
    assert salted.returncode == 0, salted.stdout
    models = [node for node in dbt.manifest()["nodes"].values() if node["resource_type"] == "model"]
    assert {node["schema"] for node in models} == {"ada_silver", "ada_gold"}
    assert all(node["contract"]["enforced"] for node in models if node["schema"] == "ada_gold")
    assert {node["access"] for node in models if node["schema"] == "ada_silver"} == {"private"}
    unsalted = dbt.run("parse")
    assert unsalted.returncode != 0
    assert "Set PENSTOCK_PII_SALT" in unsalted.stdout


def test_a_dataset_that_was_not_loaded_for_three_days_is_stale(spare: Built) -> None:
    with duckdb.connect(str(spare.warehouse)) as connection:
        connection.execute(f"UPDATE {table_of('topics')} SET _loaded_at = _loaded_at - INTERVAL 3 DAY")
    assert spare.dbt.run("source", "freshness", "--select", "source:warbyparker_gladly").returncode == 1
    results = json.loads((spare.dbt.target / "sources.json").read_text(encoding="utf-8"))["results"]
    statuses = {result["unique_id"].rsplit(".", 1)[-1]: result["status"] for result in results}
    assert statuses == {**dict.fromkeys([*REPORTS, *COLLECTIONS], "pass"), "topics": "error"}


def test_the_commands_of_the_guide_run(built: Built) -> None:
    block = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)[0]
    commands = [line.removeprefix("dbt ") for line in block.splitlines() if line.startswith("dbt ")]
    show = "show --select rpt_service_level_daily --limit 5"
    # The first is what a pipeline's first run builds, the last is what the freshness test runs.
    build, freshness = (
        "build --select source:warbyparker_gladly+",
        "source freshness --select source:warbyparker_gladly",
    )
    assert commands == [build, show, freshness]
    shown = built.dbt.run(*show.split())
    assert shown.returncode == 0, shown.stdout
    assert "PHONE_CALL" in shown.stdout
