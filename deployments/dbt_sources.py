"""What dbt is told of bronze, generated from the pipeline files: sources with freshness, and instances by kind.

Models name what is generated here, so that another workspace or another dataset is a line in a pipeline file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import yaml

from deployments.dbt_feeds import FEEDS_PATH, feeds_text
from deployments.generated_files import MARK
from deployments.scaffolding import read_template
from penstock.freshness import Freshness, decide_freshness
from penstock.governance import DatasetGovernance
from penstock.naming import dbt_source
from penstock.pipeline import Dataset, PipelineSpec, expand
from penstock.platform import PlatformSpec
from penstock.spec import snake

INSTANCES_PATH = Path("macros") / "generated" / "instances.sql"
GENERATED_GLOBS = ("models/**/*__sources.yml", "macros/generated/*.sql")
"""Where files of ours may lie in a dbt project, so that those that nothing generates any more are found."""

_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)


class _Table(NamedTuple):
    """One dataset of one pipeline, with its instance, and the days for which platforms keep rows at most."""

    pipeline: PipelineSpec
    dataset: Dataset
    retention_limits: Mapping[str, int]

    @property
    def governance(self) -> DatasetGovernance:
        return self.dataset.spec.governance.over(self.pipeline.governance)

    @property
    def source(self) -> str:
        return dbt_source(self.pipeline.client, self.pipeline.source.kind)


def dbt_files(pipelines: Iterable[PipelineSpec], platforms: Iterable[PlatformSpec]) -> dict[Path, str]:
    """Returns the text of every generated file of a dbt project, by its path in it.

    They are the same for all platforms: where one keeps rows for less time, the file names it.
    """
    limits = {one.platform: one.governance.retention_days for one in platforms if one.governance is not None}
    limited = {name: days for name, days in limits.items() if days is not None}
    tables = [_Table(pipeline, dataset, limited) for pipeline in pipelines for dataset in expand(pipeline)]
    tables.sort(key=lambda table: table.source)
    texts = {
        sources_path(source): _source_text(list(group)) for source, group in groupby(tables, lambda one: one.source)
    }
    feeds = feeds_text((table.pipeline, table.dataset) for table in tables)
    return {**texts, INSTANCES_PATH: _instances_text(tables), FEEDS_PATH: feeds}


def sources_path(source: str) -> Path:
    """Returns where a source's file is, beside its staging models."""
    return Path("models") / "silver" / source / f"_{source}__sources.yml"


def _source_text(tables: Sequence[_Table]) -> str:
    first = tables[0]
    schema = first.dataset.target.schema_name
    source: dict[str, Any] = {
        "name": first.source,
        "description": escape_jinja(_source_description(tables)),
        # A variable, for those who build over another copy of bronze.
        "schema": f"{{{{ var('{schema}_schema', '{schema}') }}}}",
        "config": {"loaded_at_field": "_loaded_at"},
        "tables": [_table(table) for table in tables],
    }
    # The innermost mappings and lists on one line each, so that a table can be seen at once.
    style: dict[str, Any] = {"default_flow_style": None, "sort_keys": False, "allow_unicode": True, "width": 120}
    return f"# {MARK}\n{yaml.safe_dump({'version': 2, 'sources': [source]}, **style)}"


def _source_description(tables: Sequence[_Table]) -> str:
    pipeline = tables[0].pipeline
    said = dict.fromkeys(table.pipeline.description for table in tables if table.pipeline.description)
    return " ".join([f"The {pipeline.source.kind} data of {pipeline.client} as Penstock loads it.", *said])


def _table(table: _Table) -> dict[str, Any]:
    pipeline, dataset, governance = table.pipeline, table.dataset, table.governance
    setting = pipeline.freshness if dataset.spec.freshness is None else dataset.spec.freshness
    penstock = {
        "client": pipeline.client,
        "pipeline": pipeline.pipeline,
        "dataset": dataset.spec.name,
        "instance": dataset.instance,
        "load_strategy": dataset.load_strategy.kind,
        "window": dataset.window.kind,
    }
    config = {
        "freshness": _freshness(decide_freshness(setting, pipeline.schedules)),
        "tags": sorted({*pipeline.tags, f"client:{pipeline.client}", *_governance_tags(governance)}),
        "meta": {**_governance_meta(table), "penstock": _given(penstock)},
    }
    found = {
        "name": dataset.name,
        "identifier": dataset.target.name,
        "description": escape_jinja(_description(dataset)),
        "config": config,
    }
    return {**found, "columns": [_pii_column(name) for name in governance.pii]} if governance.pii else found


def _pii_column(name: str) -> dict[str, Any]:
    return {"name": name, "config": {"tags": ["pii"], "meta": {"contains_pii": True}}}


def _governance_meta(table: _Table) -> dict[str, Any]:
    governance = table.governance
    kept = governance.retention_days
    shorter = {name: days for name, days in sorted(table.retention_limits.items()) if kept is None or days < kept}
    return {
        **governance.model_dump(exclude={"pii"}, exclude_none=True),
        **({"retention_days_on": shorter} if shorter else {}),
        **({"contains_pii": True} if governance.pii else {}),
    }


def _governance_tags(governance: DatasetGovernance) -> Iterator[str]:
    """Yields what people select by: `pii`, and `retention` where there is a limit to it."""
    if governance.pii:
        yield "pii"
    if governance.retention_days is not None:
        yield "retention"


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _description(dataset: Dataset) -> str:
    of_instance = f" Of the instance `{dataset.instance}`." if dataset.instance else ""
    return f"{dataset.spec.description}{of_instance}".strip()


def _freshness(freshness: Freshness | None) -> dict[str, Any] | None:
    if freshness is None:
        return None
    warn, error = freshness
    return {"warn_after": _period(warn)} | ({"error_after": _period(error)} if error is not None else {})


def _period(span: timedelta) -> dict[str, Any]:
    if span % _HOUR:
        return {"count": span // _MINUTE, "period": "minute"}
    return {"count": span // _HOUR, "period": "hour"}


def _instances_text(tables: Iterable[_Table]) -> str:
    lines = "\n".join(f"        {{{', '.join(_pairs(table))}}}," for table in tables)
    return Template(read_template("instances.sql")).substitute(mark=MARK, declared=lines)


def _pairs(table: _Table) -> Iterator[str]:
    """Yields what the macro tells of a table, as Jinja; all values are names, without quotes in them."""
    values = {
        "kind": table.pipeline.source.kind,
        "dataset": table.dataset.spec.name,
        "client": snake(table.pipeline.client),
        "instance": table.dataset.instance,
        "source": table.source,
        "table": table.dataset.name,
    }
    for key, value in values.items():
        yield f"'{key}': none" if value is None else f"'{key}': '{value}'"


def escape_jinja(text: str) -> str:
    """Returns a text in which dbt finds nothing to render."""
    return re.sub(r"\{(?=[{%#])", "{{ '{' }}", text)
