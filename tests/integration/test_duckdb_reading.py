"""What DuckDB reads from staged files, beside what Python reads from them."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from penstock.artifacts import Compression, FileFormat, StagedColumn, StagedFile
from penstock.connections import DuckDBConnection
from penstock.errors import DataError, SchemaContractError
from tasks.staging.local import LocalStore
from tasks.staging.peek import peek
from tasks.warehouses.duckdb.connection import Sql, spare_memory, threads_for
from tasks.warehouses.duckdb.reading_parquet import has_narrow_rows
from tasks.warehouses.opening import open_warehouse
from tests.contract.warehouse_cases import Loader, in_order

APPEND = {"kind": "append"}
PIECES = [
    "a",
    "b",
    "1",
    " ",
    ",",
    ";",
    "|",
    '"',
    '""',
    "'",
    "\n",
    "\r\n",
    "\r",
    "é",
    "😀",
    "\\",
    "#",
    "\t",
    "x" * 60,
    "NULL",
]


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    return make_loader(tmp_path)


def make_loader(folder: Path, **settings: object) -> Loader:
    path = str(folder / "warehouse.duckdb")
    connection = DuckDBConnection.model_validate({"kind": "duckdb", "path": path, **settings})
    return Loader(open_warehouse(connection), LocalStore(folder / "lake"))


class RandomCsv:
    """A CSV file of random fields, written by hand: None is an empty field, an empty string a quoted one."""

    def __init__(self, chance: random.Random) -> None:
        self.delimiter = chance.choice([",", ";", "\t", "|"])
        self.line_end = chance.choice(["\n", "\n", "\r\n", "\r\n", "\r"])
        self.has_header = chance.random() < 0.9
        width = chance.randint(2, 4)
        self.names = [chance.choice(["id", "a b", 'q"q', "l\nl", "l\r\nl", "é"]) + str(n) for n in range(width)]
        self.rows = [
            tuple(self._value(chance) for _ in range(width)) for _ in range(chance.choice([0, 1, 2, 5, 40, 200]))
        ]
        lines = [self._line(row, chance) for row in ([tuple(self.names)] if self.has_header else []) + self.rows]
        if chance.random() < 0.3:
            lines.insert(chance.randint(0, len(lines)), "")
        text = "".join(line + self.line_end for line in lines)
        is_open_ended = chance.random() < 0.3 and lines and lines[-1]
        self.text = text.removesuffix(self.line_end) if is_open_ended else text
        self.header_rows = (lines.index(next(filter(None, lines))) + 1) if self.has_header else 0

    def _value(self, chance: random.Random) -> str | None:
        kind = chance.random()
        if kind < 0.15:
            return None
        return "" if kind < 0.25 else "".join(chance.choices(PIECES, k=chance.randint(1, 6)))

    def _line(self, row: tuple[str | None, ...], chance: random.Random) -> str:
        return self.delimiter.join(self._field(value, chance) for value in row)

    def _field(self, value: str | None, chance: random.Random) -> str:
        if value is None:
            return ""
        must = any(piece in value for piece in (self.delimiter, "\n", "\r")) or value.lstrip(" ").startswith('"')
        if must or not value or chance.random() < (0.5 if '"' in value else 0.2):
            return '"' + value.replace('"', '""') + '"'
        return value

    def options(self) -> dict[str, Any]:
        columns = tuple(StagedColumn(name=f"c{n}", source_name=name) for n, name in enumerate(self.names))
        return {
            "csv": self.text,
            "columns": columns,
            "header_rows": self.header_rows,
            "dialect": {"delimiter": self.delimiter},
        }


@pytest.mark.parametrize("seed", range(4))
def test_random_csv_files_are_read_as_python_wrote_them(loader: Loader, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - test data
    files = [RandomCsv(chance) for _ in range(60)]
    loader.load(APPEND, [{**file.options(), "source": f"{number:03}"} for number, file in enumerate(files)])
    order = "ORDER BY _source_file, rowid"
    found: dict[str, list[tuple[str | None, ...]]] = {}
    for row in loader.warehouse.query(f"SELECT _source_file, c0, c1, c2, c3 FROM {loader.target} {order}").rows:
        found.setdefault(row[0], []).append(row[1:])
    for number, file in enumerate(files):
        expected = [(*row, None, None)[:4] for row in file.rows]
        assert sorted(found.get(f"{number:03}", []), key=repr) == sorted(expected, key=repr), repr(file.text)


def test_a_file_longer_than_the_readers_buffers_lands_whole(loader: Loader) -> None:
    # The middle line of a value looks like a row: a reader that begins there would take it for one.
    lines = [
        f'{number},"line one of {number}\n{number + 5},not a row\n""end""",{"x" * 30}\n' for number in range(250_000)
    ]
    result = loader.load(APPEND, [{"csv": "id,text,filler\n" + "".join(lines), "columns": ["id", "text", "filler"]}])
    assert result.rows_landed == 250_000
    query = f"SELECT count(*), count(DISTINCT id), sum(id::BIGINT), min(length(text)) FROM {loader.target}"
    assert loader.warehouse.query(query).rows == [(250_000, 250_000, sum(range(250_000)), 31)]


def test_many_threads_share_the_memory_there_is(tmp_path: Path) -> None:
    loader = make_loader(tmp_path, threads=16, memory_limit="256MB")
    body = "id,text\n" + "".join(f"{number},{number * 7919}-{'y' * 90}\n" for number in range(300_000))
    assert loader.load(APPEND, [{"csv": body}]).rows_landed == 300_000


def test_a_load_takes_as_many_threads_as_the_memory_serves() -> None:
    for limit, threads in {"244.1 MiB": 4, "1.0 GiB": 16, "61.0 MiB": 1, "12 bytes": 1, "1.5 TiB": 64}.items():
        assert threads_for(limit, 64) == threads, limit
    assert threads_for("244.1 MiB", 2) == 2


@pytest.mark.parametrize(("threads", "limit"), [(1, "122.0 MiB"), (2, "122.0 MiB"), (3, "183.0 MiB"), (5, "244.1 MiB")])
def test_a_load_of_narrow_rows_leaves_memory_that_its_threads_do_not_need(threads: int, limit: str) -> None:
    with duckdb.connect(":memory:", config={"memory_limit": "256MB", "threads": threads}) as connection:
        spare_memory(Sql(connection))
        assert Sql(connection).rows("SELECT current_setting('memory_limit')") == [(limit,)]


@pytest.mark.parametrize(
    ("columns", "is_narrow"),
    [
        ({"id": list(range(1_000)), "text": ["x" * 60] * 1_000}, True),
        ({"text": [f"{number:0600}" for number in range(1_000)]}, False),
        ({f"c{number}": [True] * 1_000 for number in range(65)}, False),
        ({"id": []}, False),
    ],
    ids=["short", "long-texts", "many-columns", "no-row"],
)
def test_rows_are_narrow_where_few_columns_and_short_texts_make_them_so(
    tmp_path: Path, columns: dict[str, list[Any]], is_narrow: bool
) -> None:
    path = str(tmp_path / "rows.parquet")
    parquet.write_table(pa.table(columns), path, use_dictionary=False)
    with duckdb.connect(":memory:") as connection:
        assert has_narrow_rows(Sql(connection), [path]) is is_narrow


@pytest.mark.parametrize("kind", ["append", "full_refresh", "incremental"])
@pytest.mark.parametrize(("row_count", "expected"), [(120_000, {"note"}), (90_000, set())])
def test_text_that_hardly_repeats_is_compressed_by_zstd_in_a_table_that_is_made(
    tmp_path: Path, kind: str, row_count: int, expected: set[str]
) -> None:
    loader = make_loader(tmp_path)
    file = write_parquet(loader, "a.parquet", varied_rows(row_count), use_dictionary=["status"])
    strategy = {"kind": kind, **({"keys": ["id"], "order_by": "id"} if kind == "incremental" else {})}
    assert loader.load(strategy, [file], typed=True).rows_landed == row_count
    query = f"SELECT count(*), count(DISTINCT note), min(note), max(status) FROM {loader.target}"
    assert loader.warehouse.query(query).rows == [(row_count, row_count, "note 0 of a kind", "paid")]
    assert zstd_columns(loader) == expected


def test_a_warehouse_file_of_an_older_format_is_loaded_without_zstd(tmp_path: Path) -> None:
    loader = make_loader(tmp_path)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{tmp_path}/warehouse.duckdb' AS old (STORAGE_VERSION 'v1.0.0')")
        connection.execute("CREATE TABLE old.main.t (id INTEGER)")
    loader.warehouse.migrate()
    file = write_parquet(loader, "a.parquet", varied_rows(120_000), use_dictionary=["status"])
    assert loader.load(APPEND, [file], typed=True).rows_landed == 120_000
    assert zstd_columns(loader) == set()


def varied_rows(count: int) -> pa.Table:
    notes = [f"note {number} of a kind" for number in range(count)]
    statuses = ["open" if number % 3 else "paid" for number in range(count)]
    return pa.table({"id": range(count), "note": notes, "status": statuses})


def zstd_columns(loader: Loader) -> set[str]:
    query = f"SELECT DISTINCT column_name FROM pragma_storage_info('{loader.target}') WHERE compression = 'ZSTD'"
    return {row[0] for row in loader.warehouse.query(query).rows}


@pytest.mark.parametrize(("settings", "threads"), [({}, 1), ({"threads": 5}, 5)])
def test_threads_are_capped_by_memory_unless_they_are_set(
    tmp_path: Path, settings: dict[str, Any], threads: int
) -> None:
    loader = make_loader(tmp_path, memory_limit="64MB", **settings)
    loader.warehouse.migrate()
    assert loader.warehouse.query("SELECT current_setting('threads')").rows == [(threads,)]


@pytest.mark.parametrize("ahead", [0, 3_000, 400_000])
@pytest.mark.parametrize("value", ["😀", '"😀\n, 名前"'])
def test_characters_beyond_the_basic_plane_land_from_utf_16_wherever_they_stand(
    loader: Loader, ahead: int, value: str
) -> None:
    numbers = range(ahead)
    text = "id,name\n" + "".join(f"{number},x\n" for number in numbers) + f"last,{value}\n"
    content = b"\xff\xfe" + text.encode("utf-16-le")
    found = peek_csv(loader, content)
    result = loader.load(APPEND, [found, {"csv": "id,name\nother,y\n"}])
    assert result.rows_landed == ahead + 2
    assert loader.warehouse.query(f"SELECT name FROM {loader.target} WHERE id = 'last'").rows == [(value.strip('"'),)]


@pytest.mark.parametrize("broken", [b"\x3d\xd8x\x00", b"\x00\xdex\x00", b"x"])
def test_broken_utf_16_is_refused_with_the_files_name(loader: Loader, broken: bytes) -> None:
    content = b"\xff\xfe" + ("id,name\n" + "1,x\n" * 5_000 + "2,").encode("utf-16-le") + broken
    with pytest.raises(DataError, match="not in the encoding") as raised:
        loader.load(APPEND, [peek_csv(loader, content)])
    assert (raised.value.source_name, raised.value.encoding) == ("names.csv", "utf-16")


def peek_csv(loader: Loader, content: bytes) -> StagedFile:
    """Puts a file into the lake and describes it by what a peek finds."""
    with loader.store.open_write("names.csv") as file:
        file.write(content)
    info = loader.store.stat("names.csv")
    assert info is not None
    found = peek(loader.store, info, format=FileFormat.CSV, dialect=None)
    return StagedFile(
        key=info.key,
        format=FileFormat.CSV,
        compression=found.compression,
        size_bytes=info.size_bytes,
        etag=info.etag,
        columns=found.columns,
        dialect=found.dialect,
        header_rows=found.header_rows,
        source_name="names.csv",
    )


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_dialect_without_quotes_reads_quotes_as_they_are(loader: Loader, line_end: str) -> None:
    rows = ['1,"open', '2,a"b', '3,""', "4,x"]
    files = [
        {"csv": line_end.join(["id,size", *rows, ""]), "columns": ["id", "size"], "dialect": {"quote": ""}},
        {"csv": line_end.join(rows), "columns": ["id", "size"], "header_rows": 0, "dialect": {"quote": ""}},
    ]
    result = loader.load(APPEND, files, row_count=8)
    assert (result.rows_landed, result.rows_rejected) == (8, 0)
    assert [row["size"] for row in loader.rows()] == ['"open', '"open', 'a"b', 'a"b', '""', '""', "x", "x"]


def test_a_dialect_without_quotes_rejects_and_names_the_right_line(loader: Loader) -> None:
    body = 'id,size\n1,"a\n2,b",c\n3,d\n'
    file = {"csv": body, "columns": ["id", "size"], "dialect": {"quote": ""}, "source": "sizes.csv"}
    result = loader.load(APPEND, [file], guards={"maximum_rejected": 1})
    assert (result.rows_landed, result.rows_rejected) == (2, 1)
    assert loader.warehouse.query("SELECT source_file, line FROM penstock.rejects").rows == [("sizes.csv", 3)]


def test_a_line_of_ten_megabytes_is_a_value_like_others(loader: Loader) -> None:
    size = 10 * 2**20
    result = loader.load(
        APPEND,
        [
            {"csv": f"id,text\n1,{'x' * size}\n2,b\n"},
            {"jsonl": f'{{"id": 3, "text": "{"y" * size}"}}\n{{"id": 4, "text": "d"}}\n'},
        ],
    )
    assert result.rows_landed == 4
    lengths = loader.warehouse.query(f"SELECT id, length(text) FROM {loader.target} ORDER BY id").rows
    assert lengths == [("1", size), ("2", 1), ("3", size), ("4", 1)]


def test_a_line_that_is_too_long_is_rejected_and_named(loader: Loader) -> None:
    body = f"id,text\n1,a\n2,{'x' * (17 * 2**20)}\n"
    with pytest.raises(DataError) as raised:
        loader.load(APPEND, [{"csv": body, "source": "long.csv"}])
    assert (raised.value.file, raised.value.line) == ("long.csv", 3)
    assert raised.value.reason == "longer than 16,777,216 bytes"


def _numbers(chance: random.Random) -> Iterator[str]:
    while True:
        integer = chance.choice(
            ["0", str(chance.randint(1, 9)), str(chance.getrandbits(chance.choice([8, 60, 64, 200])))]
        )
        digits = "".join(chance.choices("0123456789", k=chance.randint(1, 25)))
        fraction = chance.choice(["", "." + chance.choice([digits, digits[:2], "0", "10", "000001"])])
        exponent = chance.choice(
            ["", "", "", f"{chance.choice('eE')}{chance.choice(['', '+', '-'])}{chance.randint(0, 400)}"]
        )
        yield chance.choice(["", "-"]) + integer + fraction + exponent


def _json(value: Any, chance: random.Random) -> str:
    """Returns a value as JSON text with random spaces and escapes; a `Number` as it is."""
    space = chance.choice(["", " ", "\t"])
    if isinstance(value, Number):
        return str.__str__(value)
    if isinstance(value, dict):
        pairs = [f"{_json(key, chance)}{space}:{space}{_json(one, chance)}" for key, one in value.items()]
        return "{" + space + f"{space},{space}".join(pairs) + space + "}"
    if isinstance(value, list):
        return "[" + f"{space},".join(space + _json(one, chance) for one in value) + space + "]"
    return json.dumps(value, ensure_ascii=chance.random() < 0.5)


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def _plain(value: Any) -> str:
    if isinstance(value, Number):
        return str.__str__(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_plain(key)}:{_plain(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_plain(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _value(chance: random.Random, numbers: Iterator[str], depth: int = 0) -> Any:
    kind = chance.random()
    if kind < 0.45:
        return Number(next(numbers))
    if kind < 0.7 or depth == 3:
        # Text that looks like numbers, and quotes and backslashes before them.
        return "".join(chance.choices([next(numbers), '"', "\\", ": ", "[", ",", "é", "\n", "1.10", "}"], k=3))
    if kind < 0.8:
        return chance.choice([None, True, False, ""])
    if kind < 0.9:
        return [_value(chance, numbers, depth + 1) for _ in range(chance.randint(0, 3))]
    return {f"k{n}": _value(chance, numbers, depth + 1) for n in range(chance.randint(0, 3))}


@pytest.mark.parametrize("seed", range(3))
def test_random_json_values_keep_what_was_written(loader: Loader, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - test data
    numbers = _numbers(chance)
    values = [_value(chance, numbers) for _ in range(2000)]
    lines = [_json({"id": n, "v": value}, chance) for n, value in enumerate(values)]
    loader.load(APPEND, [{"jsonl": "\n".join(lines)}])
    found = loader.warehouse.query(f"SELECT v FROM {loader.target} ORDER BY id::INTEGER").rows
    for (told,), value, line in zip(found, values, lines, strict=True):
        expected = None if value is None else value if type(value) is str else _plain(value)
        assert told == expected, line


def write_parquet(loader: Loader, key: str, table: pa.Table, **options: Any) -> StagedFile:
    path = loader.store.path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, **options)
    return StagedFile(
        key=key,
        format=FileFormat.PARQUET,
        compression=Compression.NONE,
        size_bytes=path.stat().st_size,
        etag="1",
        columns=tuple(StagedColumn(name=name.lower(), source_name=name) for name in table.column_names),
        row_count=table.num_rows,
        source_name=key,
    )


TYPED = {
    "Text": pa.array(["é", None]),
    "whole": pa.array([2**62, None], pa.int64()),
    "unsigned": pa.array([2**64 - 1, None], pa.uint64()),
    "real": pa.array([0.1, None]),
    "money": pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)),
    "day": pa.array([date(2026, 3, 1), None]),
    "moment": pa.array([datetime(2026, 3, 1, 10, 0, 0, 500, UTC), None], pa.timestamp("us", "America/New_York")),
    "local": pa.array([datetime(2026, 3, 1, 10, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    .cast(pa.timestamp("us"))
    .take(pa.array([0, None])),
    "flag": pa.array([True, None]),
    "nested": pa.array([{"a": [1, 2], "b": "x"}, None]),
    "many": pa.array([["a", None], None]),
}


def test_parquet_becomes_text(loader: Loader) -> None:
    loader.load(APPEND, [write_parquet(loader, "a.parquet", pa.table(TYPED))], timezone="Asia/Tokyo")
    assert loader.rows() == [
        {
            "text": "é",
            "whole": "4611686018427387904",
            "unsigned": "18446744073709551615",
            "real": "0.1",
            "money": "1.10",
            "day": "2026-03-01",
            "moment": "2026-03-01T10:00:00.000500Z",
            "local": "2026-03-01 10:00:00",
            "flag": "true",
            "nested": '{"a":[1,2],"b":"x"}',
            "many": '["a",null]',
        },
        dict.fromkeys(name.lower() for name in TYPED),
    ]


def test_parquet_keeps_its_types_where_that_is_wanted(loader: Loader) -> None:
    loader.load(APPEND, [write_parquet(loader, "a.parquet", pa.table(TYPED))], typed=True)
    types = dict(loader.warehouse.query(f"SELECT name, type FROM pragma_table_info('{loader.target}')").rows)
    assert [types[name.lower()] for name in TYPED] == [
        "VARCHAR",
        "BIGINT",
        "UBIGINT",
        "DOUBLE",
        "DECIMAL(10,2)",
        "DATE",
        "TIMESTAMP WITH TIME ZONE",
        "TIMESTAMP",
        "BOOLEAN",
        "STRUCT(a BIGINT[], b VARCHAR)",
        "VARCHAR[]",
    ]
    (row, _) = loader.warehouse.query(
        f"SELECT money, moment, nested FROM {loader.target} ORDER BY money NULLS LAST"
    ).rows
    assert row == (Decimal("1.10"), datetime(2026, 3, 1, 10, 0, 0, 500, UTC), {"a": [1, 2], "b": "x"})


def test_typed_loads_compare_and_widen_by_type(loader: Loader) -> None:
    strategy = {"kind": "incremental", "keys": ["id"], "order_by": "v"}
    first = pa.table({"id": pa.array([1, 2], pa.int32()), "v": pa.array([9, 9], pa.int32())})
    second = pa.table(
        {"id": pa.array([1, 2, 3], pa.int64()), "v": pa.array([10.5, 8.0, 1.0]), "filename": ["a", "b", "c"]}
    )
    files = [write_parquet(loader, f"{n}.parquet", second.slice(n, 1)) for n in range(3)]
    loader.load(strategy, [write_parquet(loader, "first.parquet", first)], at=1, typed=True)
    result = loader.load(strategy, files, at=2, typed=True)
    assert (result.rows_inserted, result.rows_updated, result.columns_added) == (1, 1, ("filename",))
    assert result.warnings[1:] == ("the column id was widened to BIGINT", "the column v was widened to DOUBLE")
    assert loader.rows() == in_order(
        [
            {"id": 1, "v": 10.5, "filename": "a"},
            {"id": 2, "v": 9.0, "filename": None},
            {"id": 3, "v": 1.0, "filename": "c"},
        ]
    )


MONEY, RATE = (
    pa.array([Decimal("1.25")], pa.decimal128(38, 2)),
    pa.array([Decimal("1.0123456789")], pa.decimal128(38, 10)),
)


@pytest.mark.parametrize(
    ("first", "second", "of_type", "held"),
    [
        (MONEY, RATE, "VARCHAR", ["1.25", "1.0123456789"]),
        (RATE, MONEY, "VARCHAR", ["1.0123456789", "1.25"]),
        (pa.array([2**53 + 1]), pa.array([1.5]), "VARCHAR", ["9007199254740993", "1.5"]),
        (pa.array([1.5]), pa.array([2**53 + 1]), "VARCHAR", ["1.5", "9007199254740993"]),
        (pa.array([2**24 + 1], pa.int32()), pa.array([1.5], pa.float32()), "DOUBLE", [16777217.0, 1.5]),
        (pa.array([b"\x00\xff"]), pa.array(["\\x41 ü"]), "VARCHAR", ["\\x00\\xFF", "\\x41 ü"]),
        (
            pa.array([1], pa.int64()),
            MONEY.cast(pa.decimal128(10, 2)),
            "DECIMAL(21,2)",
            [Decimal("1.00"), Decimal("1.25")],
        ),
        (pa.array([2**64 - 1], pa.uint64()), pa.array([-1]), "HUGEINT", [2**64 - 1, -1]),
        (pa.array([100], pa.int16()), pa.array([0.5], pa.float32()), "FLOAT", [100.0, 0.5]),
    ],
)
def test_a_column_becomes_what_holds_each_value_as_it_is_or_text(
    loader: Loader, first: pa.Array, second: pa.Array, of_type: str, held: list[Any]
) -> None:
    for number, values in enumerate((first, second), start=1):
        table = pa.table({"id": [number], "v": values})
        loader.load(
            {"kind": "incremental", "keys": ["id"]},
            [write_parquet(loader, f"{number}.parquet", table)],
            at=number,
            typed=True,
        )
    assert loader.warehouse.query(f"SELECT v FROM {loader.target} ORDER BY id").rows == [(one,) for one in held]
    types = dict(loader.warehouse.query(f"SELECT name, type FROM pragma_table_info('{loader.target}')").rows)
    assert types["v"] == of_type


@pytest.mark.parametrize("is_typed", [False, True])
def test_files_of_one_batch_keep_the_digits_of_each_type(loader: Loader, is_typed: bool) -> None:
    whole, real = 1234567890123456789, pa.array([1.5, None])
    tables = [pa.table({"id": pa.array([whole, 7])}), pa.table({"id": real}), pa.table({"id": pa.array([8])})]
    files = [write_parquet(loader, f"{number}.parquet", table) for number, table in enumerate(tables)]
    result = loader.load(APPEND, files, typed=is_typed)
    assert result.rows_landed == 5
    assert loader.rows() == in_order([{"id": one} for one in (str(whole), "7", "1.5", None, "8")])


@pytest.mark.parametrize("is_typed", [False, True])
def test_columns_are_told_apart_that_differ_in_case_only_or_not_at_all(loader: Loader, is_typed: bool) -> None:
    columns = [pa.array([1]), pa.array(["x"]), pa.array([2]), pa.array([3]), pa.array([4])]
    table = pa.table(columns, names=["Id", "id", "ID", "same", "same"])
    file = write_parquet(loader, "a.parquet", table)
    named = [StagedColumn(name=f"c{n}", source_name=name) for n, name in enumerate(table.column_names)]
    loader.load(APPEND, [file.model_copy(update={"columns": tuple(named)})], typed=is_typed)
    (row,) = loader.rows()
    assert [str(row[f"c{n}"]) for n in range(5)] == ["1", "x", "2", "3", "4"]


def test_folders_that_look_like_partitions_change_no_value(tmp_path: Path) -> None:
    loader = make_loader(tmp_path / "env=prod" / "c0=1")
    file = write_parquet(loader, "a.parquet", pa.table({"id": [1, 2], "env": ["dev", None]}))
    loader.load(APPEND, [file])
    loader.load(APPEND, [{"csv": "id,c0\n3,x\n"}], at=2)
    assert loader.rows() == in_order(
        [
            {"id": "1", "env": "dev", "c0": None},
            {"id": "2", "env": None, "c0": None},
            {"id": "3", "env": None, "c0": "x"},
        ]
    )


@pytest.mark.parametrize("contract", ["freeze", "ignore"])
def test_a_type_is_not_widened_against_the_schema_contract(loader: Loader, contract: str) -> None:
    for number, of_type in enumerate((pa.int32(), pa.string())):
        file = write_parquet(loader, f"{number}.parquet", pa.table({"id": pa.array([number]).cast(of_type)}))
        if number:
            with pytest.raises(SchemaContractError, match="id to VARCHAR"):
                loader.load(APPEND, [file], at=2, typed=True, schema_contract=contract)
        else:
            loader.load(APPEND, [file], at=1, typed=True, schema_contract=contract)
    assert loader.rows() == [{"id": 0}]


@pytest.mark.parametrize(
    ("column", "days"), [("day", pa.date32()), ("day", pa.timestamp("us")), ("day", pa.timestamp("us", "UTC"))]
)
def test_typed_partitions_are_replaced(loader: Loader, column: str, days: pa.DataType) -> None:
    strategy = {"kind": "partition", "column": column}

    def table(*numbers: int) -> pa.Table:
        return pa.table(
            {"day": pa.array([datetime(2026, 3, n, tzinfo=UTC) for n in numbers]).cast(days), "n": list(numbers)}
        )

    loader.load(strategy, [write_parquet(loader, "a.parquet", table(1, 2, 2))], at=(1, 3), typed=True)
    result = loader.load(strategy, [write_parquet(loader, "b.parquet", table(2))], at=2, typed=True, reload=True)
    assert (result.rows_deleted, result.rows_total) == (2, 2)


def test_files_of_a_store_elsewhere_are_fetched_for_the_load(tmp_path: Path) -> None:
    loader = make_loader(tmp_path)
    local = loader.store

    class Elsewhere:
        """A store whose files have no path here."""

        def __getattr__(self, name: str) -> Any:
            return getattr(local, name)

        def uri(self, key: str) -> str:
            return f"s3://bucket/{key}"

    loader.store = Elsewhere()
    result = loader.load(APPEND, [{"csv": "id\n1\n", "compression": "gzip"}, {"jsonl": '{"id": 2}\n'}])
    assert result.rows_landed == 2
    assert gzip.decompress(local.path("rest__orders-1/0").read_bytes()) == b"id\n1\n"
    assert {path.name for path in tmp_path.iterdir()} == {"lake", "warehouse.duckdb", "warehouse.duckdb.lock"}
