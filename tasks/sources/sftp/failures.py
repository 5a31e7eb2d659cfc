"""From what paramiko raises to the error tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penstock.errors import ConfigurationError, DataError, RejectedError, TransientError


@contextmanager
def explained(**facts: Any) -> Iterator[None]:
    """Raises paramiko's and the operating system's errors as ours; what a server writes is not repeated.

    Raises:
        ConfigurationError: the server's key is another one than the known hosts say.
        DataError: there is no such file.
        RejectedError: the server refuses the credentials or the access.
        TransientError: the server cannot be reached, or the connection broke.
    """
    import paramiko

    try:
        yield
    except paramiko.BadHostKeyException as error:
        raise ConfigurationError(
            "the SFTP server has another key than the known hosts say",
            guidance="Somebody else may answer in its place: ask whoever runs it before you change `known_hosts`.",
            fingerprint=error.key.fingerprint,
            **facts,
        ) from None
    except paramiko.AuthenticationException as error:
        raise RejectedError(
            "the SFTP server refuses the credentials",
            guidance="Check the user, and the password or key, with whoever runs the server.",
            **facts,
        ) from error
    except FileNotFoundError as error:
        raise DataError(
            "the SFTP server has no such file or folder",
            guidance="Check the connection's `path`, and whether the file was moved meanwhile.",
            **facts,
        ) from error
    except PermissionError as error:
        raise RejectedError(
            "the SFTP server does not let this user read here",
            guidance="Have the user given the right to list and read the folder.",
            **facts,
        ) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise TransientError(
            "the SFTP server cannot be reached, or the connection broke",
            guidance="Check the host, the port and the network; the server may be down.",
            reason=type(error).__name__,
            **facts,
        ) from error
