"""Decides what a run does from the ledger's rows that matter to it, however many there are."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.artifacts import Interval, TableRef
from penstock.ledger import LoadRecord, Span
from penstock.pipeline import PipelineSpec
from penstock.plan import (
    Decision,
    RunRequest,
    asked_span,
    decide,
    explicit_window,
    needs_position,
    select_datasets,
)
from tasks.warehouses.contract import Warehouse


def decide_by_ledger(pipeline: PipelineSpec, request: RunRequest, warehouse: Warehouse) -> tuple[Decision, ...]:
    """Decides what each asked dataset of a pipeline does; reads the ledger for where it stands, and for what is held.

    Raises:
        ConfigurationError: the run cannot be as it is asked.
    """
    targets = [dataset.target for dataset in select_datasets(pipeline, request.datasets)]

    def touching(span: Span) -> dict[TableRef, list[LoadRecord]]:
        return _by_target(targets, warehouse.loads(targets=targets, touching=span))

    span = None if needs_position(pipeline, request) else asked_span(pipeline, request, {})
    if span is None:
        position = touching((request.scheduled_at, request.scheduled_at))
        span = asked_span(pipeline, request, position)
        if span is None:
            return decide(pipeline, request, position)
    return decide(pipeline, request, touching(span))


def decide_windows(
    pipeline: PipelineSpec, request: RunRequest, intervals: Sequence[Interval], warehouse: Warehouse
) -> tuple[tuple[Decision, ...], ...]:
    """Decides what each asked dataset does in each of several windows; reads the ledger once.

    Args:
        pipeline: The pipeline's file; the asked datasets honour a window.
        request: What is asked of every window.
        intervals: The windows, at least one; no load of one of them bears on another.
        warehouse: Whose ledger.

    Raises:
        ConfigurationError: a window cannot be as it is asked.
    """
    targets = [dataset.target for dataset in select_datasets(pipeline, request.datasets)]
    starts, ends = zip(*(interval.bounds() for interval in intervals), strict=True)
    records = _by_target(targets, warehouse.loads(targets=targets, touching=(min(starts), max(ends))))
    asked = (
        request.model_copy(update={"window": explicit_window(*interval.bounds(), interval.timezone)})
        for interval in intervals
    )
    return tuple(decide(pipeline, one, records) for one in asked)


def _by_target(targets: Sequence[TableRef], records: Sequence[LoadRecord]) -> dict[TableRef, list[LoadRecord]]:
    found: dict[TableRef, list[LoadRecord]] = {target: [] for target in targets}
    for record in records:
        found[record.target].append(record)
    return found
