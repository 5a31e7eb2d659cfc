"""The run form of the Prefect UI in a real browser: every kind of window and strategy, and what it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.e2e.browser import CHROMIUM, DRIVER, Browser, browser

ROOT = Path(__file__).resolve().parents[2]
NAME = "warbyparker/warbyparker-gladly-daily"
SECTION = """
    const labels = [...document.querySelectorAll(".schema-form-property__label")];
    const found = labels.find(one => one.innerText.startsWith(arguments[0]));
    if (!found) return "";
    const section = found.closest(".p-label").cloneNode(true);
    section.querySelectorAll("select, option, [role=listbox]").forEach(one => one.remove());
    document.body.appendChild(section);
    const text = section.innerText;
    section.remove();
    return text.replace(/\\s+/g, " ");
"""

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")


@pytest.fixture(scope="module")
def client(prefect_url: str) -> Iterator[SyncPrefectClient]:
    with temporary_settings({PREFECT_API_URL: prefect_url}), get_client(sync_client=True) as client:
        yield client


@pytest.fixture(scope="module")
def deployment(client: SyncPrefectClient, prefect_url: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    project = tmp_path_factory.mktemp("project")
    for folder in ("deployments/clients", "deployments/platforms", "flows/clients"):
        shutil.copytree(ROOT / folder, project / folder)
    variables = {**os.environ, "PREFECT_API_URL": prefect_url}
    for name in ("PENSTOCK_PROJECT", "PENSTOCK_PLATFORM"):
        variables.pop(name, None)
    deploy = [str(Path(sys.executable).parent / "penstock"), "deploy", "--create-pool"]
    done = subprocess.run(deploy, cwd=project, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return client.read_deployment_by_name(NAME)


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def form(window: Browser, deployment: Any, prefect_url: str) -> Browser:
    window.open(f"{prefect_url.removesuffix('/api')}/deployments/deployment/{deployment.id}/run")
    window.one("//button[normalize-space(.)='Daily']")
    return window


def choose(form: Browser, title: str) -> None:
    form.click(f"//button[normalize-space(.)='{title}']")
    selected = f"//button[normalize-space(.)='{title}'][@aria-selected='true']"
    form.one(selected)


def variants(deployment: Any, parameter: str) -> dict[str, dict[str, Any]]:
    """The kinds that a parameter may be, by title, as the server has their schemas."""
    schema = deployment.parameter_openapi_schema
    references = [one["$ref"] for one in schema["properties"][parameter]["anyOf"] if "$ref" in one]
    found = [schema["definitions"][reference.rpartition("/")[2]] for reference in references]
    return {one["title"]: one for one in found}


@pytest.mark.parametrize(("parameter", "count"), [("window", 6), ("load_strategy", 6)])
def test_each_kind_has_a_tab_with_its_own_fields_their_titles_and_their_help(
    form: Browser, deployment: Any, parameter: str, count: int
) -> None:
    kinds = variants(deployment, parameter)
    assert len(kinds) == count
    for title, schema in kinds.items():
        choose(form, title)
        fields = {field["title"]: field.get("description", "") for field in schema["properties"].values()}
        last = list(fields)[-1]
        form.until(lambda last=last: last in str(form.run(SECTION, parameter)), f"the field {last} of {title}")
        section = str(form.run(SECTION, parameter))
        for field, help_text in fields.items():
            assert field in section, (title, field, section)
            assert " ".join(help_text.replace("`", "").split()) in section, (title, field, section)


def submit(form: Browser) -> None:
    form.click("//button[normalize-space(.)='Submit']")


def test_what_is_chosen_is_what_the_run_gets(form: Browser, deployment: Any, client: SyncPrefectClient) -> None:
    before = {run.id for run in client.read_flow_runs()}
    choose(form, "Daily")
    choose(form, "Append")
    submit(form)
    form.until(lambda: "tab=Runs" in str(form.run("return location.href")), "the deployment's runs")
    (run,) = [run for run in client.read_flow_runs() if run.id not in before]
    assert run.parameters["window"] == {"kind": "daily", "timezone": "UTC", "lag": "1d", "days": 1}
    assert run.parameters["load_strategy"] == {"kind": "append"}
    client.delete_flow_run(run.id)


def test_the_form_as_the_documentation_shows_it(form: Browser, tmp_path: Path) -> None:
    choose(form, "Daily")
    choose(form, "Incremental")
    form.until(lambda: "Order By" in str(form.run(SECTION, "load_strategy")), "the strategy's fields")
    form.run("document.querySelector('.schema-form-property__label').scrollIntoView()")
    folder = ROOT / "docs" / "images" if os.environ.get("PENSTOCK_WRITE_SCREENSHOTS") else tmp_path
    form.screenshot(folder / "run-form.png")
    assert (folder / "run-form.png").stat().st_size > 10_000


@pytest.mark.parametrize(("kind", "typed", "seen"), [("Daily", "soon", "'soon'"), ("Explicit interval", None, "None")])
def test_a_wrong_value_is_refused_in_the_form_and_nothing_is_run(
    form: Browser, client: SyncPrefectClient, kind: str, typed: str | None, seen: str
) -> None:
    before = {run.id for run in client.read_flow_runs()}
    choose(form, kind)
    if typed:
        lag = "//div[contains(@class, 'p-label')][.//span[starts-with(normalize-space(.), 'Lag')]]//textarea"
        form.type(f"({lag})[last()]", typed)
    submit(form)
    form.wait_for_text("is not valid under any of the given schemas")
    messages = [line for line in form.text().splitlines() if "is not valid under any" in line]
    assert all(seen in message for message in messages), messages
    assert {run.id for run in client.read_flow_runs()} == before
