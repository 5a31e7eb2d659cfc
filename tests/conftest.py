"""One Prefect API for all tests that need one; nothing of the user's own Prefect is read or written."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.fakes.moto_server import MotoServer, moto_server


@pytest.fixture(scope="session")
def prefect_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect API of this session; flows in this process use it inside the fixture's life."""
    from sandbox.prefect_harness import prefect_api

    with prefect_api(tmp_path_factory.mktemp("prefect")) as server:
        yield server.api_url


@pytest.fixture(scope="session")
def s3_server() -> Iterator[MotoServer]:
    """An S3 of this session that takes any credentials; each test makes buckets of its own."""
    with moto_server() as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Makes a skip a failure under `CI=true`: there, whatever a test needs is installed."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped under CI: {report.longrepr}"
    return report
