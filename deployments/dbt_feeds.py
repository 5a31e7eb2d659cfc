"""Which datasets feed a table that dbt makes of many, as a macro over which its staging model loops."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from string import Template
from typing import Any

from deployments.generated_files import MARK
from deployments.scaffolding import read_template
from penstock.feeds import AiToolDailyFeed
from penstock.naming import dbt_source
from penstock.pipeline import Dataset, PipelineSpec
from penstock.spec import snake

FEEDS_PATH = Path("macros") / "generated" / "feeds.sql"


def feeds_text(datasets: Iterable[tuple[PipelineSpec, Dataset]]) -> str:
    """Returns the macro's file, of pipelines with their datasets."""
    lines = "\n".join(
        f"        {{{', '.join(_pairs(_described(pipeline, dataset, dataset.spec.feeds)))}}},"
        for pipeline, dataset in datasets
        if dataset.spec.feeds is not None
    )
    return Template(read_template("feeds.sql")).substitute(mark=MARK, declared=lines)


def _described(pipeline: PipelineSpec, dataset: Dataset, feed: AiToolDailyFeed) -> dict[str, Any]:
    return {
        "client": snake(pipeline.client),
        "source": dbt_source(pipeline.client, pipeline.source.kind),
        "table": dataset.name,
        **feed.model_dump(),
    }


def _pairs(values: dict[str, Any]) -> Iterable[str]:
    """Yields what the macro tells of a feed, as Jinja; `check_feed` holds columns to names without quotes in them."""
    for key, value in values.items():
        yield f"'{key}': none" if value is None else f"'{key}': '{value}'"
