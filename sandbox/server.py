"""Starts a sandbox: in a thread beside a test, or in the foreground for `penstock sandbox`."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import uvicorn

from penstock.errors import ConfigurationError, TransientError
from sandbox.app import build_app
from sandbox.clock import Clock
from sandbox.context import SandboxContext
from sandbox.faults import FaultPlan
from sandbox.registry import service_named
from sandbox.request_log import RequestLog
from sandbox.settings import SandboxSettings
from sandbox.wire import SandboxProtocol

HOST = "127.0.0.1"
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0


class Sandbox:
    """One served world, with the handles that steer and watch it.

    `faults` makes requests fail, `log` holds what was asked, `clock` moves the world's time.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self._context = SandboxContext(settings, settings.clock)
        self._socket = _bind(settings.port)
        self._server = uvicorn.Server(_server_config(self._context))
        self._thread: threading.Thread | None = None

    @property
    def clock(self) -> Clock:
        """The time in this world."""
        return self._context.clock

    @property
    def faults(self) -> FaultPlan:
        """The failures in force."""
        return self._context.faults

    @property
    def log(self) -> RequestLog:
        """The requests so far."""
        return self._context.log

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    def service_url(self, name: str) -> str:
        """Returns the base URL that a connection to a service is given, such as Gladly's `.../api/v1`.

        Raises:
            ConfigurationError: No service has this name.
        """
        service = service_named(name)
        if service is None:
            raise ConfigurationError("The sandbox has no such service", guidance="See sandbox.registry.", name=name)
        return f"{self.url}{service.home}"

    def reset(self) -> None:
        """Forgets faults, requests, issued tokens and used-up rate limits; leaves the clock where it is."""
        self.faults.clear()
        self.log.clear()
        self._context.tokens.revoke_all()
        for action in self._context.reset_actions:
            action()

    def start(self) -> None:
        """Serves from a daemon thread; returns once requests are answered.

        Raises:
            TransientError: The server did not come up.
        """
        self._thread = threading.Thread(target=self._serve, name="penstock-sandbox", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise TransientError("The sandbox did not start", guidance="Try again, or choose another port.")
            time.sleep(0.005)

    def stop(self) -> None:
        """Stops serving and frees the port."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
        self._socket.close()

    def run(self) -> None:
        """Serves in this thread until interrupted."""
        self._serve()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])


@contextmanager
def serve(settings: SandboxSettings | None = None) -> Iterator[Sandbox]:
    """Serves a world while the block runs.

    Args:
        settings: The world; `SandboxSettings()` when left out.
    """
    sandbox = Sandbox(settings or SandboxSettings())
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()


def run_forever(
    port: int, *, settings: SandboxSettings | None = None, announce: Callable[[Sandbox], None] | None = None
) -> None:
    """Serves a world on a port until interrupted (Ctrl-C).

    Args:
        port: On 127.0.0.1; 0 takes a free one.
        settings: The world; its own port does not count.
        announce: Called once with the sandbox before it serves, to print its URL.
    """
    base = settings or SandboxSettings()
    sandbox = Sandbox(replace(base, port=port))
    if announce is not None:
        announce(sandbox)
    try:
        with suppress(KeyboardInterrupt):
            sandbox.run()
    finally:
        sandbox.stop()


def _server_config(context: SandboxContext) -> uvicorn.Config:
    return uvicorn.Config(
        build_app(context),
        http=SandboxProtocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level=None,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


def _bind(port: int) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm, 40 ms a page, off only where it is.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        # Requests wait here until the server answers, so that the announced address is never refused.
        listening.listen()
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            "The sandbox's port is taken", guidance="Choose another, or 0 for a free one.", port=port
        ) from error
    return listening
