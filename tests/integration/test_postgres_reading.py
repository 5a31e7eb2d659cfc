"""How rows get into PostgreSQL: which files COPY takes as they are, and that both ways come to the same rows."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.artifacts import Compression, CsvDialect, FileFormat, StagedFile
from penstock.errors import DataError
from penstock.naming import standardise_columns
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tasks.warehouses.postgres import landing
from tasks.warehouses.postgres.plain_csv import NotPlainError, PlainCsv, may_be_plain
from tests.contract.postgres_server import fresh_postgres
from tests.contract.warehouse_cases import TARGET, Loader

APPEND = {"kind": "append"}
CELLS = st.text(alphabet='ab"\n\r,\\. é', max_size=4) | st.none()


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    return Loader(open_warehouse(fresh_postgres()), LocalStore(tmp_path / "lake"))


@pytest.fixture
def general(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the loads that went through the general reader."""
    counted: list[int] = []
    land = landing._land_generally

    def land_and_count(state: Any) -> None:
        counted.append(1)
        land(state)

    monkeypatch.setattr(landing, "_land_generally", land_and_count)
    return counted


def staged(body: bytes = b"", **dialect: Any) -> StagedFile:
    return StagedFile(
        key="a.csv",
        format=FileFormat.CSV,
        compression=Compression.NONE,
        size_bytes=len(body),
        etag="1",
        columns=standardise_columns(["a", "b"]),
        dialect=CsvDialect(**dialect),
        header_rows=1,
        source_name="a.csv",
    )


@pytest.mark.parametrize(
    "file",
    [
        {"csv": 'id,n\n1,a\n2,"b\nb"\n'},
        {"csv": 'id,n\r\n1,"a""a"\r\n2,\r\n'},
        {"csv": "id;n\n1;'a'\n", "dialect": {"delimiter": ";", "quote": "'", "escape": "'"}},
        {"csv": "id,n\n1,\xe9\n", "dialect": {"encoding": "latin-1"}},
        {"csv": "\ufeffid,n\n1,a\n", "columns": ["id", "n"]},
        {"csv": "1,a\n", "columns": ["id", "n"], "header_rows": 0},
        {"csv": "id,n\n1,a\n", "compression": "gzip"},
        {"csv": "id,n\n1,a\n", "compression": "zstd"},
        {"csv": "id,n\n1,C:\\.a\n"},
    ],
)
def test_plain_files_are_copied_as_they_are(file: dict[str, Any], loader: Loader, general: list[int]) -> None:
    assert loader.load(APPEND, [file]).rows_landed == file["csv"].count("\n") - file.get("header_rows", 1) - (
        1 if "b\nb" in file["csv"] else 0
    )
    assert general == []


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ('id,n\n1,5" pipe\n2,6" pipe\n', [("1", '5" pipe'), ("2", '6" pipe')]),
        ("id,n\n1,a\n\\.\n2,b\n", None),
        ('id,n\n1,"a\n\\.\nb"\n2,c\n', [("1", "a\n\\.\nb"), ("2", "c")]),
        ('id,n\n1, "a"\n', None),
        ("id,n\n1,a\n\n2,b\n", [("1", "a"), ("2", "b")]),
        ('id,n\n1,"a"b\n', None),
    ],
)
def test_what_copy_would_misread_is_read_by_the_general_reader(
    body: str, rows: list[tuple[str, str]] | None, loader: Loader, general: list[int]
) -> None:
    if rows is None:
        try:
            loader.load(APPEND, [{"csv": body}])
        except DataError:
            assert not loader.is_there()
    else:
        loader.load(APPEND, [{"csv": body}])
        assert loader.warehouse.query(f"SELECT id, n FROM {TARGET} ORDER BY id").rows == rows
    assert general == [1]


@pytest.mark.parametrize("dialect", [{"delimiter": "||"}, {"quote": ""}, {"escape": "\\"}, {"encoding": "utf-16"}])
def test_dialects_that_copy_does_not_know_are_not_plain(dialect: dict[str, Any]) -> None:
    assert may_be_plain(staged())
    assert not may_be_plain(staged(**dialect))


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS), max_size=6),
    line_end=st.sampled_from(["\n", "\r\n"]),
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    is_ended=st.booleans(),
)
def test_records_are_counted_however_the_file_is_cut_into_blocks(
    rows: list[tuple[str | None, str | None]], line_end: str, sizes: list[int], is_ended: bool
) -> None:
    body = written([("a", "b"), *rows], line_end)
    data = (body if is_ended else body[: -len(line_end)]).encode()
    plain = PlainCsv(staged())
    try:
        assert b"".join(plain.checked(cut(data, sizes))) == data
    except NotPlainError:
        assert "\\." in body
    else:
        assert plain.records == len(rows) + 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.text(alphabet='ab,"\n\\. ', max_size=25))
def test_any_text_comes_to_the_same_rows_on_both_ways(
    body: str, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The general reader is DuckDB's, whose rows the contract's cases pin down."""
    answers = []
    for is_plain in (True, False):
        with monkeypatch.context() as patched, tempfile.TemporaryDirectory() as folder:
            if not is_plain:
                patched.setattr(landing, "may_be_plain", lambda _: False)
            other = Loader(loader.warehouse, LocalStore(Path(folder)), TARGET)
            name = f"{loader.new_name()}-{is_plain}"
            try:
                other.load(
                    APPEND,
                    [{"csv": f"a,b\n{body}", "columns": ["a", "b"], "source": "x"}],
                    batch_id=name,
                    reload=True,
                    guards={"maximum_rejected": 100, "allow_empty": True},
                )
            except DataError as error:
                answers.append([error.message])
            else:
                answers.append(sorted(loader.warehouse.query(f"SELECT a, b FROM {TARGET}").rows, key=repr))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("body", ["csv", "jsonl"])
def test_a_value_with_a_nul_is_a_rejected_row(body: str, loader: Loader) -> None:
    text = "id,n\n1,a\n2,b\0b\n3,c\n" if body == "csv" else '{"id": 1}\n{"id": "2\\u0000"}\n{"id": 3}\n'
    reason = "a value holds the character U+0000, which the warehouse cannot hold"
    with pytest.raises(DataError) as raised:
        loader.load(APPEND, [{body: text, "source": "a"}])
    assert (raised.value.rejected, raised.value.file, raised.value.reason) == (1, "a", reason)
    result = loader.load(APPEND, [{body: text, "source": "a"}], guards={"maximum_rejected": 1})
    assert (result.rows_landed, result.rows_rejected) == (2, 1)
    assert [row["id"] for row in loader.rows(["id"])] == ["1", "3"]
    ((told,),) = loader.warehouse.query("SELECT raw_text FROM penstock.rejects").rows
    assert told.startswith('{"id":"2')


def test_typed_columns_keep_their_types_and_widen(loader: Loader, tmp_path: Path) -> None:
    query = (
        "SELECT 1::INTEGER AS a, 1.50::DECIMAL(10, 2) AS b, 'x' AS c, TIMESTAMPTZ '2026-03-01 10:00:00+02' AS d, "
        "DATE '2026-03-01' AS e, true AS f, '\\x00\\xff'::BLOB AS g, [1, 2] AS h, 0.1::DOUBLE AS i, "
        "TIME '10:00:01' AS j, uuid '00000000-0000-0000-0000-000000000001' AS k, 18446744073709551615::UBIGINT AS l"
    )
    loader.load(APPEND, [parquet(tmp_path, query)], typed=True)
    found = loader.warehouse.query(f"SELECT a, b::text, c, d::text, e::text, f, encode(g, 'hex'), h FROM {TARGET}")
    assert found.rows == [(1, "1.50", "x", "2026-03-01 08:00:00+00", "2026-03-01", True, "00ff", "[1,2]")]
    types = "SELECT data_type FROM information_schema.columns WHERE table_name = ? AND column_name IN ('a', 'i', 'l')"
    assert [name for (name,) in loader.warehouse.query(f"{types} ORDER BY column_name", [TARGET.name]).rows] == [
        "integer",
        "double precision",
        "numeric",
    ]
    wider = query.replace("1::INTEGER AS a", "5000000000::BIGINT AS a").replace("DECIMAL(10, 2)", "DECIMAL(12, 4)")
    result = loader.load(APPEND, [parquet(tmp_path, wider)], at=2, typed=True)
    assert result.warnings == ("the column a was widened to bigint", "the column b was widened to numeric(12,4)")
    assert loader.warehouse.query(f"SELECT a, b::text FROM {TARGET} ORDER BY a").rows == [
        (1, "1.5000"),
        (5000000000, "1.5000"),
    ]


def test_a_column_that_no_number_holds_exactly_becomes_text(loader: Loader, tmp_path: Path) -> None:
    for number, value in enumerate(("1.25::DECIMAL(38, 2)", "1.0123456789::DECIMAL(38, 10)"), start=1):
        result = loader.load(APPEND, [parquet(tmp_path, f"SELECT {number} AS id, {value} AS v")], at=number, typed=True)
    assert result.warnings == ("the column v was widened to text",)
    assert loader.warehouse.query(f"SELECT v FROM {TARGET} ORDER BY id").rows == [("1.25",), ("1.0123456789",)]


def parquet(folder: Path, query: str) -> dict[str, Any]:
    path = folder / "rows.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        names = [row[0] for row in connection.execute(f"DESCRIBE {query}").fetchall()]
    return {"bytes": path.read_bytes(), "format": "parquet", "columns": names}


def written(rows: list[tuple[str | None, str | None]], line_end: str) -> str:
    """Returns rows as CSV: NULL is empty, every value quoted that needs it or is empty."""
    out = io.StringIO()
    for row in rows:
        cells = io.StringIO()
        csv.writer(cells, quoting=csv.QUOTE_ALL, lineterminator="").writerow([cell or "" for cell in row])
        out.write(cells.getvalue() + line_end)
    return out.getvalue()


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    place, number = 0, 0
    while place < len(data):
        size = sizes[number % len(sizes)]
        yield data[place : place + size]
        place, number = place + size, number + 1
