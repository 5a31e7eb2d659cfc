"""Opens a session with an SFTP server, once it has proved that it is the expected one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from penstock.connections import SftpConnection
from penstock.errors import ConfigurationError
from tasks.sources.sftp.failures import explained


@contextmanager
def open_session(connection: SftpConnection, name: str) -> Iterator[Any]:
    """Opens a session (paramiko's `SFTPClient`) below the connection's folder.

    Args:
        connection: The server, and a user of it.
        name: The connection's logical name, for errors.

    Raises:
        ConfigurationError: the server's key is no known one, the private key cannot be read, or the extra is missing.
        RejectedError: the server refuses the credentials, or has no such folder for this user.
        TransientError: the server cannot be reached.
    """
    paramiko = _paramiko()
    facts = {"connection": name, "host": connection.host, "port": connection.port}
    with ExitStack() as opened:
        with explained(**facts):
            client = opened.enter_context(paramiko.SSHClient())
            _trust(client, connection, facts)
            client.connect(**_arguments(connection, facts))
            sftp = opened.enter_context(client.open_sftp())
            sftp.get_channel().settimeout(connection.timeout_seconds)
            sftp.chdir(connection.path)
        yield sftp


def _paramiko() -> Any:
    try:
        import paramiko
    except ImportError as error:
        raise ConfigurationError(
            "files from SFTP servers need the extra `sftp`",
            guidance='Install it where runs happen: pip install "penstock[sftp]".',
        ) from error
    return paramiko


def _arguments(connection: SftpConnection, facts: dict[str, Any]) -> dict[str, Any]:
    seconds = connection.timeout_seconds
    return {
        "hostname": connection.host,
        "port": connection.port,
        "username": connection.username,
        "password": connection.password.get_secret_value() if connection.password else None,
        "pkey": _private_key(connection, facts),
        # Only what the connection says is offered, nothing that the machine happens to have.
        "allow_agent": False,
        "look_for_keys": False,
        "timeout": seconds,
        "banner_timeout": seconds,
        "auth_timeout": seconds,
    }


def _trust(client: Any, connection: SftpConnection, facts: dict[str, Any]) -> None:
    if connection.known_hosts is not None:
        try:
            client.load_host_keys(connection.known_hosts)
        except OSError as error:
            raise ConfigurationError(
                "the file of known hosts cannot be read",
                guidance="Correct `known_hosts`, or give the server's fingerprints in `host_keys`.",
                known_hosts=connection.known_hosts,
                **facts,
            ) from error
    client.set_missing_host_key_policy(_FingerprintPolicy(connection.host_keys, facts))


class _FingerprintPolicy:
    """Lets in a server that is not among the known hosts only if its key has an expected fingerprint."""

    def __init__(self, fingerprints: tuple[str, ...], facts: dict[str, Any]) -> None:
        self._fingerprints = fingerprints
        self._facts = facts

    def missing_host_key(self, _client: Any, _hostname: str, key: Any) -> None:
        """Refuses a server that is not known; nothing has been told to it yet.

        Raises:
            ConfigurationError: its key is not an expected one.
        """
        if key.fingerprint not in self._fingerprints:
            raise ConfigurationError(
                "the SFTP server is not a known one",
                guidance="Ask whoever runs it for its fingerprint, and only if it is this one add it to `host_keys`.",
                fingerprint=key.fingerprint,
                key_type=key.get_name(),
                **self._facts,
            )


def _private_key(connection: SftpConnection, facts: dict[str, Any]) -> Any:
    if connection.private_key is None:
        return None
    paramiko = _paramiko()
    text = connection.private_key.get_secret_value()
    passphrase = connection.passphrase.get_secret_value() if connection.passphrase else None
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text), password=passphrase)
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise ConfigurationError(
        "the private key cannot be read",
        guidance="Give an Ed25519, ECDSA or RSA key as OpenSSH or PEM, and its `passphrase` if it is encrypted.",
        **facts,
    )
