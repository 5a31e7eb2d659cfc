"""A client's pipeline file: one source, its datasets, and how they run.

`PipelineSpec` is what all files share. `PIPELINES` has one subclass per kind of source, made from the registry, so
that a dataset's keys are those of its source. `expand` turns a file into decided datasets.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    SerializeAsAny,
    StringConstraints,
    ValidationError,
    create_model,
    model_validator,
)

from penstock.artifacts import TableRef
from penstock.errors import ConfigurationError
from penstock.freshness import FreshnessSetting
from penstock.governance import GovernanceSpec
from penstock.naming import bronze_table, qualified_dataset
from penstock.schedule import ScheduleSpec
from penstock.sources.base import DatasetSpec, Instance, SourceSpec
from penstock.sources.registry import SOURCES, Shorthand, SourceKind
from penstock.spec import Artifact, Name, Spec
from penstock.strategy import LoadStrategy
from penstock.window import TimeWindow

Tag = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=100)]


class TransformSpec(Spec):
    """What dbt builds after the load."""

    select: Literal["auto", "none"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        default="auto",
        description="`auto`: what is downstream of what the run loaded; `none`; or a list of dbt selectors.",
    )


class PipelineSpec(Spec):
    """What every pipeline file says, whatever its source."""

    version: Literal[1] = Field(description="Version of the file format.")
    pipeline: Name = Field(description="The pipeline's name, which is also the file's.")
    client: Name = Field(description="Whom the data belongs to, which is also the folder's name.")
    description: str = Field(default="", description="What the pipeline brings, for the people who run it.")
    source: SourceSpec = Field(description="The system that is read, and the connection that leads to it.")
    window: TimeWindow | None = Field(
        default=None, description="Which time is read, for all datasets that do not say it themselves."
    )
    load_strategy: LoadStrategy | None = Field(
        default=None, description="What a load does to the table, for all datasets that do not say it themselves."
    )
    for_each: tuple[Instance, ...] = Field(
        default=(), description="Repeats the datasets over several connections (workspaces, regions)."
    )
    datasets: tuple[DatasetSpec, ...] = Field(min_length=1, description="The tables' worth of data that is read.")
    transform: TransformSpec = Field(
        default=TransformSpec(), description="Which dbt nodes are built when the load is done."
    )
    schedules: tuple[ScheduleSpec, ...] = Field(default=(), description="When the pipeline runs by itself.")
    freshness: FreshnessSetting | None = Field(
        default=None, description="How old the newest loads may be; by default what the schedules give."
    )
    governance: GovernanceSpec | None = Field(
        default=None, description="Owner, classification and retention of all datasets that do not say it themselves."
    )
    tags: tuple[Tag, ...] = Field(default=(), description="Tags of the pipeline's deployment and of its dbt sources.")


class Dataset(Artifact):
    """One dataset of a pipeline for one instance, with everything that the file leaves to defaults decided.

    `name` carries the instance (`<instance>__<dataset>`), and is unique within the pipeline.
    """

    name: str
    instance: str | None
    connection: Name
    spec: SerializeAsAny[DatasetSpec]
    window: TimeWindow
    load_strategy: LoadStrategy
    target: TableRef


def expand(pipeline: PipelineSpec) -> tuple[Dataset, ...]:
    """Returns the pipeline's datasets in the file's order, each repeated over its instances.

    Raises:
        ConfigurationError: a dataset has no window or no load strategy, neither of its own nor the pipeline's.
    """
    instances = pipeline.for_each or (None,)
    return tuple(_decide(pipeline, spec, instance) for spec in pipeline.datasets for instance in instances)


def _decide(pipeline: PipelineSpec, spec: DatasetSpec, instance: Instance | None) -> Dataset:
    window, strategy = spec.window or pipeline.window, spec.load_strategy or pipeline.load_strategy
    if window is None or strategy is None:
        raise ConfigurationError(
            "a dataset lacks its window or its load strategy",
            guidance="Set `window` and `load_strategy` in the dataset, or for all at the top of the pipeline.",
            pipeline=pipeline.pipeline,
            dataset=spec.name,
            missing="window" if window is None else "load_strategy",
        )
    return Dataset(
        name=qualified_dataset(spec.name, instance.name if instance else None),
        instance=instance.name if instance else None,
        connection=instance.connection if instance else pipeline.source.connection,
        spec=spec,
        window=window,
        load_strategy=strategy,
        target=target_of(pipeline, spec, instance),
    )


def target_of(pipeline: PipelineSpec, spec: DatasetSpec, instance: Instance | None) -> TableRef:
    """Returns the bronze table that a dataset of a pipeline is loaded into, for one of its instances."""
    return bronze_table(
        pipeline.client,
        pipeline.source.kind,
        spec.name,
        instance=instance.name if instance else None,
        table=spec.table,
    )


def _pipeline_class(entry: SourceKind) -> type[PipelineSpec]:
    shared = PipelineSpec.model_fields
    fields: dict[str, Any] = {
        "source": (entry.source, Field(description=shared["source"].description)),
        "datasets": (
            tuple[entry.dataset, ...],  # type: ignore[name-defined]
            Field(min_length=1, description=shared["datasets"].description),
        ),
    }
    validators: dict[str, Any] = {}
    if entry.shorthand is not None:
        fields |= _shorthand_fields(entry, entry.shorthand)
        validators["expand_shorthand"] = model_validator(mode="before")(partial(_with_datasets, entry.shorthand))
        # Afterwards, so that nothing is said of it where the entries themselves are wrong.
        validators["has_datasets"] = model_validator(mode="after")(partial(_check_datasets, entry.shorthand))
    return create_model(
        f"{entry.source.__name__.removesuffix('Source')}Pipeline",
        __base__=PipelineSpec,
        __doc__=f"A pipeline whose source is of kind `{entry.kind}`.",
        __module__=__name__,
        __validators__=validators,
        **fields,
    )


def _shorthand_fields(entry: SourceKind, shorthand: Shorthand) -> dict[str, Any]:
    """Returns the fields of a file that may write its datasets in another way, too.

    What stands there is left out when the pipeline is written down again: its datasets are among the others then.
    """
    datasets = PipelineSpec.model_fields["datasets"].description
    written = Field(default=(), description=datasets)
    described = Field(default=(), exclude=True, description=shorthand.description)
    return {
        "datasets": (tuple[entry.dataset, ...], written),  # type: ignore[name-defined]
        shorthand.key: (tuple[shorthand.entry, ...], described),  # type: ignore[name-defined]
    }


def _with_datasets(shorthand: Shorthand, written: Any) -> Any:
    """Adds the datasets that a shorthand's entries mean behind the others; entries that are wrong say so themselves."""
    if not isinstance(written, dict):
        return written
    found = []
    for entry in written.get(shorthand.key) or ():
        try:
            found.append(shorthand.to_dataset(shorthand.entry.model_validate(entry)))
        except ValidationError:
            return written
    return {**written, "datasets": [*(written.get("datasets") or ()), *found]} if found else written


def _check_datasets(shorthand: Shorthand, pipeline: PipelineSpec) -> PipelineSpec:
    if not pipeline.datasets:
        raise ValueError(f"nothing to read: give `datasets` or `{shorthand.key}`")
    return pipeline


PIPELINES: dict[str, type[PipelineSpec]] = {kind: _pipeline_class(entry) for kind, entry in SOURCES.items()}
"""The pipeline file's type by kind of source."""


class UndecidedPipeline(PipelineSpec):
    """A pipeline whose kind of source is not known, so that only what all kinds share can be checked."""

    model_config = ConfigDict(title="Pipeline")

    source: Any = None
    datasets: Any = None


def __getattr__(name: str) -> type[PipelineSpec]:
    """Finds the classes made from the registry by name, which pickling asks for."""
    for cls in PIPELINES.values():
        if cls.__name__ == name:
            return cls
    raise AttributeError(name)
