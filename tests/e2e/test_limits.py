"""A connection's limit holds over all processes; without one, Prefect is not asked."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from penstock.platform import limit_name
from sandbox.rest.collection import Collection
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.limits import ensure_limits, extraction_slot

NAMES = ("orders", "refunds", "visits")


class Counted:
    """Records that are slow to give, and how many were asked for at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = self.asked = 0

    def __call__(self, start: Any, end: Any) -> list[dict[str, Any]]:
        with self.lock:
            self.now += 1
            self.asked += 1
            self.most = max(self.most, self.now)
        time.sleep(0.7)
        with self.lock:
            self.now -= 1
        return [{"id": 1}]


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def shop(project: Any, counted: Counted) -> Iterator[Sandbox]:
    with serve(SandboxSettings(collections={name: Collection(records=counted) for name in NAMES})) as sandbox:
        for number in (1, 2):
            datasets = "".join(f"\n  - {{name: {name}_{number}, path: /{name}, records: data}}" for name in NAMES)
            project.write_pipeline(
                f"shop-{number}",
                "source: {kind: rest, connection: shop-api}\nwindow: {kind: full}\n"
                f"load_strategy: {{kind: full_refresh}}\ndatasets:{datasets}\n",
            )
        yield sandbox


def run_both_at_once(project: Any, sandbox: Sandbox, more: str) -> None:
    project.write_platform(f'shop-api: {{kind: rest, base_url: "{sandbox.url}/rest"}}', more=more)
    command = [sys.executable, "-m", "deployments.cli", "run", "--no-transform"]
    both = [
        subprocess.Popen([*command, f"shop-{number}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in (1, 2)
    ]
    outputs = [process.communicate(timeout=150) for process in both]
    assert [process.returncode for process in both] == [0, 0], "".join(text for one in outputs for text in one)
    for number in (1, 2):
        for name in NAMES:
            assert project.query(f"select count(*) from acme_bronze.rest__{name}_{number}") == [(1,)]


def test_two_runs_at_once_keep_to_the_limit_of_the_connection_that_they_share(
    project: Any, shop: Sandbox, counted: Counted
) -> None:
    run_both_at_once(project, shop, "limits: {shop-api: 1}\n")
    assert (counted.most, counted.asked) == (1, 6)


def test_without_a_limit_they_ask_at_once(project: Any, shop: Sandbox, counted: Counted) -> None:
    run_both_at_once(project, shop, "")
    assert counted.most > 1


def test_a_limit_is_made_once_follows_the_file_and_frees_what_it_held(project: Any, prefect_url: str) -> None:
    from tasks.definitions.project import find_project
    from tasks.definitions.reading import read_platform
    from tasks.environment import Environment

    name = limit_name("limited", "shop-api")
    address = 'shop-api: {kind: rest, base_url: "http://127.0.0.1:9"}'
    with temporary_settings({PREFECT_API_URL: prefect_url}), get_client(sync_client=True) as client:
        for number in (2, 1):
            project.write_platform(address, "limited", f"limits: {{shop-api: {number}}}\n")
            environment = Environment(read_platform("limited", find_project()))
            with extraction_slot(environment, "shop-api"):
                found = client.read_global_concurrency_limit_by_name(name)
                assert (found.limit, found.active_slots) == (number, 1)
            assert client.read_global_concurrency_limit_by_name(name).active_slots == 0
        with pytest.raises(KeyError), extraction_slot(environment, "shop-api"):
            raise KeyError
        assert client.read_global_concurrency_limit_by_name(name).active_slots == 0
        ensure_limits(environment.platform.managed_limits)
        assert client.read_global_concurrency_limit_by_name(name).limit == 1


def test_without_a_limit_nothing_is_asked_of_prefect(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.definitions.project import find_project
    from tasks.definitions.reading import read_platform
    from tasks.environment import Environment

    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    project.write_platform('shop-api: {kind: rest, base_url: "http://127.0.0.1:9"}', more="limits: {}\n")
    environment = Environment(read_platform("local", find_project()))
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}), extraction_slot(environment, "shop-api"):
        pass
