from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.catalog import load_catalog
from deployments.compile import (
    IMAGE_PROJECT,
    IMAGE_STEP,
    MANAGED_TAG,
    PULL_STEP,
    compile_deployments,
    compile_prefect_yaml,
)
from deployments.compile_file import check_files, write_files
from penstock.errors import ConfigurationError
from tasks.definitions.client_flows import flow_entrypoint, flow_name, flow_path, shadows_module
from tasks.definitions.problems import DefinitionProblems
from tasks.definitions.project import Project

REPOSITORY = Path(__file__).parents[2]

PIPELINE = """\
version: 1
pipeline: {name}
client: {client}
description: Contacts of a day.
source: {{kind: gladly, connection: gladly}}
window: {{kind: daily}}
load_strategy: {{kind: append}}
datasets: [{{name: contacts_{number}, report: ContactTimestampsReport}}]
schedules: [{{cron: "0 6 * * *", timezone: America/New_York}}, {{cron: "0 18 * * *", active: false}}]
tags: [daily, contacts]
"""

PLATFORM = """\
version: 1
platform: prod
store: {kind: folder, path: lake}
warehouse: {kind: duckdb, path: warehouse.duckdb}
connections: {gladly: {kind: gladly, organization: acme, email: "${EMAIL}", token: "${TOKEN}"}}
dbt: {target: duckdb}
work_pool: "${POOL:-ecs}"
image: "registry/penstock:${GIT_SHA}"
job_variables: {cpu: 1024, env: {LOG_LEVEL: "${LOG_LEVEL:-INFO}"}, labels: ["${TEAM}"]}
tags: [production]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.platforms.mkdir(parents=True)
    (project.platforms / "prod.yaml").write_text(PLATFORM)
    for number, (client, name) in enumerate((("umbrella", "b-daily"), ("acme-co", "a-daily"), ("acme-co", "c-daily"))):
        folder = project.clients / client
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(PIPELINE.format(name=name, client=client, number=number))
    return project


def deployments(project: Project) -> list[dict[str, Any]]:
    catalog = load_catalog(project)
    return compile_deployments(catalog, catalog.platform("prod"))


def test_the_committed_prefect_yaml_and_dbt_sources_are_what_the_files_compile_to() -> None:
    difference = check_files(Project(REPOSITORY), "local", REPOSITORY / "prefect.yaml")
    assert difference == "", "run `penstock compile`"


def test_nothing_of_this_machine_is_in_prefect_yaml() -> None:
    text = (REPOSITORY / "prefect.yaml").read_text(encoding="utf-8")
    assert str(REPOSITORY) not in text
    assert str(Path.home()) not in text
    assert yaml.safe_load(text)["pull"] == [{PULL_STEP: {}}]


def test_each_pipeline_is_one_deployment_by_name(project: Project) -> None:
    found = deployments(project)
    assert [one["name"] for one in found] == ["a-daily", "b-daily", "c-daily"]
    assert [one["entrypoint"] for one in found] == [
        "flows/clients/acme_co.py:acme_co",
        "flows/clients/umbrella.py:umbrella",
        "flows/clients/acme_co.py:acme_co",
    ]
    assert [one["parameters"] for one in found] == [{"pipeline": one["name"]} for one in found]


def test_a_deployment_says_when_where_and_how_often_at_once_it_runs(project: Project) -> None:
    first = deployments(project)[0]
    assert first["schedules"] == [
        {"slug": "schedule-1", "cron": "0 6 * * *", "timezone": "America/New_York"},
        {"slug": "schedule-2", "cron": "0 18 * * *", "timezone": "UTC", "active": False},
    ]
    assert first["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    assert first["tags"] == ["client:acme-co", "contacts", "daily", MANAGED_TAG, "platform:prod", "production"]
    assert first["description"] == "Contacts of a day."
    assert first["work_pool"] == {
        "name": "ecs",
        "job_variables": {
            "cpu": 1024,
            "env": {"LOG_LEVEL": "INFO", "PENSTOCK_PLATFORM": "prod", "PREFECT_LOGGING_EXTRA_LOGGERS": "penstock"},
            "labels": ["{{ $TEAM }}"],
            "image": "registry/penstock:{{ $GIT_SHA }}",
        },
    }


def test_a_pool_that_starts_containers_runs_the_image_in_which_the_project_is(project: Project) -> None:
    path = project.platforms / "prod.yaml"
    text = path.read_text().replace("tags:", "project: acme\nwork_pool_type: kubernetes\ntags:")
    path.write_text(text)
    catalog = load_catalog(project)
    document = yaml.safe_load(compile_prefect_yaml(catalog, catalog.platform("prod")))
    (pull,) = document["pull"]
    assert pull == {IMAGE_STEP: {"directory": IMAGE_PROJECT}}
    first = document["deployments"][0]
    assert first["work_pool"]["job_variables"]["image"] == "registry/penstock:{{ $GIT_SHA }}"
    assert {"platform:prod", "project:acme"} <= set(first["tags"])
    path.write_text(text.replace('image: "registry/penstock:${GIT_SHA}"\n', ""))
    with pytest.raises(DefinitionProblems, match="image"):
        load_catalog(project)


def test_the_text_is_the_same_for_the_same_files_and_holds_nothing_from_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = load_catalog(project)
    first = compile_prefect_yaml(catalog, catalog.platform("prod"))
    for name in ("EMAIL", "TOKEN", "POOL", "GIT_SHA", "TEAM", "LOG_LEVEL", "PENSTOCK_HOME"):
        monkeypatch.setenv(name, "hunter2")
    again = load_catalog(project)
    assert compile_prefect_yaml(again, again.platform("prod")) == first
    assert yaml.safe_load(first)["deployments"] == deployments(project)


def test_the_version_changes_with_the_meaning_of_the_file_alone(project: Project) -> None:
    before = [one["version"] for one in deployments(project)]
    path = project.clients / "acme-co" / "a-daily.yaml"
    path.write_text("# a comment\n" + path.read_text())
    assert [one["version"] for one in deployments(project)] == before
    path.write_text(path.read_text().replace("kind: daily}", "kind: daily, lag: 2d}"))
    after = [one["version"] for one in deployments(project)]
    assert after[0] != before[0]
    assert after[1:] == before[1:]
    assert all(isinstance(yaml.safe_load(f"v: {version}")["v"], str) for version in after)


def test_a_file_that_disagrees_is_shown_as_a_difference_and_mended_by_compiling(project: Project) -> None:
    path = project.root / "prefect.yaml"
    assert check_files(project, "prod", path).count("+- name:") == 3
    assert write_files(project, "prod", path).deployments == 3
    assert check_files(project, "prod", path) == ""
    path.write_text(path.read_text().replace("0 18 * * *", "0 19 * * *", 1))
    difference = check_files(project, "prod", path)
    assert "-    cron: 0 19 * * *" in difference
    assert "+    cron: 0 18 * * *" in difference


def test_a_platform_without_a_work_pool_cannot_be_deployed_to(project: Project) -> None:
    path = project.platforms / "prod.yaml"
    path.write_text(path.read_text().replace('work_pool: "${POOL:-ecs}"\n', ""))
    with pytest.raises(ConfigurationError, match="work pool") as caught:
        deployments(project)
    assert "platforms/prod.yaml" in caught.value.guidance


def test_prefect_reads_all_of_what_is_compiled(project: Project) -> None:
    from prefect.cli.deploy._models import PrefectYamlModel
    from prefect.client.schemas.schedules import CronSchedule

    catalog = load_catalog(project)
    document = yaml.safe_load(compile_prefect_yaml(catalog, catalog.platform("prod")))
    model = PrefectYamlModel.model_validate(document)
    # Unknown keys are dropped in silence, so what was read must be what was written.
    assert set(document) <= {"name", "build", "push", "pull", "deployments"}
    for read, written in zip(model.deployments, document["deployments"], strict=True):
        assert set(written) <= set(type(read).model_fields)
        assert read.model_dump(exclude_unset=True, mode="json") == written
        for schedule in written["schedules"]:
            CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])


@pytest.mark.parametrize("cron", ["0 6 * * MON-FRI", "*/15 * * * *", "0 6 1,15 * *", "30 2 * jan,jul 0", "0 6 * * 7"])
def test_prefect_understands_every_cron_expression_that_passes_our_check(cron: str) -> None:
    from prefect.client.schemas.schedules import CronSchedule

    from penstock.schedule import ScheduleSpec

    accepted = ScheduleSpec(cron=cron).cron
    assert CronSchedule(cron=accepted, timezone="UTC").cron == accepted


def test_the_pull_step_enters_the_project_from_anywhere(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.utilities.importtools import import_object

    # As Prefect does it; its own runner of steps would start a server for the events it sends.
    (step,) = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text())["pull"]
    ((name, inputs),) = step.items()
    run_step = import_object(name)
    outside = tmp_path_factory.mktemp("worker")
    monkeypatch.chdir(outside)
    monkeypatch.setenv("PENSTOCK_PROJECT", str(project.root))
    assert run_step(**inputs)["directory"] == str(project.root)
    assert Path.cwd() == project.root
    monkeypatch.chdir(outside)
    monkeypatch.delenv("PENSTOCK_PROJECT")
    assert run_step(**inputs)["directory"] == str(REPOSITORY)


def test_a_pull_step_that_is_led_astray_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deployments.project_step import enter_project

    monkeypatch.setenv("PENSTOCK_PROJECT", str(tmp_path))
    with pytest.raises(ConfigurationError, match="PENSTOCK_PROJECT"):
        enter_project()


def test_a_clients_flow_is_named_after_the_client() -> None:
    assert flow_entrypoint("warby-parker") == "flows/clients/warby_parker.py:warby_parker"
    assert flow_path("7-eleven") == Path("flows/clients/_7_eleven.py")
    assert flow_name("import") == "_import"
    assert [shadows_module(name) for name in ("dbt", "json", "prefect", "warbyparker", "no-such-client")] == [
        True,
        True,
        True,
        False,
        False,
    ]
