"""From what is asked of a run to what each dataset will do; decided once, before anything is read or written."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field, SerializeAsAny

from penstock.artifacts import Guards, Interval, LoadPlan, RunKind, TableRef
from penstock.errors import ConfigurationError
from penstock.ledger import LoadRecord, Span, covers, held, last_end
from penstock.naming import BatchKeys, batch_id
from penstock.pipeline import Dataset, PipelineSpec, expand
from penstock.sources.base import Reuse, SourceSpec
from penstock.sources.registry import SOURCES
from penstock.spec import Artifact, Spec
from penstock.strategy import LoadStrategy
from penstock.strategy_fit import check_fit
from penstock.window import IntervalWindow, TimeWindow
from penstock.window_resolution import resolve


class GuardOverrides(Spec):
    """Guards for one run; what is left empty stays as the file says."""

    model_config = ConfigDict(title="Guards")

    allow_empty: bool | None = Field(default=None, description="Let an empty extract replace a table that has rows.")
    minimum_fraction: float | None = Field(
        default=None, ge=0, le=1, description="Smallest share of the last load's rows that a whole snapshot may have."
    )
    maximum_rejected: int | None = Field(default=None, ge=0, description="Rows that may be rejected (and kept).")

    def over(self, guards: Guards) -> Guards:
        """Returns a dataset's guards with what is set here in their place."""
        return guards.model_copy(update=self.model_dump(exclude_none=True))


class RunOptions(Spec):
    """What a run by hand may ask besides window, strategy and datasets."""

    model_config = ConfigDict(title="Options")

    at: AwareDatetime | None = Field(
        default=None, description="Time to resolve the window from; the run's scheduled time when empty."
    )
    reload: bool = Field(default=False, description="Load again what the ledger already has.")
    reuse: Reuse = "none"
    guards: GuardOverrides | None = Field(
        default=None, description="Other limits than the file's on what may be loaded; what is empty stays as it is."
    )


class RunRequest(Artifact):
    """What is asked of one run of a pipeline; None means what the pipeline's file says."""

    pipeline: str
    scheduled_at: AwareDatetime
    run_id: str
    run_kind: RunKind = RunKind.FORWARD
    window: TimeWindow | None = None
    load_strategy: LoadStrategy | None = None
    datasets: tuple[str, ...] | None = None
    transform: bool = True
    options: RunOptions = RunOptions()

    @property
    def loads_again(self) -> bool:
        """Whether what the ledger already has is loaded nevertheless."""
        return self.options.reload or self.options.reuse != "none"


class DatasetPlan(Artifact):
    """Everything decided about one dataset in one run."""

    client: str
    pipeline: str
    source: SerializeAsAny[SourceSpec]
    dataset: Dataset
    interval: Interval
    strategy: LoadStrategy
    guards: Guards
    batch_id: str
    request: RunRequest

    @property
    def name(self) -> str:
        """The dataset's name, with its instance where it has one."""
        return self.dataset.name

    def batch_keys(self) -> BatchKeys:
        """Returns where the batch's files live in the lake."""
        return BatchKeys(
            client=self.client,
            source=self.source.kind,
            dataset=self.dataset.name,
            strategy=self.strategy.kind,
            interval=self.interval,
            batch_id=self.batch_id,
        )

    def load_plan(self, extracted_at: datetime) -> LoadPlan:
        """Returns what the warehouse needs to know, once the extraction's time is known."""
        return LoadPlan(
            client=self.client,
            pipeline=self.pipeline,
            source=self.source.kind,
            dataset=self.dataset.name,
            target=self.dataset.target,
            strategy=self.strategy,
            interval=self.interval,
            batch_id=self.batch_id,
            run_id=self.request.run_id,
            run_kind=self.request.run_kind,
            schema_contract=self.dataset.spec.schema_contract,
            typed=SOURCES[self.source.kind].dataset_traits(self.dataset.spec).keeps_types,
            guards=self.guards,
            cluster_by=self.dataset.spec.cluster_by,
            reload=self.request.loads_again,
            extracted_at=extracted_at,
        )


class Skip(Artifact):
    """A dataset that has nothing to do in this run, and why."""

    dataset: str
    target: TableRef
    interval: Interval | None
    reason: Literal["already_loaded", "nothing_new"]
    has_rows: bool = Field(description="Whether earlier runs loaded the table, so that dbt can build from it.")


Decision = DatasetPlan | Skip


def decide(
    pipeline: PipelineSpec, request: RunRequest, records: Mapping[TableRef, Sequence[LoadRecord]]
) -> tuple[Decision, ...]:
    """Decides what each asked dataset of a pipeline does.

    Args:
        pipeline: The pipeline's file.
        request: What this run asks.
        records: The ledger's rows by target table; a table without rows may be absent.

    Returns:
        One decision a dataset, in the file's order.

    Raises:
        ConfigurationError: a dataset that the pipeline does not have, or one whose extractions cannot be reused; or a
            strategy that cannot work on the interval.
        GuardError: a strategy that would destroy data outside the interval.
    """
    chosen = select_datasets(pipeline, request.datasets)
    return tuple(_decide_one(pipeline, dataset, request, records.get(dataset.target, ())) for dataset in chosen)


def asked_span(
    pipeline: PipelineSpec, request: RunRequest, records: Mapping[TableRef, Sequence[LoadRecord]]
) -> Span | None:
    """Returns the time from the first start to the last end of what the run's datasets are asked to read.

    A full interval counts with its `as_of`; None where no dataset has anything to read. Of the ledger's rows, only the
    forward position is looked at.
    """
    chosen = select_datasets(pipeline, request.datasets)
    found = (_interval(pipeline, dataset, request, records.get(dataset.target, ())) for dataset in chosen)
    spans = [(one.as_of, one.as_of) if one.is_full else one.bounds() for one in found if one is not None]
    return (min(start for start, _ in spans), max(end for _, end in spans)) if spans else None


def needs_position(pipeline: PipelineSpec, request: RunRequest) -> bool:
    """Returns whether what the run is asked to read depends on where its tables stand.

    It does for `since_last`, and for what is asked for again, which may be the newest interval.
    """
    chosen = select_datasets(pipeline, request.datasets)
    return request.loads_again or any(_window(pipeline, dataset, request).kind == "since_last" for dataset in chosen)


def select_datasets(pipeline: PipelineSpec, names: Sequence[str] | None) -> tuple[Dataset, ...]:
    """Returns the named datasets (all without names); a name may leave out its instance to mean all instances."""
    datasets = expand(pipeline)
    if names is None:
        return datasets
    known = {dataset.name for dataset in datasets} | {dataset.spec.name for dataset in datasets}
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, sorted(known), n=1)
            raise ConfigurationError(
                "the pipeline has no such dataset",
                guidance=f"Did you mean {nearest[0]}?" if nearest else f"It has: {', '.join(sorted(known))}.",
                pipeline=pipeline.pipeline,
                dataset=name,
            )
    return tuple(dataset for dataset in datasets if {dataset.name, dataset.spec.name} & set(names))


def _decide_one(
    pipeline: PipelineSpec, dataset: Dataset, request: RunRequest, records: Sequence[LoadRecord]
) -> Decision:
    _check_reuse(pipeline, dataset, request)
    strategy = request.load_strategy or dataset.load_strategy
    interval = _interval(pipeline, dataset, request, records)
    skip = Skip(
        dataset=dataset.name, target=dataset.target, interval=interval, reason="nothing_new", has_rows=bool(records)
    )
    if interval is None:
        return skip
    if not request.loads_again and covers(held(records, strategy.kind), interval):
        return skip.model_copy(update={"reason": "already_loaded"})
    check_fit(strategy, interval, dataset.target)
    return DatasetPlan(
        client=pipeline.client,
        pipeline=pipeline.pipeline,
        source=pipeline.source,
        dataset=dataset,
        interval=interval,
        strategy=strategy,
        guards=request.options.guards.over(dataset.spec.guards) if request.options.guards else dataset.spec.guards,
        batch_id=batch_id(request.run_id, pipeline.pipeline, dataset.name, interval),
        request=request,
    )


def _check_reuse(pipeline: PipelineSpec, dataset: Dataset, request: RunRequest) -> None:
    traits = SOURCES[pipeline.source.kind].dataset_traits(dataset.spec)
    if request.options.reuse != "none" and not (traits.honours_window or traits.absent_rows_are_deleted):
        raise ConfigurationError(
            "an extraction of new files only cannot be reused: none holds more than what was new at its time",
            guidance="Run without --reuse, which reads the files that the table lacks, or with --reload to read all; "
            "name the other datasets with --dataset.",
            pipeline=pipeline.pipeline,
            dataset=dataset.name,
        )


def _interval(
    pipeline: PipelineSpec, dataset: Dataset, request: RunRequest, records: Sequence[LoadRecord]
) -> Interval | None:
    interval = resolve(_window(pipeline, dataset, request), request.scheduled_at, last_end=last_end(records))
    if interval is None and request.loads_again:
        return _last_interval(records)
    return interval


def _window(pipeline: PipelineSpec, dataset: Dataset, request: RunRequest) -> TimeWindow:
    """Returns a dataset's window, or the run's own one where the dataset can keep to it.

    A dataset that reads everything at once would record a bounded window's interval over rows of all time.
    """
    honours = SOURCES[pipeline.source.kind].dataset_traits(dataset.spec).honours_window
    return request.window if request.window is not None and honours else dataset.window


def _last_interval(records: Sequence[LoadRecord]) -> Interval | None:
    """Returns the interval of the newest forward load, which is what a run without new time loads again."""
    forward = [row for row in records if row.run_kind is RunKind.FORWARD and row.interval_end is not None]
    if not forward:
        return None
    newest = max(forward, key=lambda row: row.interval_end or row.as_of)
    return Interval(start=newest.interval_start, end=newest.interval_end, timezone=newest.timezone, as_of=newest.as_of)


def explicit_window(start: datetime, end: datetime, timezone: str) -> IntervalWindow:
    """Returns the window that asks for exactly `[start, end)`."""
    return IntervalWindow(kind="interval", start=start, end=end, timezone=timezone)


def backfill_zone(pipeline: PipelineSpec, datasets: Sequence[str] | None) -> str:
    """Returns the zone in which a backfill's days are cut.

    Raises:
        ConfigurationError: the pipeline's source, or one of the datasets, does not honour a window, so that every
            piece would load the same rows; or the datasets' windows disagree about the zone.
    """
    chosen = select_datasets(pipeline, datasets)
    source = SOURCES[pipeline.source.kind]
    windowless = [
        dataset.name
        for dataset in chosen
        if dataset.window.kind == "full" or not source.dataset_traits(dataset.spec).honours_window
    ]
    if windowless:
        raise ConfigurationError(
            "a backfill needs datasets that honour a time window",
            guidance="Name the others with --dataset.",
            pipeline=pipeline.pipeline,
            without_window=", ".join(windowless),
        )
    zones = sorted({dataset.window.timezone for dataset in chosen})
    if len(zones) > 1:
        raise ConfigurationError(
            "the datasets' windows are cut in different zones",
            guidance="Backfill them one zone at a time with --dataset.",
            pipeline=pipeline.pipeline,
            zones=", ".join(zones),
        )
    return zones[0]
