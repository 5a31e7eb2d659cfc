"""`penstock deploy` against a real Prefect server: what is sent, what is kept, and what is refused before."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.catalog import load_catalog
from deployments.deploy.deploying import DeployOptions, deploy_catalog
from deployments.deploy.display import Deployed, print_deployed
from penstock.errors import ConfigurationError
from tasks.definitions.project import Project

FLOW = """
from __future__ import annotations
from prefect import flow
from penstock.window import TimeWindow


@flow(name="{flow}")
def {flow}({parameters}) -> None:
    pass
"""
PIPELINE = """\
version: 1
pipeline: {name}
client: {client}
source: {{kind: rest, connection: api}}
window: {{kind: full, timezone: UTC}}
load_strategy: {{kind: full_refresh}}
datasets: [{{name: things_{number}, path: /things}}]
schedules: [{schedules}]
"""
PLATFORM = """\
version: 1
platform: {platform}
project: {project}
store: {{kind: folder, path: lake}}
warehouse: {{kind: duckdb, path: warehouse.duckdb}}
connections: {{api: {{kind: rest, base_url: "${{UNSET_ON_PURPOSE}}"}}}}
dbt: {{target: duckdb}}
work_pool: "${{PENSTOCK_TEST_POOL:-pool}}"
job_variables: {{env: {{LEVEL: "${{PENSTOCK_TEST_LEVEL:-INFO}}"}}}}
"""
MORNING = '{name: morning, cron: "0 6 * * *", timezone: America/New_York}'
EVENING = '{name: evening, cron: "0 18 * * *"}'


class Deploying:
    """A project, and the Prefect server that it is deployed to; `writes` are the requests that change something."""

    def __init__(self, root: Path, url: str, project: str) -> None:
        self.project, self.url, self.project_name = Project(root), url, project
        self.requests: list[tuple[str, str]] = []
        self.write_platform()
        self.write_flow("acme")

    def write_platform(self, platform: str = "test", extra: str = "") -> None:
        self.project.platforms.mkdir(parents=True, exist_ok=True)
        text = PLATFORM.format(platform=platform, project=self.project_name) + extra
        (self.project.platforms / f"{platform}.yaml").write_text(text)

    def write_flow(self, client: str, parameters: str = "pipeline: str, window: TimeWindow | None = None") -> None:
        path = self.project.root / "flows" / "clients" / f"{client}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FLOW.format(flow=client, parameters=parameters))

    def write_pipeline(self, name: str, *schedules: str, number: int = 0, client: str = "acme") -> Path:
        path = self.project.clients / client / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PIPELINE.format(name=name, client=client, number=number, schedules=", ".join(schedules)))
        return path

    def deploy(self, *names: str, platform: str = "test", failures: int = 0, **options: Any) -> Deployed:
        async def send(client: PrefectClient) -> Deployed:
            catalog = load_catalog(self.project)
            return await deploy_catalog(client, catalog, catalog.platform(platform), DeployOptions(names, **options))

        self.requests.clear()
        deployed: Deployed = self.call(send)
        assert len(deployed.failed) == failures, [str(one.error) for one in deployed.failed]
        return deployed

    def call(self, use: Callable[[PrefectClient], Awaitable[Any]]) -> Any:
        async def note(request: httpx.Request) -> None:
            self.requests.append((request.method, request.url.path))

        async def main() -> Any:
            with temporary_settings({PREFECT_API_URL: self.url}):
                async with get_client(httpx_settings={"event_hooks": {"request": [note]}}) as client:
                    return await use(client)

        return asyncio.run(main())

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [one for one in self.requests if one[0] != "GET" and not one[1].endswith("/filter")]

    def on_server(self, name: str, flow: str = "acme") -> dict[str, Any]:
        return httpx.get(f"{self.url}/deployments/name/{flow}/{name}").raise_for_status().json()

    def names(self) -> set[str]:
        body = {"deployments": {"tags": {"all_": [f"project:{self.project_name}"]}}}
        return {one["name"] for one in httpx.post(f"{self.url}/deployments/filter", json=body).json()}

    def schedules(self, name: str) -> dict[str, tuple[str, str, bool]]:
        return {
            one["slug"]: (one["schedule"]["cron"], one["schedule"]["timezone"], one["active"])
            for one in self.on_server(name)["schedules"]
        }

    def pause(self, name: str, slug: str) -> None:
        found = self.on_server(name)
        (schedule,) = (one for one in found["schedules"] if one["slug"] == slug)
        path = f"{self.url}/deployments/{found['id']}/schedules/{schedule['id']}"
        httpx.patch(path, json={"active": False}).raise_for_status()

    def scheduled_runs(self, deployment_id: str) -> int:
        """Lets the server make the scheduled runs of a deployment, as its scheduler would, and counts them."""
        httpx.post(f"{self.url}/deployments/{deployment_id}/schedule", json={"min_runs": 5}).raise_for_status()
        return self.runs(deployment_id)

    def runs(self, deployment_id: str) -> int:
        body = {"deployments": {"id": {"any_": [deployment_id]}}}
        return int(httpx.post(f"{self.url}/flow_runs/count", json=body).json())


@pytest.fixture
def deploying(tmp_path: Path, prefect_url: str, request: pytest.FixtureRequest) -> Iterator[Deploying]:
    httpx.post(f"{prefect_url}/work_pools/", json={"name": "pool", "type": "process"})
    yield Deploying(tmp_path, prefect_url, f"p{abs(hash(request.node.name)) % 10**9}")
    for one in httpx.post(f"{prefect_url}/deployments/filter", json={}).json():
        httpx.delete(f"{prefect_url}/deployments/{one['id']}")


def test_a_deployment_is_what_the_files_say_and_the_second_deploy_writes_nothing(deploying: Deploying) -> None:
    deploying.write_pipeline("a-daily", MORNING, EVENING.replace("}", ", active: false}"))
    first = deploying.deploy()
    assert [(one.action, one.full_name) for one in first.changes] == [("create", "acme/a-daily")]
    found = deploying.on_server("a-daily")
    assert found["parameters"] == {"pipeline": "a-daily"}
    assert found["entrypoint"] == "flows/clients/acme.py:acme"
    assert found["pull_steps"] == [{"deployments.project_step.enter_project": {}}]
    assert sorted(found["tags"]) == [
        "client:acme", "managed-by:penstock", "platform:test", f"project:{deploying.project_name}",
    ]  # fmt: skip
    assert found["version"].startswith("sha-")
    assert found["job_variables"]["env"] == {
        "LEVEL": "INFO", "PENSTOCK_PLATFORM": "test", "PREFECT_LOGGING_EXTRA_LOGGERS": "penstock",
    }  # fmt: skip
    assert found["global_concurrency_limit"]["limit"] == 1
    assert found["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert "window" in found["parameter_openapi_schema"]["properties"]
    assert found["enforce_parameter_schema"] is True
    assert deploying.schedules("a-daily") == {
        "morning": ("0 6 * * *", "America/New_York", True),
        "evening": ("0 18 * * *", "UTC", False),
    }

    second = deploying.deploy(prune=True)
    assert [one.action for one in second.changes] == ["unchanged"]
    assert deploying.requests
    assert deploying.writes == []


def test_fifty_deployments_land_and_only_the_one_that_changed_is_sent_again(
    deploying: Deploying, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        deploying.write_pipeline(f"p{number}", MORNING, number=number)
    assert not deploying.deploy().failed
    assert deploying.names() == {f"p{number}" for number in range(50)}
    deploying.write_pipeline("p7", MORNING.replace("0 6", "30 6"), number=7)
    changed = deploying.deploy()
    assert [one.full_name for one in changed.changes if one.action != "unchanged"] == ["acme/p7"]
    (update,) = (one for one in changed.changes if one.action == "update")
    assert update.changed() == ["version", "~ schedule morning (30 6 * * * America/New_York)"]
    assert [method for method, _ in deploying.writes] == ["PATCH", "PATCH"]
    assert deploying.schedules("p7") == {"morning": ("30 6 * * *", "America/New_York", True)}

    monkeypatch.setenv("PENSTOCK_TEST_LEVEL", "DEBUG")
    planned = deploying.deploy("p1", "p2", is_dry_run=True)
    assert [one.changed() for one in planned.changes] == [["job variables"]] * 2
    assert deploying.writes == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("description", "by hand"),
        ("tags", ["managed-by:penstock"]),
        ("entrypoint", "elsewhere.py:flow"),
        ("parameters", {"pipeline": "another"}),
        ("parameter_openapi_schema", {"type": "object", "properties": {}}),
        ("pull_steps", []),
        ("job_variables", {"env": {"LEVEL": "by hand"}}),
        ("concurrency_limit", 5),
        ("concurrency_options", {"collision_strategy": "CANCEL_NEW"}),
        ("enforce_parameter_schema", False),
        ("version", "by hand"),
    ],
)
def test_what_was_changed_by_hand_is_seen_and_set_right(deploying: Deploying, field: str, value: Any) -> None:
    deploying.write_pipeline("a-daily", MORNING)
    deploying.deploy()
    before = deploying.on_server("a-daily")
    body = {field: value, **({"enforce_parameter_schema": False} if "parameter" in field else {})}
    httpx.patch(f"{deploying.url}/deployments/{before['id']}", json=body).raise_for_status()

    (change,) = deploying.deploy().changes
    assert field in change.fields
    after = deploying.on_server("a-daily")
    for moving in ("updated", "last_polled", "updated_by"):
        before.pop(moving), after.pop(moving)
    before["global_concurrency_limit"].pop("updated"), after["global_concurrency_limit"].pop("updated")
    before["tags"].sort(), after["tags"].sort()
    assert after == before
    assert deploying.deploy().changes[0].action == "unchanged"


def test_a_schedule_paused_by_hand_stays_paused_also_when_it_moves_or_is_renamed(deploying: Deploying) -> None:
    deploying.write_pipeline("a-daily", MORNING, EVENING)
    deploying.deploy()
    deploying.pause("a-daily", "morning")
    (unchanged,) = deploying.deploy().changes
    assert unchanged.remarks == ("schedule morning stays off",)
    assert deploying.writes == []

    deploying.write_pipeline("a-daily", MORNING.replace("0 6", "0 7"), EVENING)
    deploying.deploy()
    assert deploying.schedules("a-daily")["morning"] == ("0 7 * * *", "America/New_York", False)

    deploying.write_pipeline("a-daily", MORNING.replace("morning", "early").replace("0 6", "0 7"), EVENING)
    deploying.deploy()
    assert deploying.schedules("a-daily") == {
        "early": ("0 7 * * *", "America/New_York", False),
        "evening": ("0 18 * * *", "UTC", True),
    }

    deploying.write_pipeline("a-daily", MORNING.replace("}", ", active: true}"))
    deploying.deploy()
    assert deploying.schedules("a-daily") == {"morning": ("0 6 * * *", "America/New_York", True)}


def test_a_schedule_without_a_name_keeps_its_state_when_the_one_before_it_goes(deploying: Deploying) -> None:
    first, second = '{cron: "0 6 * * *"}', '{cron: "0 18 * * *"}'
    deploying.write_pipeline("a-daily", first, second)
    deploying.deploy()
    deploying.pause("a-daily", "schedule-1")
    deploying.write_pipeline("a-daily", second)
    deploying.deploy()
    assert deploying.schedules("a-daily") == {"schedule-1": ("0 18 * * *", "UTC", True)}


def test_the_runs_of_a_schedule_that_was_removed_or_renamed_go_with_it(deploying: Deploying) -> None:
    deploying.write_pipeline("a-daily", MORNING, EVENING)
    deploying.deploy()
    deployment_id = deploying.on_server("a-daily")["id"]
    assert deploying.scheduled_runs(deployment_id) >= 10

    deploying.write_pipeline("a-daily", MORNING.replace("morning", "early"))
    deploying.deploy()
    assert set(deploying.schedules("a-daily")) == {"early"}
    assert deploying.runs(deployment_id) == 0
    assert deploying.scheduled_runs(deployment_id) == 5

    deploying.write_pipeline("a-daily")
    deploying.deploy()
    assert deploying.schedules("a-daily") == {}
    assert deploying.scheduled_runs(deployment_id) == 0


def test_prune_removes_what_the_files_have_no_more_and_nothing_of_others(deploying: Deploying) -> None:
    old = deploying.write_pipeline("old-name", MORNING)
    deploying.write_pipeline("kept", number=1)
    deploying.deploy()
    old_id = deploying.on_server("old-name")["id"]
    assert deploying.scheduled_runs(old_id) == 5
    flow_id = deploying.on_server("kept")["flow_id"]
    foreign = {
        "by-hand": [],
        "prefect-yaml": ["managed-by:penstock"],
        "other-project": ["managed-by:penstock", "platform:test", "project:another"],
        "other-platform": ["managed-by:penstock", "platform:prod", f"project:{deploying.project_name}"],
    }
    for name, tags in foreign.items():
        body = {"name": name, "flow_id": flow_id, "tags": tags}
        httpx.post(f"{deploying.url}/deployments/", json=body).raise_for_status()

    old.unlink()
    deploying.write_pipeline("new-name", MORNING)
    deploying.deploy()
    assert deploying.on_server("old-name")["id"] == old_id, "without --prune nothing is removed"
    planned = deploying.deploy(prune=True, is_dry_run=True)
    assert deploying.writes == []
    pruned = deploying.deploy(prune=True)
    assert planned.changes == pruned.changes
    assert [one.full_name for one in pruned.changes if one.action == "prune"] == ["acme/old-name"]
    assert deploying.writes == [("DELETE", f"/api/deployments/{old_id}")]
    everything = {one["name"] for one in httpx.post(f"{deploying.url}/deployments/filter", json={}).json()}
    assert everything == {"kept", "new-name", *foreign}
    assert deploying.runs(old_id) == 0


def test_schedules_that_somebody_added_by_hand_stay_until_pruned(deploying: Deploying) -> None:
    deploying.write_pipeline("a-daily", MORNING)
    deploying.deploy()
    deployment_id = deploying.on_server("a-daily")["id"]
    extra = [{"schedule": {"interval": 3600, "timezone": "UTC"}, "active": True}]
    httpx.post(f"{deploying.url}/deployments/{deployment_id}/schedules", json=extra).raise_for_status()
    (change,) = deploying.deploy().changes
    assert (change.action, change.remarks) == ("unchanged", ("a schedule made by hand stays (not cron)",))
    deploying.deploy(prune=True)
    assert set(deploying.schedules("a-daily")) == {"morning"}


def test_a_deployment_of_another_platform_or_by_hand_is_not_taken_over_unasked(deploying: Deploying) -> None:
    deploying.write_pipeline("a-daily", MORNING)
    deploying.deploy()
    deploying.write_platform("prod")
    with pytest.raises(ConfigurationError, match="made by another") as caught:
        deploying.deploy(platform="prod")
    assert "platform:test" in str(caught.value)
    assert deploying.writes == []
    deploying.deploy(platform="prod", adopt=True)
    assert "platform:prod" in deploying.on_server("a-daily")["tags"]


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [
        (lambda one: one.write_flow("beta", "pipeline: int"), ["b-daily", "pipeline", "valid integer"]),
        (lambda one: one.write_flow("beta", "name: str"), ["b-daily", "pipeline"]),
        (lambda one: one.write_flow("beta", "pipeline: str, also: str"), ["b-daily", "also"]),
        (lambda one: one.write_flow("beta", "pipeline: str = no_such_name"), ["cannot be imported", "no_such_name"]),
        (lambda one: (one.project.root / "flows/clients/beta.py").write_text("x = 1"), ["flows/clients/beta.py:beta"]),
        (lambda one: one.write_platform(extra="image: '${PENSTOCK_TEST_IMAGE}'\n"), ["PENSTOCK_TEST_IMAGE"]),
        (lambda one: one.write_platform(extra="work_pool_type: kubernetes\nimage: i\n"), ["another type"]),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_before_anything_is_sent(
    deploying: Deploying, spoil: Callable[[Deploying], object], seen: list[str]
) -> None:
    deploying.write_pipeline("a-daily", MORNING)
    deploying.write_flow("beta")
    deploying.write_pipeline("b-daily", client="beta")
    spoil(deploying)
    with pytest.raises(ConfigurationError) as caught:
        deploying.deploy()
    for text in seen:
        assert text in str(caught.value)
    assert deploying.writes == []
    assert deploying.names() == set()


def test_job_variables_that_the_pool_does_not_take_are_refused_before(deploying: Deploying) -> None:
    variables = {"type": "object", "properties": {"stream_output": {"type": "boolean"}}}
    template = {"variables": variables, "job_configuration": {"stream_output": "{{ stream_output }}"}}
    body = {"name": "strict", "type": "process", "base_job_template": template}
    answer = httpx.post(f"{deploying.url}/work_pools/", json=body)
    assert answer.status_code == 201, answer.text
    deploying.write_pipeline("a-daily")
    text = (deploying.project.platforms / "test.yaml").read_text()
    text = text.replace("pool}", "strict}").replace("job_variables: {", "job_variables: {stream_output: often, ")
    (deploying.project.platforms / "test.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match="stream_output"):
        deploying.deploy()
    assert deploying.writes == []


def test_a_missing_pool_is_named_with_the_command_that_makes_it(
    deploying: Deploying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_TEST_POOL", "new-pool")
    deploying.write_pipeline("a-daily")
    with pytest.raises(ConfigurationError, match="prefect work-pool create --type process new-pool"):
        deploying.deploy()
    assert deploying.writes == []
    assert not deploying.deploy(create_pool=True).failed
    pool = httpx.get(f"{deploying.url}/work_pools/new-pool").json()
    assert pool["type"] == "process"
    assert "env" in pool["base_job_template"]["variables"]["properties"]
    httpx.delete(f"{deploying.url}/work_pools/new-pool").raise_for_status()


def test_what_the_server_refuses_leaves_the_others_landed_and_the_next_deploy_completes(
    deploying: Deploying, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(6):
        deploying.write_pipeline(f"p{number}", number=number)
    real = PrefectClient.request

    async def refusing(self: PrefectClient, method: str, path: Any, **arguments: Any) -> Any:
        if (arguments.get("json") or {}).get("name") == "p3":
            arguments["json"]["work_pool_name"] = "deleted-meanwhile"
        return await real(self, method, path, **arguments)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(PrefectClient, "request", refusing)
        deployed = deploying.deploy(failures=1)
    assert [one.change.full_name for one in deployed.failed] == ["acme/p3"]  # type: ignore[union-attr]
    print_deployed(deployed, as_json=False)
    shown = capsys.readouterr().out
    assert "5 created, 1 failed" in shown
    assert 'Work pool "deleted-meanwhile" not found' in shown
    assert deploying.names() == {"p0", "p1", "p2", "p4", "p5"}
    again = deploying.deploy()
    assert [one.full_name for one in again.changes if one.action == "create"] == ["acme/p3"]
    assert len(deploying.names()) == 6


def test_alerts_are_made_once_follow_the_file_and_are_pruned(deploying: Deploying) -> None:
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    def automations() -> dict[str, dict[str, Any]]:
        found = httpx.post(f"{deploying.url}/automations/filter", json={}).json()
        return {one["name"]: one for one in found}

    deploying.write_pipeline("a-daily")
    alerts = "alerts: {on: [failed, crashed, late, stuck], notify: custom-webhook/team, stuck_after: 2h}\n"
    deploying.write_platform(extra=alerts)
    with pytest.raises(ConfigurationError, match="custom-webhook/team"):
        deploying.deploy()
    assert deploying.writes == []
    with temporary_settings({PREFECT_API_URL: deploying.url}):
        block = CustomWebhookNotificationBlock(name="team", url="http://127.0.0.1:9/")
        block.save("team", overwrite=True, _sync=True)
    foreign = {
        "name": "penstock another/test: failed",
        "trigger": {"type": "event", "posture": "Reactive"},
        "actions": [],
    }
    httpx.post(f"{deploying.url}/automations/", json=foreign).raise_for_status()
    assert not deploying.deploy().failed
    prefix = f"penstock {deploying.project_name}/test: "
    kinds = ("failed", "crashed", "late", "stuck")
    assert set(automations()) == {foreign["name"], *(prefix + kind for kind in kinds)}
    assert automations()[prefix + "stuck"]["trigger"]["within"] == 7200
    assert [one.action for one in deploying.deploy(prune=True).alerts] == ["unchanged"] * 4
    assert deploying.writes == []

    failed = automations()[prefix + "failed"]
    httpx.patch(f"{deploying.url}/automations/{failed['id']}", json={"enabled": False}).raise_for_status()
    deploying.write_platform(extra=alerts.replace("late, stuck", "stuck").replace("2h", "3h"))
    changed = deploying.deploy(prune=True)
    assert [str(one.error) for one in changed.failed] == []
    assert {one.name.removeprefix(prefix): one.action for one in changed.alerts} == {
        "failed": "unchanged", "crashed": "unchanged", "stuck": "update", "late": "prune",
    }  # fmt: skip
    assert automations()[prefix + "stuck"]["trigger"]["within"] == 10800
    assert automations()[prefix + "failed"]["enabled"] is False, "switched off by hand stays off"
    deploying.write_platform()
    deploying.deploy(prune=True)
    assert set(automations()) == {foreign["name"]}
    httpx.delete(f"{deploying.url}/automations/{automations()[foreign['name']]['id']}")


def test_limits_are_made_once_follow_the_file_and_only_those_of_this_project_are_pruned(
    deploying: Deploying, capsys: pytest.CaptureFixture[str]
) -> None:
    def limits() -> dict[str, tuple[int, bool]]:
        found = httpx.post(f"{deploying.url}/v2/concurrency_limits/filter", json={"limit": 200}).json()
        return {one["name"]: (one["limit"], one["active"]) for one in found}

    project = deploying.project_name
    others = [f"penstock:{project}-b:test:api", f"penstock:{project}:tests:api", "by-hand"]
    for name in others:
        httpx.post(f"{deploying.url}/v2/concurrency_limits/", json={"name": name, "limit": 9}).raise_for_status()
    ours = f"penstock:{project}:test:api"
    deploying.write_pipeline("a-daily")
    deploying.write_platform(extra="limits: {api: 2}\n")
    planned = deploying.deploy(is_dry_run=True)
    assert deploying.writes == []
    print_deployed(planned, as_json=False)
    shown = capsys.readouterr().out
    assert ours in shown
    assert "concurrency limit 2" in shown
    assert not deploying.deploy().failed
    assert limits()[ours] == (2, True)
    assert [one.action for one in deploying.deploy(prune=True).limits] == ["unchanged"]
    assert deploying.writes == []

    httpx.patch(f"{deploying.url}/v2/concurrency_limits/{ours}", json={"active": False}).raise_for_status()
    deploying.write_platform(extra="limits: {api: 3}\n")
    (changed,) = deploying.deploy().limits
    assert (changed.action, changed.as_text()) == ("update", "concurrency limit 3, was 2")
    assert limits()[ours] == (3, False), "switched off by hand stays off"
    deploying.write_platform()
    assert deploying.deploy().limits == ()
    assert ours in limits()
    assert [one.name for one in deploying.deploy(prune=True).limits] == [ours]
    assert ours not in limits()
    assert limits().keys() >= set(others)
    for name in others:
        httpx.delete(f"{deploying.url}/v2/concurrency_limits/{name}").raise_for_status()


def test_the_command_deploys_plans_as_json_and_refuses_wrong_usage(
    deploying: Deploying, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploying.write_pipeline("a-daily", MORNING)
    monkeypatch.setenv("PENSTOCK_PROJECT", str(deploying.project.root))
    monkeypatch.setenv("PREFECT_API_URL", deploying.url)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "deployments.cli", "deploy", "--platform", "test", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    planned = run("--dry-run", "--json")
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(planned.stdout)
    assert [(one["deployment"], one["action"]) for one in plan["deployments"]] == [("acme/a-daily", "create")]
    assert deploying.names() == set()
    done = run()
    assert (done.returncode, "1 created" in done.stdout) == (0, True), done.stdout + done.stderr
    assert deploying.names() == {"a-daily"}
    assert run("a-dayly").returncode == 2
    assert run("a-daily", "--prune").returncode == 2
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    unreachable = run("--dry-run")
    assert (unreachable.returncode, "cannot be reached" in unreachable.stderr) == (1, True)
    assert "Traceback" not in unreachable.stderr
