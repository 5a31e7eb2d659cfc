"""What the processes around one home's local Prefect server share: who it is, and the three files that coordinate them.

alive.lock   held by the server for its whole life; the system frees it however the server dies, so that a process
             identifier that was given to another program is never mistaken for the server, nor killed
start.lock   held by whoever starts or stops the server, so that two runs at once start only one
server.json  who the server is and where it listens, written by the server itself
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from penstock.errors import TransientError


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A Prefect API that runs can use.

    Attributes:
        api_url: What `PREFECT_API_URL` must be.
        version: The server's version of Prefect; empty where the server is the user's.
        pid: The server's process; None where the server is the user's.
        port: Its loopback port; None where the server is the user's.
        started: Whether the call that returned this started it.
    """

    api_url: str
    version: str = ""
    pid: int | None = None
    port: int | None = None
    started: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether Penstock runs this server, rather than the user's settings naming it."""
        return self.pid is not None

    @property
    def ui_url(self) -> str:
        """Where a browser shows the runs."""
        return self.api_url.removesuffix("/api")


class ServerFiles:
    """The files of one home's server, all in `<home>/prefect`.

    Attributes:
        folder: Absolute, since the server works in it and its parent elsewhere; also its `PREFECT_HOME`.
        alive_lock: Held by the server for its whole life.
        start_lock: Held by whoever starts or stops the server.
        record: Who the server is.
        log: What the server and a failed start print.
        database: The SQLite database of the runs.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home.resolve() / "prefect"
        self.alive_lock = self.folder / "alive.lock"
        self.start_lock = self.folder / "start.lock"
        self.record = self.folder / "server.json"
        self.log = self.folder / "server.log"
        self.database = self.folder / "prefect.db"

    def server_is_alive(self) -> bool:
        """Returns whether there is a server process, whatever its state."""
        from filelock import FileLock, Timeout

        if not self.folder.is_dir():
            return False
        try:
            with FileLock(self.alive_lock, timeout=0):
                return False
        except Timeout:
            return True

    @contextlib.contextmanager
    def starting_or_stopping(self, *, timeout_seconds: float) -> Iterator[None]:
        """Keeps every other process of this home from starting or stopping the server meanwhile.

        Raises:
            TransientError: Another process did not finish in time.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.start_lock)
        try:
            lock.acquire(timeout=timeout_seconds)
        except Timeout as error:
            raise TransientError(
                "Another process is still starting or stopping the local Prefect server",
                guidance="Wait for it, or end the process that holds the lock.",
                lock=str(self.start_lock),
                waited_seconds=timeout_seconds,
            ) from error
        try:
            yield
        finally:
            lock.release()

    def write_record(self, server: LocalServer) -> None:
        """Publishes the server in one step, so that no reader sees half a record."""
        partial = self.record.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(server)), encoding="utf-8")
        partial.replace(self.record)

    def read_record(self) -> LocalServer | None:
        """Returns the recorded server, dead or alive; None where there is no readable record."""
        try:
            return LocalServer(**json.loads(self.record.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
