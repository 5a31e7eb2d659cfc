"""Extracts one dataset for one interval into the lake's `ingest/` zone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from penstock.artifacts import Extraction
from penstock.errors import DataError
from penstock.plan import DatasetPlan
from penstock.strategy import WHOLE_SNAPSHOT_KINDS
from tasks.environment import Environment
from tasks.limits import extraction_slot
from tasks.retries import RETRY_DELAYS_SECONDS, worth_retrying
from tasks.sources.contract import ExtractRequest
from tasks.sources.registry import extractor
from tasks.staging.manifest import LakeSink, find_latest_extraction, load_extraction

logger = logging.getLogger("penstock.extract")


@task(
    task_run_name="extract {plan.name}",
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS_SECONDS),
    retry_condition_fn=worth_retrying,
)
def extract(plan: DatasetPlan, environment: Environment) -> Extraction:
    """Extracts a dataset, or goes on from the manifest of an earlier attempt of the same run."""
    return extract_dataset(plan, environment)


def extract_dataset(plan: DatasetPlan, environment: Environment) -> Extraction:
    """Extracts a dataset without Prefect.

    Returns:
        The complete extraction: one that this run's earlier attempt finished, one that `reuse` asked for, or a new one.

    Raises:
        DataError: `reuse` was asked for and no complete extraction of the interval exists.
    """
    lake, keys = environment.lake(), plan.batch_keys()
    if plan.request.options.reuse != "none":
        return _reused(plan, environment)
    complete = load_extraction(lake, keys)
    if complete is not None:
        logger.info("%s: extraction %s was complete, going on from its manifest", plan.name, complete.batch_id)
        return complete
    request = extract_request(plan, environment)
    sink = LakeSink(lake, keys, dataset=plan.name, interval=plan.interval)
    with extraction_slot(environment, plan.dataset.connection):
        extractor(plan.source.kind)(request, environment.connection(plan.dataset.connection), sink)
    return sink.complete()


def extract_request(plan: DatasetPlan, environment: Environment) -> ExtractRequest:
    """Returns what a source is asked for a dataset."""
    reads_everything = plan.request.loads_again or plan.strategy.kind in WHOLE_SNAPSHOT_KINDS
    return ExtractRequest(
        source=plan.source,
        dataset=plan.dataset.spec,
        interval=plan.interval,
        connection_name=plan.dataset.connection,
        seen_files=_none_seen if reads_everything else partial(environment.warehouse().seen_files, plan.dataset.target),
    )


def _none_seen(_candidates: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Answers for a load that wants every file again, those that the table holds too."""
    return set()


def _reused(plan: DatasetPlan, environment: Environment) -> Extraction:
    found = find_latest_extraction(environment.lake(), plan.batch_keys(), plan.interval)
    if found is None:
        raise DataError(
            "there is no earlier extraction to reuse",
            guidance="Run without --reuse to ask the source.",
            dataset=plan.name,
            start=plan.interval.start,
            end=plan.interval.end,
        )
    return found
