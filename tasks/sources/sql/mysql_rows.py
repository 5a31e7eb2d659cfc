"""Reads the rows of a result as they come over the wire, without a Python value for each field.

PyMySQL signs in, sends the statement and reads what describes its result; its own reading of rows takes ten times as
long. A row is a packet: three bytes of length, a number, and the fields as texts, each with its length before it (MySQL
Internals, "Text Resultset Row" and "Protocol::LengthEncodedString"). Nothing is read ahead of who asks, so that a slow
lake slows the server down instead of filling the memory.
"""

from __future__ import annotations

from collections.abc import Generator
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.sources.sql.session import BLOCK_BYTES

if TYPE_CHECKING:
    import pymysql

HEADER_BYTES = 4
_WORD = Struct("<I")
_LENGTH_MASK = 0xFF_FF_FF
_LONGEST_PACKET = 0xFF_FF_FF
_READ_BYTES = 1 << 18
_END, _ERROR = 0xFE, 0xFF
_LOST_CONNECTION = 2013


class TooLongError(Exception):
    """A row is as long as a packet, or a value is longer than max_allowed_packet."""


class Packets(NamedTuple):
    """Whole rows as they came: packets, one behind the other, and where each begins."""

    data: bytes
    starts: list[int]


def stream_rows(connection: pymysql.Connection[Any], statement: str) -> Generator[Packets, None, None]:
    """Yields the rows of a statement's result in blocks.

    Raises:
        TooLongError: a row cannot be had.
        MySQLError: PyMySQL's own, for what the server says, and for a connection that broke.
    """
    connection.query(statement, unbuffered=True)
    pending = bytearray()
    starts: list[int] = []
    position = 0
    is_over = False
    try:
        while not is_over:
            _read_more(connection, pending)
            position = _find_rows(pending, position, starts)
            is_over = bool(starts) and _is_end(pending, starts[-1], position)
            if is_over:
                position = starts.pop()
            if starts and (is_over or position >= BLOCK_BYTES):
                yield Packets(bytes(memoryview(pending)[:position]), starts)
                pending, starts, position = pending[position:], [], 0
    finally:
        _forget_result(connection, is_over=is_over)


def _forget_result(connection: Any, *, is_over: bool) -> None:
    """Keeps PyMySQL from reading the rest of a result, which is at its end or will not be read."""
    connection._result.unbuffered_active = False  # noqa: SLF001
    connection._result = None  # noqa: SLF001
    if not is_over:
        connection._force_close()  # noqa: SLF001


def _read_more(connection: Any, pending: bytearray) -> None:
    from pymysql.err import OperationalError

    found: bytes = connection._rfile.read1(_READ_BYTES)  # noqa: SLF001
    if not found:
        raise OperationalError(_LOST_CONNECTION, "Lost connection to MySQL server during query")
    pending += found


def _find_rows(data: bytearray, position: int, starts: list[int]) -> int:
    """Appends where the packets begin that are there as a whole, and returns where the last of them ends."""
    unpack, append = _WORD.unpack_from, starts.append
    last = len(data) - HEADER_BYTES
    while position <= last:
        length = unpack(data, position)[0] & _LENGTH_MASK
        if position + length > last:
            break
        if length == _LONGEST_PACKET:
            raise TooLongError
        append(position)
        position += HEADER_BYTES + length
    return position


def _is_end(data: bytearray, start: int, end: int) -> bool:
    """Returns whether a packet is no row but the result's end, which nothing follows; raises the error that it may be.

    No row begins with these bytes: a field of more than 16 MB would, and does not fit into a packet.
    """
    from pymysql.err import raise_mysql_exception

    first = data[start + HEADER_BYTES]
    if first == _ERROR:
        raise_mysql_exception(bytes(data[start + HEADER_BYTES : end]))
    return first == _END
