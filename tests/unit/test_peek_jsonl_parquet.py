"""What a peek finds out about JSON lines and Parquet files, and what it refuses."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from penstock.artifacts import Compression, FileFormat
from penstock.errors import DataError
from tasks.staging.local import LocalStore
from tasks.staging.peek import Peek, peek


def peek_at(folder: Path, content: bytes, format: FileFormat) -> Peek:
    (folder / "file").write_bytes(content)
    store = LocalStore(folder)
    info = store.stat("file")
    assert info is not None
    return peek(store, info, format=format)


def parquet_bytes(table: pa.Table, **options: object) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, **options)
    content: bytes = sink.getvalue().to_pybytes()
    return content


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}\n{"a": 2}\n',
        b'{"a": 1}\r\n{"b": "x"}\r\n',
        b'\n\n  {"a": {"b": [1, 2]}}\n',
        b'{"a": 1}',
        b'{"a": "' + b"x" * 100_000 + b'"}\n',
        '{"größe": "日"}\n'.encode(),
        b'{"a": "' + "é".encode() * 8_000 + b'"}\n',
    ],
)
def test_json_lines_have_no_columns_and_cost_eight_kilobytes(tmp_path: Path, content: bytes) -> None:
    found = peek_at(tmp_path, content, FileFormat.JSONL)
    assert found.columns is None
    assert found.dialect is None
    assert not found.is_empty
    assert found.bytes_read <= 8_192


@pytest.mark.parametrize("content", [b"", b"\n\n", b"  \r\n", gzip.compress(b"", mtime=0)])
def test_json_lines_without_a_line_are_empty(tmp_path: Path, content: bytes) -> None:
    assert peek_at(tmp_path, content, FileFormat.JSONL).is_empty


def test_json_lines_may_be_compressed(tmp_path: Path) -> None:
    content = b'{"a": 1}\n' * 100
    assert peek_at(tmp_path, gzip.compress(content), FileFormat.JSONL).compression is Compression.GZIP
    assert peek_at(tmp_path, zstandard.compress(content), FileFormat.JSONL).compression is Compression.ZSTD


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'[{"a": 1},\n{"a": 2}]\n', "a JSON array"),
        (json.dumps({"a": 1, "b": 2}, indent=2).encode(), "pretty-printed JSON"),
        (b'{"a": [\n1]}\n', "pretty-printed JSON"),
        (b'{"a": 1}{"a": 2}\n', "no JSON object on its first line"),
        (b'{"a": 1}\r{"a": 2}\r', "no JSON object on its first line"),
        (b"a,b\n1,2\n", "no JSON object"),
        (b"17\n", "no JSON object"),
        (b"<html>", "no JSON object"),
        (b'\xef\xbb\xbf{"a": 1}\n', "text with a byte order mark"),
        (b"\xff\xfe" + '{"a": 1}\n'.encode("utf-16-le"), "text with a byte order mark"),
    ],
)
def test_what_is_not_json_lines_is_named_for_what_it_is(tmp_path: Path, content: bytes, kind: str) -> None:
    with pytest.raises(DataError, match="not JSON lines") as caught:
        peek_at(tmp_path, content, FileFormat.JSONL)
    assert caught.value.found == kind
    assert "one object a line" in caught.value.guidance


def test_json_lines_that_are_not_utf_8_are_refused_with_the_offset(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not in the encoding") as caught:
        peek_at(tmp_path, '{"a": "é"}\n'.encode("latin-1"), FileFormat.JSONL)
    assert caught.value.byte_offset == 7


def test_a_parquet_file_says_its_columns_and_rows(tmp_path: Path) -> None:
    table = pa.table({"Order ID": [1, 2, 3], "Price €": [1.5, None, 2.0], "items": [[{"sku": "x"}], [], None]})
    found = peek_at(tmp_path, parquet_bytes(table), FileFormat.PARQUET)
    assert found.columns is not None
    assert [column.source_name for column in found.columns] == ["Order ID", "Price €", "items"]
    assert [column.name for column in found.columns][::2] == ["order_id", "items"]
    assert found.row_count == 3
    assert found.dialect is None


def test_a_parquet_file_may_have_no_rows(tmp_path: Path) -> None:
    found = peek_at(tmp_path, parquet_bytes(pa.table({"a": pa.array([], pa.int64())})), FileFormat.PARQUET)
    assert found.row_count == 0
    assert not found.is_empty
    assert found.columns is not None


def test_only_the_footer_of_a_parquet_file_is_read(tmp_path: Path) -> None:
    content = parquet_bytes(pa.table({"a": range(500_000)}), compression="none", use_dictionary=False)
    assert len(content) > 3_000_000
    found = peek_at(tmp_path, content, FileFormat.PARQUET)
    assert found.row_count == 500_000
    assert found.bytes_read < 8_192


def test_a_wide_footer_is_read_whole(tmp_path: Path) -> None:
    table = pa.table({f"column_with_a_long_name_{number}": [number] for number in range(3_000)})
    found = peek_at(tmp_path, parquet_bytes(table), FileFormat.PARQUET)
    assert found.columns is not None
    assert found.columns[-1].name == "column_with_a_long_name_2999"


def damaged_files() -> list[bytes]:
    whole = parquet_bytes(pa.table({"a": [1, 2, 3]}))
    return [
        b"",
        b"PAR1",
        b"PAR1PAR1",
        b"a,b\n1,2\n" * 10,
        whole[:-1],
        whole[:-8] + b"\xff\xff\xff\x7fPAR1",
        whole[:-8] + b"\x03\0\0\0PAR1",
        whole[:200] + b"\xff" * (len(whole) - 208) + whole[-8:],
    ]


@pytest.mark.parametrize("content", damaged_files())
def test_a_damaged_parquet_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="not a whole Parquet file") as caught:
        peek_at(tmp_path, content, FileFormat.PARQUET)
    assert caught.value.key == "file"


def test_an_encrypted_parquet_footer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="encrypted"):
        peek_at(tmp_path, b"PARE" + b"\x17" * 200 + (100).to_bytes(4, "little") + b"PARE", FileFormat.PARQUET)
