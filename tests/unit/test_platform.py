from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from penstock.connections import FolderConnection, GladlyConnection
from penstock.errors import ConfigurationError
from penstock.platform import BlockRef, DbtCloudJob, DbtTarget
from tasks.definitions.problems import DefinitionProblems, Problem
from tasks.definitions.project import Project, find_project
from tasks.definitions.reading import find_pipeline, inspect_platform, read_platform
from tasks.definitions.references import UnsetError, replace_references, resolve_references

PLATFORM = """\
version: 1
platform: prod
store: {kind: folder, path: "${PENSTOCK_HOME}/lake"}
warehouse: {kind: duckdb, path: warehouse.duckdb, threads: "${THREADS:-2}"}
connections:
  acme-gladly:
    kind: gladly
    organization: acme
    email: "${EMAIL}"
    token: "${TOKEN}"
  acme-files: {kind: folder, path: drops}
  acme-rest: {block: penstock-rest/acme}
dbt: {project_dir: dbt, target: prod}
work_pool: "${POOL}"
image: "penstock:${GIT_SHA}"
job_variables: {cpu: 2, region: "${REGION}"}
"""
ENVIRONMENT = {"EMAIL": "api@acme.example", "TOKEN": "hunter2-secret"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "deployments" / "platforms").mkdir(parents=True)
    return Project(tmp_path)


def write(project: Project, text: str = PLATFORM, name: str = "prod") -> Path:
    path = project.platforms / f"{name}.yaml"
    path.write_text(text)
    return path


def problems(project: Project, text: str, environment: dict[str, str] | None = None) -> list[Problem]:
    given = ENVIRONMENT if environment is None else environment
    return list(inspect_platform(write(project, text), {**given, "PENSTOCK_HOME": "home"}).problems)


def changed(old: str, new: str) -> str:
    assert PLATFORM.count(old) == 1
    return PLATFORM.replace(old, new)


def test_references_are_resolved_and_folders_begin_at_the_project(project: Project) -> None:
    write(project)
    platform = read_platform("prod", project, environment=ENVIRONMENT)
    assert platform.store.path == str(project.root / ".penstock" / "lake")
    assert platform.warehouse.path == str(project.root / "warehouse.duckdb")
    assert platform.warehouse.threads == 2
    assert platform.home == project.root / ".penstock"
    assert (platform.dbt.project_dir, platform.dbt.profiles_dir) == (project.root / "dbt", project.root / "dbt")
    gladly, folder, rest = (platform.connections[f"acme-{name}"] for name in ("gladly", "files", "rest"))
    assert isinstance(gladly, GladlyConnection)
    assert gladly.token.get_secret_value() == "hunter2-secret"
    assert isinstance(folder, FolderConnection)
    assert folder.path == str(project.root / "drops")
    assert rest == BlockRef(block="penstock-rest/acme")
    assert pickle.loads(pickle.dumps(platform)) == platform  # noqa: S301 - our own bytes


def test_penstock_home_moves_the_state_and_an_absolute_one_stays_where_it_is(project: Project, tmp_path: Path) -> None:
    write(project)
    elsewhere = tmp_path / "elsewhere"
    platform = read_platform("prod", project, environment={**ENVIRONMENT, "PENSTOCK_HOME": str(elsewhere)})
    assert (platform.store.path, platform.home) == (str(elsewhere / "lake"), elsewhere)
    relative = read_platform("prod", project, environment={**ENVIRONMENT, "PENSTOCK_HOME": "state"})
    assert relative.store.path == str(project.root / "state" / "lake")
    empty = read_platform("prod", project, environment={**ENVIRONMENT, "PENSTOCK_HOME": ""})
    assert empty.home == project.root / ".penstock"


def test_what_only_deployments_use_keeps_its_references_until_they_are_made(project: Project) -> None:
    write(project)
    platform = read_platform("prod", project, environment=ENVIRONMENT)
    assert (platform.work_pool, platform.image) == ("${POOL}", "penstock:${GIT_SHA}")
    assert platform.job_variables == {"cpu": 2, "region": "${REGION}"}


def test_an_unset_variable_is_an_error_with_file_line_key_and_name(project: Project) -> None:
    path = write(project)
    with pytest.raises(DefinitionProblems) as caught:
        read_platform("prod", project, environment={"EMAIL": "x@y.example"})
    (problem,) = caught.value.problems
    assert (problem.path, problem.line, problem.column, problem.key) == (path, 10, 12, "connections.acme-gladly.token")
    assert "`TOKEN` is not set" in problem.message
    assert "${NAME:-default}" in problem.guidance


def test_a_connection_that_is_not_used_may_lack_its_variables(project: Project) -> None:
    write(project)
    platform = read_platform("prod", project, connections=["acme-files", "unknown"], environment={})
    assert platform.connections == {"acme-files": FolderConnection(kind="folder", path=str(project.root / "drops"))}
    write(project, changed("organization: acme", "organisation: acme"))
    assert read_platform("prod", project, connections=(), environment={}).connections == {}
    with pytest.raises(DefinitionProblems, match="`TOKEN` is not set"):
        read_platform("prod", project, connections=["acme-gladly"], environment={"EMAIL": "x@y.example"})


def test_all_unset_variables_are_reported_at_once(project: Project) -> None:
    found = problems(project, PLATFORM, environment={})
    assert [one.line for one in found] == [9, 10]
    (both,) = problems(project, changed('"${EMAIL}"', '"${A}@${B}"'))
    assert "`A` and `B` are not set" in both.message


@pytest.mark.parametrize("text", ["${}", "${1X}", "${EMAIL", "${E-x}", "${EMAIL:x}"])
def test_a_reference_that_is_not_complete_is_an_error(project: Project, text: str) -> None:
    (problem,) = problems(project, changed('"${EMAIL}"', f'"{text}"'))
    assert (problem.line, problem.key) == (9, "connections.acme-gladly.email")
    assert "`${NAME}`" in (problem.expected or "")


@pytest.mark.parametrize(
    ("old", "new", "key", "meant"),
    [
        ('token: "${TOKEN}"', "token: $TOKEN", "connections.acme-gladly.token", "${TOKEN}"),
        ("path: drops", "path: $HOME/drops", "connections.acme-files.path", "${HOME}/drops"),
        ('"${EMAIL}"', "$EMAIL", "connections.acme-gladly.email", "${EMAIL}"),
    ],
)
def test_a_reference_without_braces_is_an_error(project: Project, old: str, new: str, key: str, meant: str) -> None:
    (problem,) = problems(project, changed(old, new))
    assert (problem.key, problem.suggestion, problem.is_error) == (key, meant, True)
    assert problems(project, changed("cpu: 2", "cpu: $CPU")) == []


REST = "acme-rest: {kind: rest, base_url: %s, auth: %s}"


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        ('token: "${TOKEN}"', "token: hunter2", ["acme-gladly.token"]),
        ('token: "${TOKEN}"', "token: hunter2\n    base_url: https://gladly.example/api/v1", ["acme-gladly.token"]),
        ('token: "${TOKEN}"', "token: hunter2\n    base_url: ${BOX:-http://127.0.0.1:8765}/api", []),
        ('token: "${TOKEN}"', "token: hunter2\n    base_url: http://localhost:8765/api", []),
        ("acme-rest: {block: penstock-rest/acme}", "bearer", ["acme-rest.auth.token"]),
        ("acme-rest: {block: penstock-rest/acme}", "basic", ["acme-rest.auth.password"]),
    ],
)
def test_a_secret_in_the_file_is_a_warning_unless_its_connection_stays_on_this_machine(
    project: Project, old: str, new: str, keys: list[str]
) -> None:
    auth = {"bearer": "{kind: bearer, token: hunter2}", "basic": "{kind: basic, username: u, password: hunter2}"}
    text = changed(old, REST % ("https://acme.example/api", auth[new]) if new in auth else new)
    found = problems(project, text)
    assert [one.key for one in found] == [f"connections.{key}" for key in keys]
    assert not any(one.is_error or "hunter2" in str(one) for one in found)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('token: "${TOKEN}"', "token: [hunter2-secret]", "connections.acme-gladly.token"),
        ('token: "${TOKEN}"', "token: {value: hunter2-secret}", "connections.acme-gladly.token"),
        ('token: "${TOKEN}"', "token: 1234567", "connections.acme-gladly.token"),
        ('token: "${TOKEN}"', 'tokn: hunter2-secret\n    token: "${TOKEN}"', "connections.acme-gladly.tokn"),
        ('threads: "${THREADS:-2}"', 'threads: "${TOKEN}"', "warehouse.threads"),
        ("kind: gladly", 'kind: "${TOKEN}"', "connections.acme-gladly"),
    ],
)
def test_no_problem_shows_a_secret_or_a_value_from_the_environment(
    project: Project, old: str, new: str, key: str
) -> None:
    found = problems(project, changed(old, new), {**ENVIRONMENT, "EMAIL": "x@y.example"})
    assert key in [one.key for one in found]
    shown = " ".join(f"{one} {one.as_json()}" for one in found)
    assert "hunter2" not in shown
    assert "1234567" not in shown


def test_a_value_of_ours_that_came_from_the_environment_is_shown_as_its_reference(project: Project) -> None:
    (problem,) = problems(
        project, changed('threads: "${THREADS:-2}"', 'threads: "${COUNT}"'), {**ENVIRONMENT, "COUNT": "x7"}
    )
    assert problem.seen == "`${COUNT}`"
    assert problem.expected == "a whole number"


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "suggestion"),
    [
        ("kind: gladly", "kind: gladdly", 6, "connections.acme-gladly", "gladly"),
        ("organization:", "organisation:", 8, "connections.acme-gladly.organisation", "organization"),
        ("{block: penstock-rest/acme}", "{block: penstock_rest}", 12, "connections.acme-rest.block", None),
        ("{block: penstock-rest/acme}", "{block: a/b, kind: rest}", 12, "connections.acme-rest.kind", None),
        ("{block: penstock-rest/acme}", "penstock-rest", 12, "connections.acme-rest", None),
        ("acme-rest:", "Acme_Rest:", 12, "connections.Acme_Rest", "acme-rest"),
        ('work_pool: "${POOL}"', "workpool: x", 14, "workpool", "work_pool"),
        ("kind: duckdb", "kind: oracle", 4, "warehouse", None),
        ("target: prod", "target: prod, threads: 0", 13, "dbt.threads", None),
    ],
)
def test_a_wrong_key_or_value_is_reported_where_it_stands(
    project: Project, old: str, new: str, line: int, key: str, suggestion: str | None
) -> None:
    found = [one for one in problems(project, changed(old, new)) if "is missing" not in one.message]
    assert [(one.line, one.key, one.suggestion) for one in found] == [(line, key, suggestion)]


@pytest.mark.parametrize(
    ("old", "new", "seen", "meant"),
    [
        ("acme-gladly:", "acme_gladly:", "`acme_gladly`", "acme-gladly"),
        ("penstock-rest/acme", "acme", "`acme`", "`<block type>/<block name>`"),
    ],
)
def test_a_name_that_is_not_one_is_shown_with_how_it_is_written(
    project: Project, old: str, new: str, seen: str, meant: str
) -> None:
    (problem,) = problems(project, changed(old, new))
    assert problem.seen == seen
    assert meant in (problem.suggestion or problem.expected or "")


@pytest.mark.parametrize(
    ("host", "password", "keys"),
    [
        ("db.example", "hunter2", ["warehouse.password"]),
        ("db.example", '"${TOKEN}"', []),
        ("127.0.0.1", "hunter2", []),
    ],
)
def test_a_secret_of_the_warehouse_in_the_file_is_a_warning_too(
    project: Project, host: str, password: str, keys: list[str]
) -> None:
    postgres = f"{{kind: postgres, host: {host}, database: d, user: u, password: {password}}}"
    old = 'warehouse: {kind: duckdb, path: warehouse.duckdb, threads: "${THREADS:-2}"}'
    found = problems(project, changed(old, f"warehouse: {postgres}"))
    assert [one.key for one in found] == keys
    assert not any(one.is_error or "hunter2" in str(one) for one in found)


def test_where_a_reference_stands_for_what_is_no_text_the_rest_is_checked(project: Project) -> None:
    text = changed("acme-rest: {block: penstock-rest/acme}", "acme-rest: {kind: rest, base_url: '${BASE}'}")
    definition = inspect_platform(write(project, text), None)
    assert definition.problems == ()
    assert definition.spec is not None
    assert definition.spec.connections["acme-rest"].kind == "rest"


def test_a_check_that_must_not_depend_on_a_machine_reads_a_file_without_its_variables(project: Project) -> None:
    text = changed('threads: "${THREADS:-2}"', 'threads: "${THREADS}"')
    definition = inspect_platform(write(project, text), None)
    assert definition.problems == ()
    assert definition.spec is not None
    assert list(definition.spec.connections) == ["acme-gladly", "acme-files", "acme-rest"]
    broken = text.replace("kind: gladly", "kind: gladdly").replace("work_pool", "workpool")
    found = inspect_platform(write(project, broken), None).problems
    assert [one.key for one in found] == ["connections.acme-gladly", "workpool"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "1"),
        ("x${A}-${B:-two}y", "x1-twoy"),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("${NONE:-}", ""),
        ("${NONE:-http://127.0.0.1:80/x}", "http://127.0.0.1:80/x"),
        ("$${A}", "${A}"),
        ("$A costs $5", "$A costs $5"),
    ],
)
def test_references_mean_what_they_mean_in_a_shell(text: str, expected: str) -> None:
    assert resolve_references(text, {"A": "1", "EMPTY": ""}) == expected


def test_a_value_from_the_environment_is_not_read_for_references_again() -> None:
    assert resolve_references("${A}", {"A": "${B}", "B": "x"}) == "${B}"
    with pytest.raises(UnsetError) as caught:
        resolve_references("${X} ${Y} ${Z:-1}", {})
    assert caught.value.names == ["X", "Y"]


def test_references_can_be_written_for_another_template_language() -> None:
    written = replace_references("a/${B}:${C:-d} $${E}", lambda name, default: f"<{name}|{default}>")
    assert written == "a/<B|None>:<C|d> $${E}"


def test_a_platform_that_does_not_exist_suggests_the_nearest(project: Project) -> None:
    write(project)
    with pytest.raises(ConfigurationError, match="no such platform") as caught:
        read_platform("prdo", project)
    assert "prod" in caught.value.guidance


def test_a_project_is_found_from_any_folder_below_it_or_by_its_variable(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PENSTOCK_PROJECT", raising=False)
    deep = project.clients / "acme"
    deep.mkdir(parents=True)
    assert find_project(deep) == project
    outside = tmp_path_factory.mktemp("outside")
    with pytest.raises(ConfigurationError, match="not a Penstock project"):
        find_project(outside)
    monkeypatch.setenv("PENSTOCK_PROJECT", str(project.root))
    assert find_project(outside) == project
    monkeypatch.setenv("PENSTOCK_PROJECT", str(outside))
    with pytest.raises(ConfigurationError, match="PENSTOCK_PROJECT"):
        find_project(deep)


def test_a_pipeline_is_found_by_its_name_or_its_file(project: Project) -> None:
    folder = project.clients / "acme"
    folder.mkdir(parents=True)
    path = folder / "acme-daily.yaml"
    path.write_text("version: 1\n")
    (folder / "_defaults.yaml").write_text("version: 1\n")
    assert find_pipeline("acme-daily", project) == path
    assert find_pipeline(str(path), project) == path
    with pytest.raises(ConfigurationError) as caught:
        find_pipeline("acme-dayly", project)
    assert caught.value.guidance == "Did you mean acme-daily?"
    with pytest.raises(ConfigurationError) as caught:
        find_pipeline("_defaults", project)
    assert "acme-daily" in caught.value.guidance
    with pytest.raises(ConfigurationError, match="no such file"):
        find_pipeline("nowhere/acme-daily.yaml", project)


def test_a_password_pasted_into_an_address_is_not_shown(tmp_path: Path) -> None:
    project = Project(tmp_path)
    path = project.platforms / "local.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "version: 1\nplatform: local\nstore: {kind: folder, path: lake}\n"
        "warehouse: {kind: duckdb, path: warehouse.duckdb}\ndbt: {target: duckdb}\n"
        'connections:\n  api: {kind: rest, base_url: "https://me:hunter2@api.example"}\n'
    )
    with pytest.raises(DefinitionProblems) as caught:
        read_platform("local", project)
    assert "connections.api.base_url" in str(caught.value)
    assert "hunter2" not in str(caught.value) + repr(caught.value.problems)


CORE = "dbt: {project_dir: dbt, target: prod}"
CLOUD = "dbt: {engine: cloud, connection: %s, job_id: 44}"


def test_dbt_core_is_meant_where_no_engine_is_named(project: Project) -> None:
    write(project)
    assert isinstance(read_platform("prod", project, environment=ENVIRONMENT).dbt, DbtTarget)
    write(project, changed(CORE, CLOUD % "{block: penstock-dbt-cloud/acme}"))
    dbt = read_platform("prod", project, environment=ENVIRONMENT).dbt
    assert isinstance(dbt, DbtCloudJob)
    assert (dbt.connection, dbt.job_id, dbt.deadline) == (BlockRef(block="penstock-dbt-cloud/acme"), 44, "2h")
    assert pickle.loads(pickle.dumps(dbt)) == dbt  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("dbt", "key", "suggestion"),
    [
        ("dbt: {engine: clod, target: x}", "dbt", "cloud"),
        ("dbt: {target: x, job_id: 44}", "dbt.job_id", None),
        (CLOUD % "{kind: dbt_cloud, acount_id: 1, token: '${TOKEN}'}", "dbt.connection.acount_id", "account_id"),
        (CLOUD % "{block: penstock-dbt-clud/acme}", "dbt.connection", None),
        (CLOUD % "{block: penstock-gladly/acme}", "dbt.connection", None),
    ],
)
def test_a_mistake_under_dbt_is_named_with_its_place(
    project: Project, dbt: str, key: str, suggestion: str | None
) -> None:
    found = problems(project, changed(CORE, dbt))
    assert (key, suggestion) in [(one.key, one.suggestion) for one in found if one.is_error]


def test_a_dbt_cloud_token_in_the_file_is_a_warning_unless_it_stays_here(project: Project) -> None:
    written = CLOUD % "{kind: dbt_cloud, account_id: 1, token: hunter2%s}"
    (problem,) = problems(project, changed(CORE, written % ""))
    assert (problem.key, problem.is_error) == ("dbt.connection.token", False)
    assert "hunter2" not in str(problem)
    assert problems(project, changed(CORE, written % ", base_url: 'http://127.0.0.1:8765/dbt_cloud'")) == []
    assert problems(project, changed(CORE, CLOUD % "{kind: dbt_cloud, account_id: 1, token: '${TOKEN}'}")) == []
