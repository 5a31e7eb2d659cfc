"""Decides what a run does from the ledger's rows that matter to it, however many there are."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.artifacts import TableRef
from penstock.ledger import LoadRecord
from penstock.pipeline import PipelineSpec
from penstock.plan import Decision, RunRequest, asked_span, decide, select_datasets
from tasks.warehouses.contract import Warehouse


def decide_by_ledger(pipeline: PipelineSpec, request: RunRequest, warehouse: Warehouse) -> tuple[Decision, ...]:
    """Decides what each asked dataset of a pipeline does; reads the ledger twice: where it stands, then what is held.

    Raises:
        ConfigurationError: the run cannot be as it is asked.
    """
    targets = [dataset.target for dataset in select_datasets(pipeline, request.datasets)]
    now = request.scheduled_at
    records = _by_target(targets, warehouse.loads(targets=targets, touching=(now, now)))
    span = asked_span(pipeline, request, records)
    if span is not None:
        records = _by_target(targets, warehouse.loads(targets=targets, touching=span))
    return decide(pipeline, request, records)


def _by_target(targets: Sequence[TableRef], records: Sequence[LoadRecord]) -> dict[TableRef, list[LoadRecord]]:
    found: dict[TableRef, list[LoadRecord]] = {target: [] for target in targets}
    for record in records:
        found[record.target].append(record)
    return found
