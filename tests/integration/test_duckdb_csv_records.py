"""The records of CSV files, told apart without DuckDB."""

from __future__ import annotations

import io
import random

import pytest

from penstock.artifacts import CsvDialect
from tasks.warehouses.duckdb import csv_records
from tasks.warehouses.duckdb.csv_records import (
    count_by_parity,
    count_exactly,
    lines,
    physical_lines,
    records,
    unclosed_record,
)

PIECES = ["a", " ", ",", '"', "\n", "\r\n", "\r", "é", '5"', "\\"]
CSV = CsvDialect()


def _field(chance: random.Random, *, with_stray_quotes: bool) -> str:
    value = "".join(chance.choices(PIECES, k=chance.randint(0, 5)))
    is_open = value.lstrip(" ").startswith('"') or any(piece in value for piece in ",\n\r")
    if is_open or ('"' in value and not with_stray_quotes) or chance.random() < 0.2:
        return '"' + value.replace('"', '""') + '"'
    return value


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 50, 1 << 20])
def test_records_are_told_apart_wherever_chunks_end(chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_records, "_CHUNK_BYTES", chunk_bytes)
    chance = random.Random(chunk_bytes)  # noqa: S311 - test data
    for number in range(200):
        line_end, with_stray_quotes = chance.choice(["\n", "\r\n", "\r"]), number % 2 == 0
        rows = [
            ",".join(_field(chance, with_stray_quotes=with_stray_quotes) for _ in range(chance.randint(2, 4)))
            for _ in range(chance.randint(0, 20))
        ]
        written = rows + [""] * chance.randint(0, 3)
        chance.shuffle(written)
        data = "".join(row + line_end for row in written).encode()
        exact = count_exactly(io.BytesIO(data), CSV)
        assert (exact.records, exact.blank) == (len(rows), len(written) - len(rows)), data
        assert exact.line_ends == ({line_end.encode()} if written else set())
        if not with_stray_quotes:
            assert count_by_parity(io.BytesIO(data), CSV) == exact, data


def test_stray_quotes_mislead_the_fast_count_and_not_the_exact_one() -> None:
    data = b'id,size\n1,5" pipe\n2,"two\nlines"\n3,x\n'
    assert count_exactly(io.BytesIO(data), CSV).records == 4
    assert count_by_parity(io.BytesIO(data), CSV).records != 4


def test_a_quote_that_a_backslash_escapes_closes_nothing() -> None:
    data = b'id,name\n1,"a\\"\nb"\n2,"\\\\"\n3,c\n'
    assert count_exactly(io.BytesIO(data), CsvDialect(escape="\\")).records == 4


def test_without_a_quote_every_line_is_a_record() -> None:
    data, dialect = b'id,size\n1,"two\n\n2,5" pipe\n3,"x"\n', CsvDialect(quote="")
    for count in (count_by_parity, count_exactly):
        assert count(io.BytesIO(data), dialect) == (4, 1, {b"\n"})
    assert physical_lines(io.BytesIO(data), dialect, {4}) == {4: 4}
    assert unclosed_record(io.BytesIO(data), dialect) is None


def test_several_line_ends_are_all_told() -> None:
    data = b'a,b\r\n1,"x\r"\n2,y\n'
    assert count_exactly(io.BytesIO(data), CSV).line_ends == {b"\r\n", b"\n"}


def test_utf_16_is_read_as_text() -> None:
    dialect = CsvDialect(encoding="utf-16")
    data = 'id,n\n1,"é\nłĊ"\n2,b\n'.encode("utf-16")
    assert count_exactly(io.BytesIO(data), dialect).records == 3
    assert b"".join(lines(io.BytesIO(data), dialect)).decode() == 'id,n\n1,"é\nłĊ"\n2,b\n'


def test_a_record_that_is_never_closed_is_found_with_its_line() -> None:
    data = b'id,n\n1,"two\nlines"\n2,"b\n3,c\n'
    assert unclosed_record(io.BytesIO(data), CSV) == (4, b'2,"b\n3,c\n')
    assert unclosed_record(io.BytesIO(b'id,n\n1,"b"'), CSV) is None
    assert count_exactly(io.BytesIO(data), CSV).records == 3


def test_records_know_the_lines_they_begin_on() -> None:
    data = b'id,n\n\n1,"two\n\nlines"\n2,b\r\n3,c\n'
    assert physical_lines(io.BytesIO(data), CSV, {1, 3, 4, 5, 9}) == {1: 1, 3: 3, 4: 6, 5: 7}
    assert [record.line_count for record in records(lines(io.BytesIO(data), CSV), CSV)] == [1, 1, 3, 1, 1]
