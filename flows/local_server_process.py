"""The process of the local Prefect server: a lean Prefect application that stops once nobody uses it.

    python -m flows.local_server_process HOME IDLE_SECONDS

`flows.local_server` starts it. Lean means: no integration is imported, no migration replayed, and only the services run
that a local flow run needs; all of it by Prefect's own settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from flows.local_server_files import LocalServer, ServerFiles
from flows.local_server_requests import Activity, BusyDatabase
from flows.local_server_schema import prepare_database

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"
LOCK_TIMEOUT_SECONDS = 10.0
SHUTDOWN_SECONDS = 3
LONGEST_CHECK_SECONDS = 5.0

SETTINGS = {
    # Both: with the memo on, Prefect imports every installed integration (aws, snowflake, dbt: 8 s, 250 MB) only to
    # find out whether their block types changed, even where registration is off. `Block.save` registers what it needs.
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
    "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    # Task runs and events are written in batches: one by one they keep SQLite locked against the requests of the run
    # (27 of 209 requests refused by default, 2 of 211 so).
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "2",
    # Deployments, workers and automations belong to a server that is always up.
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_ENABLED": "false",
}


def serve(files: ServerFiles, idle_seconds: float) -> None:
    """Serves a Prefect API on a free loopback port until it is asked to stop or has been idle for long enough."""
    from filelock import FileLock

    # uvicorn raises the signal again after its shutdown; as an exception it lets the locks and the record go.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with (
        FileLock(files.alive_lock, timeout=LOCK_TIMEOUT_SECONDS),
        socket.create_server((HOST, 0)) as listener,
        _recorded(files, listener.getsockname()[1]) as server,
    ):
        is_migrated = prepare_database(files.database)
        os.environ.update(prefect_environment(files, server, is_migrated=is_migrated))
        asyncio.run(_serve(files, listener, idle_seconds))


def prefect_environment(files: ServerFiles, server: LocalServer, *, is_migrated: bool) -> dict[str, str]:
    """Returns the server's settings as environment variables."""
    return {
        **SETTINGS,
        "PREFECT_HOME": str(files.folder),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{files.database}",
        "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": str(not is_migrated).lower(),
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(server.port),
        # By default any website that the user's browser shows may ask the API.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{server.port},http://localhost:{server.port}",
        # By default Prefect unpacks its pages into its own installation, which may be read-only.
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(files.folder / "ui"),
    }


async def _serve(files: ServerFiles, listener: socket.socket, idle_seconds: float) -> None:
    # Loading Prefect makes a million objects that stay; looking through them again and again for garbage costs 0.3 s.
    gc.disable()
    import uvicorn
    from prefect.server.api.server import create_app

    activity = Activity(BusyDatabase(create_app(final=True)))
    gc.freeze()
    gc.enable()
    config = uvicorn.Config(
        activity, lifespan="on", log_level="warning", access_log=False, timeout_graceful_shutdown=SHUTDOWN_SECONDS
    )
    server = uvicorn.Server(config)
    watcher = asyncio.create_task(_stop_when_unused(server, activity, files, idle_seconds))
    await server.serve(sockets=[listener])
    watcher.cancel()
    if not server.started:
        sys.exit(1)


async def _stop_when_unused(
    server: uvicorn.Server, activity: Activity, files: ServerFiles, idle_seconds: float
) -> None:
    """Asks the server to stop once it is idle, or once its record is gone because somebody removed the folder."""
    from filelock import FileLock, Timeout

    while not server.should_exit:
        await asyncio.sleep(min(idle_seconds / 4, LONGEST_CHECK_SECONDS))
        if not _is_recorded(files):
            server.should_exit = True
        elif activity.unused_seconds() >= idle_seconds:
            # Under the lock no run can be about to use the server; a run that holds it is about to.
            with contextlib.suppress(Timeout), FileLock(files.start_lock, timeout=0):
                if activity.unused_seconds() >= idle_seconds:
                    files.record.unlink(missing_ok=True)
                    server.should_exit = True


@contextlib.contextmanager
def _recorded(files: ServerFiles, port: int) -> Iterator[LocalServer]:
    server = LocalServer(api_url=f"http://{HOST}:{port}/api", version=version("prefect"), pid=os.getpid(), port=port)
    files.write_record(server)
    try:
        yield server
    finally:
        if _is_recorded(files):
            files.record.unlink(missing_ok=True)


def _is_recorded(files: ServerFiles) -> bool:
    server = files.read_record()
    return server is not None and server.pid == os.getpid()


def main(arguments: list[str]) -> None:
    """Runs the server with no Prefect setting of the user's, whose database and services are not this server's."""
    home, idle_seconds = arguments
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    serve(ServerFiles(Path(home)), float(idle_seconds))


if __name__ == "__main__":
    main(sys.argv[1:])
