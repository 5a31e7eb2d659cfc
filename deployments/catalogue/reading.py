"""What the catalogue's pages say, gathered from pipeline files, the ledger and dbt's own files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from deployments.catalogue.lineage import ColumnParents, ColumnRef, ModelSql, Relation, origins, read_lineage
from deployments.ledger_status import DatasetStatus
from penstock.freshness import Freshness, decide_freshness
from penstock.governance import DatasetGovernance
from penstock.naming import dbt_source
from penstock.pipeline import Dataset, PipelineSpec, expand
from tasks.dbt_runner.graph import read_graph


class ColumnEntry(NamedTuple):
    """A model's column: what it is said to be, and what it is made of (None where the SQL does not tell)."""

    name: str
    type: str
    description: str
    parents: tuple[str, ...] | None
    origins: tuple[str, ...]


class ModelEntry(NamedTuple):
    """A model; `reads` and `read_by` are its neighbours' names."""

    unique_id: str
    name: str
    layer: str
    table: str
    description: str
    materialized: str
    columns: tuple[ColumnEntry, ...]
    reads: tuple[str, ...]
    read_by: tuple[str, ...]


class DatasetEntry(NamedTuple):
    """A dataset with its place in the ledger, and the models that are built from it."""

    dataset: Dataset
    governance: DatasetGovernance
    status: DatasetStatus
    freshness: Freshness | None
    age: str
    models: tuple[str, ...]


class PipelineEntry(NamedTuple):
    """A pipeline with its datasets."""

    pipeline: PipelineSpec
    datasets: tuple[DatasetEntry, ...]


class DbtProjectFiles(NamedTuple):
    """What dbt knows of its project (manifest, schema v12) and of the warehouse (catalog, schema v1)."""

    manifest: Mapping[str, Any]
    catalog: Mapping[str, Any]


def read_dbt_files(target: Path) -> DbtProjectFiles:
    """Reads what `dbt docs generate` has written."""
    texts = [(target / name).read_text(encoding="utf-8") for name in ("manifest.json", "catalog.json")]
    return DbtProjectFiles(*(json.loads(text) for text in texts))


def pipeline_entries(
    pipelines: Iterable[PipelineSpec], statuses: Iterable[DatasetStatus], dbt: DbtProjectFiles, now: datetime
) -> list[PipelineEntry]:
    """Returns each pipeline with its datasets, in the files' order."""
    by_dataset = {(one.pipeline, one.dataset): one for one in statuses}
    models = _models_below_sources(dbt.manifest)
    return [
        PipelineEntry(
            pipeline,
            tuple(
                _dataset_entry(pipeline, dataset, by_dataset[pipeline.pipeline, dataset.name], models, now)
                for dataset in expand(pipeline)
            ),
        )
        for pipeline in pipelines
    ]


def _dataset_entry(
    pipeline: PipelineSpec,
    dataset: Dataset,
    status: DatasetStatus,
    models: Mapping[tuple[str, str], tuple[str, ...]],
    now: datetime,
) -> DatasetEntry:
    setting = pipeline.freshness if dataset.spec.freshness is None else dataset.spec.freshness
    freshness = decide_freshness(setting, pipeline.schedules)
    return DatasetEntry(
        dataset,
        dataset.spec.governance.over(pipeline.governance),
        status,
        freshness,
        tell_age(status.last_loaded_at, freshness, now),
        models.get((dbt_source(pipeline.client, pipeline.source.kind), dataset.name), ()),
    )


def tell_age(last_loaded_at: datetime | None, freshness: Freshness | None, now: datetime) -> str:
    """Returns how a dataset's newest load stands to its limits: never loaded, fresh, late, overdue, or loaded."""
    if last_loaded_at is None:
        return "never loaded"
    if freshness is None:
        return "loaded"
    age = now - last_loaded_at
    if freshness.error_after is not None and age > freshness.error_after:
        return "overdue"
    return "late" if age > freshness.warn_after else "fresh"


def in_words(span: timedelta) -> str:
    """Returns a span in hours, or in minutes where it is no whole number of hours."""
    minutes = span // timedelta(minutes=1)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _models_below_sources(manifest: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    graph, nodes = read_graph(manifest), manifest["nodes"]
    return {
        (source["source_name"], source["name"]): tuple(
            sorted(nodes[one]["name"] for one in graph.downstream([unique_id]) if one.startswith("model."))
        )
        for unique_id, source in manifest["sources"].items()
    }


def model_entries(dbt: DbtProjectFiles) -> list[ModelEntry]:
    """Returns the models by layer and name, with what their columns come from where sqlglot is installed."""
    models = {key: node for key, node in dbt.manifest["nodes"].items() if node["resource_type"] == "model"}
    order = TopologicalSorter({key: node["depends_on"]["nodes"] for key, node in models.items()}).static_order()
    parents = _lineage(dbt, [models[key] for key in order if key in models])
    entries = [_model_entry(dbt, node, parents) for node in models.values()]
    return sorted(entries, key=lambda entry: (entry.layer, entry.name))


def _lineage(dbt: DbtProjectFiles, ordered: Sequence[Mapping[str, Any]]) -> dict[Relation, ColumnParents]:
    if find_spec("sqlglot") is None:  # the extra `catalogue`
        return {}
    known = {
        relation_of(dbt.manifest["sources"][key]): [name.lower() for name in found["columns"]]
        for key, found in dbt.catalog["sources"].items()
        if key in dbt.manifest["sources"]
    }
    sql = [ModelSql(relation_of(node), node["compiled_code"]) for node in ordered if node.get("compiled_code")]
    return read_lineage(sql, dbt.manifest["metadata"]["adapter_type"], known)


def relation_of(node: Mapping[str, Any]) -> Relation:
    """Returns where dbt builds a model or finds a source."""
    return str(node["schema"]).lower(), str(node.get("alias") or node["identifier"]).lower()


def _model_entry(
    dbt: DbtProjectFiles, node: Mapping[str, Any], parents: Mapping[Relation, ColumnParents]
) -> ModelEntry:
    relation, unique_id = relation_of(node), node["unique_id"]
    nodes = dbt.manifest["nodes"]
    return ModelEntry(
        unique_id=unique_id,
        name=node["name"],
        layer=str(node["config"].get("schema") or "models"),
        table=".".join(relation),
        description=node["description"],
        materialized=node["config"]["materialized"],
        columns=tuple(_columns(dbt, node, parents)),
        reads=tuple(sorted(_name_of(dbt, key) for key in node["depends_on"]["nodes"] if not key.startswith("macro."))),
        read_by=tuple(
            sorted(nodes[key]["name"] for key in dbt.manifest["child_map"][unique_id] if key.startswith("model."))
        ),
    )


def _columns(
    dbt: DbtProjectFiles, node: Mapping[str, Any], parents: Mapping[Relation, ColumnParents]
) -> Iterable[ColumnEntry]:
    """Yields a model's columns: those of its table, else of its SQL, else those that it is said to have."""
    relation, described = relation_of(node), node["columns"]
    built = dbt.catalog["nodes"].get(node["unique_id"], {}).get("columns", {})
    types = {name.lower(): column["type"] for name, column in built.items()}
    made_of = parents.get(relation, {})
    for name in types or made_of or described:
        said = described.get(name, {})
        above = made_of.get(name)
        yield ColumnEntry(
            name=name,
            type=str(types.get(name) or said.get("data_type") or ""),
            description=said.get("description", ""),
            parents=None if above is None else tuple(sorted(map(_shown, above))),
            origins=tuple(sorted(_shown(one) for one in origins(relation, name, parents) if one.relation != relation)),
        )


def _shown(reference: ColumnRef) -> str:
    return f"{reference.relation[1]}.{reference.column}"


def _name_of(dbt: DbtProjectFiles, unique_id: str) -> str:
    if unique_id in dbt.manifest["sources"]:
        source = dbt.manifest["sources"][unique_id]
        return f"{source['source_name']}.{source['name']}"
    return str(dbt.manifest["nodes"][unique_id]["name"])
