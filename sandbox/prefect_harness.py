"""A Prefect API of a test session's own: nothing of the user's Prefect is read, written or reached.

Ready in 3 s (6 s while Python has no bytecode of Prefect), where `prefect.testing.utilities.prefect_test_harness`
imports every integration and replays all migrations for 15 to 19 s. Inside it a flow run takes a tenth of a second.

    @pytest.fixture(scope="session")
    def prefect(tmp_path_factory):
        with prefect_api(tmp_path_factory.mktemp("prefect")) as server:
            yield server
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from flows.local_server import local_prefect, stop_server
from flows.local_server_files import LocalServer

# A killed test session cannot stop its server; between two tests that use it this much time does not pass.
ABANDONED_SECONDS = 3600.0


@contextlib.contextmanager
def prefect_api(home: Path, *, logging_level: str = "WARNING") -> Iterator[LocalServer]:
    """Serves a Prefect API over a new SQLite database under `home`, for the flows and tasks that run in its block.

    Args:
        home: A folder of the test's own; what the server keeps there, its log included, outlives the block.
        logging_level: The level of Prefect's own loggers inside the block.
    """
    try:
        with local_prefect(
            home, logging_level=logging_level, use_configured=False, idle_seconds=ABANDONED_SECONDS
        ) as server:
            yield server
    finally:
        stop_server(home)
