"""One Prefect API for all tests that need one; nothing of the user's own Prefect is read or written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def prefect_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect API of this session; flows in this process use it inside the fixture's life."""
    from sandbox.prefect_harness import prefect_api

    with prefect_api(tmp_path_factory.mktemp("prefect")) as server:
        yield server.api_url
