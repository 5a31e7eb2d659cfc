"""A small dbt project over one DuckDB file, whose models note each time that they are built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tasks.dbt_runner.dbt_core import DbtCore, DbtProject
from tasks.dbt_runner.journal import Journal
from tasks.staging.local import LocalStore

_PROJECT = """
name: small
profile: small
version: "1.0.0"
flags: {send_anonymous_usage_stats: false, indirect_selection: buildable}
models:
  +materialized: table
  +pre-hook: {sql: "insert into built values ('{{ this.name }}')", transaction: false}
"""
_PROFILE = """
small:
  target: duckdb
  outputs:
    duckdb: {type: duckdb, path: "{{ env_var('PENSTOCK_WAREHOUSE_PATH') }}", threads: 1}
"""
_TESTS = """
models:
  - name: counted
    columns: [{name: id, data_tests: [unique]}]
  - name: dropped
    columns: [{name: id, data_tests: [not_null]}]
"""
MODELS = {
    "numbers": "select range as id from range(5)",
    # Reads a file that somebody else drops.
    "dropped": "select * from read_csv('{drop}', header = true)",
    "counted": "select id from {{{{ ref('numbers') }}}}",
    "joined": "select id from {{{{ ref('dropped') }}}} join {{{{ ref('counted') }}}} using (id)",
}


class SmallProject:
    """The project in a folder, with its warehouse and a lake."""

    def __init__(self, folder: Path, *, is_there: bool = False) -> None:
        self.folder = folder / "dbt"
        self.warehouse = folder / "warehouse.duckdb"
        self.drop = folder / "drop.csv"
        self.store = LocalStore(folder / "lake")
        if not is_there:
            self._make()

    def _make(self) -> None:
        (self.folder / "models").mkdir(parents=True)
        (self.folder / "dbt_project.yml").write_text(_PROJECT)
        (self.folder / "profiles.yml").write_text(_PROFILE)
        (self.folder / "models" / "tests.yml").write_text(_TESTS)
        for name, sql in MODELS.items():
            self.write(name, sql.format(drop=self.drop))
        with duckdb.connect(str(self.warehouse)) as connection:
            connection.execute("CREATE TABLE built (name VARCHAR)")

    def write(self, model: str, sql: str) -> None:
        (self.folder / "models" / f"{model}.sql").write_text(sql)

    def engine(self, state: str = "state") -> DbtCore:
        project = DbtProject(
            project_dir=self.folder,
            profiles_dir=self.folder,
            target="duckdb",
            state_dir=self.folder.parent / state,
        )
        return DbtCore(project, self._lend)

    def journal(self) -> Journal:
        return Journal(self.store, "artifacts/acme/shop/transforms/t1")

    def built(self) -> dict[str, int]:
        """How often each model was built."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return dict(connection.execute("SELECT name, count(*) FROM built GROUP BY name ORDER BY name").fetchall())

    def rows(self, model: str) -> int:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {model}").fetchone()[0])  # type: ignore[index]

    @contextmanager
    def _lend(self) -> Iterator[Mapping[str, str]]:
        yield {"PENSTOCK_WAREHOUSE_PATH": str(self.warehouse)}
