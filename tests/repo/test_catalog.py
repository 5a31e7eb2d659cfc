from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from deployments.catalog import inspect_catalog, load_catalog, problems_of
from deployments.platform_checks import require_connections
from penstock.connections import GladlyConnection
from penstock.errors import ConfigurationError
from sandbox.gladly.settings import GLADLY_EMAIL, GLADLY_ORG, GLADLY_TOKEN
from tasks.definitions.problems import DefinitionProblems, Problem
from tasks.definitions.project import Project, find_project

REPOSITORY = Path(__file__).parents[2]

PIPELINE = """\
version: 1
pipeline: {name}
client: {client}
source: {{kind: gladly, connection: {client}-gladly}}
window: {{kind: daily, timezone: America/New_York, lag: 1d}}
load_strategy: {{kind: append}}
datasets:
  - {{name: contacts, report: ContactTimestampsReport}}
  - name: conversations
    report: ConversationExportReport
    window: {{kind: daily, timezone: America/New_York, lag: 1d, days: 30}}
    load_strategy: {{kind: incremental, keys: [conversation_id]}}
  - {{name: agents, collection: agents, window: {{kind: full}}, load_strategy: {{kind: full_refresh}}}}
schedules: [{{cron: "{minute} 6 * * *", timezone: America/New_York}}]
"""

PLATFORM = """\
version: 1
platform: {name}
store: {{kind: folder, path: lake}}
warehouse: {{kind: duckdb, path: warehouse.duckdb}}
connections:
{connections}
dbt: {{target: duckdb}}
"""

CONNECTION = '  {client}-gladly: {{kind: gladly, organization: {client}, email: a@b.example, token: "${{{variable}}}"}}'


def connection(client: str) -> str:
    return CONNECTION.format(client=client, variable=f"TOKEN_OF_{client}".replace("-", "_").upper())


class World:
    """A project in a folder, whose files a test writes."""

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        self.project.platforms.mkdir(parents=True)

    def pipeline(self, name: str, client: str = "acme", folder: str | None = None, **changes: str) -> Path:
        text = PIPELINE.format(name=changes.pop("pipeline", name), client=client, minute=changes.pop("minute", "0"))
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        path = self.project.clients / (folder or client) / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def platform(self, name: str = "local", *clients: str, text: str | None = None) -> Path:
        connections = "\n".join(connection(client) for client in clients or ("acme",))
        path = self.project.platforms / f"{name}.yaml"
        path.write_text(text or PLATFORM.format(name=name, connections=connections))
        return path

    def problems(self) -> list[Problem]:
        return list(inspect_catalog(self.project).problems)

    def only_problem(self) -> Problem:
        found = self.problems()
        assert len(found) == 1, found
        return found[0]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_repositorys_own_files_are_valid() -> None:
    catalog = inspect_catalog(Project(REPOSITORY))
    assert catalog.problems == ()
    assert list(catalog.platforms) == ["dev", "local", "prod"]
    assert "warbyparker-gladly-daily" in [one.pipeline for one in catalog.pipelines]
    assert "local" in catalog.platforms
    (example,) = [one for one in catalog.pipelines if one.pipeline == "warbyparker-gladly-daily"]
    assert len(example.datasets) == 8


def test_the_local_platform_needs_no_variable_and_leads_to_the_sandbox() -> None:
    from tasks.definitions.reading import read_platform

    platform = read_platform("local", Project(REPOSITORY), environment={})
    gladly = platform.connections["warbyparker-gladly"]
    assert isinstance(gladly, GladlyConnection)
    assert gladly.base_url == f"http://127.0.0.1:8765/gladly/{GLADLY_ORG}/api/v1"
    assert (gladly.organization, gladly.email) == (GLADLY_ORG, GLADLY_EMAIL)
    assert gladly.token.get_secret_value() == GLADLY_TOKEN


def test_a_valid_project_is_loaded_in_the_order_of_its_files(world: World) -> None:
    world.platform("local", "acme", "umbrella")
    for name, client in (("umbrella-daily", "umbrella"), ("acme-daily", "acme")):
        world.pipeline(name, client)
    catalog = load_catalog(world.project)
    assert [one.pipeline for one in catalog.pipelines] == ["acme-daily", "umbrella-daily"]
    assert catalog.platform("local").platform == "local"
    with pytest.raises(ConfigurationError, match="no such platform"):
        catalog.platform("locl")


def test_a_pipeline_is_named_like_its_file(world: World) -> None:
    world.platform()
    path = world.pipeline("acme-daily", pipeline="acme-hourly")
    problem = world.only_problem()
    assert (problem.path, problem.line, problem.key, problem.suggestion) == (path, 2, "pipeline", "acme-daily")


def test_a_pipelines_name_is_unique_over_all_clients(world: World) -> None:
    world.platform("local", "acme", "umbrella")
    first, second = world.pipeline("daily", "acme"), world.pipeline("daily", "umbrella")
    problem = world.only_problem()
    assert (problem.path, problem.line) == (second, 2)
    assert str(first) in problem.message


def test_a_pipeline_lies_in_its_clients_folder(world: World) -> None:
    world.platform()
    path = world.pipeline("acme-daily", "acme", folder="umbrella")
    problem = world.only_problem()
    assert (problem.path, problem.line, problem.key, problem.suggestion) == (path, 3, "client", "umbrella")


def test_two_pipelines_that_load_one_table_are_an_error_for_each_table(world: World) -> None:
    world.platform()
    world.pipeline("acme-daily")
    second = world.pipeline("acme-other")
    found = world.problems()
    assert [(one.path, one.line, one.key) for one in found] == [
        (second, 8, "datasets[0].name"),
        (second, 9, "datasets[1].name"),
        (second, 13, "datasets[2].name"),
    ]
    assert all(word in found[0].message for word in ("acme_bronze.gladly__contacts", "`contacts`", "`acme-daily`"))


def test_a_connection_that_a_platform_lacks_is_reported_for_that_platform(world: World) -> None:
    world.platform("local", "acme")
    world.platform("prod", "acm")
    path = world.pipeline("acme-daily")
    problem = world.only_problem()
    assert (problem.path, problem.line, problem.column, problem.key) == (path, 4, 24, "source.connection")
    assert problem.suggestion == "acm-gladly"
    assert not problem.is_error, "it runs on local"
    assert "platforms/prod.yaml" in problem.guidance
    assert "`gladly`" in problem.guidance
    catalog = load_catalog(world.project)
    with pytest.raises(ConfigurationError, match=r"acme-gladly \(of acme-daily\)"):
        require_connections(catalog.pipelines, catalog.platform("prod"))
    require_connections(catalog.pipelines, catalog.platform("local"))


def test_a_connection_that_every_platform_lacks_is_an_error(world: World) -> None:
    world.platform("local", "acm")
    world.pipeline("acme-daily")
    assert world.only_problem().is_error


@pytest.mark.parametrize(
    ("old", "new", "key", "suggestion"),
    [
        ("dbt:", "limits: {acme-gladli: 2}\ndbt:", "limits.acme-gladli", "acme-gladly"),
    ],
)
def test_what_cannot_work_on_a_platform_is_said_where_it_stands(
    world: World, old: str, new: str, key: str, suggestion: str | None
) -> None:
    text = PLATFORM.format(name="prod", connections=connection("acme"))
    assert old in text
    path = world.platform("prod", text=text.replace(old, new))
    problem = world.only_problem()
    assert (problem.path, problem.key, problem.suggestion, problem.is_error) == (path, key, suggestion, True)


def test_a_connection_of_another_kind_than_the_source_takes_is_an_error(world: World) -> None:
    world.platform("local", text=PLATFORM.format(name="local", connections="  acme-gladly: {kind: folder, path: x}"))
    world.pipeline("acme-daily")
    problem = world.only_problem()
    assert all(word in problem.message for word in ("`acme-gladly`", "`folder`", "`gladly`"))


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("penstock-gladly/acme", ()),
        ("penstock-folder/acme", ("`acme-gladly`", "`folder`", "takes `gladly`")),
        ("penstock-gladdly/acme", ("`penstock-gladdly` cannot be used here", "did you mean `penstock-gladly`")),
        ("aws-credentials/acme", ("`aws-credentials` cannot be used here", "penstock-s3")),
    ],
)
def test_a_block_is_of_a_type_that_the_source_takes(world: World, block: str, words: tuple[str, ...]) -> None:
    text = PLATFORM.format(name="local", connections=f"  acme-gladly: {{block: {block}}}")
    world.platform("local", text=text)
    world.pipeline("acme-daily")
    found = world.problems()
    assert [word for word in words if word not in str(found[0])] == []
    assert len(found) == (1 if words else 0)


@pytest.mark.parametrize(
    ("setting", "block", "is_right"),
    [
        ("store", "penstock-s3/lake", True),
        ("store", "penstock-gladly/lake", False),
        ("warehouse", "penstock-snowflake/dwh", True),
        ("warehouse", "penstock-s3/lake", False),
    ],
)
def test_the_store_and_the_warehouse_take_blocks_that_hold_one(
    world: World, setting: str, block: str, is_right: bool
) -> None:
    text = PLATFORM.format(name="local", connections=connection("acme"))
    changed = re.sub(rf"^{setting}: .*$", f"{setting}: {{block: {block}}}", text, flags=re.MULTILINE)
    world.platform("local", text=changed)
    world.pipeline("acme-daily")
    found = world.problems()
    assert [one.key for one in found] == ([] if is_right else [setting])
    assert is_right or f"`{block.split('/', maxsplit=1)[0]}` cannot be used here" in found[0].message


def test_each_instance_needs_its_own_connection(world: World) -> None:
    world.platform()
    instances = "for_each: [{name: us, connection: acme-gladly}, {name: eu, connection: acme-eu}]\ndatasets:"
    path = world.pipeline("acme-daily", **{"datasets:": instances})
    problem = world.only_problem()
    assert (problem.path, problem.line, problem.key) == (path, 7, "for_each[1].connection")


def test_a_platform_is_named_like_its_file(world: World) -> None:
    text = PLATFORM.format(name="prod", connections=connection("acme"))
    path = world.platform("local", text=text)
    found = world.problems()
    assert [(one.path, one.line, one.key, one.suggestion) for one in found] == [
        (path, 2, "platform", "local"),
    ]


def test_a_client_without_a_flow_says_how_to_make_one(world: World) -> None:
    world.platform()
    world.pipeline("acme-daily")
    (world.project.root / "flows" / "clients").mkdir(parents=True)
    problem = world.only_problem()
    assert (problem.line, problem.key) == (3, "client")
    assert "flows/clients/acme.py" in problem.message
    assert "penstock new client acme" in problem.guidance
    (world.project.root / "flows" / "clients" / "acme.py").write_text("")
    assert world.problems() == []


def test_a_client_whose_flow_would_hide_a_module_is_refused(world: World) -> None:
    world.platform("local", "dbt")
    world.pipeline("dbt-daily", "dbt")
    assert "hide a Python module" in world.only_problem().message


def test_a_file_that_nothing_reads_is_an_error_instead_of_a_silence(world: World) -> None:
    world.platform()
    path = world.pipeline("acme-daily")
    strays = [
        path.with_suffix(".yml"),
        path.with_name("_default.yaml"),
        world.project.clients / "lost.yaml",
        path.parent / "deeper" / "nested.yaml",
        world.project.platforms / "prod.yml",
    ]
    for stray in strays:
        stray.parent.mkdir(exist_ok=True)
        stray.write_text("version: 1\n")
    (path.parent / "_defaults.yaml").write_text("version: 1\n")
    found = world.problems()
    assert {one.path for one in found} == set(strays)
    assert [one.suggestion for one in found if one.path.name == "_default.yaml"] == ["_defaults.yaml"]


def test_problems_of_all_files_come_together_and_loading_raises_them(world: World) -> None:
    world.platform("local", "acme", text="version: 2\n")
    world.pipeline("acme-daily", **{"kind: append": "kind: appendd"})
    world.pipeline("acme-other", **{"name: contacts": "nme: contacts"})
    with pytest.raises(DefinitionProblems) as caught:
        load_catalog(world.project)
    files = {one.path.name for one in caught.value.problems}
    assert files == {"local.yaml", "acme-daily.yaml", "acme-other.yaml"}


def test_a_mistake_in_the_shared_defaults_is_reported_once(world: World) -> None:
    world.platform()
    for name in ("acme-a", "acme-b", "acme-c"):
        world.pipeline(
            name,
            **{"contacts": f"{name[-1]}_x", "conversations": f"{name[-1]}_y", "name: agents": f"name: {name[-1]}_z"},
        )
    defaults = world.project.clients / "acme" / "_defaults.yaml"
    defaults.write_text("tgas: [x]\n")
    problem = world.only_problem()
    assert (problem.path, problem.line, problem.suggestion) == (defaults, 1, "tags")


def test_problems_can_be_asked_for_by_file_folder_or_defaults(world: World) -> None:
    world.platform("local", "acme", "umbrella")
    acme = world.pipeline("acme-daily", **{"version: 1": "version: 2"})
    umbrella = world.pipeline("umbrella-daily", "umbrella", **{"version: 1": "version: 3"})
    (umbrella.parent / "_defaults.yaml").write_text("version: 1\n")
    catalog = inspect_catalog(world.project)
    assert [one.path for one in problems_of(catalog, [acme])] == [acme]
    assert [one.path for one in problems_of(catalog, [umbrella.parent / "_defaults.yaml"])] == [umbrella]
    assert [one.path for one in problems_of(catalog, [world.project.clients])] == [acme, umbrella]


def test_five_hundred_pipelines_are_checked_whole(world: World) -> None:
    clients = [f"client-{number}" for number in range(500)]
    world.platform("local", *clients)
    for number, client in enumerate(clients):
        world.pipeline(f"{client}-daily", client, minute=str(number % 60))
    broken = world.pipeline("client-499-daily", "client-499", **{"kind: append": "kind: appendd"})
    began = time.process_time()
    catalog = inspect_catalog(world.project)
    print(f"500 pipelines in {time.process_time() - began:.2f} s of processor time")
    assert len(catalog.files) == 500
    assert len(catalog.pipelines) == 499
    assert sum(len(one.datasets) for one in catalog.pipelines) == 499 * 3
    assert catalog.pipelines[-1].pipeline == "client-99-daily"
    assert [(one.path, one.line) for one in catalog.problems] == [(broken, 6)]


def test_the_repository_is_its_own_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_PROJECT", raising=False)
    assert find_project(REPOSITORY / "tests") == Project(REPOSITORY)


def test_two_pipelines_of_a_client_with_one_dataset_name_are_an_error_even_with_tables_of_their_own(
    world: World,
) -> None:
    world.platform()
    world.pipeline("acme-daily")
    text = world.pipeline("acme-hourly").read_text()
    path = world.project.clients / "acme" / "acme-hourly.yaml"
    path.write_text(text.replace("{name: ", "{table: of_its_own, name: ", 1))
    messages = [problem.message for problem in world.problems() if problem.path == path]
    assert any("names a dataset of the pipeline `acme-daily` too" in message for message in messages)
