"""Reads the rows of a text result of one column as they come over the wire, without a Python value for each field.

PyMySQL signs in, sends the statement and reads what describes its result; its own reading of rows takes ten times as
long. A row is a packet: three bytes of length, a number, and the text with its length before it (MySQL Internals,
"Text Resultset Row" and "Protocol::LengthEncodedString"). Nothing is read ahead of who asks, so that a slow lake slows
the server down instead of filling the memory.
"""

from __future__ import annotations

from collections.abc import Generator
from struct import Struct
from typing import TYPE_CHECKING, Any

from tasks.sources.sql.session import BLOCK_BYTES

if TYPE_CHECKING:
    import pymysql
    from pyarrow import lib as pa

_WORD = Struct("<I")
_HEADER_BYTES = 4
_LENGTH_MASK = 0xFF_FF_FF
_LONGEST_PACKET = 0xFF_FF_FF
_READ_BYTES = 1 << 18
_FIRST_OF_LENGTHS = 0xFB
_NULL, _TWO_BYTES, _THREE_BYTES, _END, _ERROR = 0xFB, 0xFC, 0xFD, 0xFE, 0xFF
_END_BYTES = 9
_LOST_CONNECTION = 2013


class TooLongError(Exception):
    """A row is NULL, as the server writes a text longer than max_allowed_packet, or it is as long as a packet."""


def stream_text(connection: pymysql.Connection[Any], statement: str) -> Generator[pa.Buffer, None, None]:
    """Yields blocks of the text of a statement's only column, each of whole rows.

    Raises:
        TooLongError: a row cannot be had.
        MySQLError: PyMySQL's own, for what the server says, and for a connection that broke.
    """
    from pyarrow import lib as pa

    connection.query(statement, unbuffered=True)
    pending = b""
    is_over = False
    try:
        while not is_over:
            rows: list[memoryview] = []
            size = 0
            while size < BLOCK_BYTES and not is_over:
                used, is_over = _take_rows(pending, rows)
                size += used
                pending = pending[used:]
                if not used:
                    pending += _more(connection)
            if rows:
                yield pa.py_buffer(b"".join(rows))
    finally:
        _forget_result(connection, is_over=is_over)


def _forget_result(connection: Any, *, is_over: bool) -> None:
    """Keeps PyMySQL from reading the rest of a result, which is at its end or will not be read."""
    connection._result.unbuffered_active = False  # noqa: SLF001
    connection._result = None  # noqa: SLF001
    if not is_over:
        connection._force_close()  # noqa: SLF001


def _more(connection: Any) -> bytes:
    from pymysql.err import OperationalError

    found: bytes = connection._rfile.read1(_READ_BYTES)  # noqa: SLF001
    if not found:
        raise OperationalError(_LOST_CONNECTION, "Lost connection to MySQL server during query")
    return found


def _take_rows(data: bytes, rows: list[memoryview]) -> tuple[int, bool]:
    """Appends the rows that are there as a whole; returns how many bytes they took, and whether the result is over."""
    view = memoryview(data)
    unpack, append = _WORD.unpack_from, rows.append
    position, size = 0, len(data)
    while position + _HEADER_BYTES < size:
        start = position + _HEADER_BYTES
        end = start + (unpack(data, position)[0] & _LENGTH_MASK)
        if end > size:
            break
        first = data[start]
        if first < _FIRST_OF_LENGTHS:
            append(view[start + 1 : end])
        elif first == _TWO_BYTES:
            append(view[start + 3 : end])
        elif first == _THREE_BYTES and end - start < _LONGEST_PACKET:
            append(view[start + 4 : end])
        elif first == _END and end - start < _END_BYTES:
            return end, True
        else:
            _refuse(first, bytes(view[start:end]))
        position = end
    return position, False


def _refuse(first: int, packet: bytes) -> None:
    from pymysql.err import raise_mysql_exception

    if first == _ERROR:
        raise_mysql_exception(packet)
    raise TooLongError
