"""A pipeline begins from a dbt source that a person wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.catalog import inspect_catalog
from deployments.compile_file import write_files
from deployments.dbt_scaffolding import Scaffold, new_pipeline_from_dbt
from penstock.errors import ConfigurationError
from penstock.pipeline import expand
from tasks.definitions.project import Project
from tasks.definitions.reading import read_pipeline

PLATFORM = """\
version: 1
platform: local
store: {kind: folder, path: lake}
warehouse: {kind: duckdb, path: warehouse.duckdb}
connections:
  acme-rest: {kind: rest, base_url: http://127.0.0.1:1}
  acme-gladly: {kind: gladly, organization: acme, email: a@b.example, token: "${TOKEN}"}
dbt: {project_dir: transformations, target: duckdb}
work_pool: local
"""
SOURCES = """\
version: 2
sources:
  - name: acme_rest
    description: >
      The shop,
      as it was loaded by hand.
    schema: raw
    config:
      freshness: {warn_after: {count: 36, period: hour}, error_after: {count: 3, period: day}}
    tables:
      - name: orders
        identifier: RAW_ORDERS
        description: One row per order.
      - name: customers
        identifier: rest__customers
        description: "{{ doc('customers') }}"
        freshness: {warn_after: {count: 90, period: minute}}
        columns:
          - {name: Email, tags: [pii]}
          - {name: phone, config: {meta: {contains_pii: true}}}
          - {name: country}
      - {name: currencies, freshness: null}
  - name: contact_centre
    tables: [{name: teams}, {name: agents}, {name: contacts}]
  - {name: nothing}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.platforms.mkdir(parents=True)
    (project.platforms / "local.yaml").write_text(PLATFORM)
    (project.clients / "acme").mkdir(parents=True)
    (tmp_path / "transformations" / "models").mkdir(parents=True)
    (tmp_path / "transformations" / "dbt_project.yml").write_text("name: acme\n")
    (tmp_path / "transformations" / "models" / "sources.yml").write_text(SOURCES)
    return project


def begin(project: Project, dbt_source: str, source: str | None = None) -> Scaffold:
    return new_pipeline_from_dbt(project, "acme-daily", dbt_source, client="acme", source=source, connection=None)


def written(made: Scaffold) -> dict[str, Any]:
    assert made.path.read_text().startswith("# yaml-language-server: $schema=")
    return dict(yaml.safe_load(made.path.read_text()))


def test_each_table_is_a_dataset_with_what_dbt_knows_of_it_and_the_file_validates(project: Project) -> None:
    made = begin(project, "acme_rest")
    found = written(made)
    assert (made.undecided, made.kind) == ((), "rest")
    assert found["source"] == {"kind": "rest", "connection": "acme-rest"}
    assert found["description"] == "The shop, as it was loaded by hand."
    assert found["datasets"] == [
        {
            "name": "orders",
            "description": "One row per order.",
            "table": "raw_orders",
            "path": "/orders",
            "freshness": {"warn_after": "36h", "error_after": "3d"},
        },
        {
            "name": "customers",
            "path": "/customers",
            "freshness": {"warn_after": "90m"},
            "governance": {"pii": ["email", "phone"]},
        },
        {"name": "currencies", "table": "currencies", "path": "/currencies"},
    ]
    assert inspect_catalog(project).problems == ()
    assert [str(one.target) for one in expand(read_pipeline(made.path))] == [
        "acme_bronze.raw_orders",
        "acme_bronze.rest__customers",
        "acme_bronze.currencies",
    ]


def test_what_dbt_does_not_tell_is_left_to_the_person_by_name(project: Project) -> None:
    made = begin(project, "contact_centre", "gladly")
    assert written(made)["datasets"] == [
        {"name": "teams", "table": "teams", "collection": "teams"},
        {"name": "agents", "table": "agents"},
        {"name": "contacts", "table": "contacts"},
    ]
    assert made.undecided == ("agents", "contacts")
    problems = [problem for problem in inspect_catalog(project).problems if problem.is_error]
    assert [problem.key for problem in problems] == ["datasets[1]", "datasets[2]"]


@pytest.mark.parametrize(
    ("dbt_source", "source", "words"),
    [
        ("acme_rset", None, "Did you mean acme_rest?"),
        ("contact_centre", None, "Give it with --source"),
        ("contact_centre", "gladyl", "Did you mean gladly?"),
        ("nothing", "rest", "has no table"),
    ],
)
def test_what_cannot_be_begun_is_refused_with_what_to_do(
    project: Project, dbt_source: str, source: str | None, words: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        begin(project, dbt_source, source)
    assert words in str(caught.value)
    assert project.pipeline_paths() == []


def test_a_source_that_pipelines_make_begins_no_other(project: Project) -> None:
    made = begin(project, "acme_rest")
    write_files(project, "local", project.root / "prefect.yaml")
    (project.root / "transformations" / "models" / "sources.yml").unlink()
    with pytest.raises(ConfigurationError, match="generated from pipeline files already"):
        begin(project, "acme_rest")
    assert project.pipeline_paths() == [made.path]
