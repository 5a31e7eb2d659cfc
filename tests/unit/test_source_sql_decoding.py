from __future__ import annotations

import pickle

import pyarrow as pa
import pytest

from penstock.errors import ConfigurationError, DataError, PenstockError, RejectedError, TransientError
from tasks.sources.sql.columns import HEX, ReadColumn
from tasks.sources.sql.failures import BY_NUMBER, BY_SQLSTATE, explained
from tasks.sources.sql.postgres_fields import CopyDecoder


def decode(text: bytes, *columns: ReadColumn) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = CopyDecoder("shop.t", columns).decode(text).to_pylist()
    return rows


def column(name: str, of_type: pa.DataType, decoding: str = "") -> ReadColumn:
    return ReadColumn(name, name, of_type, decoding)


def test_null_and_empty_text_are_told_apart_and_text_may_hold_anything() -> None:
    rows = decode(
        b'1\ta\\nb\tx"y\n2\t\\N\t\n3\t\\\\N\t\\\\\\\\n\\t\\r\\b\\f\\v,\\\\.\n',
        *map(column, "abc", (pa.int64(), pa.string(), pa.string())),
    )
    assert rows == [
        {"a": 1, "b": "a\nb", "c": 'x"y'},
        {"a": 2, "b": None, "c": ""},
        {"a": 3, "b": "\\N", "c": "\\\\n\t\r\b\f\v,\\."},
    ]


@pytest.mark.parametrize("values", [["\\N", None, "", "\\"], [None], [""], ["", None], ["\\\\N\\"]])
def test_a_column_of_its_own_keeps_each_value(values: list[str | None]) -> None:
    lines = ["\\N" if one is None else one.replace("\\", "\\\\") for one in values]
    text = "".join(f"{line}\n" for line in lines).encode()
    assert [row["a"] for row in decode(text, column("a", pa.string()))] == values


@pytest.mark.parametrize("size", [1 << 20, 3 << 20])
def test_a_row_that_is_longer_than_what_is_read_at_once_keeps_its_value(size: int) -> None:
    value = "ü" * (size // 2)
    rows = decode(f"1\ta\n2\t{value}\n3\tz\n".encode(), column("id", pa.int8()), column("note", pa.string()))
    assert [(row["id"], row["note"]) for row in rows] == [(1, "a"), (2, value), (3, "z")]


def test_a_value_behind_a_longer_row_that_does_not_fit_is_refused_with_its_column() -> None:
    text = f"1\t{'x' * (3 << 20)}\n300\tz\n".encode()
    with pytest.raises(DataError, match="cannot hold") as caught:
        decode(text, column("id", pa.int8()), column("note", pa.string()))
    assert caught.value.column == "id"
    assert caught.value.__context__ is None


def test_the_mark_of_a_file_is_the_first_values() -> None:
    assert decode("\ufeffa\n".encode(), column("a", pa.string())) == [{"a": "\ufeffa"}]


def test_hexadecimal_text_becomes_bytes_in_either_case_with_nulls_and_empty_values() -> None:
    everything = bytes(range(256))
    text = f"{everything.hex()}\n\\N\n\n{everything.hex().upper()}\nff\n".encode()
    assert [row["a"] for row in decode(text, column("a", pa.binary(), HEX))] == [
        everything,
        None,
        b"",
        everything,
        b"\xff",
    ]
    assert [row["a"] for row in decode(b"\\N\n\\N\n", column("a", pa.binary(), HEX))] == [None, None]


def test_columns_of_the_same_name_but_for_case_keep_their_own_values() -> None:
    assert decode(b"1\t2\n", column("Id", pa.int8()), column("id", pa.int8())) == [{"Id": 1, "id": 2}]


def test_text_that_is_no_utf_8_is_refused_with_its_column() -> None:
    with pytest.raises(DataError, match="not UTF-8") as caught:
        decode(b"1\t\xff\n", column("a", pa.int8()), column("note", pa.string()))
    assert (caught.value.table, caught.value.column) == ("shop.t", "note")


def test_a_row_with_another_number_of_fields_is_never_a_row() -> None:
    with pytest.raises(DataError, match="cannot be taken apart"):
        decode(b"1\t2\n3\n", column("a", pa.int8()), column("b", pa.int8()))


def test_every_meaning_says_what_to_do_and_is_one_of_the_tree() -> None:
    for meaning in (*BY_NUMBER.values(), *BY_SQLSTATE.values()):
        assert issubclass(meaning.kind, PenstockError)
        assert meaning.guidance.endswith(".")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1045, RejectedError),
        (1142, RejectedError),
        (1049, ConfigurationError),
        (1205, TransientError),
        (2013, TransientError),
        (1969, RejectedError),
        (9999, RejectedError),
    ],
)
def test_a_mysql_error_means_what_its_number_says(number: int, kind: type[PenstockError]) -> None:
    from pymysql.err import OperationalError

    with pytest.raises(kind) as caught, explained(connection="shop", table="t"):
        raise OperationalError(number, "the statement with 'a value'")
    assert (caught.value.connection, caught.value.table) == ("shop", "t")
    assert "a value" not in str(pickle.loads(pickle.dumps(caught.value)))  # noqa: S301


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("42501", RejectedError),
        ("28P01", RejectedError),
        ("3D000", ConfigurationError),
        ("57P01", TransientError),
        ("40001", TransientError),
        ("22012", DataError),
        ("ZZ999", RejectedError),
    ],
)
def test_a_postgresql_error_means_what_its_code_says(code: str, kind: type[PenstockError]) -> None:
    import psycopg

    error = psycopg.OperationalError("the statement with 'a value'")
    error.sqlstate = code
    with pytest.raises(kind), explained(connection="shop"):
        raise error


def test_an_error_that_is_no_drivers_passes_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), explained(connection="shop"):
        raise ZeroDivisionError
