"""One emulated Gladly for all tests here, as new for each."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sandbox.clock import Clock
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tests.fakes.gladly_api import NOW, SMALL, connect


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with serve(SandboxSettings(clock=Clock(NOW), gladly=SMALL)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    server.clock.set(NOW)
    return server


@pytest.fixture(scope="module")
def connection(server: Sandbox) -> Iterator[httpx.Client]:
    """One for all tests: making a client costs more than a request."""
    with connect(server) as client:
        yield client


@pytest.fixture
def client(sandbox: Sandbox, connection: httpx.Client) -> httpx.Client:
    assert sandbox.url in str(connection.base_url)
    return connection
