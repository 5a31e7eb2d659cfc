"""What the databases' errors mean for an extraction, in one table each: SQLSTATEs of PostgreSQL, numbers of MySQL.

An error says which table was read; no statement, value or password is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.errors import ConfigurationError, DataError, Meaning, PenstockError, RejectedError, TransientError

UNREACHABLE = Meaning(
    TransientError, "the database cannot be reached", "Check that the server runs, and the connection's address."
)
BROKEN = Meaning(TransientError, "the connection to the database broke", "Extract again; nothing of it was kept.")
BUSY = Meaning(TransientError, "the database has no room for another reader now", "Try again when fewer use it.")
STOPPED = Meaning(TransientError, "the server is stopping, or ended the session", "Extract again.")
CANCELLED = Meaning(TransientError, "somebody cancelled the statement", "Extract again.")
LOCKED = Meaning(TransientError, "another session holds the table", "Extract again when it is free.")
CONFLICT = Meaning(
    TransientError, "the server gave up the snapshot that was read", "Extract again; on a replica, read less at once."
)
TIMEOUT = Meaning(
    RejectedError, "a statement took longer than it may", "Raise `statement_timeout_seconds`, or read a shorter window."
)
CREDENTIALS = Meaning(RejectedError, "the database refused the user or the password", "Correct the connection.")
NO_ENTRY = Meaning(
    RejectedError,
    "the server lets nobody in from here as this user",
    "Have the server's administrator allow this host and user, and check the connection's TLS setting.",
)
RIGHTS = Meaning(RejectedError, "the user may not read this", "Grant SELECT on the table, and USAGE on its schema.")
NO_DATABASE = Meaning(ConfigurationError, "there is no such database", "Correct the connection's `database`.")
NO_ADDRESS = Meaning(ConfigurationError, "there is no such host", "Correct the connection's `host`.")
TLS = Meaning(
    ConfigurationError, "no TLS connection as the connection asks for it", "Correct its TLS setting, or the server's."
)
NO_TABLE = Meaning(
    ConfigurationError, "there is no such table, or the user may not see it", "Correct `source_table`, or grant SELECT."
)
CHANGED = Meaning(
    TransientError, "the table was changed while it was read", "Extract again, with the table as it is now."
)
VALUE = Meaning(
    DataError, "the database could not compute a column", "A view may fail on some of its rows; correct it."
)
NOT_UTF8 = Meaning(
    DataError, "the table holds text that is not UTF-8", "Correct the text at the source, or leave its column out."
)
REFUSED = Meaning(RejectedError, "the database refused the statement", "Report it, with the table's definition.")

BY_SQLSTATE: dict[str, Meaning] = {
    "08": BROKEN,
    "0A": REFUSED,
    "22": VALUE,
    "22021": NOT_UTF8,
    "25": REFUSED,
    "28": CREDENTIALS,
    "28000": NO_ENTRY,
    "3D": NO_DATABASE,
    "3F": NO_TABLE,
    "40": CONFLICT,
    "42": REFUSED,
    "42501": RIGHTS,
    "42703": CHANGED,
    "42P01": CHANGED,
    "53": BUSY,
    "54": REFUSED,
    "55": LOCKED,
    "57": STOPPED,
    "57014": CANCELLED,
    "58": BROKEN,
    "72": CONFLICT,
    "XX": REFUSED,
}
"""By code, or else by its class. The columns are looked up before they are read: a missing one went away meanwhile."""

BY_NUMBER: dict[int, Meaning] = {
    1040: BUSY,
    1044: RIGHTS,
    1045: CREDENTIALS,
    1049: NO_DATABASE,
    1053: STOPPED,
    1054: CHANGED,
    1129: NO_ENTRY,
    1130: NO_ENTRY,
    1142: RIGHTS,
    1143: RIGHTS,
    1146: CHANGED,
    1158: BROKEN,
    1159: BROKEN,
    1160: BROKEN,
    1161: BROKEN,
    1203: BUSY,
    1205: LOCKED,
    1213: CONFLICT,
    1226: BUSY,
    1317: CANCELLED,
    1412: CHANGED,
    1698: CREDENTIALS,
    1927: STOPPED,
    1969: TIMEOUT,
    2003: UNREACHABLE,
    2005: NO_ADDRESS,
    2006: BROKEN,
    2013: BROKEN,
    2026: TLS,
    3024: TIMEOUT,
    3159: TLS,
}
"""Server errors below 2000 and from 3000 on, the client's between; "MySQL Error Message Reference" and MariaDB's."""

_OF_CONNECTING: tuple[tuple[re.Pattern[str], Meaning], ...] = (
    (re.compile(r"password authentication failed|no password supplied|authentication failed"), CREDENTIALS),
    (re.compile(r"role .* does not exist"), CREDENTIALS),
    (re.compile(r"database .* does not exist"), NO_DATABASE),
    (re.compile(r"no pg_hba.conf entry|not permitted to log in"), NO_ENTRY),
    (re.compile(r"permission denied for database"), RIGHTS),
    (re.compile(r"could not translate host name|Name or service not known|No address|resolve"), NO_ADDRESS),
    (re.compile(r"SSL|certificate|TLS"), TLS),
    (re.compile(r"too many (clients|connections)|connection slots"), BUSY),
    (re.compile(r"starting up|shutting down|not accepting|recovery"), STOPPED),
)
_NUMBER = re.compile(r"ERROR (\d{4}) \(")


def by_text(text: str, otherwise: Meaning = BROKEN) -> Meaning:
    """Returns what an error means that has no code of its own: of connecting, or of a driver that only writes text."""
    if found := _NUMBER.search(text):
        return BY_NUMBER.get(int(found[1]), REFUSED)
    return next((meaning for pattern, meaning in _OF_CONNECTING if pattern.search(text)), otherwise)


@contextmanager
def explained(*, connection: str, table: str | None = None) -> Iterator[None]:
    """Turns the drivers' errors into Penstock's, with the connection's name and the table's."""
    try:
        yield
    except PenstockError:
        raise
    except Exception as error:
        meaning, code = _meaning(error)
        if meaning is None:
            raise
        # Without the cause: drivers quote statements, and the values in them.
        raise meaning.kind(
            meaning.message,
            guidance=meaning.guidance,
            connection=connection,
            table=table,
            code=code,
            driver_error=type(error).__name__,
        ) from None


def _meaning(error: Exception) -> tuple[Meaning | None, str | None]:
    """Returns what an error means (None for one that is no driver's), and its code."""
    if (module := type(error).__module__.partition(".")[0]) not in {"psycopg", "pymysql"}:
        return None, None
    return _of_postgres(error) if module == "psycopg" else _of_mysql(error)


def _of_postgres(error: Exception) -> tuple[Meaning, str | None]:
    code: str | None = getattr(error, "sqlstate", None)
    if code is None:
        text = str(error)
        is_connecting = "connection failed" in text or "timeout expired" in text
        return by_text(text, UNREACHABLE if is_connecting else BROKEN), None
    if code == "57014" and "statement timeout" in str(error):
        return TIMEOUT, code
    return BY_SQLSTATE.get(code) or BY_SQLSTATE.get(code[:2], REFUSED), code


def _of_mysql(error: Exception) -> tuple[Meaning, str | None]:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if number in {0, 2003}:
        # PyMySQL gives 2003 to whatever happens while it connects, and 0 to a connection that ended.
        return by_text(str(error), UNREACHABLE if number else BROKEN), str(number)
    return BY_NUMBER.get(number, REFUSED), str(number)
