"""What models ask of the warehouse before they read a table that may not be there."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.models.dbt_process import DbtProcess

_ASKED = """
{%- if execute -%}
    {%- for name in ['first', 'Second', 'third'] -%}
        {%- set table = api.Relation.create(database=target.database, schema='shop_bronze', identifier=name) -%}
        {%- if loop.first %}{% do adapter.cache_added(table) %}{% endif %}
        {{- name }} {{ is_built(table) }};
    {%- endfor -%}
{%- endif -%}
"""


def test_a_table_is_found_while_another_thread_still_lists_its_schema(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("CREATE SCHEMA shop_bronze")
        for name in ("first", "second"):
            connection.execute(f"CREATE TABLE shop_bronze.{name} (id int)")
    dbt = DbtProcess(tmp_path, warehouse)
    # As another thread leaves dbt's list that has put the first of two tables into it.
    ended = dbt.run("compile", "--inline", _ASKED, "--target", "duckdb", variables={"PENSTOCK_PII_SALT": "local"})
    assert ended.returncode == 0, ended.stdout[-2000:]
    assert "first True;Second True;third False;" in ended.stdout
