"""What a peek finds out about a CSV file, and what it refuses."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from penstock.artifacts import Compression, CsvDialect, FileFormat
from penstock.errors import DataError
from tasks.staging.local import LocalStore
from tasks.staging.peek import Peek, peek
from tasks.staging.prefix import LIMIT_BYTES

Peeker = Callable[..., Peek]


@pytest.fixture(scope="module")
def peek_csv(tmp_path_factory: pytest.TempPathFactory) -> Peeker:
    folder: Path = tmp_path_factory.mktemp("peek")
    store = LocalStore(folder)

    def peek_at(content: bytes, **dialect: Any) -> Peek:
        (folder / "file").write_bytes(content)
        info = store.stat("file")
        assert info is not None
        given = CsvDialect.model_validate(dialect) if dialect else None
        return peek(store, info, format=FileFormat.CSV, dialect=given)

    return peek_at


def source_names(found: Peek) -> list[str]:
    assert found.columns is not None
    return [column.source_name for column in found.columns]


def test_a_plain_file_gives_its_columns_and_dialect(peek_csv: Peeker) -> None:
    found = peek_csv(b"Order ID,Amount (EUR)\n1,2.50\n")
    assert found.columns is not None
    assert [(column.name, column.source_name) for column in found.columns] == [
        ("order_id", "Order ID"),
        ("amount_eur", "Amount (EUR)"),
    ]
    assert found.dialect == CsvDialect(new_line="\n")
    assert found.header_rows == 1
    assert found.compression is Compression.NONE
    assert found.row_count is None
    assert not found.is_empty


@pytest.mark.parametrize(
    "content", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\n\n\r\n", b"  \n\t\n", gzip.compress(b"", mtime=0)]
)
def test_a_file_without_a_header_is_empty(peek_csv: Peeker, content: bytes) -> None:
    found = peek_csv(content)
    assert found.is_empty
    assert found.columns is None
    assert found.header_rows == 0


def test_a_file_of_nothing_but_a_header_is_not_empty(peek_csv: Peeker) -> None:
    for content in (b"a,b", b"a,b\n", b"a,b\r\n\r\n"):
        found = peek_csv(content)
        assert source_names(found) == ["a", "b"]
        assert not found.is_empty


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(peek_csv: Peeker, delimiter: str) -> None:
    rows = [["id", "name", "note"], ["1", "x", "y"], ["2", "z", ""]]
    found = peek_csv("\n".join(delimiter.join(row) for row in rows).encode())
    assert found.dialect is not None
    assert found.dialect.delimiter == delimiter
    assert source_names(found) == rows[0]


@pytest.mark.parametrize(
    ("content", "delimiter", "names"),
    [
        (b"id;price\n1;2,50\n2;3,75\n", ";", ["id", "price"]),
        (b"id;last, first\n1;Doe, Jane\n2;Roe, Rick\n", ";", ["id", "last, first"]),
        (b'"last, first";id\n"Doe, Jane";1\n', ";", ["last, first", "id"]),
        (b'id,"a;b;c",x\n1,"d;e;f",y\n', ",", ["id", "a;b;c", "x"]),
        (b"id|a;b|c,d\n1|2|3\n", "|", ["id", "a;b", "c,d"]),
        (b"text\nhello; world\nagain\n", ",", ["text"]),
        (b"text\nhello, world\nagain, world\n", ";", ["text"]),
        (b"a,b,c\n1,2\n1,2,3\n", ",", ["a", "b", "c"]),
        (b"one column\n1\n", ",", ["one column"]),
        (b"a,b,\n1,2,\n", ",", ["a", "b", ""]),
        (b'a\tb\n1,5\t"x\ty"\n', "\t", ["a", "b"]),
    ],
)
def test_the_delimiter_is_the_one_that_header_and_records_agree_on(
    peek_csv: Peeker, content: bytes, delimiter: str, names: list[str]
) -> None:
    found = peek_csv(content)
    assert found.dialect is not None
    assert found.dialect.delimiter == delimiter
    assert source_names(found) == names


@pytest.mark.parametrize(
    ("content", "quote", "escape", "names"),
    [
        (b"'a,x','b'\n'1,2','3'\n", "'", "'", ["a,x", "b"]),
        (b"'tis,b\n1,2\n", '"', '"', ["'tis", "b"]),
        (b'"a ""x""",b\n1,2\n', '"', '"', ['a "x"', "b"]),
        (b'"a \\"x\\"",b\n"\\"",2\n', '"', "\\", ['a "x"', "b"]),
        (b'a "x" y,b"\n1,2\n', '"', '"', ['a "x" y', 'b"']),
        (b'a, "b, c"\n1, "2"\n', '"', '"', ["a", "b, c"]),
        (b'"a" ,b\n1,2\n', '"', '"', ["a", "b"]),
    ],
)
def test_quotes_and_escapes_are_found(
    peek_csv: Peeker, content: bytes, quote: str, escape: str, names: list[str]
) -> None:
    found = peek_csv(content)
    assert found.dialect is not None
    assert (found.dialect.quote, found.dialect.escape) == (quote, escape)
    assert source_names(found) == names


@pytest.mark.parametrize("new_line", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("inner", ["\n", "\r\n", "\r"])
def test_a_quoted_line_break_in_the_header_neither_ends_it_nor_names_the_line_end(
    peek_csv: Peeker, new_line: str, inner: str
) -> None:
    found = peek_csv(new_line.join([f'id,"first{inner}name"', "1,2", ""]).encode())
    assert found.dialect is not None
    assert found.dialect.new_line == new_line
    assert found.header_rows == 1
    assert source_names(found) == ["id", f"first{inner}name"]


def test_lines_above_the_header_are_skipped_as_the_dialect_says(peek_csv: Peeker) -> None:
    found = peek_csv(b"Report; of today\r\n\r\n\r\nid;name\r\n1;x\r\n", delimiter=";", skip_rows=2)
    assert (source_names(found), found.header_rows) == (["id", "name"], 4)
    long = b"x" * 40_000 + b"\n" + b"id,name\n1,x\n"
    assert source_names(peek_csv(long, skip_rows=1)) == ["id", "name"]
    assert peek_csv(b"only\none line", skip_rows=3).is_empty


def test_names_that_the_dialect_gives_are_the_columns_and_no_line_is_a_header(peek_csv: Peeker) -> None:
    found = peek_csv(b"1,x\n2,y\n", columns=["Order ID", "Name"])
    assert (source_names(found), found.header_rows) == (["Order ID", "Name"], 0)
    assert [column.name for column in found.columns or ()] == ["order_id", "name"]
    assert peek_csv(b"till\n1,x\n", columns=["id", "name"], skip_rows=1).header_rows == 1
    with pytest.raises(DataError, match="another number of columns than the dialect names") as caught:
        peek_csv(b"1,x,z\n", columns=["id", "name"])
    assert (caught.value.named, caught.value.found) == (2, 3)


def test_a_quote_that_is_left_open_above_the_header_is_refused(peek_csv: Peeker) -> None:
    with pytest.raises(DataError, match="above the file's header hold a quote") as caught:
        peek_csv(b'"Report of today\nid,name\n1,"x"\n', skip_rows=1)
    assert caught.value.skip_rows == 1


def test_blank_lines_before_the_header_are_skipped_with_it(peek_csv: Peeker) -> None:
    found = peek_csv(b"\r\n  \r\na,b\r\n1,2\r\n")
    assert found.header_rows == 3
    assert source_names(found) == ["a", "b"]


@pytest.mark.parametrize("content", [b"a,b\r\n1,2\n", b"\na,b\r\n1,2\r\n", b"a,b\n1,2\r3,4\n"])
def test_records_that_end_in_several_ways_are_refused(peek_csv: Peeker, content: bytes) -> None:
    with pytest.raises(DataError, match="end in several ways") as caught:
        peek_csv(content)
    assert caught.value.key == "file"


@pytest.mark.parametrize(
    ("mark", "codec", "encoding"),
    [
        (b"", "utf-8", "utf-8"),
        (b"\xef\xbb\xbf", "utf-8", "utf-8"),
        (b"\xff\xfe", "utf-16-le", "utf-16"),
    ],
)
def test_a_byte_order_mark_names_the_encoding_and_is_no_part_of_a_name(
    peek_csv: Peeker, mark: bytes, codec: str, encoding: str
) -> None:
    found = peek_csv(mark + "größe,日付\n1,2\n".encode(codec))
    assert found.dialect is not None
    assert found.dialect.encoding == encoding
    assert source_names(found) == ["größe", "日付"]


def test_a_byte_order_mark_overrules_the_dialect(peek_csv: Peeker) -> None:
    found = peek_csv(b"\xff\xfe" + "a;b\n".encode("utf-16-le"), encoding="utf-8", delimiter=";")
    assert found.dialect == CsvDialect(delimiter=";", encoding="utf-16", new_line="\n")


def test_latin_1_and_unmarked_utf_16_are_read_where_the_dialect_says_so(peek_csv: Peeker) -> None:
    assert source_names(peek_csv("größe,b\n".encode("latin-1"), encoding="latin-1")) == ["größe", "b"]
    assert source_names(peek_csv("größe,b\n".encode("utf-16-le"), encoding="utf-16")) == ["größe", "b"]


def test_bytes_that_are_not_utf_8_are_named_by_their_offset(peek_csv: Peeker) -> None:
    for content, offset in (
        (b"a,b\n1,\xff2\n", 6),
        (b"\xef\xbb\xbfa,\xe9\n", 5),
        (b"a,b\n1,\xe2\x82", 6),
        (gzip.compress(b"a,\xe9\n", mtime=0), 2),
    ):
        with pytest.raises(DataError, match="not in the encoding") as caught:
            peek_csv(content)
        assert caught.value.byte_offset == offset
        assert caught.value.encoding == "utf-8"
        assert "Latin-1" in caught.value.guidance


def test_a_character_that_the_first_read_cuts_in_two_is_no_error(peek_csv: Peeker) -> None:
    content = b"a,b\n" + b"1," + "é".encode() * 10_000 + b"\n"
    assert len(content[:8192].decode(errors="ignore").encode()) == 8192
    for shift in range(2):
        assert source_names(peek_csv(b"a" * shift + content))[1] == "b"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"\xfe\xff" + "a,b\n".encode("utf-16-be"), "utf-16, big-endian"),
        (b"\xff\xfe\0\0" + "a,b\n".encode("utf-32-le"), "utf-32"),
        (b"\0\0\xfe\xff" + "a,b\n".encode("utf-32-be"), "utf-32"),
    ],
)
def test_an_encoding_that_no_load_reads_rightly_is_refused(peek_csv: Peeker, content: bytes, encoding: str) -> None:
    with pytest.raises(DataError, match="encoding cannot be loaded") as caught:
        peek_csv(content)
    assert str(caught.value.encoding).startswith(encoding)


def test_a_dialect_that_claims_the_wrong_encoding_is_refused(peek_csv: Peeker) -> None:
    with pytest.raises(DataError, match="encoding cannot be loaded"):
        peek_csv("a,b\n".encode("utf-16-be"), encoding="utf-16")
    with pytest.raises(DataError, match="encoding cannot be loaded") as caught:
        peek_csv("preis €,b\n".encode("cp1252"), encoding="latin-1")
    assert "windows-1252" in str(caught.value.encoding)


def test_utf_16_without_a_mark_is_pointed_out(peek_csv: Peeker) -> None:
    with pytest.raises(DataError, match="NUL") as caught:
        peek_csv("a,b\n1,2\n".encode("utf-16-le"))
    assert "UTF-16" in caught.value.guidance


def test_a_first_name_that_a_load_would_misread_behind_a_mark_is_refused(peek_csv: Peeker) -> None:
    content = '";";b\r\n1;2\r\n'
    assert source_names(peek_csv(content.encode(), delimiter=";")) == [";", "b"]
    for marked in (b"\xef\xbb\xbf" + content.encode(), b"\xff\xfe" + content.encode("utf-16-le")):
        with pytest.raises(DataError, match="byte order mark"):
            peek_csv(marked, delimiter=";")


def test_a_quoted_first_name_behind_a_mark_is_fine(peek_csv: Peeker) -> None:
    assert source_names(peek_csv(b'\xef\xbb\xbf"a,x","b\nc"\n1,2\n')) == ["a,x", "b\nc"]


@pytest.mark.parametrize("header_bytes", [8_190, 8_192, 8_193, 20_000, 300_000, LIMIT_BYTES - 100])
@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard.compress])
def test_the_read_grows_until_the_header_is_whole(
    peek_csv: Peeker, header_bytes: int, compress: Callable[[bytes], bytes]
) -> None:
    long_name = "x" * (header_bytes // 2 - 20)
    content = f'"{long_name}\n","{long_name}é",last\n'.encode() + b"1,2,3\n" * 500_000
    found = peek_csv(compress(content))
    assert source_names(found)[-1] == "last"
    assert len(source_names(found)) == 3
    assert found.bytes_read < 4 * header_bytes + 65_536


def test_a_header_beyond_the_limit_is_refused_and_the_limit_named(peek_csv: Peeker) -> None:
    for content in (b"x" * 3 * LIMIT_BYTES, b'"a,b\n' + b"1,2\n" * LIMIT_BYTES, b"\n" * 2 * LIMIT_BYTES):
        with pytest.raises(DataError, match="no end within the limit") as caught:
            peek_csv(content)
        assert caught.value.limit_bytes == LIMIT_BYTES


def test_an_ordinary_file_costs_eight_kilobytes_whatever_its_size(peek_csv: Peeker) -> None:
    header = b"id,name,note\n"
    for rows in (1_000, 1_000_000):
        for compress in (bytes, gzip.compress):
            assert peek_csv(compress(header + b"1,jane,hello\n" * rows)).bytes_read <= 8_192


def test_long_records_are_looked_at_no_further_than_needed(peek_csv: Peeker) -> None:
    found = peek_csv(b"a;b\n" + b"1;" + b"x," * 1_000_000 + b"\n")
    assert source_names(found) == ["a", "b"]
    assert found.bytes_read <= 32_768


def test_a_quote_that_is_never_closed_is_refused(peek_csv: Peeker) -> None:
    for content in (b'a,"b\n1,2\n', b'"a"x,b\n1,2\n'):
        with pytest.raises(DataError, match="quote"):
            peek_csv(content)


def test_a_given_dialect_is_taken_as_it_is(peek_csv: Peeker) -> None:
    found = peek_csv(b"a||b;c\n1||2\n", delimiter="||")
    assert source_names(found) == ["a", "b;c"]
    unquoted = peek_csv(b'a","b\n1,2\n', quote="", escape="")
    assert source_names(unquoted) == ['a"', '"b']
    spaced = peek_csv(b'a "b" c\n', delimiter=" ")
    assert source_names(spaced) == ["a", "b", "c"]


def test_a_dialect_without_quotes_takes_quotes_for_characters(peek_csv: Peeker) -> None:
    found = peek_csv(b'"id,5" size,"note"\n1,"a\n2,b,c\n', quote="")
    assert source_names(found) == ['"id', '5" size', '"note"']
    assert found.header_rows == 1


def test_a_delimiter_is_never_empty() -> None:
    with pytest.raises(ValidationError, match="delimiter"):
        CsvDialect(delimiter="")


def test_duplicate_and_empty_names_become_different_columns(peek_csv: Peeker) -> None:
    found = peek_csv(b"id,,ID, id ,1st\n")
    assert found.columns is not None
    names = [column.name for column in found.columns]
    assert names == ["id", "column_2", "id_3", "id_2", "_1st"]


@pytest.mark.parametrize("name", ["plain.csv", "lies.csv.gz", "lies.csv.zst", "none"])
@pytest.mark.parametrize(
    ("compress", "compression"),
    [(bytes, Compression.NONE), (gzip.compress, Compression.GZIP), (zstandard.compress, Compression.ZSTD)],
)
def test_the_compression_is_told_by_the_bytes_and_not_by_the_name(
    tmp_path: Path, name: str, compress: Callable[[bytes], bytes], compression: Compression
) -> None:
    (tmp_path / name).write_bytes(compress(b"a,b\n1,2\n"))
    store = LocalStore(tmp_path)
    info = store.stat(name)
    assert info is not None
    found = peek(store, info, format=FileFormat.CSV)
    assert found.compression is compression
    assert source_names(found) == ["a", "b"]


def test_a_header_may_cross_compressed_members(peek_csv: Peeker) -> None:
    for compress in (gzip.compress, zstandard.compress):
        parts = b"".join(compress(part) for part in (b"", b"a,", b"", b"b\n", b"1,2\n"))
        assert source_names(peek_csv(parts)) == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"a,b\n" * 100, mtime=0)[:-12],
        gzip.compress(b"a" * 50 + b"\n", mtime=0)[:20],
        gzip.compress(b"a,b\n1,2\n", mtime=0)[:10] + b"\xff\xff\xff\xff\xff",
        zstandard.compress(b"a,b\n1,2\n")[:5] + b"\xff" * 20,
    ],
)
def test_damaged_compression_is_refused(peek_csv: Peeker, content: bytes) -> None:
    with pytest.raises(DataError, match="damaged or ends early") as caught:
        peek_csv(content)
    assert caught.value.key == "file"


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"PK\x03\x04rest", "Excel"), (b"BZh91AY", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"PAR1rest", "Parquet")],
)
def test_archives_and_binary_files_are_named_for_what_they_are(peek_csv: Peeker, content: bytes, kind: str) -> None:
    with pytest.raises(DataError, match="cannot be loaded as text") as caught:
        peek_csv(content)
    assert kind in str(caught.value.kind)


@pytest.mark.parametrize("content", [b"PARENT_ID,NAME\n1,a\n", b"ORCID,NAME\n1,a\n", b"ORC\n1\n"])
def test_a_header_may_begin_as_other_files_do(peek_csv: Peeker, content: bytes) -> None:
    columns = peek_csv(content).columns
    assert columns is not None
    assert [one.source_name for one in columns] == content.split(b"\n")[0].decode().split(",")


@pytest.mark.parametrize(("content", "kind"), [(b"ORC\x08\x03\x10", "ORC"), (b"PARE\x15\x04\x15", "encrypted")])
def test_files_whose_first_bytes_could_be_words_are_named_too(peek_csv: Peeker, content: bytes, kind: str) -> None:
    with pytest.raises(DataError, match="cannot be loaded as text") as caught:
        peek_csv(content)
    assert kind in str(caught.value.kind)


_FIELDS = st.text(alphabet="ab,;é\"'\n\r |\t1", max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.lists(_FIELDS, min_size=2, max_size=5),
    rows=st.lists(st.lists(_FIELDS, min_size=5, max_size=5), max_size=3),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    new_line=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_quoted_header_is_read_back(
    peek_csv: Peeker, header: list[str], rows: list[list[str]], delimiter: str, new_line: str
) -> None:
    table = [header, *(row[: len(header)] for row in rows)]
    quoted = [[f'"{value.replace(chr(34), chr(34) * 2)}"' for value in row] for row in table]
    content = "".join(delimiter.join(row) + new_line for row in quoted)
    found = peek_csv(content.encode())
    assert found.dialect is not None
    assert (found.dialect.delimiter, found.dialect.new_line) == (delimiter, new_line)
    assert source_names(found) == header
    assert found.header_rows == 1
