"""Reads the rows of a result as they come over the wire, without a Python value for each field.

PyMySQL signs in, sends the statement and reads what describes its result; its own reading of rows takes ten times as
long. A row is a packet: three bytes of length, a number, and the fields as texts, each with its length before it (MySQL
Internals, "Text Resultset Row" and "Protocol::LengthEncodedString"). Nothing is read ahead of who asks, so that a slow
lake slows the server down instead of filling the memory.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Generator
from selectors import EVENT_READ, BaseSelector, DefaultSelector
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pymysql

    Numbers = np.ndarray[Any, Any]

BLOCK_BYTES = 8 * 2**20
"""How much is decoded at once; it becomes one row group. One connection reads a table, and holds two such blocks."""

HEADER_BYTES = 4
_LENGTH = Struct("<BH")
_LONGEST_PACKET = 0xFF_FF_FF
_SPARE_BYTES = 1 << 18
"""Room behind a block, for the rest of its last row."""
_PAUSE_SECONDS = 0.002
"""How long more is waited for. Servers send 16 KB at a time, and each read by itself would cost as much as decoding."""
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
    starts: Numbers
    end: int


def stream_rows(connection: pymysql.Connection[Any], statement: str) -> Generator[Packets, None, None]:
    """Yields the rows of a statement's result in blocks.

    Raises:
        TooLongError: a row cannot be had.
        MySQLError: PyMySQL's own, for what the server says, and for a connection that broke.
    """
    import numpy as np
    from pymysql.err import OperationalError

    connection.query(statement, unbuffered=True)
    is_over = False
    try:
        # From here on, the socket itself is asked.
        begun = _read_ahead(connection)
        while not is_over:
            data = bytearray(BLOCK_BYTES + _SPARE_BYTES)
            data[: len(begun)] = begun
            found: list[Numbers] = []
            filled, position = len(begun), 0
            while True:
                starts, position = _find_rows(data, filled, position)
                if starts.size:
                    found.append(starts)
                    is_over = _is_end(data, int(starts[-1]), position)
                if is_over or position >= BLOCK_BYTES:
                    break
                filled = _read_more(connection, data, filled, position)
            starts = np.concatenate(found)
            if is_over:
                position, starts = int(starts[-1]), starts[:-1]
            if starts.size:
                yield Packets(data, starts, position)
            begun = bytes(data[position:filled])
    except OSError as error:
        raise OperationalError(_LOST_CONNECTION, f"Lost connection to MySQL server during query ({error})") from None
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
    """Reads what comes into a block behind what it holds, until it is full or nothing comes, and returns where it ends.

    A packet that does not fit, of which `position` is the beginning, gets the room that it needs.
    """
    if filled == len(data):
        length = _length(data, position)
        if length == _LONGEST_PACKET:
            raise TooLongError
        data += bytes(length)
    file = connection._rfile.raw  # noqa: SLF001
    with DefaultSelector() as socket, memoryview(data) as room:
        socket.register(file, EVENT_READ)
        while True:
            found: int = file.readinto(room[filled:])
            if not found:
                raise ConnectionResetError("the server ended it")
            filled += found
            if filled == len(data) or not _is_more(socket):
                return filled


def _is_more(socket: BaseSelector) -> bool:
    """Returns whether more has come, now or in a moment."""
    if socket.select(0):
        return True
    time.sleep(_PAUSE_SECONDS)
    return bool(socket.select(0))


def _find_rows(data: bytearray, filled: int, position: int) -> tuple[Numbers, int]:
    """Returns where the packets begin that are there as a whole, and where the last of them ends."""
    import numpy as np

    short, position = _find_short_rows(data, filled, position)
    starts = array("q")
    append = starts.append
    last = filled - HEADER_BYTES
    while position <= last:
        # Once for each row: unpacking all three bytes takes a third longer.
        length, higher, highest = data[position], data[position + 1], data[position + 2]
        end = position + HEADER_BYTES + length
        if higher or highest:
            end += (higher << 8) + (highest << 16)
        if end > filled:
            break
        append(position)
        position = end
    return np.append(short, np.asarray(starts)), position


def _find_short_rows(data: bytearray, filled: int, position: int) -> tuple[Numbers, int]:
    """Finds packets as `_find_rows` does, all at once, up to the first that has 256 bytes or more.

    A shorter one begins with its length and two zeros. So may what is no packet; but from the first on, of which it is
    known, each begins where the one before it ends.
    """
    import numpy as np

    if any(data[position + 1 : position + HEADER_BYTES - 1]):
        # Where rows are long, or one is so long that it comes in pieces, there is nothing to find.
        return np.empty(0, dtype=np.int64), position
    raw = np.frombuffer(data, dtype=np.uint8, count=filled)[position:]
    zeros = np.flatnonzero(raw == 0)
    starts = zeros[:-1][np.diff(zeros) == 1] - 1
    lengths = raw.take(starts, mode="clip")
    # A packet's number may be zero, too: then its length's last byte is no beginning.
    starts, lengths = starts[lengths > 0], lengths[lengths > 0]
    ends = starts + lengths + HEADER_BYTES
    follows = starts == np.append(0, ends)[:-1]
    count = int(np.append(follows & (ends <= raw.size), False).argmin())
    return position + starts[:count], position + (int(ends[count - 1]) if count else 0)


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
