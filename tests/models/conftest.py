from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.ai_bronze import fill_ai_bronze
from tests.models.bronze import fill_bronze, spoil
from tests.models.contact_centre_bronze import fill_contact_centre, spoil_contact_centre
from tests.models.dbt_process import DbtProcess
from tests.models.gold_build import WITHOUT_UNIT_TESTS, Built, build_gold
from tests.models.ops_bronze import fill_operations, spoil_operations
from tests.models.shop_bronze import fill_shop


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("dbt")
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
