"""Archives, JSON documents, fixed-width lines and trimmed CSV: what becomes of each, and what is refused."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from typing import Any

import pytest
import zstandard

from penstock.artifacts import Compression, FileFormat
from penstock.errors import ConfigurationError, DataError
from penstock.sources.tabular import TabularFiles
from tasks.sources.tabular.converting import convert, needs_conversion
from tasks.sources.tabular.loadable import Loadable


def convert_all(content: bytes, name: str, **settings: Any) -> list[tuple[Loadable, bytes]]:
    spec = TabularFiles.model_validate(settings)
    return [
        (loadable, b"".join(block.data for block in loadable.blocks))
        for loadable in convert(io.BytesIO(content), name, spec)
    ]


def archive(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


@pytest.mark.parametrize(
    ("name", "settings", "needed"),
    [
        ("a.csv", {}, False),
        ("a.csv.gz", {"dialect": {"delimiter": ";", "skip_rows": 2, "null_texts": ["NULL"]}}, False),
        ("a.csv", {"dialect": {"footer_rows": 1}}, True),
        ("a.csv", {"dialect": {"comment": "#"}}, True),
        ("a.csv", {"dialect": {"encoding": "windows-1252"}}, True),
        ("a.jsonl.zst", {"dialect": {"footer_rows": 1}}, False),
        ("a.parquet", {}, False),
        ("a.json", {}, True),
        ("a.XLSX", {}, True),
        ("a.ZIP", {}, True),
        ("a.txt", {"format": "fixed_width", "fixed_width": {"columns": [{"name": "a", "width": 1}]}}, True),
    ],
)
def test_only_what_no_warehouse_can_copy_is_converted(name: str, settings: dict[str, Any], needed: bool) -> None:
    assert needs_conversion(name, TabularFiles.model_validate(settings)) is needed


def test_every_member_of_an_archive_is_a_file_and_those_that_can_be_loaded_keep_their_bytes() -> None:
    members = {"in/a.csv": b"id\n1\n", "b.jsonl.gz": gzip.compress(b'{"id": 2}\n'), "c.json": b'[{"id": 3}]'}
    found = convert_all(archive(members), "drop.zip")
    assert [(one.part, one.name, one.format, one.compression) for one, _ in found] == [
        ("in/a.csv", "drop.zip.in/a.csv", FileFormat.CSV, Compression.NONE),
        ("b.jsonl.gz", "drop.zip.b.jsonl.gz", FileFormat.JSONL, Compression.NONE),
        ("c.json", "drop.zip.c.json.jsonl.gz", FileFormat.JSONL, Compression.GZIP),
    ]
    assert [content for _, content in found] == [members["in/a.csv"], members["b.jsonl.gz"], b'{"id":3}\n']


def test_members_are_chosen_by_their_paths_and_what_desktops_add_is_none() -> None:
    members = {
        "a.csv": b"1",
        "b/b.csv": b"2",
        "b/readme.txt": b"",
        "__MACOSX/._a.csv": b"x",
        ".DS_Store": b"x",
        "d/": b"",
    }
    assert [one.part for one, _ in convert_all(archive(members), "x.zip", members="**/*.csv")] == ["a.csv", "b/b.csv"]
    with pytest.raises(ConfigurationError, match="does not say its format") as caught:
        convert_all(archive(members), "x.zip")
    assert (caught.value.source_name, caught.value.member) == ("x.zip", "b/readme.txt")
    with pytest.raises(DataError, match="no member of the archive is meant") as missed:
        convert_all(archive(members), "x.zip", members="*.parquet")
    assert missed.value.member_count == 3


def test_archives_within_archives_and_encrypted_members_are_refused_by_name() -> None:
    with pytest.raises(DataError, match="it is an archive itself") as caught:
        convert_all(archive({"inner.zip": archive({"a.csv": b"1"})}), "x.zip")
    assert caught.value.member == "inner.zip"
    locked = bytearray(archive({"a.csv": b"id\n1\n"}))
    place = locked.rindex(b"PK\x01\x02")
    locked[place + 8] |= 1
    with pytest.raises(DataError, match="it is encrypted"):
        convert_all(bytes(locked), "x.zip")


def test_a_path_that_is_there_twice_is_refused() -> None:
    file = io.BytesIO(archive({"a.csv": b"id\n1\n"}))
    with zipfile.ZipFile(file, "a") as made, pytest.warns(UserWarning, match="Duplicate name"):
        made.writestr("a.csv", b"id\n2\n")
    with pytest.raises(DataError, match="its path is there twice"):
        convert_all(file.getvalue(), "x.zip")


def test_a_size_that_no_compression_reaches_is_refused_before_a_byte_is_unpacked() -> None:
    forged = bytearray(archive({"a.csv": b"id\n" * 100}))
    place = forged.rindex(b"PK\x01\x02")
    forged[place + 24 : place + 28] = (3_000_000_000).to_bytes(4, "little")
    with pytest.raises(DataError, match="far larger than its bytes can be"):
        convert_all(bytes(forged), "x.zip")


@pytest.mark.parametrize("keep", [0.4, 0.97])
def test_an_archive_that_was_cut_off_is_refused(keep: float) -> None:
    whole = archive({"a.csv": b"id,name\n" + b"1,Ann\n" * 5_000}, method=zipfile.ZIP_STORED)
    with pytest.raises(DataError, match="the archive cannot be read"):
        convert_all(whole[: int(len(whole) * keep)], "x.zip")


def test_a_member_whose_bytes_changed_is_refused_at_its_end() -> None:
    broken = bytearray(archive({"a.csv": b"id,name\n" + b"1,Ann\n" * 50}, method=zipfile.ZIP_STORED))
    broken[100] ^= 1
    with pytest.raises(DataError, match="the archive cannot be read") as caught:
        convert_all(bytes(broken), "x.zip")
    assert (caught.value.member, caught.value.reason) == ("a.csv", "BadZipFile")


@pytest.mark.parametrize(
    ("content", "records", "lines"),
    [
        (b'[{"id": 1}, {"id": 2}]', "", [{"id": 1}, {"id": 2}]),
        (b'\xef\xbb\xbf \n[{"id": 1}]', "", [{"id": 1}]),
        (b'{"id": 1}\n{"id": 2}{"id":\n3}', "", [{"id": 1}, {"id": 2}, {"id": 3}]),
        (b'{"data": {"items": [{"id": 1}, {"id": 2}]}, "n": 2}', "data.items", [{"id": 1}, {"id": 2}]),
        (b'{"data": [{"id": 1}]}{"data": [{"id": 2}]}', "data", [{"id": 1}, {"id": 2}]),
        (b'{"data": []}{"data": [{"id": 1}]}{"data": []}', "data", [{"id": 1}]),
        (b'[{"id": 1}]\n[]\n[{"id": 2}, {"id": 3}]', "", [{"id": 1}, {"id": 2}, {"id": 3}]),
        (b'{"": {"data": 1}, "data": [{"": 1}, 2]}', "data", [{"": 1}, 2]),
        (b'{"data": []}', "data", []),
        (b"[]", "", []),
        (b"", "", []),
        (b" \n", "data", []),
    ],
)
def test_json_documents_become_one_line_a_record(content: bytes, records: str, lines: list[Any]) -> None:
    [(loadable, text)] = convert_all(content, "a.json", records=records)
    assert (loadable.name, loadable.format) == ("a.json.jsonl.gz", FileFormat.JSONL)
    assert [json.loads(line) for line in text.splitlines()] == lines


def test_numbers_of_json_keep_their_digits_and_nested_values_their_shape() -> None:
    content = b'[{"a": 1.10, "b": 12345678901234567890123, "c": {"d": [1, null, "\xc3\xa9"]}, "e": -0.0, "f": 1E+2}]'
    [(_, text)] = convert_all(content, "a.json")
    assert text == (b'{"a":1.10,"b":12345678901234567890123,"c":{"d":[1,null,"\xc3\xa9"]},"e":-0.0,"f":1E+2}\n')


@pytest.mark.parametrize("content", [b'{"data": {"items": 1}}', b'{"items": [1]}', b'{"data": {"items": {"a": 1}}}'])
def test_a_path_without_an_array_is_refused_and_not_taken_for_an_empty_one(content: bytes) -> None:
    with pytest.raises(DataError, match="no array at that path") as caught:
        convert_all(content, "a.json", records="data.items")
    assert (caught.value.source_name, caught.value.records) == ("a.json", "data.items")


@pytest.mark.parametrize(
    ("content", "records", "document"),
    [
        (b'{"data": [1]}\n{"rows": [2]}\n{"data": [3]}', "data", 2),
        (b'{"data": [1]}\n{"data": []}\n{"data": {"id": 2}}', "data", 3),
        (b'{"data": []}\n{"data": null}', "data", 2),
        (b'[{"id": 1}]\n{"id": 2}', "", 2),
        (b"[{}]\n7", "", 2),
    ],
)
def test_a_document_behind_others_that_lacks_the_array_is_refused_and_not_passed_over(
    content: bytes, records: str, document: int
) -> None:
    with pytest.raises(DataError, match=r"a JSON document (has no|is no) array") as caught:
        convert_all(content, "a.json", records=records)
    assert (caught.value.source_name, caught.value.document) == ("a.json", document)


@pytest.mark.parametrize("content", [b'[{"id": 1}, {"id"', b'[{"id": 1}, ]', b"id,name\n", b'{"a": 1} x'])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="no JSON that can be read"):
        convert_all(content, "a.json")


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_compressed_document_is_read_through_its_compression(compress: Any) -> None:
    ending = "gz" if compress is gzip.compress else "zst"
    [(_, text)] = convert_all(compress(b'{"data": [{"id": 1}]}'), f"a.json.{ending}", records="data")
    assert text == b'{"id":1}\n'
    many = compress(b'{"data": []}' + b'{"data": [{"id": 1}]}' * 2)
    [(_, text)] = convert_all(many, f"a.json.{ending}", records="data")
    assert text == b'{"id":1}\n' * 2
    [(_, text)] = convert_all(archive({f"in/a.json.{ending}": many}), "a.zip", records="data")
    assert text == b'{"id":1}\n' * 2
    [(_, text)] = convert_all(compress(b'{"data": []}'), f"a.json.{ending}", records="data")
    assert text == b""


WIDTHS = {
    "columns": [{"name": "id", "width": 4}, {"name": "name", "width": 6}, {"name": "sum", "start": 12, "width": 6}]
}


def test_fixed_width_lines_are_cut_by_characters_and_blank_values_are_null() -> None:
    content = "HEADER\n0001Zoë   | 12.50\n0002      |     \n0003Bob\n\nTOTAL 3\n".encode("latin-1")
    spec = {**WIDTHS, "encoding": "latin-1", "skip_rows": 1, "footer_rows": 1}
    [(loadable, text)] = convert_all(content, "a.txt", format="fixed_width", fixed_width=spec)
    assert loadable.name == "a.txt.csv.gz"
    assert text.decode() == '"id","name","sum"\n"0001","Zoë","12.50"\n"0002",,\n"0003","Bob",\n'


def test_a_line_that_is_longer_than_its_columns_loses_nothing_unasked() -> None:
    with pytest.raises(DataError, match="longer than the columns") as caught:
        convert_all(b"0001Ann   | 12.50\n0002Bob   | 12.50 more\n", "a.txt", format="fixed_width", fixed_width=WIDTHS)
    assert (caught.value.data_line, caught.value.characters, caught.value.expected) == (2, 22, 17)


def test_footers_comments_and_foreign_encodings_are_left_out_and_all_else_keeps_its_characters() -> None:
    lines = ["Report", "# made by X", "id;name", "1;“Zoë”", "# half way", "2;'#5", "# no comment'", "Total;2", "", ""]
    content = "\r\n".join(lines)
    dialect = {
        "delimiter": ";", "quote": "'", "encoding": "windows-1252", "skip_rows": 1, "footer_rows": 1, "comment": "#",
    }  # fmt: skip
    [(loadable, text)] = convert_all(content.encode("cp1252"), "a.csv", dialect=dialect)
    assert text.decode() == "id;name\r\n1;“Zoë”\r\n2;'#5\r\n# no comment'\r\n"
    assert loadable.dialect is not None
    kept = loadable.dialect.model_dump(include={"delimiter", "quote", "encoding", "skip_rows"})
    assert kept == {"delimiter": ";", "quote": "'", "encoding": "utf-8", "skip_rows": 0}


def test_a_text_that_is_not_in_its_encoding_is_refused() -> None:
    with pytest.raises(DataError, match="not in the encoding") as caught:
        convert_all("id\nZoë\n".encode("latin-1"), "a.csv", dialect={"comment": "#"})
    assert caught.value.encoding == "utf-8"


def test_fixed_width_files_need_widths() -> None:
    with pytest.raises(ValueError, match="needs the columns' widths"):
        TabularFiles.model_validate({"format": "fixed_width"})


def test_converted_csv_reads_back_as_it_was() -> None:
    content = archive({"a.csv": b"x\n1\n"})
    [(_, text)] = convert_all(content, "a.zip")
    assert table(text) == [["x"], ["1"]]
