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
    if model.stem.startswith("base_"):
        # Bronze's rows as they are, of several instances as one: described together, and without a key of their own.
        (file,) = model.parent.glob("_*__bases.yml")
        bases = {one["name"]: one for one in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]}
        assert bases[model.stem]["description"].startswith("One row per ")
        return
    (described,) = yaml.safe_load(model.with_suffix(".yml").read_text(encoding="utf-8"))["models"]
    assert described["name"] == model.stem
    assert described["description"].startswith("One row per ")
    key = next(column for column in described["columns"] if {"unique", "not_null"} <= set(_tests(column)))
    assert key is described["columns"][0]


def test_only_staging_models_and_their_bases_name_a_source() -> None:
    texts = {model.stem: model.read_text(encoding="utf-8") for model in MODELS}
    naming = {name for name, text in texts.items() if re.search(r"\b(source|union_instances)\(", text)}
    staging = {name for name in texts if name.startswith(("stg_", "base_"))}
    assert naming <= staging
    # A staging model that names none reads one that does, or what pipelines feed.
    reading = {name for name in staging if re.search(r"\bref\('(stg|base)_|\bfed_", texts[name])}
    assert staging == naming | reading


def test_gold_has_facts_dimensions_bridges_aggregates_and_reports_only() -> None:
    kinds = {model.stem.split("_")[0] for model in MODELS if "gold" in model.relative_to(PROJECT).parts}
    assert kinds == {"fct", "dim", "bridge", "agg", "rpt"}


def _tests(column: dict[str, object]) -> list[str]:
    tests = column.get("data_tests", [])
    assert isinstance(tests, list)
    return [test if isinstance(test, str) else next(iter(test)) for test in tests]
