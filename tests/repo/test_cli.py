from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import deployments.cli
from penstock.sources.registry import SOURCES

REPOSITORY = Path(__file__).parents[2]

PLATFORM = """\
version: 1
platform: local
store: {kind: folder, path: lake}
warehouse: {kind: duckdb, path: warehouse.duckdb}
connections:
  acme-gladly: {kind: gladly, organization: acme, email: a@b.example, token: "${ACME_TOKEN}"}
  acme-rest: {kind: rest, base_url: http://127.0.0.1:1}
  acme-anthropic: {kind: anthropic, api_key: "${ACME_TOKEN}"}
  acme-copilot: {kind: copilot, token: "${ACME_TOKEN}", organizations: [acme]}
  acme-cursor: {kind: cursor, api_key: "${ACME_TOKEN}"}
  acme-datadog-slo: {kind: datadog_slo, api_key: "${ACME_TOKEN}", application_key: "${ACME_TOKEN}"}
  acme-gmail: &google
    kind: google
    auth: {kind: refresh_token, client_id: acme, client_secret: "${ACME_TOKEN}", refresh_token: "${ACME_TOKEN}"}
  acme-google-sheets: *google
  acme-incident-io: {kind: incident_io, api_key: "${ACME_TOKEN}"}
  acme-litellm: {kind: litellm, api_key: "${ACME_TOKEN}", base_url: http://127.0.0.1:1}
  acme-nobl9: {kind: nobl9, organization: acme, client_id: acme, client_secret: "${ACME_TOKEN}"}
  acme-openai: {kind: openai, api_key: "${ACME_TOKEN}"}
  acme-s3-files: {kind: folder, path: drops}
  acme-sourcegraph: {kind: sourcegraph, token: "${ACME_TOKEN}", instance_url: https://sg.acme.example}
  acme-sprout-social: {kind: sprout_social, token: "${ACME_TOKEN}"}
  acme-sql: {kind: mysql, host: 127.0.0.1, database: shop, user: reader}
  acme-windsurf: {kind: windsurf, service_key: "${ACME_TOKEN}"}
dbt: {target: duckdb}
work_pool: local
"""


class Ended:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


class Shell:
    """Runs `penstock` in a project folder, in this process."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ended:
        with pytest.raises(SystemExit) as caught:
            deployments.cli.main(arguments)
        printed = self._capsys.readouterr()
        return Ended(caught.value.code or 0, printed.out, printed.err)  # type: ignore[arg-type]


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    (tmp_path / "deployments" / "platforms").mkdir(parents=True)
    (tmp_path / "deployments" / "platforms" / "local.yaml").write_text(PLATFORM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PENSTOCK_PROJECT", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(tmp_path, capsys)


def begun(shell: Shell, source: str = "gladly") -> Path:
    assert shell("new", "client", "acme").code == 0
    name = f"acme-{source.replace('_', '-')}-daily"
    assert shell("new", "pipeline", name, "--client", "acme", "--source", source).code == 0
    return shell.root / "deployments" / "clients" / "acme" / f"{name}.yaml"


def test_help_lists_every_command_with_its_line(shell: Shell) -> None:
    ended = shell("--help")
    assert ended.code == 0
    for entry in deployments.cli.installed_commands():
        assert f"  {entry.name} " in ended.out
        assert entry.help in ended.out
    assert {"validate", "compile", "schema", "new", "sandbox"} <= {
        one.name for one in deployments.cli.installed_commands()
    }


@pytest.mark.parametrize("entry", deployments.cli.installed_commands(), ids=lambda entry: entry.name)
def test_every_command_answers_help(entry: deployments.cli.CommandEntry, shell: Shell) -> None:
    ended = shell(entry.name, "--help")
    assert ended.code == 0
    assert f"Usage: penstock {entry.name}" in ended.out


def test_a_command_that_is_not_installed_is_neither_listed_nor_in_the_way(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = deployments.cli.CommandEntry("no-such-command", "deployments.commands.no_such_module", "Is not there.")
    monkeypatch.setattr(deployments.cli, "COMMANDS", (missing, *deployments.cli.COMMANDS))
    deployments.cli.installed_commands.cache_clear()
    try:
        assert "no-such-command" not in [one.name for one in deployments.cli.installed_commands()]
    finally:
        deployments.cli.installed_commands.cache_clear()


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, deployments.cli\n"
        "try: deployments.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'prefect', 'pydantic', 'duckdb', 'pyarrow', 'httpx', 'boto3', 'rich', 'yaml', 'sandbox', 'dbt'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "[]"
    assert "Usage: penstock" in ended.stdout


def test_validating_imports_no_prefect_and_no_driver(shell: Shell) -> None:
    program = (
        "import sys, deployments.cli\n"
        "try: deployments.cli.main(['validate'])\n"
        "except SystemExit as ended: print(ended.code, file=sys.stderr)\n"
        "heavy = {'prefect', 'duckdb', 'pyarrow', 'httpx', 'boto3', 'sandbox', 'dbt'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=shell.root, env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stderr.split() == ["0", "[]"]
    assert ended.stdout == "0 pipelines, 0 datasets, 1 platform: valid\n"


def test_the_version_is_printed(shell: Shell) -> None:
    from penstock import __version__

    assert shell("--version").out == f"penstock {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [("nope",), ("validate", "--nope"), ("new", "pipeline", "x"), ("schema", "nope"), ("sandbox", "--port", "-1")],
)
def test_wrong_usage_ends_with_two_and_says_why(arguments: tuple[str, ...], shell: Shell) -> None:
    ended = shell(*arguments)
    assert ended.code == 2
    assert "Usage: penstock" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("source", list(SOURCES))
def test_a_new_client_with_a_pipeline_of_any_source_validates_as_it_is(source: str, shell: Shell) -> None:
    path = begun(shell, source)
    ended = shell("validate")
    assert ended.out.strip().endswith(": valid"), ended.out
    assert ended.code == 0
    text = path.read_text()
    assert "$" not in text.replace("$schema", "")
    assert text.count("#") >= 4


def test_a_new_clients_flow_takes_what_the_example_clients_flow_takes(shell: Shell) -> None:
    begun(shell)

    def flow(path: Path) -> ast.FunctionDef:
        return next(one for one in ast.parse(path.read_text()).body if isinstance(one, ast.FunctionDef))

    ours, example = flow(shell.root / "flows/clients/acme.py"), flow(REPOSITORY / "flows/clients/warbyparker.py")
    assert (ours.name, example.name) == ("acme", "warbyparker")
    assert [ast.unparse(one) for one in ours.args.args] == [ast.unparse(one) for one in example.args.args]
    assert ast.unparse(ours.body[1]) == ast.unparse(example.body[1])


def test_new_refuses_to_overwrite_and_writes_nothing_then(shell: Shell) -> None:
    path = begun(shell)
    path.write_text("mine")
    (shell.root / "flows/clients/acme.py").unlink()
    again = shell("new", "pipeline", path.stem, "--client", "acme", "--source", "rest")
    assert again.code == 2
    assert "exists already" in again.err
    assert path.read_text() == "mine"
    assert shell("new", "client", "acme").code == 2
    assert not (shell.root / "flows/clients/acme.py").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("new", "client", "Acme Co"), "Write it like acme-co."),
        (("new", "client", "dbt"), "hide a Python module"),
        (("new", "pipeline", "Acme", "--client", "acme", "--source", "rest"), "lower-case"),
        (("new", "pipeline", "acme-x", "--client", "acm", "--source", "rest"), "Did you mean acme?"),
        (("new", "pipeline", "acme-x", "--client", "zzz", "--source", "rest"), "penstock new client zzz"),
        (("new", "pipeline", "acme-x", "--client", "acme", "--source", "rset"), "Did you mean rest?"),
        (("new", "pipeline", "acme-x", "--client", "acme", "--source", "rest", "--timezone", "Mars"), "IANA"),
    ],
)
def test_new_refuses_what_could_not_work(arguments: tuple[str, ...], words: str, shell: Shell) -> None:
    begun(shell)
    ended = shell(*arguments)
    assert ended.code == 2
    assert words in ended.err


def test_validate_shows_every_problem_with_its_place_and_ends_with_two(shell: Shell) -> None:
    path = begun(shell)
    path.write_text(path.read_text().replace("kind: daily", "kind: dayly").replace("tags:", "tgas:"))
    ended = shell("validate")
    assert ended.code == 2
    assert "deployments/clients/acme/acme-gladly-daily.yaml:9:1 error window: unknown kind" in ended.out
    assert "did you mean `daily`?" in ended.out
    assert "did you mean `tags`?" in ended.out
    assert ended.out.strip().endswith("errors")


def test_validate_takes_pipelines_files_and_folders_and_refuses_what_is_not_there(shell: Shell, tmp_path: Path) -> None:
    good = begun(shell)
    bad = good.with_name("acme-other.yaml")
    bad.write_text("version: 1\n")
    assert shell("validate", str(good)).code == 0
    assert shell("validate", "acme-gladly-daily").code == 0
    assert "acme-gladly-daily" in shell("validate", "acme-gladly-dayly").err
    assert shell("validate", str(bad)).code == 2
    assert shell("validate", str(good.parent)).code == 2
    assert shell("validate", "deployments/platforms").code == 0
    assert "no such file" in shell("validate", "nowhere.yaml").err
    outside = tmp_path / "outside.yaml"
    outside.write_text(good.read_text().replace("acme-gladly-daily", "acme-outside"))
    assert "is loaded by `contact_timestamps`" in shell("validate", str(outside)).out


@pytest.mark.parametrize("path", ["/etc", "flows", "deployments/clients/empty", "deployments/clients/acme/_notes.txt"])
def test_validate_refuses_a_path_in_which_it_finds_nothing(path: str, shell: Shell) -> None:
    begun(shell)
    (shell.root / "deployments/clients/empty").mkdir()
    (shell.root / "deployments/clients/acme/_notes.txt").write_text("mine")
    ended = shell("validate", path)
    assert ended.code == 2
    assert ended.out == ""
    assert "no pipeline or platform file to validate" in ended.err
    assert shell("validate", "deployments/clients/acme/_defaults.yaml").code == 0


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--window", "dayly", ["--window:1:1 error window: unknown kind", "did you mean `daily`?"]),
        ("--window", '{"kind": "daily", "lga": "1d"}', ["--window:1:19 error window.lga: unknown key", "mean `lag`?"]),
        ("--window", "{kind: daily, timezone: Mars}", ["window.timezone", "'Mars' is not an IANA time zone"]),
        ("--window", "kind=daily", ["error the value is not a mapping", "{kind: daily, timezone: UTC, lag: 1d}"]),
        ("--window", "{kind: daily", ["error the value is not YAML"]),
        ("--strategy", "appnd", ["--strategy:1:1 error strategy: unknown kind", "did you mean `append`?"]),
        ("--strategy", "{kind: incremental, key: [id]}", ["`keys` is missing", "did you mean `keys`?"]),
        ("--guard", "allow_emty=true", ["--guard:1:1 error allow_emty: unknown key", "did you mean `allow_empty`?"]),
        ("--guard", "allow_empty=yess", ["seen: `yess`", "expected: `true` or `false`"]),
        ("--guard", "minimum_fraction=2", ["out of range", "expected: at most 1"]),
        ("--guard", "allow_empty", ["NAME=VALUE", "--guard allow_empty=true"]),
    ],
)
def test_a_wrong_option_is_told_as_it_would_be_of_a_file(
    option: str, value: str, words: list[str], shell: Shell
) -> None:
    begun(shell)
    ended = shell("run", "acme-gladly-daily", option, value)
    assert ended.code == 2
    for one in words:
        assert one in ended.err
    assert "pydantic" not in ended.err.lower()


def test_options_mean_what_they_mean_in_a_file() -> None:
    from deployments.asking import parse_guards, parse_strategy
    from penstock.plan import GuardOverrides
    from penstock.strategy import Append, Incremental

    assert parse_strategy("append") == Append(kind="append")
    keyed = Incremental(kind="incremental", keys=("id",))
    assert parse_strategy("{kind: incremental, keys: [id]}") == parse_strategy(keyed.model_dump_json()) == keyed
    assert parse_guards(["allow_empty=true", "minimum_fraction=0.5", "maximum_rejected=3"]) == GuardOverrides(
        allow_empty=True, minimum_fraction=0.5, maximum_rejected=3
    )
    assert parse_guards([]) is None


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("compile", "--output", "nowhere/prefect.yaml"), "nowhere/prefect.yaml"),
        (("compile", "--output", "deployments"), "deployments"),
        (("compile", "--check", "--output", "deployments"), "deployments"),
        (("new", "client", "other"), "flows/clients"),
    ],
)
def test_what_the_file_system_refuses_is_told_with_its_path(
    arguments: tuple[str, ...], path: str, shell: Shell
) -> None:
    begun(shell)
    if arguments[0] == "new":
        shutil.rmtree(shell.root / "flows")
        (shell.root / "flows").touch()
    ended = shell(*arguments)
    assert ended.code == 2
    assert ended.err.startswith("error: ")
    assert path in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("before", [None, "http://mine.example"])
def test_a_variable_that_a_command_sets_is_as_before_afterwards(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deployments.running import set_variable

    monkeypatch.delenv("PENSTOCK_SANDBOX_URL", raising=False)
    if before is not None:
        monkeypatch.setenv("PENSTOCK_SANDBOX_URL", before)
    with pytest.raises(RuntimeError), set_variable("PENSTOCK_SANDBOX_URL", "http://127.0.0.1:1"):
        assert os.environ["PENSTOCK_SANDBOX_URL"] == "http://127.0.0.1:1"
        raise RuntimeError
    assert os.environ.get("PENSTOCK_SANDBOX_URL") == before


def test_a_warning_leaves_the_exit_code_at_zero(shell: Shell) -> None:
    path = begun(shell)
    path.write_text(path.read_text().replace("ContactTimestampsReport", "ContactTimestampReport"))
    ended = shell("validate")
    assert ended.code == 0
    assert "warning datasets[0].report" in ended.out
    assert ended.out.strip().endswith("1 warning")


def test_validate_answers_programs_in_json(shell: Shell) -> None:
    path = begun(shell)
    assert json.loads(shell("validate", "--json").out) == {
        "valid": True,
        "pipelines": 1,
        "datasets": 3,
        "platforms": 1,
        "problems": [],
    }
    path.write_text(path.read_text().replace("tags:", "tgas:"))
    ended = shell("validate", "--json")
    answer = json.loads(ended.out)
    assert (ended.code, answer["valid"]) == (2, False)
    (problem,) = answer["problems"]
    assert (problem["path"], problem["key"], problem["suggestion"]) == (str(path), "tgas", "tags")
    assert path.read_text().splitlines()[problem["line"] - 1].startswith("tgas:")


def test_compile_writes_checks_and_shows_the_difference(shell: Shell) -> None:
    path = begun(shell)
    assert shell("compile", "--check").code == 1
    assert shell("compile").out == "wrote prefect.yaml: 1 deployment on local\n"
    assert shell("compile", "--check").code == 0
    path.write_text(path.read_text().replace("0 6 * * *", "0 7 * * *"))
    ended = shell("compile", "--check")
    assert ended.code == 1
    assert "+    cron: 0 7 * * *" in ended.out
    assert "penstock compile" in ended.out
    assert shell("compile", "--platform", "lcal").err.strip().endswith("Did you mean local?")


def test_compile_refuses_files_that_are_wrong_and_leaves_prefect_yaml_alone(shell: Shell) -> None:
    path = begun(shell)
    shell("compile")
    before = (shell.root / "prefect.yaml").read_text()
    path.write_text(path.read_text().replace("tags:", "tgas:"))
    ended = shell("compile")
    assert ended.code == 2
    assert "did you mean `tags`?" in ended.err
    assert (shell.root / "prefect.yaml").read_text() == before


def test_schema_prints_or_writes(shell: Shell) -> None:
    assert json.loads(shell("schema").out)["title"] == "Penstock pipeline"
    assert json.loads(shell("schema", "platform").out)["title"] == "Penstock platform"
    ended = shell("schema", "--write")
    assert ended.out.splitlines() == [
        "wrote deployments/pipeline.schema.json",
        "wrote deployments/platform.schema.json",
    ]
    assert json.loads((shell.root / "deployments/platform.schema.json").read_text())["title"] == "Penstock platform"


def test_an_error_is_told_in_words_and_its_trace_only_when_asked_for(
    shell: Shell, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from penstock.errors import ConfigurationError

    outside = tmp_path_factory.mktemp("outside")
    monkeypatch.chdir(outside)
    ended = shell("validate")
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error: this is not a Penstock project")
    assert f"folder: {outside}" in ended.err
    assert "PENSTOCK_PROJECT" in ended.err
    for arguments in (["--debug", "validate"], ["validate", "--debug"]):
        with pytest.raises(ConfigurationError):
            deployments.cli.main(arguments)


def test_what_went_wrong_on_the_way_ends_with_one(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from penstock.errors import DataError

    def fail() -> None:
        raise DataError("the rows do not add up", guidance="Look at the rejected ones.", staged=3, landed=2)

    monkeypatch.setattr("deployments.commands.schema.schema", fail)
    ended = shell("schema")
    assert ended.code == 1
    assert ended.err.splitlines() == [
        "error: the rows do not add up",
        "  staged: 3",
        "  landed: 2",
        "  Look at the rejected ones.",
    ]


def test_the_sandbox_serves_until_it_is_interrupted() -> None:
    import signal

    import httpx

    command = [sys.executable, "-c", "from deployments.cli import main; main()", "sandbox", "--port", "0"]
    arguments = [*command, "--clock", "2026-03-20T12:00:00Z"]
    process = subprocess.Popen(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("The sandbox serves at http://127.0.0.1:")
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), timeout=10) as client:
            answer = client.get(f"{line.split()[4].rstrip(';')}/gladly/warbyparker/api/v1/agents")
        assert answer.status_code == 401
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert err == ""
    assert out == ""
    assert process.returncode in {0, 130}


def test_a_pipeline_begins_from_a_dbt_source_or_a_kind_and_from_nothing_else(shell: Shell) -> None:
    assert shell("new", "client", "acme").code == 0
    models = shell.root / "dbt" / "models"
    models.mkdir(parents=True)
    (models / "sources.yml").write_text("sources: [{name: shop, tables: [{name: orders}]}]\n")
    begin = ("new", "pipeline", "acme-shop", "--client", "acme")
    assert shell(*begin).code == 2
    ended = shell(*begin, "--from-dbt", "shop", "--source", "rest")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("wrote deployments/clients/acme/acme-shop.yaml\n")
    assert "the dbt source acme_rest" in ended.out
    assert shell("validate").code == 0
