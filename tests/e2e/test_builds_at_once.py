"""Two runs on a warehouse that lets several write: they load side by side, and build one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from sandbox.rest.collection import Collection
from sandbox.server import serve
from sandbox.settings import SandboxSettings
from tests.contract.postgres_server import DATABASE, administrator, fresh_postgres

PROFILE = """\
both:
  target: postgres
  outputs:
    postgres:
      type: postgres
      host: "{{ env_var('PENSTOCK_POSTGRES_HOST') }}"
      port: "{{ env_var('PENSTOCK_POSTGRES_PORT') | as_number }}"
      dbname: "{{ env_var('PENSTOCK_POSTGRES_DATABASE') }}"
      user: "{{ env_var('PENSTOCK_POSTGRES_USER') }}"
      password: "{{ env_var('DBT_ENV_SECRET_PENSTOCK_POSTGRES_PASSWORD', '') }}"
      schema: gold
      threads: 1
"""
MODEL = """\
{{ config(materialized='incremental', incremental_strategy='append') }}
-- The pause is long enough for another build to begin.
select stores.id, current_timestamp as built_at
from {{ source('acme_rest', 'stores') }} as stores
cross join (select count(*) from {{ source('acme_rest', 'visits') }}) as visits
cross join (select pg_sleep(2)) as pause
{% if is_incremental() %}
where stores.id not in (select id from {{ this }})
{% endif %}
"""


@pytest.fixture
def both(project: Any) -> Iterator[Any]:
    """Two pipelines of a dataset each, and a model over both."""
    dbt = project.root / "dbt"
    (dbt / "models").mkdir(parents=True)
    (dbt / "dbt_project.yml").write_text('name: both\nprofile: both\nversion: "1.0.0"\n')
    (dbt / "profiles.yml").write_text(PROFILE)
    tables = "".join(f"\n      - {{name: {name}, identifier: rest__{name}}}" for name in ("stores", "visits"))
    (dbt / "models" / "sources.yml").write_text(
        f"sources:\n  - name: acme_rest\n    schema: acme_bronze\n    tables:{tables}\n"
    )
    (dbt / "models" / "stores.sql").write_text(MODEL)
    collection = Collection(records=[{"id": str(number)} for number in range(7)])
    settings: dict[str, Any] = fresh_postgres().model_dump(mode="json", exclude_none=True)
    with serve(SandboxSettings(collections={"stores": collection, "visits": collection})) as sandbox:
        warehouse = "{" + ", ".join(f'{name}: "{value}"' for name, value in settings.items()) + "}"
        project.write_platform(f'api: {{kind: rest, base_url: "{sandbox.url}/rest"}}', warehouse=warehouse)
        path = project.root / "deployments" / "platforms" / "local.yaml"
        path.write_text(path.read_text().replace("target: duckdb", "target: postgres"))
        for name in ("stores", "visits"):
            project.write_pipeline(
                name,
                "source: {kind: rest, connection: api}\nwindow: {kind: full}\nload_strategy: {kind: full_refresh}\n"
                f"datasets: [{{name: {name}, path: /{name}, records: data}}]\n",
            )
        yield project


def test_runs_that_build_the_same_model_do_so_one_after_the_other(both: Any, prefect_url: str) -> None:
    for name in ("stores", "visits"):
        assert both.run(name).is_green
    command = [sys.executable, "-m", "deployments.cli", "run", "--reload"]
    runs = [
        subprocess.Popen([*command, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ)
        for name in ("stores", "visits")
    ]
    outputs = [run.communicate(timeout=200)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], "".join(outputs)
    with administrator(DATABASE) as connection:
        found = connection.execute("SELECT id, count(*) FROM gold.stores GROUP BY id ORDER BY id").fetchall()
    assert found == [(str(number), 1) for number in range(7)]
    with temporary_settings({PREFECT_API_URL: prefect_url}), get_client(sync_client=True) as client:
        limit = client.read_global_concurrency_limit_by_name("penstock:local:dbt build")
    assert (limit.limit, limit.active_slots) == (1, 0)
