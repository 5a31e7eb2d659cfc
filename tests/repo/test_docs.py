"""The documentation is followed to the letter: its commands run, its files are written, its promises are looked at."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from pydantic import TypeAdapter

from penstock.platform import StoreSetting
from sandbox.prefect_harness import prefect_api
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def blocks(document: str, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [body for kind, body in found if kind == language]


@pytest.fixture(scope="module")
def prefect_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect API of these pages' own: what they say is created was not there before."""
    with prefect_api(tmp_path_factory.mktemp("prefect")) as server:
        yield server.api_url


@pytest.fixture
def copy_of_the_project(tmp_path: Path) -> Path:
    for folder in ("deployments/clients", "deployments/platforms", "flows/clients", "dbt"):
        # The pages follow one client; what they count is that client's.
        others = [f"{path.name}*" for path in (ROOT / "deployments/clients").iterdir() if path.name != "warbyparker"]
        ignored = shutil.ignore_patterns("__pycache__", "target", "logs", *others)
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


@pytest.fixture
def sandbox_server() -> Iterator[Sandbox]:
    with serve(SandboxSettings()) as sandbox:
        yield sandbox


def run(command: str, project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "160", **environment}
    for name in ("PENSTOCK_PROJECT", "PENSTOCK_PLATFORM"):
        variables.pop(name, None)
    return subprocess.run(
        ["bash", "-c", command], cwd=project, env=variables, capture_output=True, text=True, timeout=180, check=False
    )


def test_a_new_user_follows_first_pipeline_and_every_step_works(
    copy_of_the_project: Path, sandbox_server: Sandbox, prefect_url: str
) -> None:
    project = copy_of_the_project
    _serve, create, check, past = blocks("docs/first-pipeline.md", "sh")
    pipeline, connection = blocks("docs/first-pipeline.md", "yaml")
    for command in create.splitlines():
        done = run(command, project)
        assert done.returncode == 0, done.stderr
    assert (project / "flows/clients/acme.py").is_file()
    assert (project / "deployments/clients/acme/_defaults.yaml").is_file()
    (project / "deployments/clients/acme/acme-shop-daily.yaml").write_text(pipeline)
    platform = project / "deployments/platforms/local.yaml"
    here = connection.replace("http://127.0.0.1:8765", sandbox_server.url)
    platform.write_text(platform.read_text().replace("connections:\n", f"connections:\n{here}"))

    outputs = {}
    for number, command in enumerate([*check.splitlines(), *past.splitlines()]):
        done = run(command, project, PREFECT_API_URL=prefect_url)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        outputs[number] = done.stdout
    assert "acme_bronze.rest__orders" in outputs[1]
    assert "already loaded" not in outputs[2]
    assert "already loaded" in outputs[3]
    assert "3 of 3 windows" in outputs[6]


@pytest.mark.parametrize(
    ("mistake", "seen"),
    [
        (("load_strategy:", "load_strateggy:"), ["acme-shop-daily.yaml", "load_strateggy", "load_strategy"]),
        (("kind: daily", "kind: dayly"), ["acme-shop-daily.yaml", "daily"]),
        (("connection: acme-shop", "connection: acme-shopp"), ["acme-shopp", "acme-shop"]),
        (("timezone: UTC, lag", "timezone: Utopia/Nowhere, lag"), ["Utopia/Nowhere", "time zone"]),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(
    copy_of_the_project: Path, mistake: tuple[str, str], seen: list[str]
) -> None:
    project = copy_of_the_project
    pipeline, connection = blocks("docs/first-pipeline.md", "yaml")
    assert run("penstock new client acme", project).returncode == 0
    (project / "deployments/clients/acme/acme-shop-daily.yaml").write_text(pipeline.replace(*mistake, 1))
    platform = project / "deployments/platforms/local.yaml"
    platform.write_text(platform.read_text().replace("connections:\n", f"connections:\n{connection}"))
    done = run("penstock validate", project)
    assert done.returncode == 2
    for text in seen:
        assert text in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_prefect_api_that_does_not_answer_is_named_with_the_way_out(copy_of_the_project: Path) -> None:
    done = run("penstock run warbyparker-gladly-daily", copy_of_the_project, PREFECT_API_URL="http://127.0.0.1:9/api")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error: the Prefect API that is configured does not answer" in done.stderr
    assert "port: 9" in done.stderr
    assert "unset PREFECT_API_URL" in done.stderr


def test_deploying_goes_as_its_page_says(copy_of_the_project: Path, prefect_url: str) -> None:
    project = copy_of_the_project
    commands, settings = blocks("docs/deploying.md", "sh"), blocks("docs/deploying.md", "yaml")
    _server, _sandbox, _export, deploy, worker, runs, again, _cloud = commands
    times, alerts, containers = settings
    outputs = []
    for command in deploy.splitlines():
        done = run(command, project, PREFECT_API_URL=prefect_url)
        assert done.returncode == 0, done.stdout + done.stderr
        outputs.append(done.stdout)
    count = len(list(project.glob("deployments/clients/*/[!_]*.yaml")))
    assert f"dry run, nothing sent: {count} create\n" in outputs[0]
    assert "work pool local" in outputs[1]
    # What these start is in tests/e2e/test_deployed.py; here only that they name what was deployed.
    assert worker.strip() == "prefect worker start --pool local"
    deployment = httpx.get(f"{prefect_url}/deployments/name/warbyparker/warbyparker-gladly-daily").raise_for_status()
    parameters = set(deployment.json()["parameter_openapi_schema"]["properties"])
    assert "warbyparker/warbyparker-gladly-daily" in runs
    assert set(re.findall(r"--param '(\w+)=", runs)) <= parameters

    path = project / "deployments/clients/warbyparker/warbyparker-gladly-daily.yaml"
    path.write_text(re.sub(r"(?m)^schedules:.*\n", times, path.read_text()))
    updated, unchanged = (run(command, project, PREFECT_API_URL=prefect_url) for command in again.splitlines())
    assert "+ schedule noon" in updated.stdout, updated.stderr
    schedules = httpx.get(deployment.url).json()["schedules"]
    assert {one["slug"]: one["active"] for one in schedules} == {"morning": True, "noon": False}
    assert unchanged.stdout == f"{count} unchanged\n"
    in_pool = {"work_pools": {"name": {"any_": ["local"]}}}
    deployed = httpx.post(f"{prefect_url}/deployments/filter", json=in_pool).raise_for_status().json()
    assert all(httpx.delete(f"{prefect_url}/deployments/{one['id']}").is_success for one in deployed)
    assert httpx.delete(f"{prefect_url}/work_pools/local").is_success

    platform = (project / "deployments/platforms/local.yaml").read_text().replace("platform: local", "platform: prod")
    text = platform.replace("work_pool: local\n", alerts + containers)
    (project / "deployments/platforms/prod.yaml").write_text(text)
    valid = run("penstock validate && penstock compile --platform prod", project)
    assert valid.returncode == 0, valid.stdout + valid.stderr
    assert "directory: /opt/penstock" in (project / "prefect.yaml").read_text()


def test_the_image_has_the_project_where_the_deployments_look_for_it() -> None:
    from deployments.compile import IMAGE_PROJECT

    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"WORKDIR {IMAGE_PROJECT}\n" in dockerfile
    for source in re.findall(r"^COPY (?:--\S+ )?(\S+) ", dockerfile, flags=re.MULTILINE):
        assert (ROOT / source).exists()


@pytest.mark.parametrize("document", ["docs/pipelines.md", "docs/platforms.md"])
def test_commands_that_touch_nothing_run_as_they_are_shown(copy_of_the_project: Path, document: str) -> None:
    for command in "".join(blocks(document, "")).splitlines():
        done = run(command, copy_of_the_project)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


SECRETS = {
    "LAKE_SECRET_ACCESS_KEY": "sec-lake",
    "SNOWFLAKE_PRIVATE_KEY": "sec-key",
    "GLADLY_TOKEN": "sec-gladly",
}


def test_the_page_of_blocks_is_followed_from_the_file_to_the_doctor(
    copy_of_the_project: Path, sandbox_server: Sandbox, prefect_url: str
) -> None:
    project = copy_of_the_project
    named, file = blocks("docs/blocks.md", "yaml")
    applied, registered, examined = blocks("docs/blocks.md", "sh")
    (project / "blocks.yaml").write_text(file)
    local = (project / "deployments/platforms/local.yaml").read_text()
    prod = re.sub(r"^(store|warehouse): .*\n", "", local, flags=re.MULTILINE).replace(
        "platform: local", "platform: prod"
    )
    prod = re.sub(r"^connections:\n(  .*\n)*", named, prod, flags=re.MULTILINE)
    (project / "deployments/platforms/prod.yaml").write_text(prod)
    environment = {"PREFECT_API_URL": prefect_url, "PENSTOCK_SANDBOX_URL": sandbox_server.url, **SECRETS}
    httpx.post(f"{prefect_url}/work_pools/", json={"name": "local", "type": "process"}, timeout=30)

    shown = []
    for command in ["penstock validate", *applied.splitlines(), *registered.splitlines(), *examined.splitlines()]:
        done = run(command, project, **environment)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "sec-" not in done.stdout + done.stderr
        shown.append(done.stdout)
    assert [text.splitlines()[-1].split(";")[0] for text in shown[1:4]] == [
        "5 to create, 0 to update, 0 unchanged",
        "5 created, 0 updated, 0 unchanged",
        "0 created, 0 updated, 5 unchanged",
    ]


def test_the_page_of_dbt_cloud_shows_a_platform_and_a_block_that_are_valid(
    copy_of_the_project: Path, prefect_url: str
) -> None:
    project = copy_of_the_project
    section, file = blocks("docs/dbt_cloud.md", "yaml")
    (commands,) = blocks("docs/dbt_cloud.md", "sh")
    (project / "blocks.yaml").write_text(file)
    platform = project / "deployments/platforms/prod.yaml"
    text, count = re.subn(r"^dbt: .*\n", section, platform.read_text(), flags=re.MULTILINE)
    assert count == 1
    platform.write_text(text)
    for command in commands.splitlines():
        done = run(command, project, PREFECT_API_URL=prefect_url, DBT_CLOUD_TOKEN="sec-ret")
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "sec-ret" not in done.stdout + done.stderr
    assert "1 to create" in done.stdout


def test_the_page_of_blocks_has_every_type_and_every_field() -> None:
    from blocks.catalog import BLOCK_TYPES

    page = (ROOT / "docs/blocks.md").read_text(encoding="utf-8")
    sections = {part.split("`")[1]: part for part in re.split(r"^### ", page, flags=re.MULTILINE)[1:]}
    assert set(sections) == set(BLOCK_TYPES)
    for slug, block in BLOCK_TYPES.items():
        table = "".join(line for line in sections[slug].splitlines() if line.startswith("|"))
        assert set(re.findall(r"`([a-z0-9_]+)`", table)) >= set(block.model_fields), slug


def test_the_tests_that_the_sandbox_page_shows_pass(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("".join(blocks("docs/sandbox.md", "python")))
    done = run(f"{sys.executable} -m pytest -q -p no:cacheprovider test_mine.py", tmp_path)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_cleaning_up_keeps_the_data_and_help_says_how_to_remove_it() -> None:
    cleaned = subprocess.run(["make", "--dry-run", "clean"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ".venv" in cleaned.stdout
    assert ".penstock" not in cleaned.stdout
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "`rm -r .penstock`" in told.stdout


def test_the_readmes_two_commands_are_targets_of_the_makefile() -> None:
    commands = blocks("README.md", "")[0].split("\n")[:-1]
    assert commands == ["make demo", "make test"]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert {command.removeprefix("make ") for command in commands} <= set(targets)


def test_the_readmes_pipeline_is_valid(copy_of_the_project: Path) -> None:
    path = copy_of_the_project / "deployments/clients/warbyparker/warbyparker-gladly-daily.yaml"
    path.write_text(blocks("README.md", "yaml")[0])
    done = run("penstock validate", copy_of_the_project)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stores_that_the_stores_page_shows_are_valid() -> None:
    shown = [yaml.safe_load(text)["store"] for text in blocks("docs/stores.md", "yaml")]
    kinds = [TypeAdapter(StoreSetting).validate_python(setting).kind for setting in shown]
    assert kinds == ["folder", "s3", "s3"]


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs/sources").glob("*.md")))
def test_the_pipelines_and_connections_that_a_sources_page_shows_are_valid(
    copy_of_the_project: Path, page: str
) -> None:
    shown = [yaml.safe_load(block) for block in blocks(f"docs/sources/{page}", "yaml")]
    pipelines = [one for one in shown if "pipeline" in one]
    assert pipelines
    path = copy_of_the_project / "deployments/platforms/local.yaml"
    platform = yaml.safe_load(path.read_text())
    for one in shown:
        connections = one.get("connections", one)
        if all(isinstance(value, dict) and {"kind", "block"} & set(value) for value in connections.values()):
            platform["connections"] |= connections
    path.write_text(yaml.safe_dump(platform))
    for one in pipelines:
        folder = copy_of_the_project / "deployments/clients" / one["client"]
        if not folder.is_dir():
            assert run(f"penstock new client {one['client']}", copy_of_the_project).returncode == 0
        (folder / f"{one['pipeline']}.yaml").write_text(yaml.safe_dump(one))
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", path.read_text()), "sec-ret")
    kept = {name: "http://127.0.0.1:9" for name in variables if name.endswith("URL")}
    done = run("penstock validate", copy_of_the_project, **{**variables, **kept, "PENSTOCK_HOME": ".penstock"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sec-ret" not in done.stdout + done.stderr


def test_every_page_that_is_linked_exists() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_report_of_a_declared_source_is_on_its_page_or_on_that_of_ai_tools() -> None:
    from penstock.sources.declared import DeclaredDataset
    from penstock.sources.registry import SOURCES

    page = (ROOT / "docs/sources/ai_tools.md").read_text(encoding="utf-8")
    sections = {part.split("`")[1]: part for part in re.split(r"^### ", page, flags=re.MULTILINE)[1:] if part[0] == "`"}
    declared = {kind: one.dataset for kind, one in SOURCES.items() if issubclass(one.dataset, DeclaredDataset)}
    own = {kind: ROOT / f"docs/sources/{kind}.md" for kind in set(declared) - set(sections)}
    assert [str(path) for path in own.values() if not path.exists()] == []
    pages = {**sections, **{kind: path.read_text(encoding="utf-8") for kind, path in own.items()}}
    assert set(pages) == set(declared)
    for kind, dataset in declared.items():
        named = set(re.findall(r"`([a-z0-9_]+)`", pages[kind]))
        assert set(dataset.catalogue) <= named, kind
