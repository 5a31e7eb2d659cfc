from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import DataError
from tasks.sources.sql.columns import HEX, ReadColumn
from tasks.sources.sql.mysql_fields import PacketsDecoder
from tasks.sources.sql.mysql_rows import Packets

Row = Sequence[bytes | None]


def field(value: bytes | None) -> bytes:
    """A field as the protocol has it: `0xFB` for NULL, or the length in one, two or three bytes, and the text."""
    if value is None:
        return b"\xfb"
    if len(value) < 0xFB:
        return len(value).to_bytes() + value
    if len(value) < 1 << 16:
        return b"\xfc" + len(value).to_bytes(2, "little") + value
    return b"\xfd" + len(value).to_bytes(3, "little") + value


def packets(rows: Sequence[Row]) -> Packets:
    data, starts = bytearray(), []
    for number, row in enumerate(rows):
        body = b"".join(map(field, row))
        starts.append(len(data))
        data += len(body).to_bytes(3, "little") + (number % 256).to_bytes() + body
    return Packets(data, np.array(starts), len(data))


def decode(rows: Sequence[Row], *columns: ReadColumn) -> list[tuple[object, ...]]:
    table = PacketsDecoder("shop.t", columns).decode(packets(rows))
    return [tuple(row.values()) for row in table.to_pylist()]


def column(name: str, of_type: pa.DataType, decoding: str = "") -> ReadColumn:
    return ReadColumn(name, name, of_type, decoding)


TEXTS = [column("a", pa.string()), column("b", pa.string())]


def test_numbers_texts_nulls_and_empty_texts_keep_their_places() -> None:
    columns = [column("id", pa.int64()), column("note", pa.string()), column("flag", pa.bool_())]
    rows = [[b"1", b"", b"1"], [None, None, None], [b"-3", b'"x", y', b"0"]]
    assert decode(rows, *columns) == [(1, "", True), (None, None, None), (-3, '"x", y', False)]


@pytest.mark.parametrize("size", [10, 13, 31, 48, 250, 251, 252, 253, 255, 256, 65_535, 65_536, 70_000])
def test_a_field_of_any_length_ends_where_it_ends(size: int) -> None:
    rows = [[b"x" * size, b"behind"], [b"", b"y" * size], [None, b"z"]]
    assert decode(rows, *TEXTS) == [("x" * size, "behind"), ("", "y" * size), (None, "z")]


@given(
    st.lists(
        st.tuples(*[st.none() | st.text("a\n\r\x1f\x00\t,\"'ü\ufeff€", max_size=300)] * 2), min_size=1, max_size=20
    )
)
def test_text_may_hold_separators_line_ends_and_anything_else(rows: list[tuple[str | None, str | None]]) -> None:
    sent = [[None if one is None else one.encode() for one in row] for row in rows]
    assert decode(sent, *TEXTS) == rows


def test_hexadecimal_text_becomes_bytes_with_nulls_and_empty_values_beside_text_with_line_ends() -> None:
    rows = [[b"00FF0A", b"\n"], [None, b"x"], [b"", None]]
    assert decode(rows, column("a", pa.binary(), HEX), TEXTS[1]) == [(b"\x00\xff\n", "\n"), (None, "x"), (b"", None)]


def test_a_binary_value_that_the_server_could_not_write_is_refused() -> None:
    with pytest.raises(DataError, match="longer than the server can send"):
        decode([[b"00"], [b"-"]], column("a", pa.binary(), HEX))


@pytest.mark.parametrize("value", [b"\xff", b"a\xc3", b"\n\xfe"])
def test_text_that_is_no_utf_8_is_refused_with_its_column(value: bytes) -> None:
    with pytest.raises(DataError, match="not UTF-8") as caught:
        decode([[b"1", value]], column("id", pa.int8()), column("note", pa.string()))
    assert (caught.value.table, caught.value.column) == ("shop.t", "note")


def test_a_value_that_does_not_fit_is_refused_with_its_column() -> None:
    with pytest.raises(DataError, match="cannot hold") as caught:
        decode([[b"1", b"300"]], column("id", pa.int8()), column("size", pa.int8()))
    assert caught.value.column == "size"


@given(
    st.lists(
        st.tuples(
            st.none() | st.decimals("-9999999999999.99", "9999999999999.99", places=2, allow_nan=False),
            st.none() | st.decimals("-0.000000000000000009", "0.999999999999999999", places=18, allow_nan=False),
            st.none() | st.integers(-(10**18) + 1, 10**18 - 1),
            st.none() | st.decimals(-(10**35), 10**35, places=2, allow_nan=False),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_decimals_of_any_length_keep_sign_zeros_and_nulls(rows: list[tuple[Decimal | int | None, ...]]) -> None:
    types = (pa.decimal64(15, 2), pa.decimal64(18, 18), pa.decimal64(18, 0), pa.decimal128(38, 2))
    columns = [column(name, of_type) for name, of_type in zip("abcd", types, strict=True)]
    sent = [[None if one is None else f"{Decimal(one):f}".encode() for one in row] for row in rows]
    assert decode(sent, *columns) == [tuple(None if one is None else Decimal(one) for one in row) for row in rows]


@pytest.mark.parametrize("text", [b"1", b"-12.5", b"12.500", b"1250", b"-0.05", b"00012.50"])
def test_a_decimal_that_is_written_with_other_digits_has_the_same_value(text: bytes) -> None:
    rows = [[b"1.25", b"a.b"], [text, b"c.d"], [b"-7.00", None]]
    found = decode(rows, column("price", pa.decimal64(15, 2)), column("note", pa.string()))
    assert found == [(Decimal("1.25"), "a.b"), (Decimal(text.decode()), "c.d"), (Decimal(-7), None)]


@pytest.mark.parametrize("text", [b"1.x5", b"x.25", b"1..25", b"1.2.25", b"12.345", b".", b"-.-5"])
def test_what_is_no_decimal_of_these_digits_is_refused(text: bytes) -> None:
    with pytest.raises(DataError, match="cannot hold") as caught:
        decode([[b"1.25"], [text]], column("price", pa.decimal64(15, 2)))
    assert caught.value.column == "price"


@pytest.mark.parametrize("row_count", [1, 4_095, 4_096, 4_097, 20_000])
def test_rows_of_several_slices_keep_their_order(row_count: int) -> None:
    rows = [[str(n).encode(), None if n % 7 == 0 else b"x" * (n % 300)] for n in range(row_count)]
    found = decode(rows, column("id", pa.int32()), TEXTS[1])
    assert found == [(n, None if n % 7 == 0 else "x" * (n % 300)) for n in range(row_count)]


@pytest.mark.parametrize("row", [[b"1"], [b"1", b"2", b"3"]])
def test_a_row_with_another_number_of_fields_is_never_a_row(row: Row) -> None:
    with pytest.raises(DataError, match="cannot be taken apart"):
        decode([[b"1", b"2"], row], *TEXTS)
