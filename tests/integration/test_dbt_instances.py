"""Another instance is one line in a pipeline file: dbt finds it in the generated sources, with no SQL written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deployments.compile_file import write_files
from tasks.definitions.project import Project

PLATFORM = """\
version: 1
platform: local
store: {kind: folder, path: lake}
warehouse: {kind: duckdb, path: warehouse.duckdb}
connections: {regions: {kind: rest, base_url: http://127.0.0.1:1}}
dbt: {target: duckdb}
work_pool: local
"""
PIPELINE = """\
version: 1
pipeline: incidents
client: acme-co
source: {kind: rest, connection: regions}
window: {kind: full}
load_strategy: {kind: full_refresh}
for_each:
  - {name: north, connection: regions}
  - {name: south, connection: regions}
  - {name: west, connection: regions}
datasets: [{name: incidents, path: /incidents, description: "As {{ of }} today."}]
schedules: [{cron: "0 6 * * *"}]
tags: [daily]
"""
MODEL = """\
{% for one in penstock_instances('rest', 'incidents', client='acme_co') %}
select '{{ one.instance }}' as region, id from {{ source(one.source, one.table) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
"""
PROFILE = "acme: {target: duckdb, outputs: {duckdb: {type: duckdb, path: ':memory:'}}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    files = {
        "deployments/platforms/local.yaml": PLATFORM,
        "deployments/clients/acme-co/incidents.yaml": PIPELINE,
        "dbt/dbt_project.yml": "name: acme\nprofile: acme\nversion: '1.0.0'\n",
        "dbt/profiles.yml": PROFILE,
        "dbt/models/incidents.sql": MODEL,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Project(tmp_path)


def parse(project: Project) -> subprocess.CompletedProcess[str]:
    folder = project.root / "dbt"
    return subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "parse", "--show-all-deprecations"],
        cwd=folder,
        env={**os.environ, "DBT_PROFILES_DIR": str(folder), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )


def manifest(project: Project) -> dict[str, Any]:
    ended = parse(project)
    assert ended.returncode == 0, ended.stdout
    assert "WARN" not in ended.stdout.upper(), ended.stdout
    return dict(json.loads((project.root / "dbt" / "target" / "manifest.json").read_text(encoding="utf-8")))


def test_a_fourth_instance_is_one_line_in_a_pipeline_file_and_no_sql(project: Project) -> None:
    write_files(project, "local", project.root / "prefect.yaml")
    found = manifest(project)
    prefix = "source.acme.acme_co_rest"
    assert found["nodes"]["model.acme.incidents"]["depends_on"]["nodes"] == [
        f"{prefix}.north__incidents",
        f"{prefix}.south__incidents",
        f"{prefix}.west__incidents",
    ]
    table = found["sources"][f"{prefix}.west__incidents"]
    assert (table["schema"], table["identifier"]) == ("acme_co_bronze", "rest__west__incidents")
    assert table["loaded_at_field"] == "_loaded_at"
    assert table["freshness"]["warn_after"] == {"count": 36, "period": "hour"}
    assert table["tags"] == ["client:acme-co", "daily"]
    assert table["meta"]["penstock"]["pipeline"] == "incidents"
    assert table["description"] == "As {{ of }} today. Of the instance `west`."

    path = project.clients / "acme-co" / "incidents.yaml"
    path.write_text(path.read_text().replace("for_each:", "for_each:\n  - {name: east, connection: regions}"))
    write_files(project, "local", project.root / "prefect.yaml")
    depends = manifest(project)["nodes"]["model.acme.incidents"]["depends_on"]["nodes"]
    assert depends[0] == f"{prefix}.east__incidents"
    assert len(depends) == 4


def test_a_dataset_that_no_pipeline_has_is_told_by_name(project: Project) -> None:
    write_files(project, "local", project.root / "prefect.yaml")
    (project.root / "dbt" / "models" / "incidents.sql").write_text(MODEL.replace("'incidents'", "'incidnts'"))
    ended = parse(project)
    assert ended.returncode != 0
    assert "No pipeline loads the dataset incidnts of rest for acme_co." in ended.stdout
