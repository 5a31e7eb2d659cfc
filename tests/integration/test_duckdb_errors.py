"""What DuckDB's errors become, and that each of them leaves the warehouse as it was."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from penstock.connections import DuckDBConnection
from penstock.errors import ConfigurationError, DataError, PenstockError, RejectedError, TransientError
from tasks.staging.local import LocalStore
from tasks.warehouses.duckdb.errors import MEANINGS, explain
from tasks.warehouses.opening import open_warehouse
from tests.contract.warehouse_cases import Loader

APPEND = {"kind": "append"}


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    return make_loader(tmp_path)


def make_loader(folder: Path, **settings: object) -> Loader:
    path = str(folder / "warehouse.duckdb")
    connection = DuckDBConnection.model_validate({"kind": "duckdb", "path": path, **settings})
    return Loader(open_warehouse(connection), LocalStore(folder / "lake"))


def test_the_table_names_every_error_that_the_driver_has() -> None:
    classes = {name for name, kind in vars(duckdb).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert set(MEANINGS) == classes
    assert {kind.__name__ for kind in _subclasses(duckdb.Error)} <= classes


def test_every_error_of_the_driver_becomes_one_of_ours_that_can_cross_processes() -> None:
    for kind in _subclasses(duckdb.Error):
        error = explain(kind("text with a secret in it"))
        assert isinstance(error, PenstockError)
        assert "secret" not in str(error)
        assert pickle.loads(pickle.dumps(error)).context() == error.context()  # noqa: S301


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (duckdb.IOException('IO Error: Could not set lock on file "w": Conflicting lock is held'), TransientError),
        (duckdb.ConnectionException("Can't open with a different configuration"), TransientError),
        (duckdb.IOException("Could not write file: No space left on device"), TransientError),
        (duckdb.OutOfMemoryException("failed to offload data block: max_temp_directory_size"), TransientError),
        (duckdb.OutOfMemoryException("failed to allocate data of size 4.0 KiB"), RejectedError),
        (duckdb.Error("Corrupt database file: computed checksum 1 does not match"), RejectedError),
        (duckdb.FatalException("No space left on device"), TransientError),
        (duckdb.FatalException("database has been invalidated"), RejectedError),
        (duckdb.ConversionException("Could not convert string"), DataError),
        (duckdb.InvalidInputException("File is not utf-16 encoded"), DataError),
        (duckdb.IOException("Input is not a GZIP stream"), DataError),
        (duckdb.BinderException("column checksum not found: No space left on device"), RejectedError),
    ],
)
def test_a_message_tells_apart_what_a_class_does_not(error: duckdb.Error, kind: type[PenstockError]) -> None:
    assert type(explain(error)) is kind


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT nmae FROM t", 'Candidate bindings: "name"'),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT * FROM nowhere", "nowhere does not exist"),
        ("SELECT frobnicate(1)", "frobnicate does not exist"),
        ("SELECT name::INTEGER FROM t", None),
        ("SELECT error('row: ' || name) FROM t", None),
    ],
)
def test_a_wrong_query_is_told_in_the_drivers_words_without_a_value(
    loader: Loader, query: str, told: str | None
) -> None:
    loader.warehouse.migrate()
    with pytest.raises(PenstockError) as raised:
        loader.warehouse.query(f"WITH t AS (SELECT 'secret' AS name FROM range(2)) {query}")
    assert "secret" not in str(raised.value)
    if told is None:
        assert raised.value.driver_message is None
    else:
        assert isinstance(raised.value, RejectedError)
        assert told in str(raised.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").write_bytes(b"not a database" * 1000)
    loader = make_loader(tmp_path)
    for call in (loader.warehouse.migrate, loader.warehouse.loads, lambda: loader.load(APPEND, [])):
        with pytest.raises(RejectedError, match="damaged") as caught:
            call()
        assert caught.value.path == str(tmp_path / "warehouse.duckdb")
    assert (tmp_path / "warehouse.duckdb").read_bytes() == b"not a database" * 1000


def test_a_damaged_database_is_refused(tmp_path: Path, loader: Loader) -> None:
    rows = "".join(f"{number},{number * 7919}\n" for number in range(50_000))
    loader.load(APPEND, [{"csv": f"id,n\n{rows}"}])
    path = tmp_path / "warehouse.duckdb"
    data = bytearray(path.read_bytes())
    data[12_288:] = os.urandom(len(data) - 12_288)
    path.write_bytes(data)
    with pytest.raises(RejectedError, match="damaged"):
        loader.load(APPEND, [{"csv": "id,n\n1,1\n"}], at=2)


def test_a_value_that_does_not_fit_its_column_is_told_without_the_value(loader: Loader) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n"}])
    with duckdb.connect(str(loader.warehouse._file.path)) as connection:
        connection.execute("ALTER TABLE acme_bronze.rest__orders ALTER id TYPE INTEGER")
    with pytest.raises(DataError, match="does not fit its column") as raised:
        loader.load(APPEND, [{"csv": "id\n7\nsecret\n"}], at=2)
    assert "secret" not in str(raised.value)
    assert loader.rows() == [{"id": 1}]


def test_a_load_that_needs_more_memory_than_allowed_changes_nothing(tmp_path: Path) -> None:
    make_loader(tmp_path).load(APPEND, [{"csv": "id\n1\n"}])
    small = make_loader(tmp_path, memory_limit="1MB")
    with pytest.raises(RejectedError, match="memory_limit"):
        small.load(APPEND, [{"csv": "id\n2\n"}], at=2, batch_id="another")
    assert make_loader(tmp_path).rows() == [{"id": "1"}]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX's")
def test_a_full_disk_is_worth_another_try_and_changes_nothing(tmp_path: Path) -> None:
    make_loader(tmp_path).load(APPEND, [{"csv": "id,text\n1,one\n"}])
    size = (tmp_path / "warehouse.duckdb").stat().st_size
    code = f"""
import resource, signal
from pathlib import Path
from penstock.errors import TransientError
from tests.integration.test_duckdb_errors import APPEND, make_loader
loader = make_loader(Path({str(tmp_path)!r}))
plan = loader.plan(APPEND, at=2, batch_id="big")
text = "".join(f"{{n}},{{n * 7919}}-{{n * 104729}}-{{n * 1299709}}\\n" for n in range(300_000))
batch = loader.batch(plan, [{{"csv": "id,text\\n" + text}}])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size} + 1_000_000, {size} + 1_000_000))
try:
    loader.warehouse.load(plan, batch, loader.store)
except TransientError as error:
    print(error.message)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert told.stdout == "the disk of the warehouse is full\n", told.stderr
    assert make_loader(tmp_path).rows() == [{"id": "1", "text": "one"}]
    assert len(make_loader(tmp_path).warehouse.loads()) == 1


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_file_that_is_not_compressed_as_told_is_broken_data(loader: Loader, compression: str) -> None:
    file = loader.stage("a.csv", csv="id\n1\n")
    with pytest.raises(DataError):
        loader.load(APPEND, [file.model_copy(update={"compression": compression})])


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_a_compressed_file_that_was_cut_off_is_broken_data(loader: Loader, compression: str, format_: str) -> None:
    lines = {"csv": "{}\n", "jsonl": '{{"id": {}}}\n'}[format_]
    body = ("id\n" if format_ == "csv" else "") + "".join(lines.format(number * 7919) for number in range(100_000))
    file = loader.stage("a", **{format_: body}, compression=compression)
    path = loader.store.path("a")
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, 5):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            loader.load(APPEND, [file])
    assert not loader.is_there()
    path.write_bytes(whole * 2)
    assert loader.load(APPEND, [file]).rows_landed == 200_000 + (format_ == "csv")


def test_a_staged_file_that_is_gone_is_named(loader: Loader) -> None:
    file = loader.stage("a.csv", csv="id\n1\n")
    loader.store.delete("a.csv")
    with pytest.raises(DataError, match=r"key=a\.csv"):
        loader.load(APPEND, [file])


def test_a_query_that_is_wrong_or_has_no_warehouse_is_told_apart(loader: Loader) -> None:
    with pytest.raises(ConfigurationError, match="no warehouse yet"):
        loader.warehouse.query("SELECT 1")
    loader.warehouse.migrate()
    for wrong in ("SELEKT 1", "SELECT nothing FROM nowhere", "SELECT 'x'::INTEGER"):
        with pytest.raises((RejectedError, DataError)):
            loader.warehouse.query(wrong)


def test_a_query_that_would_write_is_refused(loader: Loader) -> None:
    loader.load(APPEND, [{"csv": "id\n1\n"}])
    for wrong in ("DELETE FROM acme_bronze.rest__orders", "CREATE TABLE t AS SELECT 1", "DROP SCHEMA penstock CASCADE"):
        with pytest.raises(RejectedError):
            loader.warehouse.query(wrong)
    assert loader.rows() == [{"id": "1"}]


@pytest.mark.parametrize("name", ["penstock", "Acme_Bronze"])
def test_a_file_that_is_called_like_a_schema_is_a_wrong_configuration(tmp_path: Path, name: str) -> None:
    connection = DuckDBConnection(kind="duckdb", path=str(tmp_path / f"{name}.duckdb"))
    loader = Loader(open_warehouse(connection), LocalStore(tmp_path / "lake"))
    with pytest.raises(ConfigurationError, match="called like a schema"):
        loader.load(APPEND, [{"csv": "id\n1\n"}])


def test_tables_of_others_are_left_alone_whatever_their_names(loader: Loader) -> None:
    loader.warehouse.migrate()
    names = ("landing", "rejected", "matched", "late", "timeline", "outcome", "revised", "reader_errors")
    with duckdb.connect(str(loader.warehouse._file.path)) as connection:
        for name in names:
            connection.execute(f"CREATE TABLE {name} AS SELECT 1 AS one")
    strategies = [
        {"kind": "incremental", "keys": ["id"], "order_by": "v"},
        {"kind": "cdc", "keys": ["id"], "order_by": "v", "delete_column": "op"},
    ]
    for day, strategy in enumerate([*strategies, *strategies], start=1):
        loader.load(strategy, [{"csv": "id,v,op\n1,1,\n1\n2,,\n"}], at=day, guards={"maximum_rejected": 2})
    for name in names:
        assert loader.warehouse.query(f"SELECT * FROM main.{name}").rows == [(1,)]


def test_a_schema_of_a_newer_penstock_is_left_alone(loader: Loader) -> None:
    loader.warehouse.migrate()
    with duckdb.connect(str(loader.warehouse._file.path)) as connection:
        connection.execute("INSERT INTO penstock.schema_version VALUES (999, now())")
    for call in (loader.warehouse.migrate, lambda: loader.load(APPEND, [])):
        with pytest.raises(ConfigurationError, match="newer Penstock"):
            call()


def _subclasses(kind: type[Exception]) -> set[type[Exception]]:
    return {kind, *(below for child in kind.__subclasses__() for below in _subclasses(child))}
