"""DuckDB's errors in Penstock's terms: one table by type, and a shorter one for messages that mean something else.

`tests/integration/test_duckdb_errors.py` checks that the table names every error class the driver has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.errors import ConfigurationError, DataError, Meaning, PenstockError, RejectedError, TransientError

_BUSY = Meaning(
    TransientError,
    "the warehouse file is in use",
    "Another run, dbt or an open DuckDB shell may hold it; end it or try again when it is done.",
)
_IO = Meaning(
    TransientError, "the warehouse file cannot be read or written now", "Check the disk that holds it, then try again."
)
_FULL = Meaning(TransientError, "the disk of the warehouse is full", "Free space on it, then load again.")
_CORRUPT = Meaning(
    RejectedError,
    "the warehouse file is damaged or no DuckDB file",
    "Restore it from a copy, or move it away and load again from the object store.",
)
_UNREACHABLE = Meaning(
    ConfigurationError, "the warehouse file cannot be opened", "Check its path and the rights on it."
)
_MEMORY = Meaning(
    RejectedError,
    "the load needs more memory than the warehouse allows",
    "Raise `memory_limit` on the warehouse connection, or lower `threads`.",
)
_READING = Meaning(
    DataError,
    "the files of the batch cannot be read as what they claim to be",
    "Check the dataset's format, compression and dialect against the staged files.",
)
_CONVERSION = Meaning(
    DataError, "a value does not fit its column", "Load the dataset as text, or into a table whose types fit."
)
_CONSTRAINT = Meaning(
    DataError, "a row breaks a constraint of the table", "Drop the constraint: bronze tables have none."
)
_STATEMENT = Meaning(RejectedError, "the warehouse refused the statement", "Correct the query, or report it as a bug.")
_BUG = Meaning(
    RejectedError, "the warehouse failed within itself", "Load again; if it happens twice, report it as a bug."
)
_STOPPED = Meaning(TransientError, "the statement was interrupted", "Load again.")

MEANINGS: dict[str, Meaning] = {
    "BinderException": _STATEMENT,
    "CatalogException": _STATEMENT,
    "ConnectionException": _BUSY,
    "ConstraintException": _CONSTRAINT,
    "ConversionException": _CONVERSION,
    "DataError": _CONVERSION,
    "DatabaseError": _BUG,
    "DependencyException": _STATEMENT,
    "Error": _BUG,
    "FatalException": _BUG,
    "HTTPException": _IO,
    "IOException": _IO,
    "IntegrityError": _CONSTRAINT,
    "InternalError": _BUG,
    "InternalException": _BUG,
    "InterruptException": _STOPPED,
    "InvalidInputException": _READING,
    "InvalidTypeException": _STATEMENT,
    "NotImplementedException": _STATEMENT,
    "NotSupportedError": _STATEMENT,
    "OperationalError": _IO,
    "OutOfMemoryException": _MEMORY,
    "OutOfRangeException": _CONVERSION,
    "ParserException": _STATEMENT,
    "PermissionException": _STATEMENT,
    "ProgrammingError": _STATEMENT,
    "ResourceInUseException": _BUSY,
    "SequenceException": _STATEMENT,
    "SerializationException": _CORRUPT,
    "SyntaxException": _STATEMENT,
    "TransactionException": _STOPPED,
    "TypeMismatchException": _CONVERSION,
    "Warning": _BUG,
}
"""Every exception class of the driver, by name: the driver is imported only where it is used."""

_VAGUE = frozenset({"ConnectionException", "Error", "FatalException", "IOException", "OutOfMemoryException"})
"""Classes that cover several meanings; the messages of others may quote a query or a value, and are not looked at."""

_BY_MESSAGE: tuple[tuple[re.Pattern[str], Meaning], ...] = (
    (re.compile(r"Could not set lock|Conflicting lock|different configuration", re.IGNORECASE), _BUSY),
    (re.compile(r"No space left|File too large|Disk quota|offload data block", re.IGNORECASE), _FULL),
    (re.compile(r"Corrupt database|not a valid DuckDB|not read enough bytes|checksum", re.IGNORECASE), _CORRUPT),
    (re.compile(r"gzip|zstd|frame descriptor|decompress|unexpected end of", re.IGNORECASE), _READING),
    (re.compile(r"Cannot open file|Permission denied|Is a directory", re.IGNORECASE), _UNREACHABLE),
)
_READ_ONLY = "attached in read-only mode!"
_HOLDER = re.compile(r"\(PID (\d+)\)")


_ABOUT_THE_STATEMENT = frozenset({"BinderException", "CatalogException", "ParserException", "SyntaxException"})
"""Classes raised before any row is read: their messages tell of the statement and of names in the catalog."""
_LONGEST_DETAIL = 500


def explain(error: Exception, *, is_query: bool = False) -> PenstockError:
    """Returns a driver's error as one of Penstock's; raise it `from` the driver's.

    Args:
        error: The driver's error.
        is_query: Whether a person wrote the statement and should read what the driver says of it.
    """
    meaning = _meaning(error)
    holder = _HOLDER.search(str(error)) if meaning is _BUSY else None
    return meaning.kind(
        meaning.message,
        guidance=meaning.guidance,
        driver_error=type(error).__name__,
        driver_message=_detail(error) if is_query else None,
        holder_pid=int(holder[1]) if holder else None,
    )


def _detail(error: Exception) -> str | None:
    """Returns what the driver says of a statement, on one line and without the statement itself."""
    if type(error).__name__ not in _ABOUT_THE_STATEMENT:
        return None
    text = " ".join(str(error).partition("\n\nLINE ")[0].split())
    return text if len(text) <= _LONGEST_DETAIL else f"{text[:_LONGEST_DETAIL]}..."


def is_busy(error: Exception) -> bool:
    """Returns whether an error says that somebody else has the file open."""
    return _meaning(error) is _BUSY


def _meaning(error: Exception) -> Meaning:
    text = str(error)
    if text.endswith(_READ_ONLY):
        return _STATEMENT
    if type(error).__name__ in _VAGUE:
        for pattern, meaning in _BY_MESSAGE:
            if pattern.search(text):
                return meaning
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((MEANINGS[name] for name in names if name in MEANINGS), _BUG)


@contextmanager
def explained(*, is_query: bool = False) -> Iterator[None]:
    """Turns the driver's errors into Penstock's; see `explain`."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise explain(error, is_query=is_query) from error
