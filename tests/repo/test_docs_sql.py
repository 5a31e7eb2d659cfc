from __future__ import annotations

import re
from pathlib import Path

from penstock.pipeline import expand
from tasks.definitions.reading import read_pipeline
from tests.contract import mariadb_server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sources" / "sql.md"


def test_the_pages_pipeline_is_valid_and_has_the_datasets_that_it_names(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    file = tmp_path / "acme-shop-daily.yaml"
    file.write_text(block[1], encoding="utf-8")
    datasets = {dataset.name: dataset.load_strategy.kind for dataset in expand(read_pipeline(file))}
    assert datasets == {
        "events": "incremental",
        "customers": "historical",
        "orders": "incremental",
        "order_items": "partition",
        "products": "cdc",
        "countries": "full_refresh",
    }


def test_the_pages_python_fills_a_database_with_the_shop() -> None:
    block = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    connection = mariadb_server.mariadb()
    shown = 'MySqlConnection(kind="mysql", host="127.0.0.1", database="shop", user="root")'
    assert shown in block[1]
    exec(block[1].replace(shown, "connection"), {"connection": connection})  # noqa: S102 - the page's own lines
    with mariadb_server.administrator(connection.database) as cursor:
        cursor.execute("SELECT count(*) FROM customers")
        assert cursor.fetchone() == (60,)
