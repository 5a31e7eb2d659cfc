"""dbt's sources follow from the pipeline files, and what nothing generates any more goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.catalog import inspect_catalog, load_catalog
from deployments.compile_file import check_files, write_files
from deployments.dbt_feeds import FEEDS_PATH
from deployments.dbt_sources import INSTANCES_PATH, sources_path
from deployments.generated_files import MARK
from flows.elt import dbt_selection
from penstock.errors import ConfigurationError
from penstock.pipeline import expand
from penstock.report import DatasetReport
from tasks.definitions.project import Project

PLATFORM = """\
version: 1
platform: local
store: {kind: folder, path: lake}
warehouse: {kind: duckdb, path: warehouse.duckdb}
connections:
  north: {kind: rest, base_url: http://127.0.0.1:1}
  south: {kind: rest, base_url: http://127.0.0.1:1}
  east: {kind: rest, base_url: http://127.0.0.1:1}
dbt: {target: duckdb}
work_pool: local
"""
INCIDENTS = """\
version: 1
pipeline: incidents
client: acme-co
description: Incidents of every region.
source: {kind: rest, connection: north}
window: {kind: full}
load_strategy: {kind: full_refresh}
for_each:
  - {name: north, connection: north}
  - {name: south, connection: south}
datasets:
  - {name: incidents, path: /incidents}
  - {name: users, path: /users, freshness: {warn_after: 90m}}
schedules: [{cron: "0 6 * * *"}]
tags: [daily]
"""
ORDERS = """\
version: 1
pipeline: orders
client: acme-co
source: {kind: rest, connection: east}
window: {kind: full}
load_strategy: {kind: full_refresh}
freshness: none
datasets: [{name: orders, path: /orders, table: all_orders}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.platforms.mkdir(parents=True)
    (project.platforms / "local.yaml").write_text(PLATFORM)
    folder = project.clients / "acme-co"
    folder.mkdir(parents=True)
    (folder / "incidents.yaml").write_text(INCIDENTS)
    (folder / "orders.yaml").write_text(ORDERS)
    (tmp_path / "dbt").mkdir()
    (tmp_path / "dbt" / "dbt_project.yml").write_text("name: acme\n")
    return project


def compiled(project: Project) -> list[str]:
    written = write_files(project, "local", project.root / "prefect.yaml")
    return [path.relative_to(project.root / "dbt").as_posix() for path in written.dbt_paths]


def difference(project: Project) -> str:
    return check_files(project, "local", project.root / "prefect.yaml")


def source(project: Project, name: str = "acme_co_rest") -> dict[str, Any]:
    text = (project.root / "dbt" / sources_path(name)).read_text(encoding="utf-8")
    assert MARK in text.splitlines()[0]
    (found,) = yaml.safe_load(text)["sources"]
    return dict(found)


def test_a_source_holds_one_table_a_dataset_and_instance_of_all_pipelines_of_its_kind(project: Project) -> None:
    compiled(project)
    found = source(project)
    assert (found["name"], found["schema"]) == (
        "acme_co_rest",
        "{{ var('acme_co_bronze_schema', 'acme_co_bronze') }}",
    )
    assert found["config"]["loaded_at_field"] == "_loaded_at"
    assert {table["name"]: table["identifier"] for table in found["tables"]} == {
        "north__incidents": "rest__north__incidents",
        "south__incidents": "rest__south__incidents",
        "north__users": "rest__north__users",
        "south__users": "rest__south__users",
        "orders": "all_orders",
    }
    described = {table["name"]: table["config"]["meta"]["penstock"] for table in found["tables"]}
    assert described["south__users"] == {
        "client": "acme-co",
        "pipeline": "incidents",
        "dataset": "users",
        "instance": "south",
        "load_strategy": "full_refresh",
        "window": "full",
    }
    assert "instance" not in described["orders"]


def test_freshness_comes_from_the_schedules_unless_the_file_says_it(project: Project) -> None:
    compiled(project)
    by_table = {table["name"]: table["config"]["freshness"] for table in source(project)["tables"]}
    assert by_table == {
        "north__incidents": by_table["south__incidents"],
        "south__incidents": {
            "warn_after": {"count": 36, "period": "hour"},
            "error_after": {"count": 60, "period": "hour"},
        },
        "north__users": {"warn_after": {"count": 90, "period": "minute"}},
        "south__users": {"warn_after": {"count": 90, "period": "minute"}},
        "orders": None,
    }


def test_the_selection_of_a_run_names_sources_and_tables_that_are_generated(project: Project) -> None:
    compiled(project)
    names = {f"source:acme_co_rest.{table['name']}+" for table in source(project)["tables"]}
    for pipeline in load_catalog(project).pipelines:
        selection = dbt_selection(pipeline, list(_loaded(pipeline)))
        assert set(selection.select) <= names
        names -= set(selection.select)
    assert names == set()


def _loaded(pipeline: Any) -> Iterator[DatasetReport]:
    for dataset in expand(pipeline):
        yield DatasetReport(
            dataset=dataset.name, target=str(dataset.target), outcome="loaded", interval=None, has_rows=True
        )


def test_compiling_twice_changes_nothing_and_every_difference_is_shown(project: Project) -> None:
    sources = sources_path("acme_co_rest").as_posix()
    assert compiled(project) == [sources, INSTANCES_PATH.as_posix(), FEEDS_PATH.as_posix()]
    assert compiled(project) == []
    assert difference(project) == ""
    path = project.clients / "acme-co" / "incidents.yaml"
    path.write_text(path.read_text().replace("for_each:", "for_each:\n  - {name: east, connection: east}"))
    shown = difference(project)
    assert "+  - name: east__incidents" in shown
    assert "+        {'kind': 'rest', 'dataset': 'incidents', 'client': 'acme_co', 'instance': 'east'" in shown
    assert compiled(project) == [sources, INSTANCES_PATH.as_posix()]
    assert difference(project) == ""


def test_a_feed_is_told_to_dbt_with_the_dataset_that_feeds(project: Project) -> None:
    path = project.clients / "acme-co" / "incidents.yaml"
    feed = "{model: ai_tool_daily, tool: quill, day: day, engineer: email, cost: price, cost_unit: cents}"
    path.write_text(path.read_text().replace("{name: incidents,", f"{{name: incidents, feeds: {feed},", 1))
    compiled(project)
    text = (project.root / "dbt" / FEEDS_PATH).read_text()
    lines = [line for line in text.splitlines() if "'model': 'ai_tool_daily'" in line]
    assert len(lines) == len(load_catalog(project).pipelines[0].for_each)
    assert all("'client': 'acme_co', 'source': 'acme_co_rest', 'table': '" in line for line in lines)
    assert all("'tokens': none, 'cost': 'price', 'cost_unit': 'cents'}" in line for line in lines)


def test_generated_files_of_pipelines_that_are_gone_are_removed_and_those_of_people_are_not(project: Project) -> None:
    compiled(project)
    by_hand = project.root / "dbt" / "models" / "silver" / "_legacy__sources.yml"
    by_hand.write_text("version: 2\n")
    for path in project.pipeline_paths():
        path.unlink()
    gone = sources_path("acme_co_rest").as_posix()
    assert f"--- dbt/{gone} (as it is)" in difference(project)
    assert gone in compiled(project)
    assert not (project.root / "dbt" / gone).exists()
    assert by_hand.read_text() == "version: 2\n"
    assert difference(project) == ""


def test_a_file_of_a_person_is_never_written_over(project: Project) -> None:
    path = project.root / "dbt" / sources_path("acme_co_rest")
    path.parent.mkdir(parents=True)
    path.write_text("version: 2\n")
    with pytest.raises(ConfigurationError, match="not generated") as caught:
        compiled(project)
    assert caught.value.context()["path"] == str(path)
    assert path.read_text() == "version: 2\n"
    assert not (project.root / "dbt" / INSTANCES_PATH).exists()
    assert not (project.root / "prefect.yaml").exists()


def test_a_project_without_dbt_gets_none(project: Project) -> None:
    (project.root / "dbt" / "dbt_project.yml").unlink()
    assert compiled(project) == []
    assert not (project.root / "dbt" / "models").exists()


def test_governance_is_in_the_source_as_owner_tags_and_columns_about_people(project: Project) -> None:
    owner = {"name": "Analytics", "email": "analytics@acme.example"}
    (project.clients / "acme-co" / "_defaults.yaml").write_text(
        f"governance: {{owner: {owner}, classification: internal, retention_days: 365}}\n"
    )
    path = project.clients / "acme-co" / "orders.yaml"
    governed = "governance: {pii: [buyer, e_mail], classification: restricted, retention_days: 30}"
    path.write_text(path.read_text().replace("table: all_orders", f"table: all_orders, {governed}"))
    platform = project.platforms / "local.yaml"
    platform.write_text(platform.read_text() + "governance: {retention_days: 90}\n")
    compiled(project)
    tables = {table["name"]: table for table in source(project)["tables"]}

    users, orders = tables["north__users"]["config"], tables["orders"]["config"]
    assert users["tags"] == ["client:acme-co", "daily", "retention"]
    assert {key: value for key, value in users["meta"].items() if key != "penstock"} == {
        "owner": owner,
        "classification": "internal",
        "retention_days": 365,
        "retention_days_on": {"local": 90},
    }
    assert "columns" not in tables["north__users"]
    assert orders["tags"] == ["client:acme-co", "pii", "retention"]
    assert {key: value for key, value in orders["meta"].items() if key != "penstock"} == {
        "owner": owner,
        "classification": "restricted",
        "retention_days": 30,
        "contains_pii": True,
    }
    assert [column["name"] for column in tables["orders"]["columns"]] == ["buyer", "e_mail"]
    assert {tag for column in tables["orders"]["columns"] for tag in column["config"]["tags"]} == {"pii"}


def test_data_stays_off_platforms_that_may_not_hold_it(project: Project) -> None:
    path = project.clients / "acme-co" / "orders.yaml"
    path.write_text(path.read_text() + "governance: {classification: restricted}\n")
    platform = project.platforms / "local.yaml"
    platform.write_text(platform.read_text() + "governance: {classification: confidential}\n")
    (problem,) = [one for one in inspect_catalog(project).problems if one.is_error]
    assert problem.path == path
    assert "`orders` is `restricted`, and the platform `local` may hold `confidential` data at most" in problem.message
    path.write_text(path.read_text().replace("restricted", "confidential"))
    assert not [one for one in inspect_catalog(project).problems if one.is_error]
