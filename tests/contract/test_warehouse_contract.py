"""What every warehouse does, told as data in `cases/`. A new warehouse adds its opener to `OPENERS` and passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock import errors
from penstock.connections import DuckDBConnection
from tasks.staging.local import LocalStore
from tasks.warehouses.contract import Warehouse
from tasks.warehouses.opening import open_warehouse
from tests.contract.warehouse_cases import Loader, in_order, read_cases
from tests.fakes.snowflake.connection import snowflake_connection

OPENERS: dict[str, Callable[[Path], Warehouse]] = {
    "duckdb": lambda folder: open_warehouse(
        DuckDBConnection(kind="duckdb", path=str(folder / "warehouse.duckdb"), lock_timeout_seconds=20)
    ),
    "snowflake": lambda folder: open_warehouse(snowflake_connection()),
}
CASES = dict(read_cases(Path(__file__).with_name("cases")))


@pytest.fixture(params=sorted(OPENERS))
def loader(request: pytest.FixtureRequest, tmp_path: Path) -> Loader:
    return Loader(OPENERS[request.param](tmp_path), LocalStore(tmp_path / "lake"))


@pytest.mark.parametrize("name", CASES)
def test_loads_come_to_the_rows_that_the_case_tells(name: str, loader: Loader, request: pytest.FixtureRequest) -> None:
    case = CASES[name]
    for warehouse, reason in case.get("not_on", {}).items():
        if f"[{warehouse}-" in request.node.name:
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    for load in case["given"]:
        run_load(loader, {**case.get("every_load", {}), **load})
    if "table" in case:
        columns = case.get("columns") or _columns_of(case["table"])
        assert loader.rows(columns) == in_order([{name: row.get(name) for name in columns} for row in case["table"]])
    if "table_columns" in case:
        assert list(loader.warehouse.query(f"SELECT * FROM {loader.target} LIMIT 0").columns) == case["table_columns"]
    if "rejects" in case:
        told = loader.warehouse.query("SELECT source_file, line, reason, raw_text FROM penstock.rejects")
        rows = [dict(zip(told.columns, row, strict=True)) for row in told.rows]
        assert in_order(rows) == in_order([{name: row.get(name) for name in told.columns} for row in case["rejects"]])


def run_load(loader: Loader, load: dict[str, Any]) -> None:
    options = {name: value for name, value in load.items() if name not in {"strategy", "files", "result", "error"}}
    if "error" in load:
        before = loader.rows() if loader.is_there() else None
        with pytest.raises(getattr(errors, load["error"]["type"])) as raised:
            loader.load(load["strategy"], load["files"], **options)
        assert type(raised.value).__name__ == load["error"]["type"]
        facts = {**raised.value.context(), "message": raised.value.message}
        assert {name: facts.get(name) for name in load["error"].get("facts", {})} == load["error"].get("facts", {})
        assert (loader.rows() if loader.is_there() else None) == before, "a load that failed changed the table"
        return
    result = loader.load(load["strategy"], load["files"], **options)
    told = {name: _plain(getattr(result, name)) for name in load.get("result", {})}
    assert told == load.get("result", {})
    assert result.rows_staged == result.rows_landed + result.rows_rejected


def _columns_of(rows: list[dict[str, Any]]) -> list[str] | None:
    return list(dict.fromkeys(name for row in rows for name in row)) or None


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
