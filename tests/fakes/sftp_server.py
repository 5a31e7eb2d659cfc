"""A real SFTP server on a loopback port over a folder (paramiko's server side)."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko

from penstock.connections import SftpConnection

PASSWORD = "sftp-password-1"
PASSPHRASE = "sftp-passphrase-1"


@dataclass
class SftpServer:
    """What a test can see and change of a server."""

    root: Path
    port: int
    host_key: paramiko.PKey
    user_key: paramiko.PKey
    on_stat: Callable[[str], None] = lambda _path: None
    breaks_after_bytes: int | None = None
    logins: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def put(self, key: str, content: bytes, at: float | None = None) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if at is not None:
            os.utime(path, (at, at))

    def connection(self, **changes: Any) -> SftpConnection:
        return SftpConnection.model_validate(
            {
                "kind": "sftp", "host": "127.0.0.1", "port": self.port, "path": "/", "username": "vendor",
                "password": PASSWORD, "host_keys": [self.host_key.fingerprint], "settle_seconds": 0, **changes,
            }
        )  # fmt: skip

    def private_key(self, passphrase: str | None = None) -> str:
        text = io.StringIO()
        self.user_key.write_private_key(text, password=passphrase)
        return text.getvalue()


@contextmanager
def sftp_server(root: Path) -> Iterator[SftpServer]:
    root.mkdir(parents=True, exist_ok=True)
    listener = socket.create_server(("127.0.0.1", 0))
    server = SftpServer(root, listener.getsockname()[1], paramiko.ECDSAKey.generate(), paramiko.RSAKey.generate(2048))
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transports.append(transport)
            transport.add_server_key(server.host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Folder, vendor=server, transport=transport)
            with suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(server=_Login(server))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for transport in transports:
            transport.close()
        thread.join(timeout=30)


class _Login(paramiko.ServerInterface):
    def __init__(self, server: SftpServer) -> None:
        self._server = server

    def check_auth_password(self, username: str, password: str) -> int:
        return self._answer(username == "vendor" and password == PASSWORD, "password")

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self._answer(username == "vendor" and key == self._server.user_key, "key")

    def get_allowed_auths(self, _username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, _channel_id: int) -> int:
        return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def _answer(self, is_right: bool, how: str) -> int:
        (self._server.logins if is_right else self._server.refused).append(how)
        return paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED


class _Folder(paramiko.SFTPServerInterface):
    def __init__(self, _interface: Any, *, vendor: SftpServer, transport: paramiko.Transport) -> None:
        self._server = vendor
        self._transport = transport

    def _path(self, path: str) -> Path:
        return self._server.root / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> Any:
        try:
            entries = list(os.scandir(self._path(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return [paramiko.SFTPAttributes.from_stat(one.stat(follow_symlinks=False), one.name) for one in entries]

    def stat(self, path: str) -> Any:
        try:
            found = paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        self._server.on_stat(path)
        return found

    lstat = stat

    def open(self, path: str, _flags: int, _attributes: Any) -> Any:
        if path.endswith("forbidden.csv"):
            return paramiko.SFTP_PERMISSION_DENIED
        try:
            file = self._path(path).open("rb")
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        handle = _Handle(self._server, self._transport)
        handle.readfile = file
        return handle


class _Handle(paramiko.SFTPHandle):
    def __init__(self, server: SftpServer, transport: paramiko.Transport) -> None:
        super().__init__()
        self._server = server
        self._transport = transport

    def read(self, offset: int, length: int) -> Any:
        limit = self._server.breaks_after_bytes
        if limit is not None and offset + length > limit:
            self._transport.close()
            return paramiko.SFTP_CONNECTION_LOST
        return super().read(offset, length)

    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))
