"""`--at` repeats what the schedule would have done: the same intervals, keys and rows as a run scheduled for then."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Scheduled

from sandbox.rest.collection import Collection, TimeFilter
from sandbox.server import serve
from sandbox.settings import SandboxSettings

AT = datetime(2026, 3, 9, 10, 30, tzinfo=UTC)  # the day after New York's clocks went forward
TIMES = "window_parameters: {start: since, end: until}"
PIPELINE = f"""
source: {{kind: rest, connection: shop-api}}
window: {{kind: daily, timezone: America/New_York}}
load_strategy: {{kind: append}}
datasets:
  - {{name: daily, path: /hours, records: data, {TIMES}}}
  - name: recent
    path: /hours
    records: data
    {TIMES}
    window: {{kind: intraday_relative, timezone: America/New_York, lookback: 6h, lag: 1h, align: 30}}
  - name: forward
    path: /hours
    records: data
    {TIMES}
    window: {{kind: since_last, timezone: America/New_York, initial: "2026-03-08T00:00:00-05:00", lag: 1h}}
  - {{name: whole, path: /all, records: data, window: {{kind: full}}, load_strategy: {{kind: full_refresh}}}}
"""
NAMES = ("daily", "recent", "forward", "whole")


def hourly(start: datetime | None, end: datetime | None) -> list[dict[str, Any]]:
    assert start is not None
    assert end is not None
    return [
        {"id": f"{start + timedelta(hours=hour):%m%d%H}"} for hour in range(int((end - start) / timedelta(hours=1)))
    ]


def keys(lake: Path) -> set[str]:
    """What was written, with the batches' and the runs' own parts blotted out."""
    found = {path.relative_to(lake).as_posix() for path in lake.rglob("*") if path.is_file()}
    return {re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|[0-9a-f]{12}", "*", key) for key in found}


def facts(project: Any, platform: str) -> dict[str, Any]:
    loads = project.warehouse(platform).loads()
    rows = {
        name: project.query(
            f"select id, _window_start, _window_end from acme_bronze.rest__{name} order by id", platform
        )
        for name in NAMES
    }
    ledger = {
        one.dataset: (one.interval_start, one.interval_end, one.timezone, one.as_of, one.strategy, one.run_kind)
        for one in loads
    }
    return {"rows": rows, "ledger": ledger}


def test_a_run_at_a_time_is_the_run_that_was_scheduled_for_it(
    project: Any, prefect_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.loading import client_flow
    from tasks.definitions.project import find_project

    hours = Collection(records=hourly, time_filter=TimeFilter(start_name="since", end_name="until"))
    collections = {"hours": hours, "all": Collection(records=[{"id": "1"}, {"id": "2"}])}
    with serve(SandboxSettings(collections=collections)) as sandbox:
        for name in ("scheduled", "asked"):
            project.write_platform(f'shop-api: {{kind: rest, base_url: "{sandbox.url}/rest"}}', name)
        project.write_pipeline("shop", PIPELINE)

        monkeypatch.setenv("PENSTOCK_PLATFORM", "scheduled")
        flow = client_flow(find_project(), "acme")
        parameters = {"pipeline": "shop", "transform": False}
        with temporary_settings({PREFECT_API_URL: prefect_url}), get_client(sync_client=True) as client:
            run = client.create_flow_run(flow, parameters=parameters, state=Scheduled(scheduled_time=AT))
            state = run_flow(flow, flow_run=run, parameters=parameters, return_type="state")
        assert state.is_completed(), state.message

        command = [sys.executable, "-m", "deployments.cli", "run", "shop", "--no-transform", "--platform", "asked"]
        done = subprocess.run([*command, "--at", AT.isoformat()], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    scheduled, asked = (facts(project, name) for name in ("scheduled", "asked"))
    assert asked == scheduled
    midnight = datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert scheduled["ledger"]["daily"][:2] == (midnight, midnight + timedelta(hours=23))
    assert {one[3] for one in scheduled["ledger"].values()} == {AT}
    assert [len(scheduled["rows"][name]) for name in NAMES] == [23, 5, 28, 2]
    home = project.root / "home"
    assert keys(home / "asked" / "lake") == keys(home / "scheduled" / "lake")
