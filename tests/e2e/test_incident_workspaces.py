"""Three incident.io workspaces in one pipeline: side by side, each with a window of its own, none in another's way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.clock import Clock
from sandbox.incident_io.settings import MOBILE_KEY, PAYMENTS_KEY, PLATFORM_KEY, IncidentIoSettings
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tests.fakes.scripted_api import Answer, Asked, scripted_api

AT = datetime(2026, 3, 18, 10, 20, tzinfo=UTC)
BEGINNING = datetime(2026, 3, 10, tzinfo=UTC)
KEYS = {"mobile": MOBILE_KEY, "payments": PAYMENTS_KEY, "platform": PLATFORM_KEY}
PIPELINE = """
    source: {kind: incident_io, connection: orbit-platform}
    for_each:
      - {name: mobile, connection: orbit-mobile}
      - {name: payments, connection: orbit-payments}
      - {name: platform, connection: orbit-platform}
    window: {kind: since_last, timezone: UTC, initial: "2026-03-10T00:00:00Z", lookback: 1h}
    load_strategy: {kind: incremental, keys: [id], order_by: updated_at}
    datasets: [{name: incidents, resource: incidents}]
"""


@pytest.fixture(scope="module")
def incident_api() -> Iterator[Sandbox]:
    settings = IncidentIoSettings(opened_on=date(2026, 2, 1), fewer_per_page=20)
    with serve(SandboxSettings(clock=Clock(AT), incident_io=settings)) as sandbox:
        yield sandbox


@pytest.fixture
def workspaces(project: Any, incident_api: Sandbox) -> Iterator[Any]:
    url = incident_api.service_url("incident_io")
    project.write_platform(
        "\n".join(
            f'orbit-{name}: {{kind: incident_io, api_key: {key}, base_url: "{url}"}}' for name, key in KEYS.items()
        )
    )
    project.write_pipeline("orbit", PIPELINE)
    incident_api.reset()
    incident_api.clock.set(AT)
    yield project
    incident_api.reset()
    incident_api.clock.set(AT)


def _truth(sandbox: Sandbox, name: str, start: datetime, end: datetime) -> dict[str, str]:
    """The newest state of what was changed in a span, by id, without a filter of the API's."""
    rows: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = httpx.get(
            f"{sandbox.service_url('incident_io')}/v2/incidents",
            params={"page_size": 250, "sort_by": "created_at_oldest_first", **after},
            headers={"Authorization": f"Bearer {KEYS[name]}"},
        ).raise_for_status()
        rows += answer.json()["incidents"]
        meta = answer.json()["pagination_meta"]
        if "after" not in meta:
            break
        after = {"after": meta["after"]}
    return {row["id"]: row["updated_at"] for row in rows if start <= datetime.fromisoformat(row["updated_at"]) < end}


def _loaded(project: Any, name: str) -> dict[str, str]:
    return dict(project.query(f"select id, updated_at from acme_bronze.incident_io__{name}__incidents"))


def test_one_failing_workspace_leaves_two_loaded_and_the_rerun_loads_only_the_third(
    workspaces: Any, incident_api: Sandbox
) -> None:
    # Only the key tells the workspaces apart, and one that is revoked is refused from the first request on.
    platform = workspaces.root / "deployments" / "platforms" / "local.yaml"
    right = platform.read_text()
    platform.write_text(right.replace(PAYMENTS_KEY, "revoked-key"))

    report = workspaces.run("orbit", options={"at": AT})

    assert not report.is_green
    assert [one.dataset for one in report.failed] == ["payments__incidents"]
    assert report.failed[0].error_kind == "RejectedError"
    assert "orbit-payments" in report.summary()
    assert "1 of 3 datasets failed" in report.summary()
    for name in ("mobile", "platform"):
        expected = _truth(incident_api, name, BEGINNING, AT)
        assert len(expected) > 20
        assert _loaded(workspaces, name) == expected

    platform.write_text(right)
    incident_api.log.clear()
    again = workspaces.run("orbit", options={"at": AT})

    assert again.is_green, again.summary()
    assert {one.dataset for one in again.datasets if one.outcome == "loaded"} == {"payments__incidents"}
    assert _loaded(workspaces, "payments") == _truth(incident_api, "payments", BEGINNING, AT)


def test_each_workspace_goes_on_from_its_own_last_window(workspaces: Any, incident_api: Sandbox) -> None:
    assert workspaces.run("orbit", options={"at": AT}).is_green
    later = AT + timedelta(hours=6)
    incident_api.clock.set(later)
    platform = workspaces.root / "deployments" / "platforms" / "local.yaml"
    right = platform.read_text()
    platform.write_text(right.replace(MOBILE_KEY, "revoked-key"))
    assert [one.dataset for one in workspaces.run("orbit", options={"at": later}).failed] == ["mobile__incidents"]

    platform.write_text(right)
    latest = later + timedelta(hours=3)
    incident_api.clock.set(latest)
    report = workspaces.run("orbit", options={"at": latest})

    assert report.is_green, report.summary()
    records = sorted(workspaces.warehouse().loads(), key=lambda record: record.loaded_at)
    newest = {record.target.name: record for record in records}
    assert {name: newest[f"incident_io__{name}__incidents"].interval_start for name in KEYS} == {
        "mobile": AT - timedelta(hours=1),
        "payments": later - timedelta(hours=1),
        "platform": later - timedelta(hours=1),
    }
    for name in KEYS:
        assert _loaded(workspaces, name) == _truth(incident_api, name, BEGINNING, latest)


def test_the_workspaces_are_read_side_by_side(project: Any) -> None:
    # Nobody is answered before all three have asked: one after the other, the first would wait in vain.
    all_have_asked = threading.Barrier(3, timeout=120)

    def answer(asked: Asked) -> Answer:
        all_have_asked.wait()
        incident = {"id": asked.headers["Authorization"], "updated_at": "2026-03-18T09:00:00Z"}
        return Answer({"incidents": [incident], "pagination_meta": {"page_size": 250, "total_record_count": 1}})

    with scripted_api(answer) as api:
        project.write_platform(
            "\n".join(f'orbit-{name}: {{kind: incident_io, api_key: {name}, base_url: "{api.url}"}}' for name in KEYS)
        )
        project.write_pipeline("orbit", PIPELINE)
        report = project.run("orbit", options={"at": AT})
    assert report.is_green, report.summary()
    for name in KEYS:
        assert list(_loaded(project, name)) == [f"Bearer {name}"]
