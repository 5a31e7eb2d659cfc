from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from tests.models.ai_bronze import fill_ai_bronze
from tests.models.bronze import fill_bronze, spoil
from tests.models.contact_centre_bronze import fill_contact_centre, spoil_contact_centre
from tests.models.dbt_process import DbtProcess
from tests.models.gold_build import WITHOUT_UNIT_TESTS, Built, build_gold
from tests.models.ops_bronze import fill_operations, spoil_operations
from tests.models.shop_bronze import fill_shop


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Built:
    """The first of the test processes builds; the others wait for it and take copies, for some tests change theirs."""
    if worker_id == "master":
        return fill_and_build(tmp_path_factory.mktemp("dbt"))
    shared = tmp_path_factory.getbasetemp().parent / "dbt"
    kept = shared / "built.pickle"
    with FileLock(f"{shared}.lock"):
        if not kept.exists():
            shared.mkdir()
            kept.write_bytes(pickle.dumps(fill_and_build(shared)))
    found: Built = pickle.loads(kept.read_bytes())  # noqa: S301 - written by another process of these tests
    folder = tmp_path_factory.mktemp("dbt")
    shutil.copytree(found.dbt.target, folder / "target")
    warehouse = Path(shutil.copy(found.warehouse, folder))
    return replace(found, warehouse=warehouse, dbt=DbtProcess(folder, warehouse))


def fill_and_build(folder: Path) -> Built:
    warehouse = folder / "warehouse.duckdb"
    fill_bronze(warehouse)
    spoil(warehouse)
    fill_operations(warehouse, folder / "lake")
    spoil_operations(warehouse)
    fill_shop(warehouse, folder / "lake")
    fill_ai_bronze(warehouse)
    fill_contact_centre(warehouse, folder)
    spoil_contact_centre(warehouse)
    dbt = DbtProcess(folder, warehouse)
    first = build_gold(dbt, warehouse)
    statuses = dbt.statuses()
    second = build_gold(dbt, warehouse, *WITHOUT_UNIT_TESTS)
    return Built(warehouse, dbt, statuses, first, second)


@pytest.fixture
def spare(built: Built, tmp_path: Path) -> Iterator[Built]:
    """The same for a test that changes it: at the same path, for dbt parses anew when its profile changes."""
    original = shutil.copy(built.warehouse, tmp_path / "original.duckdb")
    yield built
    shutil.copy(original, built.warehouse)
