"""Snowflake's errors in Penstock's terms: one table by error number, and one by what a login was refused with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from penstock.errors import ConfigurationError, DataError, PenstockError, RejectedError, TransientError


class Meaning(NamedTuple):
    """What an error of the driver means to the caller; `tells` lets a person read what Snowflake says of it."""

    kind: type[PenstockError]
    message: str
    guidance: str
    tells: bool = False


_CREDENTIALS = Meaning(
    ConfigurationError,
    "Snowflake refused the credentials",
    "Check the account, the user and its key, password or token on the warehouse connection.",
)
_TOKEN = Meaning(
    ConfigurationError,
    "the OAuth token has expired or is not valid",
    "Renew the token that the warehouse connection holds.",
)
_ROLE = Meaning(
    ConfigurationError,
    "the role is not granted to the user, or does not exist",
    "GRANT ROLE it to the user, or name another `role` on the warehouse connection.",
    tells=True,
)
_RIGHTS = Meaning(
    ConfigurationError,
    "the role lacks a right",
    "Grant what Snowflake names to the role; `penstock warehouse init --dry-run` prints all grants.",
    tells=True,
)
_COMPUTE = Meaning(
    ConfigurationError,
    "no virtual warehouse runs the statement",
    "Create and GRANT USAGE on those under `compute` of the warehouse connection, resumed or with AUTO_RESUME.",
    tells=True,
)
_MISSING = Meaning(
    ConfigurationError,
    "an object does not exist, or the role may not see it",
    "Run `penstock warehouse init`, or grant the role what Snowflake names.",
    tells=True,
)
_TIMEOUT = Meaning(
    RejectedError,
    "the statement took longer than it may",
    "Raise `statement_timeout_seconds` on the warehouse connection, or load with larger compute.",
)
_LOCKED = Meaning(
    TransientError, "another transaction holds the table", "Another load or dbt may hold it; try again later."
)
_STOPPED = Meaning(TransientError, "the statement was cancelled", "Load again.")
_NETWORK = Meaning(TransientError, "Snowflake cannot be reached now", "Check the network and Snowflake's status.")
_SERVER = Meaning(TransientError, "Snowflake failed within itself", "Try again later.")
_STAGED = Meaning(
    DataError, "a staged file is not there, or cannot be read", "Stage the batch again, then load it.", tells=True
)
_READING = Meaning(
    DataError,
    "the files of the batch cannot be read as what they claim to be",
    "Check the dataset's format, compression and dialect against the staged files.",
)
_VALUE = Meaning(
    DataError, "a value does not fit its column", "Load the dataset as text, or into a table whose types fit."
)
_STATEMENT = Meaning(RejectedError, "the warehouse refused the statement", "Correct the query, or report it as a bug.")

BY_NUMBER: dict[int, Meaning] = {
    603: _SERVER,
    604: _STOPPED,
    606: _COMPUTE,
    610: _COMPUTE,
    625: _LOCKED,
    630: _TIMEOUT,
    2003: _MISSING,
    2043: _MISSING,
    3001: _RIGHTS,
    3003: _RIGHTS,
    3540: _RIGHTS,
    90073: _COMPUTE,
    90105: _MISSING,
    90106: _MISSING,
    91003: _STAGED,
    91016: _STAGED,
    100035: _VALUE,
    100038: _VALUE,
    100040: _VALUE,
    100046: _VALUE,
    100064: _READING,
    100065: _READING,
    100066: _READING,
    100069: _READING,
    100072: _VALUE,
    100078: _VALUE,
    100080: _READING,
    100144: _READING,
    100183: _VALUE,
    253006: _STAGED,
    390100: _CREDENTIALS,
    390101: _CREDENTIALS,
    390102: _CREDENTIALS,
    390144: _CREDENTIALS,
    390186: _ROLE,
    390189: _ROLE,
    390201: _COMPUTE,
    390303: _TOKEN,
    390318: _TOKEN,
    390390: _TOKEN,
}
"""By Snowflake's error number. Codes of 250000 to 259999 are the driver's own: the network, but for the files of a PUT."""

_LOGIN: tuple[tuple[re.Pattern[str], Meaning], ...] = (
    (re.compile(r"OAuth|token (?:has expired|expired)|Invalid OAuth", re.IGNORECASE), _TOKEN),
    (
        re.compile(r"Incorrect username or password|JWT token is invalid|private key|locked", re.IGNORECASE),
        _CREDENTIALS,
    ),
    (re.compile(r"Role .*(?:not granted|not exist|not authorized)", re.IGNORECASE), _ROLE),
)
"""The driver reports a refused login as a failed connection (250001) and keeps the reason in the message."""

_LOGIN_FAILED = 250001
_UNKNOWN = -1
_DRIVER = range(250000, 260000)
_LONGEST_DETAIL = 500


def explain(error: Exception, *, is_query: bool = False) -> PenstockError:
    """Returns a driver's error as one of Penstock's; raise it `from` the driver's.

    Args:
        error: The driver's error.
        is_query: Whether a person wrote the statement and should read what Snowflake says of it.
    """
    number = getattr(error, "errno", None)
    meaning = meaning_of(error)
    tells = meaning.tells or (is_query and meaning is _STATEMENT)
    return meaning.kind(
        meaning.message,
        guidance=meaning.guidance,
        driver_error=type(error).__name__,
        driver_message=_detail(error) if tells else None,
        error_number=number if isinstance(number, int) and number > 0 else None,
        query_id=getattr(error, "sfqid", None),
    )


def meaning_of(error: Exception) -> Meaning:
    """Returns what a driver's error means."""
    from snowflake.connector import errors

    number = getattr(error, "errno", None)
    if number in BY_NUMBER:
        return BY_NUMBER[number]
    if number == _LOGIN_FAILED:
        for pattern, meaning in _LOGIN:
            if pattern.search(str(error)):
                return meaning
    if isinstance(error, errors.HttpError | errors.OperationalError | errors.InterfaceError):
        return _NETWORK
    # Whatever Snowflake itself refuses has a number; the driver gives up on an answer without one.
    if not isinstance(number, int) or number == _UNKNOWN or number in _DRIVER:
        return _NETWORK
    return _SERVER if isinstance(error, errors.InternalServerError) else _STATEMENT


def is_missing(error: Exception) -> bool:
    """Returns whether an error says that an object is not there."""
    return getattr(error, "errno", None) in {2003, 2043}


def _detail(error: Exception) -> str:
    text = " ".join(str(getattr(error, "msg", None) or error).split())
    return text if len(text) <= _LONGEST_DETAIL else f"{text[:_LONGEST_DETAIL]}..."


@contextmanager
def explained(*, is_query: bool = False) -> Iterator[None]:
    """Turns the driver's errors into Penstock's; see `explain`."""
    from snowflake.connector import errors

    try:
        yield
    except errors.Error as error:
        raise explain(error, is_query=is_query) from error
