"""A TCP relay on loopback that counts what passes through it, headers and all."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_CHUNK_BYTES = 1 << 16


class CountingProxy:
    """Where the relay is, and the bytes that went to the server and came from it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sent_bytes = 0
        self.received_bytes = 0
        self._lock = threading.Lock()

    @property
    def total_bytes(self) -> int:
        return self.sent_bytes + self.received_bytes

    def reset(self) -> None:
        with self._lock:
            self.sent_bytes = self.received_bytes = 0

    def count(self, *, sent: int = 0, received: int = 0) -> None:
        with self._lock:
            self.sent_bytes += sent
            self.received_bytes += received


@contextmanager
def counting_proxy(target_url: str) -> Iterator[CountingProxy]:
    """Relays to the server at `target_url` while the block runs."""
    target = urlsplit(target_url)
    assert target.hostname is not None
    assert target.port is not None
    address = (target.hostname, target.port)

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(address) as upstream:
                answers = threading.Thread(target=self._pump_answers, args=(upstream,), daemon=True)
                answers.start()
                with suppress(OSError):
                    while chunk := self.request.recv(_CHUNK_BYTES):
                        proxy.count(sent=len(chunk))
                        upstream.sendall(chunk)
                    upstream.shutdown(socket.SHUT_WR)
                answers.join()

        def _pump_answers(self, upstream: socket.socket) -> None:
            with suppress(OSError):
                while chunk := upstream.recv(_CHUNK_BYTES):
                    proxy.count(received=len(chunk))
                    self.request.sendall(chunk)
                self.request.shutdown(socket.SHUT_RDWR)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Relay)
    proxy = CountingProxy(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
