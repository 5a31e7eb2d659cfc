"""Reads the rows of a result as they come over the wire, without a Python value for each field.

PyMySQL signs in, sends the statement and reads what describes its result; its own reading of rows takes ten times as
long. A row is a packet: three bytes of length, a number, and the fields as texts, each with its length before it (MySQL
Internals, "Text Resultset Row" and "Protocol::LengthEncodedString"). Nothing is read ahead of who asks, so that a slow
lake slows the server down instead of filling the memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Generator
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pymysql

BLOCK_BYTES = 8 * 2**20
"""How much is decoded at once; it becomes one row group. One connection reads a table, and holds two such blocks."""

HEADER_BYTES = 4
_LENGTH = Struct("<BH")
_LONGEST_PACKET = 0xFF_FF_FF
_READ_BYTES = 1 << 18
_END, _ERROR = 0xFE, 0xFF
_LOST_CONNECTION = 2013


class TooLongError(Exception):
    """A row is as long as a packet, or a value is longer than max_allowed_packet."""


class Packets(NamedTuple):
    """Whole rows as they came: packets, one behind the other; whoever gets them may write over them.

    Attributes:
        data: The packets, and perhaps more behind them.
        starts: Where each begins.
        end: Where the last ends.
    """

    data: bytearray
    starts: array[int]
    end: int


def stream_rows(connection: pymysql.Connection[Any], statement: str) -> Generator[Packets, None, None]:
    """Yields the rows of a statement's result in blocks.

    Raises:
        TooLongError: a row cannot be had.
        MySQLError: PyMySQL's own, for what the server says, and for a connection that broke.
    """
    connection.query(statement, unbuffered=True)
    is_over = False
    try:
        # From here on, the socket itself is asked.
        begun = _read_ahead(connection)
        while not is_over:
            data = bytearray(BLOCK_BYTES + _READ_BYTES)
            data[: len(begun)] = begun
            starts = array("q")
            filled, position = len(begun), 0
            while True:
                position = _find_rows(data, filled, position, starts)
                is_over = bool(starts) and _is_end(data, starts[-1], position)
                if is_over or position >= BLOCK_BYTES:
                    break
                filled += _read_more(connection, data, filled, position)
            if is_over:
                position = starts.pop()
            if starts:
                yield Packets(data, starts, position)
            begun = bytes(data[position:filled])
    finally:
        _forget_result(connection, is_over=is_over)


def _forget_result(connection: Any, *, is_over: bool) -> None:
    """Keeps PyMySQL from reading the rest of a result, which is at its end or will not be read."""
    connection._result.unbuffered_active = False  # noqa: SLF001
    connection._result = None  # noqa: SLF001
    if not is_over:
        connection._force_close()  # noqa: SLF001


def _read_ahead(connection: Any) -> bytes:
    """Returns what the connection's file has read beyond the result's description; nothing where nobody is there."""
    file = connection._rfile  # noqa: SLF001
    found: bytes = file.read1(len(file.peek()))
    return found


def _read_more(connection: Any, data: bytearray, filled: int, position: int) -> int:
    """Reads what has come into a block behind what it holds, and returns how many bytes it was.

    A packet that does not fit, of which `position` is the beginning, gets the room that it needs.
    """
    from pymysql.err import OperationalError

    if filled == len(data):
        length = _length(data, position)
        if length == _LONGEST_PACKET:
            raise TooLongError
        data += bytes(length)
    with memoryview(data)[filled : filled + _READ_BYTES] as room:
        found: int = connection._rfile.raw.readinto(room)  # noqa: SLF001
    if not found:
        raise OperationalError(_LOST_CONNECTION, "Lost connection to MySQL server during query")
    return found


def _find_rows(data: bytearray, filled: int, position: int, starts: array[int]) -> int:
    """Appends where the packets begin that are there as a whole, and returns where the last of them ends."""
    append = starts.append
    last = filled - HEADER_BYTES
    while position <= last:
        append(position)
        # Once for each row, most of which are short: unpacking all three bytes takes a third longer.
        length, higher, highest = data[position], data[position + 1], data[position + 2]
        position += HEADER_BYTES + length
        if higher or highest:
            position += (higher << 8) + (highest << 16)
    return starts.pop() if position > filled else position


def _length(data: bytearray, position: int) -> int:
    low, high = _LENGTH.unpack_from(data, position)
    return int(low + (high << 8))


def _is_end(data: bytearray, start: int, end: int) -> bool:
    """Returns whether a packet is no row but the result's end, which nothing follows; raises the error that it may be.

    No row begins with these bytes: a field of more than 16 MB would, and does not fit into a packet.
    """
    from pymysql.err import raise_mysql_exception

    first = data[start + HEADER_BYTES]
    if first == _ERROR:
        raise_mysql_exception(bytes(data[start + HEADER_BYTES : end]))
    return first == _END
