"""A lake on S3 that Snowflake reads itself: COPY takes the files where they lie, and this process sends it none."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from penstock.errors import DataError
from tasks.staging.s3 import S3Store
from tasks.warehouses.initialising import init_warehouse
from tasks.warehouses.opening import open_warehouse
from tests.contract.warehouse_cases import TARGET, Loader
from tests.fakes.moto_server import MotoServer
from tests.fakes.snowflake.connection import snowflake_connection


@pytest.fixture
def loader(s3_server: MotoServer, request: pytest.FixtureRequest) -> Loader:
    bucket = s3_server.make_bucket(f"lake-{abs(hash(request.node.name))}")
    store = S3Store(s3_server.connection(bucket, prefix="elt/a b"))
    stage = {"kind": "external", "storage_integration": f"moto_{s3_server.url.rpartition(':')[2]}"}
    connection = snowflake_connection(stage=stage)
    init_warehouse(connection, store)
    return Loader(open_warehouse(connection), store)


def rows_with_source(loader: Loader) -> list[tuple[Any, ...]]:
    return loader.warehouse.query(f"SELECT id, name, _source_file FROM {TARGET} ORDER BY id").rows


def test_every_format_is_loaded_from_where_it_lies(loader: Loader) -> None:
    sink = io.BytesIO()
    parquet.write_table(pa.table({"id": ["5", "6"], "name": ["five", None]}), sink)
    files = [
        {"csv": "id,name\n1,one\n", "source": "a.csv"},
        {"csv": "id,name\n2,\n3,three\n", "source": "b.csv", "compression": "gzip"},
        {"jsonl": '{"id": 4, "name": "four"}\n', "source": "c.jsonl"},
        {"bytes": sink.getvalue(), "format": "parquet", "columns": ["id", "name"], "source": "d.parquet"},
    ]
    result = loader.load({"kind": "append"}, files, row_count=6)
    assert (result.rows_landed, result.rows_rejected) == (6, 0)
    assert rows_with_source(loader) == [
        ("1", "one", "a.csv"),
        ("2", None, "b.csv"),
        ("3", "three", "b.csv"),
        ("4", "four", "c.jsonl"),
        ("5", "five", "d.parquet"),
        ("6", None, "d.parquet"),
    ]
    merged = loader.load({"kind": "incremental", "keys": ["id"]}, [{"csv": "id,name\n6,six\n7,seven\n"}], at=2)
    assert (merged.rows_inserted, merged.rows_updated, merged.rows_total) == (1, 1, 7)


def test_a_file_that_is_gone_from_the_bucket_changes_nothing(loader: Loader) -> None:
    loader.load({"kind": "append"}, [{"csv": "id,name\n1,one\n", "source": "a.csv"}])
    plan = loader.plan({"kind": "append"}, at=2)
    batch = loader.batch(plan, [{"csv": "id,name\n2,two\n"}])
    loader.store.delete(batch.files[0].key)
    with pytest.raises(DataError):
        loader.warehouse.load(plan, batch, loader.store)
    assert rows_with_source(loader) == [("1", "one", "a.csv")]
    assert len(loader.warehouse.loads()) == 1
