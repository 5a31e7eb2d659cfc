"""A reader follows docs/adding-a-source.md in a copy of the repository: every file, every line, every command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/adding-a-source.md").read_text(encoding="utf-8")
KEY = {"Authorization": "Bearer kestrel-sandbox-key"}
# What a clone has besides these is documentation, benchmarks, or made by commands.
COPIED = ("penstock", "blocks", "tasks", "flows", "deployments", "sandbox", "dbt", "tests", "pyproject.toml")
_FENCE = re.compile(r"^(?:`([^`\n]+)`\n\n)?```(\w+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block, and the file that the line above it names, if any."""

    path: str | None
    language: str
    body: str


BLOCKS = [Block(path or None, language, body) for path, language, body in _FENCE.findall(PAGE)]
CHECKS, SERVE, USE = (block.body.splitlines() for block in BLOCKS if block.language == "sh")


def insertions(diff: str) -> Iterator[tuple[str, str, str]]:
    """Each insertion of a diff: the file, the lines above it, and the new lines."""
    path, above, new = "", "", ""
    for line in [*diff.splitlines(), "+++ end"]:
        if line.startswith("+") and not line.startswith("+++ "):
            new += f"{line[1:]}\n"
            continue
        if new:
            yield path, above, new
            above, new = "", ""
        if line.startswith("+++ "):
            path, above = line.removeprefix("+++ "), ""
        else:
            above += f"{line[1:]}\n"


def insert(file: Path, above: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert f"\n{text}".count(f"\n{above}") == 1, f"{file.name} has no single place below {above!r}"
    file.write_text(f"\n{text}".replace(f"\n{above}", f"\n{above}{new}")[1:], encoding="utf-8")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as it is after all files and lines of the page are written."""
    clone = tmp_path_factory.mktemp("clone")
    ignored = shutil.ignore_patterns("__pycache__", "target", "logs", ".penstock", "*cache")
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, clone / name, **({"ignore": ignored} if (ROOT / name).is_dir() else {}))  # type: ignore[operator]
    for block in BLOCKS:
        if block.path is not None:
            file = clone / block.path
            assert not file.exists(), f"{block.path} is there already"
            file.write_text(block.body, encoding="utf-8")
        elif block.language == "diff":
            for path, above, new in insertions(block.body):
                insert(clone / path, above, new)
    return clone


def environment(clone: Path, **variables: str) -> dict[str, str]:
    """The clone's own packages instead of those that are installed from where this test is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PENSTOCK_", "PYTEST_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "PYTHONPATH": str(clone), "COLUMNS": "160", **variables}


def run(command: str, clone: Path, **variables: str) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=clone,
        env=environment(clone, **variables),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert "kestrel-sandbox-key" not in done.stdout + done.stderr
    return done.stdout


@contextmanager
def served(command: str, clone: Path) -> Iterator[str]:
    """Runs the page's command for the sandbox, on a free port, and gives its address."""
    command = command.replace("--port 8765", "--port 0")
    with subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=clone, env=environment(clone), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = re.search(r"http://\S+:\d+", said)
            assert found, said
            yield found[0]
        finally:
            process.terminate()


def count_rows(clone: Path, table: str) -> int:
    with duckdb.connect(str(clone / ".penstock/warehouse.duckdb"), read_only=True) as warehouse:
        row = warehouse.execute(f"SELECT count(*) FROM acme_bronze.{table}").fetchone()
    assert row is not None
    return int(row[0])


def test_the_page_says_how_many_lines_there_are() -> None:
    files = [line for block in BLOCKS if block.path for line in block.body.splitlines() if line.strip()]
    inserted = [new for block in BLOCKS if block.language == "diff" for _, _, new in insertions(block.body)]
    said = re.search(r"(\d+) lines", PAGE)
    assert said is not None
    assert len(files) + len("".join(inserted).splitlines()) == int(said[1])


def test_what_the_page_writes_is_in_the_style_of_the_house(clone: Path) -> None:
    assert " 0 broken." in run("ruff check . && ruff format --check . && lint-imports --no-cache", clone)


def test_the_new_source_passes_the_contract_and_the_tests_of_the_registries(clone: Path) -> None:
    (command,) = CHECKS
    shown = run(f"{command} -p no:cacheprovider", clone)
    passed = re.search(r"(\d+) passed", shown)
    assert passed is not None, shown
    # All that the contract asks of a source with pages, late rows and a key, not just the few that ask it of every one.
    assert int(passed[1]) > 25


def test_the_new_source_is_validated_probed_and_loaded_from_the_sandbox(clone: Path, prefect_url: str) -> None:
    (serve,) = SERVE
    # Its clock stands still: a shipment that changed meanwhile would leave the window between the run and the count.
    moment = datetime.now(tz=UTC) + timedelta(hours=2)
    with served(f"{serve} --clock {moment.isoformat()}", clone) as address:
        for command in USE:
            run(command, clone, PREFECT_API_URL=prefect_url, PENSTOCK_SANDBOX_URL=address)
        # It fails where Prefect has no work pool, which nothing of the page needs; the connection's own line counts.
        probed = run("penstock doctor || true", clone, PREFECT_API_URL=prefect_url, PENSTOCK_SANDBOX_URL=address)
        status = {row["dataset"]: row for row in json.loads(run("penstock status acme-kestrel-daily --json", clone))}
        until = datetime.fromisoformat(status["shipments"]["loaded_until"])
        asked = {"changed_from": (until - timedelta(days=1)).isoformat(), "changed_until": until.isoformat()}
        shipments = httpx.get(f"{address}/kestrel/v1/shipments", params=asked, headers=KEY).raise_for_status()
        refused = httpx.get(f"{address}/kestrel/v1/shipments", params=asked)
    assert (refused.status_code, refused.json()) == (401, {"error": {"code": "unauthorized"}})
    assert any("acme-kestrel" in line and "/status answers this key" in line for line in probed.splitlines())
    assert count_rows(clone, "kestrel__depots") == 3
    assert count_rows(clone, "kestrel__shipments") == shipments.json()["total"]
    assert shipments.json()["total"] > 50
