"""A Prefect API on this machine that stays up between runs, so that a laptop needs no server of its own.

Without an API, Prefect starts one inside every run and throws it away: 14 to 23 s until the first task, because it
imports every installed integration and replays all migrations. Here the first run starts a lean server in the
background (`flows.local_server_process`), later runs find it, and it stops by itself once nobody uses it.

Prefect takes a second or two to import, so it is imported only where a function needs it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flows.local_server_files import LocalServer, ServerFiles
from penstock.errors import ConfigurationError, TransientError

IDLE_SECONDS = 900.0
START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 10.0
HEALTH_TIMEOUT_SECONDS = 2.0
FLUSH_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.02

_SOURCE_ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def local_prefect(
    home: Path,
    *,
    logging_level: str | None = None,
    use_configured: bool = True,
    idle_seconds: float = IDLE_SECONDS,
) -> Iterator[LocalServer]:
    """Runs the flows of its block against a Prefect API: the one the settings name, else a local one.

    For synchronous callers; on leaving, it waits until the API has received what the block's runs reported.

    Args:
        home: Penstock's folder, as for `ensure_server`.
        logging_level: The level of Prefect's own loggers inside the block; unchanged if None.
        use_configured: As for `ensure_server`.
        idle_seconds: As for `ensure_server`.

    Raises:
        TransientError: The server did not answer in time.
        ConfigurationError: The server ended while it was starting.
    """
    server = ensure_server(home, use_configured=use_configured, idle_seconds=idle_seconds)
    # prefect.main configures logging when it is imported, and must not do so inside the block.
    import prefect.main  # noqa: F401
    from prefect import settings

    updates: dict[Any, object] = {settings.PREFECT_API_URL: server.api_url}
    if server.is_ours:
        folder = ServerFiles(home).folder
        updates[settings.PREFECT_HOME] = folder
        updates[settings.PREFECT_LOCAL_STORAGE_PATH] = folder / "storage"
        # With heartbeats every flow run ends with up to a second of waiting for the thread that sends them
        # (prefect 3.8.8, flow_engine); they exist for automations, which the local server does not run.
        updates[settings.PREFECT_FLOWS_HEARTBEAT_FREQUENCY] = None
    if logging_level is not None:
        updates[settings.PREFECT_LOGGING_LEVEL] = logging_level
    with settings.temporary_settings(updates), _logging_at(logging_level, "prefect", "prefect.client"):
        if server.is_ours:
            _flush_reports()  # of another API, to which this block's task runs would go otherwise
        try:
            yield server
        finally:
            _flush_reports()


def ensure_server(
    home: Path,
    *,
    use_configured: bool = True,
    idle_seconds: float = IDLE_SECONDS,
    timeout_seconds: float = START_TIMEOUT_SECONDS,
) -> LocalServer:
    """Returns a Prefect API to run against, starting a local server only where there is none.

    Args:
        home: Penstock's folder; the server keeps its database, log and user interface in `<home>/prefect`.
        use_configured: Whether an API named by `PREFECT_API_URL` or by Prefect's settings files goes first.
        idle_seconds: How long a server that this call starts stays up without a request or an open connection.
        timeout_seconds: How long to wait for another process that is starting the server, for a server found but not
            answering, and for a new one; each.

    Raises:
        TransientError: The server did not answer in time.
        ConfigurationError: The server ended while it was starting.
    """
    url = configured_api_url() if use_configured else None
    if url:
        return LocalServer(api_url=url)
    files = ServerFiles(home)
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with files.starting_or_stopping(timeout_seconds=timeout_seconds):
        return _usable_server(files, timeout_seconds) or _start(files, idle_seconds, timeout_seconds)


def stop_server(home: Path) -> bool:
    """Stops a home's server and returns whether there was one.

    Raises:
        TransientError: It did not stop in time, or another process was starting it all that time.
    """
    files = ServerFiles(home)
    if not files.server_is_alive():
        return False
    with files.starting_or_stopping(timeout_seconds=START_TIMEOUT_SECONDS):
        _terminate(files)
    return True


def server_status(home: Path) -> LocalServer | None:
    """Returns a home's server if it is up and answers; starts nothing."""
    files = ServerFiles(home)
    server = files.read_record() if files.server_is_alive() else None
    return server if server and _answers(server) else None


def configured_api_url() -> str | None:
    """Returns the API that the environment or Prefect's settings name, or None.

    Prefect decides, but asking it costs its import, a second or two in which the server could be starting. So it is
    asked only once it is loaded anyway, or where one of the files it reads can name an API.
    """
    if url := os.environ.get("PREFECT_API_URL"):
        return url
    if "prefect" not in sys.modules and not _settings_may_name_an_api():
        return None
    from prefect.settings import get_current_settings

    return get_current_settings().api.url


def _settings_may_name_an_api() -> bool:
    """Looks through the files that Prefect reads its settings from for a mention of an API."""
    prefect_home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect")
    mentions = {
        Path("prefect.toml"): "",
        Path("pyproject.toml"): "tool.prefect",
        Path(".env"): "prefect_",
        Path(os.environ.get("PREFECT_PROFILES_PATH") or prefect_home / "profiles.toml"): "api_url",
    }
    for path, mention in mentions.items():
        with contextlib.suppress(OSError):
            if mention in path.expanduser().read_text(encoding="utf-8", errors="replace").lower():
                return True
    return False


def _usable_server(files: ServerFiles, timeout_seconds: float) -> LocalServer | None:
    """Returns the running server, ending one that hangs or that runs another version of Prefect.

    A server found alive may still be on its way up, its starter interrupted, or on its way down: both end by waiting.
    """
    from importlib.metadata import version

    deadline = time.monotonic() + timeout_seconds
    while files.server_is_alive():
        server = files.read_record()
        is_current = server is None or server.version == version("prefect")
        if not is_current or time.monotonic() > deadline:
            _terminate(files)
        elif server and _answers(server):
            return server
        time.sleep(POLL_SECONDS)
    return None


def _start(files: ServerFiles, idle_seconds: float, timeout_seconds: float) -> LocalServer:
    deadline = time.monotonic() + timeout_seconds
    process = _spawn(files, idle_seconds)
    _import_engine()
    while time.monotonic() < deadline:
        server = files.read_record()
        if server and server.pid == process.pid and _answers(server):
            return replace(server, started=True)
        if process.poll() is not None:
            raise ConfigurationError(
                "The local Prefect server ended while it was starting",
                guidance="Its log says why; PREFECT_API_URL makes Penstock use a server of yours instead.",
                log=str(files.log),
                exit_code=process.returncode,
            )
        time.sleep(POLL_SECONDS)
    process.kill()
    raise TransientError(
        "The local Prefect server did not answer in time",
        guidance="Look at its log and try again; PREFECT_API_URL makes Penstock use a server of yours instead.",
        log=str(files.log),
        waited_seconds=timeout_seconds,
    )


def _spawn(files: ServerFiles, idle_seconds: float) -> subprocess.Popen[bytes]:
    """Starts the server in a session of its own, so that neither the end of this process nor its Ctrl-C reaches it."""
    python_path = os.pathsep.join(filter(None, [str(_SOURCE_ROOT), os.environ.get("PYTHONPATH")]))
    # -P: nothing in the server's folder may shadow a module.
    command = [sys.executable, "-P", "-m", "flows.local_server_process", str(files.folder.parent), str(idle_seconds)]
    with files.log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            cwd=files.folder,
            env={**os.environ, "PYTHONPATH": python_path},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # The server usually outlives us; where it does not, this leaves no zombie.
    threading.Thread(target=process.wait, name="penstock-prefect-server", daemon=True).start()
    return process


def _import_engine() -> None:
    """Loads what the first flow run needs while the server, on another core, loads its own half."""
    import prefect.events.worker
    import prefect.flow_engine
    import prefect.main
    import prefect.task_engine  # noqa: F401


def _terminate(files: ServerFiles) -> None:
    """Ends the process that holds the alive lock: asks it, then kills it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        server = files.read_record()
        if server and server.pid and files.server_is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.pid, number)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if not files.server_is_alive():
                files.record.unlink(missing_ok=True)
                return
            time.sleep(POLL_SECONDS)
    raise TransientError(
        "The local Prefect server does not stop",
        guidance="End the process that holds the lock and try again.",
        lock=str(files.alive_lock),
    )


def _answers(server: LocalServer) -> bool:
    """Asks the server for its health; directly, since a proxy that the environment names must not be in the way."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection("127.0.0.1", server.port, timeout=HEALTH_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _flush_reports() -> None:
    """Sends the events and logs that are still queued, and lets go of the connection they went over.

    Prefect (3.8.8) keeps one event worker per process whatever the API is, so that without this a second API in the
    process would see no task run, and a stopped one would hold up the end of the process. `drain_all` is what Prefect's
    own test harness and log handler call.
    """
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    with _logging_at("ERROR", "EventsWorker", "APILogWorker"):  # they warn that they are not done, which is why we wait
        for worker in (APILogWorker, EventsWorker):
            worker.drain_all(timeout=FLUSH_TIMEOUT_SECONDS, at_exit=False)


@contextlib.contextmanager
def _logging_at(level: str | None, *names: str) -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(level or logger.level)
        yield
    finally:
        for logger, before in zip(loggers, levels, strict=True):
            logger.setLevel(before)
