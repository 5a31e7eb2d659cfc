"""A connection's limit holds over all processes; without one, Prefect is not asked."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from penstock.errors import TransientError
from tasks.limits import ensure_limits, extraction_slot

NAMES = ("orders", "refunds", "visits")


class SlowApi(ThreadingHTTPServer):
    """Answers each request with one record after a while, and counts how many were under way at once."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SlowAnswer)
        self.lock = threading.Lock()
        self.now = self.most = self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class SlowAnswer(BaseHTTPRequestHandler):
    server: SlowApi

    def do_GET(self) -> None:
        api = self.server
        with api.lock:
            api.now += 1
            api.asked += 1
            api.most = max(api.most, api.now)
        time.sleep(0.7)
        with api.lock:
            api.now -= 1
        body = b'{"data": [{"id": 1}]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def shop(project: Any) -> Iterator[SlowApi]:
    for number in (1, 2):
        datasets = "".join(f"\n  - {{name: {name}_{number}, path: /{name}, records: data}}" for name in NAMES)
        project.write_pipeline(
            f"shop-{number}",
            "source: {kind: rest, connection: shop-api}\nwindow: {kind: full}\n"
            f"load_strategy: {{kind: full_refresh}}\ndatasets:{datasets}\n",
        )
    with SlowApi() as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        yield api
        api.shutdown()


def run_both_at_once(project: Any, api: SlowApi, more: str) -> None:
    project.write_platform(f'shop-api: {{kind: rest, base_url: "{api.url}"}}', more=more)
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


def test_two_runs_at_once_keep_to_the_limit_of_the_connection_that_they_share(project: Any, shop: SlowApi) -> None:
    run_both_at_once(project, shop, "limits: {shop-api: 1}\n")
    assert (shop.most, shop.asked) == (1, 6)


def test_without_a_limit_they_ask_at_once(project: Any, shop: SlowApi) -> None:
    run_both_at_once(project, shop, "")
    assert shop.most > 1


def test_a_limit_is_made_once_follows_the_file_and_frees_what_it_held(project: Any, prefect_url: str) -> None:
    from tasks.definitions.project import find_project
    from tasks.definitions.reading import read_platform
    from tasks.environment import Environment

    name = "penstock:limited:shop-api"
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
    entered = []
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        for limits in ("{}", "{shop-api: 1}"):
            project.write_platform('shop-api: {kind: rest, base_url: "http://127.0.0.1:9"}', more=f"limits: {limits}\n")
            environment = Environment(read_platform("local", find_project()))
            # Nobody answers at that address.
            with suppress(TransientError), extraction_slot(environment, "shop-api"):
                entered.append(limits)
    assert entered == ["{}"]
