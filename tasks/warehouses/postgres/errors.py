"""PostgreSQL's errors in Penstock's terms, by SQLSTATE: a table of classes, and one of codes that mean something else.

`tests/integration/test_postgres_errors.py` checks that the tables name every class of codes that the driver knows. An
error of a connection that could not be made carries no SQLSTATE; what it says is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock.errors import ConfigurationError, DataError, Meaning, PenstockError, RejectedError, TransientError

if TYPE_CHECKING:
    import psycopg


_UNREACHABLE = Meaning(
    TransientError, "the warehouse cannot be reached", "Check that the server runs and its address; then try again."
)
_BROKEN = Meaning(
    TransientError, "the connection to the warehouse broke", "Nothing was changed unless it was committed; load again."
)
_BUSY = Meaning(TransientError, "the server has no room for the load now", "Load again when fewer others use it.")
_RESTARTING = Meaning(TransientError, "the server is starting, stopping or ended the session", "Load again.")
_FULL = Meaning(TransientError, "the disk of the server is full", "Free space on it, then load again.")
_MEMORY = Meaning(TransientError, "the server is out of memory", "Load again when fewer others use it.")
_LOCKED = Meaning(
    TransientError,
    "another transaction holds what the load needs",
    "Another load, dbt or a person may hold the table; load again, or raise `lock_timeout_seconds`.",
)
_CONFLICT = Meaning(TransientError, "the load got into the way of another transaction", "Load again.")
_TIMEOUT = Meaning(
    RejectedError,
    "a statement took longer than it may",
    "Raise `statement_timeout_seconds` on the connection, or load a shorter window.",
)
_CANCELLED = Meaning(TransientError, "somebody cancelled the statement", "Load again.")
_CREDENTIALS = Meaning(
    RejectedError, "the server refused the user or the password", "Correct the warehouse's credentials."
)
_NO_ENTRY = Meaning(
    RejectedError,
    "the server lets nobody in from here as this user",
    "Have the server's administrator allow the user, the database and this host in pg_hba.conf, and check `sslmode`.",
)
_NO_DATABASE = Meaning(
    ConfigurationError, "there is no such database", "Correct `database`, or create it: CREATE DATABASE."
)
_NO_ADDRESS = Meaning(ConfigurationError, "there is no such host", "Correct `host`.")
_TLS = Meaning(ConfigurationError, "no TLS connection as `sslmode` asks for it", "Correct `sslmode` or the server.")
_RIGHTS = Meaning(RejectedError, "the user lacks a right", "Grant it, as docs/warehouses.md lists them.")
_VALUE = Meaning(
    DataError, "a value does not fit its column", "Load the dataset as text, or into a table whose types fit."
)
_CONSTRAINT = Meaning(
    DataError, "a row breaks a constraint of the table", "Drop the constraint: bronze tables have none."
)
_LIMIT = Meaning(
    DataError,
    "a row or a key is larger than PostgreSQL can hold",
    "Load fewer columns into the table, or use keys of less than 2,600 bytes.",
)
_DEPENDED_ON = Meaning(
    RejectedError,
    "something that depends on the table forbids the change",
    "Drop the view or rule on the changed column, load, and create it again; dbt makes its own views anew.",
)
_STATEMENT = Meaning(RejectedError, "the warehouse refused the statement", "Correct the query, or report it as a bug.")
_SETTING = Meaning(ConfigurationError, "the server does not know a setting's value", "Check the pipeline's time zone.")
_READ_ONLY = Meaning(
    RejectedError, "the server, or this session, only reads", "Connect to the primary; a query cannot write."
)
_BUG = Meaning(
    RejectedError, "the warehouse failed within itself", "Load again; if it happens twice, report it as a bug."
)

BY_CLASS: dict[str, Meaning] = {
    "02": _BUG,
    "03": _BUG,
    "08": _BROKEN,
    "09": _BUG,
    "0A": _STATEMENT,
    "0B": _BUG,
    "0F": _BUG,
    "0L": _RIGHTS,
    "0P": _RIGHTS,
    "0Z": _BUG,
    "10": _BUG,
    "20": _BUG,
    "21": _STATEMENT,
    "22": _VALUE,
    "23": _CONSTRAINT,
    "24": _BUG,
    "25": _BUG,
    "26": _BUG,
    "27": _BUG,
    "28": _CREDENTIALS,
    "2B": _DEPENDED_ON,
    "2D": _BUG,
    "2F": _BUG,
    "34": _BUG,
    "38": _BUG,
    "39": _BUG,
    "3B": _BUG,
    "3D": _NO_DATABASE,
    "3F": _STATEMENT,
    "40": _CONFLICT,
    "42": _STATEMENT,
    "44": _CONSTRAINT,
    "53": _BUSY,
    "54": _LIMIT,
    "55": _LOCKED,
    "57": _RESTARTING,
    "58": _FULL,
    "72": _CONFLICT,
    "F0": _BUG,
    "HV": _STATEMENT,
    "P0": _STATEMENT,
    "XX": _BUG,
}
"""Every class of SQLSTATEs that the driver knows but success and warnings."""

BY_CODE: dict[str, Meaning] = {
    "0A000": _DEPENDED_ON,
    "22023": _SETTING,
    "25006": _READ_ONLY,
    "25P03": _BROKEN,
    "28000": _NO_ENTRY,
    "28P01": _CREDENTIALS,
    "42501": _RIGHTS,
    "53100": _FULL,
    "53200": _MEMORY,
    "55006": _BUSY,
    "57014": _CANCELLED,
    "57P04": _NO_DATABASE,
    "58030": _FULL,
}

_OF_CONNECTING: tuple[tuple[re.Pattern[str], Meaning], ...] = (
    (re.compile(r"password authentication failed|no password supplied|authentication failed"), _CREDENTIALS),
    (re.compile(r"role .* does not exist"), _CREDENTIALS),
    (re.compile(r"database .* does not exist"), _NO_DATABASE),
    (re.compile(r"no pg_hba.conf entry|not permitted to log in"), _NO_ENTRY),
    (re.compile(r"permission denied for database"), _RIGHTS),
    (re.compile(r"could not translate host name|Name or service not known|resolve"), _NO_ADDRESS),
    (re.compile(r"SSL|certificate|TLS"), _TLS),
    (re.compile(r"too many (clients|connections)|connection slots"), _BUSY),
    (re.compile(r"starting up|shutting down|not accepting|recovery"), _RESTARTING),
)

_DENIED = re.compile(r'permission denied for (\w+(?: \w+)?) "?([^"\n]+?)"?$', re.MULTILINE)
_NOT_OWNER = re.compile(r'must be owner of (\w+) "?([^"\n]+?)"?$', re.MULTILINE)
_NO_TEMPORARY = re.compile(r'permission denied to create temporary tables in database "([^"\n]+)"')
_RIGHTS_ON = {
    "database": "CREATE, TEMPORARY",
    "schema": "USAGE, CREATE",
    "table": "SELECT, INSERT, UPDATE, DELETE",
    "function": "EXECUTE",
    "type": "USAGE",
}
_STATEMENT_TIMEOUT = "statement timeout"
_LONGEST_DETAIL = 500


def explain(error: psycopg.Error, *, is_query: bool = False) -> PenstockError:
    """Returns a driver's error as one of Penstock's; raise it `from` the driver's.

    Args:
        error: The driver's error.
        is_query: Whether a person wrote the statement and should read what the server says of it.
    """
    meaning = meaning_of(error)
    return meaning.kind(
        meaning.message,
        guidance=meaning.guidance,
        sqlstate=error.sqlstate,
        driver_error=type(error).__name__,
        driver_message=_detail(error) if is_query else None,
        missing_right=_missing_right(error) if meaning is _RIGHTS else None,
    )


def meaning_of(error: psycopg.Error) -> Meaning:
    """Returns what an error means."""
    import psycopg

    code = error.sqlstate
    if code is None:
        return _without_code(error)
    if code == "57014" and _STATEMENT_TIMEOUT in str(error):
        return _TIMEOUT
    if isinstance(error, psycopg.OperationalError) and code not in BY_CODE and code[:2] not in BY_CLASS:
        return _BROKEN
    return BY_CODE.get(code) or BY_CLASS.get(code[:2], _BUG)


@contextmanager
def explained(*, is_query: bool = False) -> Iterator[None]:
    """Turns the driver's errors into Penstock's; see `explain`."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise explain(error, is_query=is_query) from error


def _without_code(error: psycopg.Error) -> Meaning:
    import psycopg

    text = str(error)
    if not isinstance(error, psycopg.OperationalError):
        return _VALUE if isinstance(error, psycopg.DataError) else _BUG
    for pattern, meaning in _OF_CONNECTING:
        if pattern.search(text):
            return meaning
    return _UNREACHABLE if "connection failed" in text or "timeout expired" in text else _BROKEN


def _missing_right(error: psycopg.Error) -> str | None:
    """Returns the statement that would give the right, without the name of the user: the role may be another."""
    text = error.diag.message_primary or str(error)
    if found := _NO_TEMPORARY.search(text):
        return f'GRANT TEMPORARY ON DATABASE "{found[1]}"'
    if found := _DENIED.search(text):
        kind, name = found[1], found[2]
        return f'GRANT {_RIGHTS_ON.get(kind, "ALL")} ON {kind.upper()} "{name}"'
    if found := _NOT_OWNER.search(text):
        return f'ALTER {found[1].upper()} "{found[2]}" OWNER'
    return None


def _detail(error: psycopg.Error) -> str | None:
    """Returns what the server says of a statement before it reads any row: of its syntax, and of names."""
    if (error.sqlstate or "")[:2] not in {"42", "3F"}:
        return None
    text = " ".join(" ".join(filter(None, (error.diag.message_primary, error.diag.message_hint))).split())
    return text if len(text) <= _LONGEST_DETAIL else f"{text[:_LONGEST_DETAIL]}..."
