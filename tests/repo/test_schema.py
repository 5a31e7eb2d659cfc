from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deployments.scaffolding import new_client, new_pipeline
from deployments.schema import pipeline_schema, platform_schema, schema_path, schema_texts, write_schemas
from penstock.sources.registry import SOURCES
from tasks.definitions.project import Project
from tasks.definitions.strict_yaml import read_yaml
from tasks.definitions.tree import plain

REPOSITORY = Path(__file__).parents[2]


def yaml_values(path: Path) -> Any:
    tree, problems = read_yaml(path)
    assert problems == []
    assert tree is not None
    return plain(tree)


@pytest.fixture(scope="module")
def pipeline_validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(pipeline_schema())


@pytest.fixture(scope="module")
def platform_validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(platform_schema())


@pytest.mark.parametrize("kind", ["pipeline", "platform"])
def test_the_committed_schema_is_what_the_types_say(kind: str) -> None:
    committed = schema_path(Project(REPOSITORY), kind).read_text(encoding="utf-8")
    assert committed == schema_texts()[kind], "run `penstock schema --write`"
    jsonschema.Draft7Validator.check_schema(json.loads(committed))


@pytest.mark.parametrize("path", Project(REPOSITORY).pipeline_paths(), ids=lambda path: path.stem)
def test_every_committed_pipeline_passes_and_points_editors_at_the_schema(
    path: Path, pipeline_validator: jsonschema.Draft7Validator
) -> None:
    assert [one.message for one in pipeline_validator.iter_errors(yaml_values(path))] == []
    reference = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / reference).resolve() == schema_path(Project(REPOSITORY), "pipeline")


@pytest.mark.parametrize("path", Project(REPOSITORY).platform_paths(), ids=lambda path: path.stem)
def test_every_committed_platform_passes_and_points_editors_at_the_schema(
    path: Path, platform_validator: jsonschema.Draft7Validator
) -> None:
    assert [one.message for one in platform_validator.iter_errors(yaml_values(path))] == []
    reference = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / reference).resolve() == schema_path(Project(REPOSITORY), "platform")


@pytest.mark.parametrize("source", list(SOURCES))
def test_a_scaffolded_pipeline_of_every_source_passes(
    source: str, tmp_path: Path, pipeline_validator: jsonschema.Draft7Validator
) -> None:
    project = Project(tmp_path)
    new_client(project, "acme")
    (path,) = new_pipeline(project, "acme-daily", client="acme", source=source)
    assert [one.message for one in pipeline_validator.iter_errors(yaml_values(path))] == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("windows", {"kind": "daily"}),
        ("window", {"kind": "dayly"}),
        ("window", {"kind": "daily", "lookback": "1d"}),
        ("load_strategy", {"kind": "incremental"}),
        ("source", {"kind": "gladdly", "connection": "x"}),
        ("datasets", []),
        ("datasets", [{"name": "x", "path": "/x"}]),
        ("datasets", [{"name": "Bad Name", "report": "X"}]),
        ("schedules", [{"crn": "0 6 * * *"}]),
        ("version", 2),
    ],
)
def test_a_wrong_pipeline_fails(key: str, value: Any, pipeline_validator: jsonschema.Draft7Validator) -> None:
    path = REPOSITORY / "deployments/clients/warbyparker/warbyparker-gladly-daily.yaml"
    assert list(pipeline_validator.iter_errors({**yaml_values(path), key: value})) != []


def test_what_the_clients_defaults_may_hold_is_not_required(pipeline_validator: jsonschema.Draft7Validator) -> None:
    datasets = [{"name": "x", "report": "ContactTimestampsReport"}]
    assert list(pipeline_validator.iter_errors({"pipeline": "x", "datasets": datasets})) == []
    assert list(pipeline_validator.iter_errors({"pipeline": "x"})) != []


@pytest.mark.parametrize(
    ("key", "value", "is_valid"),
    [
        ("parallel_datasets", "${PARALLEL:-4}", True),
        ("parallel_datasets", "four", False),
        ("parallel_datasets", 0, False),
        ("connections", {"a-b": {"block": "${KIND}/x"}}, True),
        ("connections", {"a-b": {"block": "Penstock Gladly"}}, False),
        ("connections", {"a-b": {"kind": "gladly", "organization": "x"}}, False),
        ("workpool", "x", False),
        ("dbt", {"engine": "core", "target": "x"}, True),
        ("dbt", {"engine": "cloud", "connection": {"block": "penstock-dbt-cloud/x"}, "job_id": "${JOB}"}, True),
        ("dbt", {"engine": "cloud", "target": "x"}, False),
        ("dbt", {"target": "x", "job_id": 44}, False),
    ],
)
def test_a_platform_may_refer_to_the_environment_anywhere(
    key: str, value: Any, is_valid: bool, platform_validator: jsonschema.Draft7Validator
) -> None:
    values = {**yaml_values(REPOSITORY / "deployments/platforms/local.yaml"), key: value}
    assert (list(platform_validator.iter_errors(values)) == []) is is_valid


def test_what_an_editor_completes_is_explained() -> None:
    for schema in (pipeline_schema(), platform_schema()):
        assert schema["title"]
        assert schema["description"]
        bare = [key for key, value in schema["properties"].items() if not value.get("description")]
        assert bare == []
        nameless = [name for name, one in schema["$defs"].items() if not one.get("description") or not one.get("title")]
        assert nameless == []


def test_every_reference_in_the_schemas_leads_somewhere() -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for one in value.values():
                yield from references(one)
        elif isinstance(value, list):
            for one in value:
                yield from references(one)

    for schema in (pipeline_schema(), platform_schema()):
        found = set(references(schema))
        assert len(found) > 5
        assert {one.removeprefix("#/$defs/") for one in found} <= set(schema["$defs"])


def test_the_schemas_are_written_into_a_project(tmp_path: Path) -> None:
    (tmp_path / "deployments").mkdir()
    written = write_schemas(Project(tmp_path))
    assert [path.name for path in written] == ["pipeline.schema.json", "platform.schema.json"]
    assert json.loads(written[0].read_text())["required"] == ["pipeline"]
    assert json.loads(written[0].read_text())["anyOf"] == [{"required": ["datasets"]}, {"required": ["tables"]}]
