"""Looks whether the files have come that a dataset waits for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from prefect import task
from prefect.cache_policies import NO_CACHE

from penstock.artifacts import RunKind
from penstock.plan import DatasetPlan
from penstock.sources.s3_files import FilesDataset, WaitSpec
from penstock.window import parse_duration
from penstock.wording import counted
from tasks.environment import Environment
from tasks.extract import extract_request
from tasks.sources.registry import counter


class Awaited(NamedTuple):
    """A dataset whose files have not all come; `until` is its deadline, `look_again_at` never later than that."""

    plan: DatasetPlan
    found: int
    minimum_files: int
    until: datetime
    look_again_at: datetime

    def describe(self) -> str:
        """Returns what is waited for, for people."""
        looks = f"{self.look_again_at:%H:%M:%S} UTC, until {self.until:%Y-%m-%d %H:%M} UTC"
        return f"{self.plan.name}: {self.found} of {counted(self.minimum_files, 'file')} found, next look at {looks}"


@task(task_run_name="look for {plan.name}", cache_policy=NO_CACHE)
def look_for_files(plan: DatasetPlan, environment: Environment) -> int:
    """Counts the files that the dataset's extraction would read now, as far as it needs; not tried again by itself."""
    wait = wait_of(plan)
    connection = environment.connection(plan.dataset.connection)
    return counter(plan.source.kind)(
        extract_request(plan, environment), connection, wait.minimum_files if wait is not None else 1
    )


def wait_of(plan: DatasetPlan) -> WaitSpec | None:
    """Returns how a dataset waits in this run; a backfill and a run that reuses an extraction do not."""
    spec = plan.dataset.spec
    is_forward = plan.request.run_kind is RunKind.FORWARD and plan.request.options.reuse == "none"
    return spec.wait_for if isinstance(spec, FilesDataset) and is_forward else None


def awaited(plan: DatasetPlan, wait: WaitSpec, found: int, now: datetime) -> Awaited | None:
    """Returns what a dataset still waits for; None where its files have come, or its deadline.

    The deadline is counted from the run's scheduled time, so that a run that is begun again has the same.
    """
    until = plan.request.scheduled_at + _span(wait.deadline)
    if found >= wait.minimum_files or now >= until:
        return None
    return Awaited(plan, found, wait.minimum_files, until, min(now + _span(wait.poll), until))


def _span(duration: str) -> timedelta:
    found = parse_duration(duration)
    return timedelta(days=found.days, minutes=found.minutes)
