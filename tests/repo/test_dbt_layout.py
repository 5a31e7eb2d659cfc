"""The dbt project keeps to the layout that the rest of the repository counts on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "dbt"
MODELS = sorted((PROJECT / "models").rglob("*.sql"))


def test_no_package_marker_lies_below_the_dbt_project() -> None:
    # With one, `import dbt.cli` finds this folder instead of dbt.
    assert not list(PROJECT.rglob("__init__.py"))


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_every_model_is_described_beside_it_and_says_its_grain(model: Path) -> None:
    (described,) = yaml.safe_load(model.with_suffix(".yml").read_text(encoding="utf-8"))["models"]
    assert described["name"] == model.stem
    assert described["description"].startswith("One row per ")
    key = next(column for column in described["columns"] if {"unique", "not_null"} <= set(_tests(column)))
    assert key is described["columns"][0]


def test_only_staging_models_name_a_source() -> None:
    naming = {
        model.stem for model in MODELS if re.search(r"\b(source|union_instances)\(", model.read_text(encoding="utf-8"))
    }
    assert naming == {model.stem for model in MODELS if model.stem.startswith("stg_")}


def test_gold_has_facts_dimensions_aggregates_and_reports_only() -> None:
    kinds = {model.stem.split("_")[0] for model in MODELS if "gold" in model.relative_to(PROJECT).parts}
    assert kinds == {"fct", "dim", "agg", "rpt"}


def _tests(column: dict[str, object]) -> list[str]:
    tests = column.get("data_tests", [])
    assert isinstance(tests, list)
    return [test if isinstance(test, str) else next(iter(test)) for test in tests]
