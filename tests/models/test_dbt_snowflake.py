"""dbt reaches the Snowflake that a run lends it, by whatever the connection signs in with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.warehouses.opening import open_warehouse
from tests.fakes.snowflake.connection import snowflake_connection
from tests.integration.test_snowflake_errors import private_key
from tests.models.dbt_process import DbtProcess


@pytest.mark.parametrize("kind", ["password", "oauth", "key_pair"])
def test_dbt_signs_in_as_the_connection_does(kind: str, tmp_path: Path) -> None:
    auth: dict[str, Any] = {
        "password": {"password": "a-secret-word"},
        "oauth": {"token": "a-secret-word"},
        "key_pair": {"private_key": private_key()},
    }
    warehouse = open_warehouse(snowflake_connection(auth={"kind": kind, **auth[kind]}))
    dbt = DbtProcess(tmp_path, tmp_path / "none.duckdb")
    with warehouse.lent_to_process() as lent:
        query = ["show", "--inline", "select 40 + 2 as answer", "--target", "snowflake"]
        shown = dbt.run(*query, variables={**lent, "PENSTOCK_PII_SALT": "salt"})
    assert shown.returncode == 0, shown.stdout
    assert "42" in shown.stdout
    logs = "".join(path.read_text("utf-8") for path in tmp_path.rglob("*.log"))
    assert "a-secret-word" not in f"{shown.stdout}{shown.stderr}{logs}"
