"""What is staged is loadable: DuckDB's read_csv, told what a peek found, reads what Python's csv module reads.

The last tests keep the facts about DuckDB 2.0 for which a peek refuses files; when one fails, a refusal can go.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.artifacts import CsvDialect, FileFormat
from penstock.errors import DataError
from tasks.staging.local import LocalStore
from tasks.staging.peek import Peek, peek

Row = tuple[str, ...]
Loader = Callable[..., tuple[list[str], list[Row]]]

_NEW_LINES = {"\n": r"\n", "\r\n": r"\r\n", "\r": r"\r"}


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def read_staged(connection: duckdb.DuckDBPyConnection, path: Path, found: Peek) -> list[Row]:
    """Loads a file by what a peek said of it, and nothing else; NULL (an empty field) reads as an empty string.

    `strict_mode` is not passed: it is the default, and passed together with CRLF it makes DuckDB 2.0 read no rows.
    """
    assert found.dialect is not None
    assert found.dialect.new_line is not None
    assert found.columns is not None
    dialect = found.dialect
    columns = ", ".join(f"{literal(column.name)}: 'VARCHAR'" for column in found.columns)
    query = (
        f"SELECT * FROM read_csv({literal(str(path))}, auto_detect=false, header=false, skip={found.header_rows}, "
        f"columns={{{columns}}}, delim={literal(dialect.delimiter)}, quote={literal(dialect.quote)}, "
        f"escape={literal(dialect.escape)}, encoding={literal(dialect.encoding)}, "
        f"new_line='{_NEW_LINES[dialect.new_line]}', compression={literal(found.compression)})"
    )
    return [tuple(value or "" for value in row) for row in connection.execute(query).fetchall()]


def read_with_python(text: str, found: Peek) -> list[Row]:
    assert found.dialect is not None
    dialect = found.dialect
    rows = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        doublequote=dialect.escape == dialect.quote,
        escapechar=None if dialect.escape == dialect.quote else dialect.escape,
        strict=True,
    )
    return [tuple(row) for row in rows if "".join(row).strip() or len(row) > 1]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture(scope="module")
def stage_and_load(connection: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Loader:
    folder: Path = tmp_path_factory.mktemp("staged")
    store = LocalStore(folder)

    def load(content: bytes, text: str, dialect: CsvDialect | None = None) -> tuple[list[str], list[Row]]:
        """Returns the header that the peek saw and the rows that DuckDB read, after comparing both with Python's."""
        path = folder / "file"
        path.write_bytes(content)
        info = store.stat("file")
        assert info is not None
        found = peek(store, info, format=FileFormat.CSV, dialect=dialect)
        assert found.columns is not None
        header = [column.source_name for column in found.columns]
        rows = read_staged(connection, path, found)
        expected = read_with_python(text, found)
        assert [tuple(header), *rows] == expected
        return header, rows

    return load


TEXTS = {
    "plain": ("id,name\n1,x\n2,y\n", 2),
    "no line end at the end": ("id,name\n1,x\n2,y", 2),
    "header only": ("id,name\n", 0),
    "header only, no line end": ("id,name", 0),
    "blank lines first": ("\n\nid,name\n1,x\n", 1),
    "blank lines between": ("id,name\n1,x\n\n2,y\n\n", 2),
    "quoted header": ('"id","na,me"\n"1","x"\n', 1),
    "quotes in the header": ('"id ""of"" it",name\n1,x\n', 1),
    "a stray quote in the header": ('size 5",name\n1,x\n', 1),
    "a line break in the header": ('id,"first\n\nname",x\n1,2,3\n4,5,6\n', 2),
    "a line break in the first name": ('"first\nname",id\n1,2\n3,4\n', 2),
    "a delimiter and a line break in the header": ('id,"a,\n,b"\n1,2\n', 1),
    "line breaks in the data": ('id,note\n1,"two\nlines"\n2,"\n"\n3,""\n', 3),
    "empty fields": ("id,name,x\n1,,\n,,\n,y,\n", 3),
    "empty names": ("id,,\n1,2,3\n", 1),
    "a trailing delimiter": ("id,name,\n1,x,\n2,y,\n", 2),
    "semicolons": ("id;price\n1;2,50\n2;3,75\n", 2),
    "tabs": ("id\tnote\n1\ta, b\n2\t\n", 2),
    "pipes": ("id|note\n1|a;b\n", 1),
    "single quotes": ("'id','na,me'\n'1','it''s'\n", 1),
    "one column": ("name\nx\ny z\n", 2),
    "spaces around": ("id, name \n 1 ,x\n", 1),
    "names beyond ASCII": ("größe,名前\n1,é\n", 1),
}


@pytest.mark.parametrize("new_line", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", TEXTS)
def test_what_is_staged_is_loaded_as_python_reads_it(stage_and_load: Loader, name: str, new_line: str) -> None:
    text, row_count = TEXTS[name]
    text = text.replace("\n", new_line)
    _, rows = stage_and_load(text.encode(), text)
    assert len(rows) == row_count


@pytest.mark.parametrize("outer", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("inner", ["\n", "\r\n", "\r"])
def test_line_breaks_inside_quotes_may_differ_from_those_between_records(
    stage_and_load: Loader, outer: str, inner: str
) -> None:
    text = outer.join([f'id,"first{inner}name"', f'1,"x{inner}y"', "2,z", ""])
    header, rows = stage_and_load(text.encode(), text)
    assert header == ["id", f"first{inner}name"]
    assert rows == [("1", f"x{inner}y"), ("2", "z")]


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize(
    ("mark", "codec", "encoding"),
    [
        (b"", "utf-8", None),
        (codecs.BOM_UTF8, "utf-8", None),
        (codecs.BOM_UTF16_LE, "utf-16-le", None),
        (b"", "utf-16-le", "utf-16"),
        (b"", "latin-1", "latin-1"),
    ],
)
def test_every_encoding_loads_under_every_compression(
    stage_and_load: Loader, mark: bytes, codec: str, encoding: str | None, compress: Callable[[bytes], bytes]
) -> None:
    dialect = CsvDialect.model_validate({"encoding": encoding}) if encoding else None
    for text in (
        'größe,"quoted ""name"""\r\n1,é\r\n"zwei\r\nZeilen",ÿ\r\n',
        '"größe, quoted",b\n1,é\n',
        "\n\nblank,lines\nfirst,é\n",
        "header,only",
    ):
        header, rows = stage_and_load(compress(mark + text.encode(codec)), text, dialect)
        assert len(header) == 2
        assert len(rows) == {"größe": 2, '"größ': 1, "\n\nbla": 1, "heade": 0}[text[:5]]


def test_a_header_beyond_the_first_read_is_skipped_whole(stage_and_load: Loader) -> None:
    for size in (8_180, 9_000, 100_000, 1_000_000):
        names = ",".join(f'"{"long name " * (size // 100)}\nsecond line {number}"' for number in range(10))
        text = f"{names}\n0,1,2,3,4,5,6,7,8,9\n"
        assert stage_and_load(text.encode(), text)[1] == [tuple("0123456789")]


def test_compressed_members_one_after_another_are_one_file(stage_and_load: Loader) -> None:
    text = "id,name\n1,x\n2,y\n"
    for compress in (gzip.compress, zstandard.compress):
        content = b"".join(compress(part.encode()) for part in ("id,", "name\n1", ",x\n2,y\n"))
        assert len(stage_and_load(content, text)[1]) == 2


def test_every_row_of_a_file_of_several_buffers_is_loaded(stage_and_load: Loader) -> None:
    text = "id,note\r\n" + "".join(f'{number},"row {number}\nsecond line, of two"\r\n' for number in range(60_000))
    for content in (text.encode(), gzip.compress(text.encode(), 1), codecs.BOM_UTF16_LE + text.encode("utf-16-le")):
        _, rows = stage_and_load(content, text)
        assert len(rows) == 60_000
        assert rows[-1] == ("59999", "row 59999\nsecond line, of two")


_VALUES = st.text(alphabet="ab1 éß,;|\t'#\\\"\n\r", max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(_VALUES, min_size=width, max_size=width), min_size=1, max_size=5)
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    new_line=st.sampled_from(["\n", "\r\n", "\r"]),
    codec=st.sampled_from(["utf-8", "utf-16-le", "latin-1"]),
    compress=st.sampled_from([bytes, gzip.compress, zstandard.compress]),
    blank_lines=st.integers(0, 2),
)
def test_any_table_comes_back_as_it_was(
    stage_and_load: Loader,
    table: list[list[str]],
    delimiter: str,
    new_line: str,
    codec: str,
    compress: Callable[[bytes], bytes],
    blank_lines: int,
) -> None:
    buffer = io.StringIO(newline="")
    # Python 3.11 leaves a lone CR or LF unquoted where the other one ends records.
    csv.writer(buffer, delimiter=delimiter, lineterminator=new_line, quoting=csv.QUOTE_ALL).writerows(table)
    text = new_line * blank_lines + buffer.getvalue()
    encoding = "utf-16" if codec == "utf-16-le" else codec
    dialect = CsvDialect.model_validate({"delimiter": delimiter, "encoding": encoding})
    header, rows = stage_and_load(compress(text.encode(codec)), text, dialect)
    assert header == table[0]
    assert rows == [tuple(row) for row in table[1:]]


def read_directly(connection: duckdb.DuckDBPyConnection, path: Path, options: str) -> list[Row]:
    columns = "columns={'a': 'VARCHAR', 'b': 'VARCHAR'}"
    query = f"SELECT * FROM read_csv({literal(str(path))}, auto_detect=false, {columns}, {options})"
    return connection.execute(query).fetchall()


def test_fact_big_endian_utf_16_is_read_as_no_rows(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(codecs.BOM_UTF16_BE + "a,b\n1,2\n".encode("utf-16-be"))
    assert read_directly(connection, path, "skip=1, encoding='utf-16'") == []


def test_fact_a_first_name_with_a_delimiter_behind_a_mark_loses_rows(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    content = b'";";b\n1;2\n3;4\n'
    path.write_bytes(content)
    assert len(read_directly(connection, path, "skip=1, delim=';'")) == 2
    path.write_bytes(codecs.BOM_UTF8 + content)
    assert read_directly(connection, path, "skip=1, delim=';'") == []


def test_fact_lines_that_end_in_several_ways_are_skipped_wrongly_or_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\na,b\r\n1,2\r\n")
    assert read_directly(connection, path, "skip=2") == []
    path.write_bytes(b"a,b\n1,2\r\n")
    with pytest.raises(duckdb.InvalidInputException):
        read_directly(connection, path, "skip=1")


def test_fact_strict_mode_and_crlf_passed_together_read_no_rows(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a,b\r\n1,2\r\n")
    assert read_directly(connection, path, r"skip=1, new_line='\r\n'") == [("1", "2")]
    assert read_directly(connection, path, r"skip=1, new_line='\r\n', strict_mode=true") == []
    path.write_bytes(b'a,b\r\n"x"y,2\r\n')
    with pytest.raises(duckdb.InvalidInputException):
        read_directly(connection, path, r"skip=1, new_line='\r\n'")


def test_fact_characters_beyond_the_basic_plane_stop_a_utf_16_load(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(codecs.BOM_UTF16_LE + "a,b\n1,\U0001f600\n".encode("utf-16-le"))
    with pytest.raises(duckdb.InvalidInputException):
        read_directly(connection, path, "skip=1, encoding='utf-16'")


def test_fact_json_lines_with_a_byte_order_mark_stop_a_load(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(codecs.BOM_UTF8 + b'{"a": 1}\n')
    with pytest.raises(duckdb.Error, match="BOM"):
        connection.execute(f"SELECT * FROM read_json({literal(str(path))}, format='newline_delimited')").fetchall()


def test_what_a_load_would_read_as_nothing_is_never_staged(stage_and_load: Loader) -> None:
    for content in (
        codecs.BOM_UTF16_BE + "a,b\n1,2\n".encode("utf-16-be"),
        codecs.BOM_UTF8 + b'";";b\n1;2\n',
        b"\na,b\r\n1,2\r\n",
        b"a,b\n1,2\r\n",
    ):
        with pytest.raises(DataError):
            stage_and_load(content, "")
