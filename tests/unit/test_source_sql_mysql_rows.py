"""The rows of a result, however they come over the socket: a server's bytes are sent as they are over a real one."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymysql.err import OperationalError

from tasks.sources.sql import mysql_rows
from tasks.sources.sql.mysql_rows import HEADER_BYTES, stream_rows

BLOCK_BYTES = 2_000
END = b"\xfe\x00\x00\x02\x00"


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mysql_rows, "BLOCK_BYTES", BLOCK_BYTES)
        patch.setattr(mysql_rows, "_SPARE_BYTES", 100)
        yield


def packed(bodies: Sequence[bytes]) -> bytes:
    """Returns packets as the protocol has them: three bytes of length, a number from 2 on, and the body."""
    return b"".join(
        len(body).to_bytes(3, "little") + (number % 256).to_bytes() + body for number, body in enumerate(bodies, 2)
    )


@contextmanager
def sending(*pieces: bytes, pause: float = 0, is_lost: bool = False) -> Iterator[Any]:
    """Gives a connection, as PyMySQL has it behind the description of a result, over which the pieces come."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)

    def send() -> None:
        for piece in pieces:
            theirs.sendall(piece)
            time.sleep(pause)
        if is_lost:
            theirs.close()

    thread = threading.Thread(target=send)
    with ours, theirs, ours.makefile("rb") as file:
        thread.start()
        yield SimpleNamespace(
            query=lambda statement, unbuffered: None,
            sock=ours,
            _rfile=file,
            _result=SimpleNamespace(),
            _force_close=ours.close,
        )
        thread.join()


def read(connection: Any) -> list[bytes]:
    """Returns the rows that come, each block checked for what it promises."""
    found: list[bytes] = []
    for data, starts, end in stream_rows(connection, "SELECT"):
        bounds = [*map(int, starts), end]
        assert bounds[0] == 0
        found += [bytes(data[begin + HEADER_BYTES : behind]) for begin, behind in pairwise(bounds)]
    return found


# What begins a row is a field's length or NULL. Zeros and lengths among the bytes look like beginnings.
bodies = st.builds(
    lambda first, rest: bytes([first]) + rest,
    st.integers(0, 0xFD),
    st.one_of(
        st.lists(st.sampled_from([0, 0, 0, 1, 5, 200]), max_size=270).map(bytes),
        st.binary(max_size=40),
        st.integers(250, 700).map(bytes),
    ),
)


@given(st.lists(bodies, max_size=120), st.integers(1, 5_000))
def test_rows_are_those_that_were_sent_whatever_they_hold_and_however_they_are_cut(
    rows: list[bytes], size: int
) -> None:
    sent = packed([*rows, END])
    with sending(*(sent[start : start + size] for start in range(0, len(sent), size))) as connection:
        assert read(connection) == rows


def test_thousands_of_short_rows_and_long_ones_between_arrive_in_order() -> None:
    rows = [b"\x05%05d\x00\x00\x03abc" % number for number in range(5_000)]
    rows[2_500:2_500] = [b"\xfc\x2c\x01" + b"x" * 300, b"\x00" * 255, b"\x00" * 256, b"\x01" * 9_000]
    with sending(packed([*rows, END])) as connection:
        assert read(connection) == rows


def test_a_server_that_pauses_within_rows_is_waited_for_and_its_last_row_is_not() -> None:
    rows = [b"\x01a", b"\x00", b"\x02bc"]
    sent = packed([*rows, END])
    with sending(*(sent[place : place + 3] for place in range(0, len(sent), 3)), pause=0.01) as connection:
        assert read(connection) == rows


@pytest.mark.parametrize("message", [b"killed", b"killed " * 60], ids=["short", "longer-than-a-short-row"])
def test_an_error_behind_rows_is_raised_while_the_connection_stays_open(message: bytes) -> None:
    error = b"\xff\x25\x05#70100" + message
    with sending(packed([b"\x01a", b"\x01b", error])) as connection, pytest.raises(OperationalError) as caught:
        read(connection)
    assert caught.value.args == (1317, message.decode())


def test_a_connection_that_is_reset_or_says_nothing_for_too_long_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        sending(packed([b"\x01a"])) as connection,
        pytest.raises(OperationalError, match=r"Lost connection.*timed out"),
    ):
        connection.sock.settimeout(0.05)
        read(connection)
    with sending() as connection, pytest.raises(OperationalError, match=r"Lost connection.*reset by peer") as caught:
        monkeypatch.setattr(socket.SocketIO, "readinto", _reset)
        read(connection)
    assert caught.value.args[0] == 2013


def _reset(self: socket.SocketIO, buffer: object) -> int:
    raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def test_a_connection_that_ends_between_rows_is_lost_and_not_the_end() -> None:
    with (
        sending(packed([b"\x01a", b"\x01b"]), is_lost=True) as connection,
        pytest.raises(OperationalError, match="Lost connection"),
    ):
        read(connection)
