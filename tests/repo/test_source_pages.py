"""Every page of a source shows a connection and a pipeline that are valid as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from penstock.connections import Connection
from penstock.pipeline import PIPELINES, expand
from penstock.pipeline_checks import check_pipeline

PAGES = sorted((Path(__file__).parents[2] / "docs" / "sources").glob("*.md"))


def _examples(page: Path) -> list[dict[str, object]]:
    text = page.read_text(encoding="utf-8")
    return [yaml.safe_load(body) for body in re.findall(r"^```yaml\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_pipelines_of_a_sources_page_are_valid(page: Path) -> None:
    shown = [example for example in _examples(page) if "pipeline" in example]
    assert shown
    for example in shown:
        kind = example["source"]["kind"]  # type: ignore[index]
        assert kind == page.stem
        spec = PIPELINES[kind].model_validate(example)
        assert expand(spec)
        assert list(check_pipeline(spec)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_connections_of_a_sources_page_are_valid(page: Path) -> None:
    shown = [settings for example in _examples(page) if "pipeline" not in example for settings in example.values()]
    assert shown
    for settings in shown:
        assert TypeAdapter(Connection).validate_python(settings).kind
