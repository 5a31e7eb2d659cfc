"""Serves a catalogue's folder on this machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing of requests."""


def serve_catalogue(folder: Path, port: int, announce: Callable[[str], None]) -> None:
    """Serves a folder until Ctrl-C.

    Args:
        folder: The catalogue.
        port: Port on 127.0.0.1; 0 takes a free one.
        announce: Told the address once it answers.
    """
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(folder))) as server:
        announce(f"http://127.0.0.1:{server.server_port}/")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
