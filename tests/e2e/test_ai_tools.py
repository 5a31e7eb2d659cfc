"""Runs of orbit's AI tools: a correction is picked up by the lookback, once, and every tool's file loads as it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock.sources.declared import DeclaredDataset
from penstock.sources.registry import SOURCES
from sandbox.ai_tools.settings import AiToolsSettings
from sandbox.clock import Clock
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings

ROOT = Path(__file__).resolve().parents[2]
WEDNESDAY = datetime(2026, 3, 18, 14, 30, tzinfo=UTC)
TOOLS = sorted(kind for kind, entry in SOURCES.items() if issubclass(entry.dataset, DeclaredDataset))


@pytest.fixture(scope="module")
def company() -> Iterator[Sandbox]:
    # Of so much usage that comes late some surely restates each day.
    settings = AiToolsSettings(engineers=16, late_share=0.3)
    with serve(SandboxSettings(clock=Clock(WEDNESDAY), ai_tools=settings)) as sandbox:
        yield sandbox


@pytest.fixture
def orbit(project: Any, company: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project with the example's files, as they are, for a client of the test's own."""
    monkeypatch.setenv("PENSTOCK_SANDBOX_URL", company.url)
    company.reset()
    company.clock.set(WEDNESDAY)
    connections = (ROOT / "deployments/platforms/local.yaml").read_text().split("connections:\n")[1].split("dbt:")[0]
    project.write_platform(connections)
    for path in sorted((ROOT / "deployments/clients/orbit").glob("*.yaml")):
        kind = path.stem.removeprefix("orbit-").removesuffix("-daily")
        if kind in TOOLS or path.stem == "_defaults":
            text = path.read_text().replace("client: orbit\n", "client: acme\n")
            target = project.root / "deployments/clients/acme" / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    return project


def _tokens_by_day(orbit: Any) -> dict[str, tuple[int, int]]:
    sql = (
        "select bucket_start, sum(cast(output_tokens as bigint)), count(*) "
        "from acme_bronze.openai__completions group by 1 order by 1"
    )
    return {str(day)[:10]: (int(tokens), int(rows)) for day, tokens, rows in orbit.query(sql)}


def test_a_correction_within_the_lookback_is_picked_up_and_once(orbit: Any, company: Sandbox) -> None:
    seen = []
    for days in range(5):
        at = WEDNESDAY + timedelta(days=days)
        company.clock.set(at)
        report = orbit.run("orbit-openai-daily", options={"at": at}, datasets=["completions"])
        assert report.is_green, report.summary()
        seen.append(_tokens_by_day(orbit))
    first = "2026-03-17"
    history = [state[first][0] for state in seen]
    assert history[0] < history[1] <= history[2]
    assert history[2:] == [history[2]] * 3
    # What one window over all of it gives, once everything has been reported.
    window = {"kind": "interval", "start": "2026-03-15T00:00:00Z", "end": "2026-03-20T00:00:00Z"}
    orbit.run("orbit-openai-daily", window=window, options={"at": at, "reload": True}, datasets=["completions"])
    settled = _tokens_by_day(orbit)
    days_settled = ["2026-03-16", "2026-03-17", "2026-03-18", "2026-03-19"]
    assert [seen[-1][day] for day in days_settled] == [settled[day] for day in days_settled]


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tools_pipeline_runs_from_its_file(orbit: Any, company: Sandbox, tool: str) -> None:
    report = orbit.run(f"orbit-{tool}-daily", options={"at": WEDNESDAY})
    assert report.is_green, report.summary()
    assert all(one.result.rows_landed > 0 for one in report.datasets), report.summary()
    again = orbit.run(f"orbit-{tool}-daily", options={"at": WEDNESDAY})
    assert {one.outcome for one in again.datasets} == {"already_loaded"}
    assert {entry.status for entry in company.log.requests()} <= {200, 204}
