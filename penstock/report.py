"""What a run says of itself: one outcome a dataset, what dbt built, and whether all of it is well."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import AwareDatetime

from penstock.artifacts import Interval, LoadResult, RunKind
from penstock.spec import Artifact
from penstock.wording import counted

Outcome = Literal["loaded", "already_loaded", "nothing_new", "failed"]


class DatasetReport(Artifact):
    """How one dataset ended."""

    dataset: str
    target: str
    outcome: Outcome
    interval: Interval | None = None
    batch_id: str | None = None
    result: LoadResult | None = None
    size_bytes: int = 0
    seconds: float = 0.0
    has_rows: bool = True
    warnings: tuple[str, ...] = ()
    error_kind: str | None = None
    error: str | None = None
    guidance: str | None = None


_WORST_FIRST: tuple[Outcome, ...] = ("failed", "loaded", "already_loaded", "nothing_new")
WindowOutcome = Literal["loaded", "already_loaded", "nothing_new", "failed", "not_started"]


FAILED_NODES = frozenset({"error", "fail", "runtime error", "partial success"})
"""dbt's words for a node that did not do what it should."""


class NodeReport(Artifact):
    """How one dbt node ended; `status` is dbt's own word.

    `attempts` counts the builds in which the node began; `failing_rows_query` shows the rows that a failed test found.
    """

    unique_id: str
    name: str
    resource_type: str
    status: str
    seconds: float
    message: str | None = None
    rows: int | None = None
    relation: str | None = None
    started_at: AwareDatetime | None = None
    attempts: int = 1
    failures: int | None = None
    failing_rows_query: str | None = None

    @property
    def is_bad(self) -> bool:
        """Whether the node failed, or did not run because another failed."""
        return self.has_failed or self.status == "skipped"

    @property
    def has_failed(self) -> bool:
        """Whether the node itself failed."""
        return self.status in FAILED_NODES


class TransformReport(Artifact):
    """How dbt ended. A skipped node is not a success, and neither is a selection without nodes."""

    outcome: Literal["built", "failed", "nothing_selected", "not_run"]
    transform_id: str | None = None
    selectors: tuple[str, ...] = ()
    nodes: tuple[NodeReport, ...] = ()
    seconds: float = 0.0
    error: str | None = None
    guidance: str | None = None

    def counts(self) -> dict[str, int]:
        """Returns how many nodes ended in each status."""
        found: dict[str, int] = {}
        for node in self.nodes:
            found[node.status] = found.get(node.status, 0) + 1
        return found


class RunReport(Artifact):
    """One run of a pipeline, whole."""

    client: str
    pipeline: str
    platform: str
    run_id: str
    run_kind: RunKind
    scheduled_at: AwareDatetime
    started_at: AwareDatetime
    finished_at: AwareDatetime
    datasets: tuple[DatasetReport, ...]
    transform: TransformReport

    @property
    def failed(self) -> tuple[DatasetReport, ...]:
        """The datasets that did not load."""
        return tuple(dataset for dataset in self.datasets if dataset.outcome == "failed")

    @property
    def is_green(self) -> bool:
        """Whether nothing failed."""
        return not self.failed and self.transform.outcome != "failed"

    def summary(self) -> str:
        """Returns one line: what failed and why, or what was loaded."""
        bad = []
        if self.failed:
            names = "; ".join(f"{dataset.dataset}: {dataset.error}" for dataset in self.failed)
            bad.append(f"{len(self.failed)} of {counted(len(self.datasets), 'dataset')} failed. {names}")
        if self.transform.outcome == "failed":
            bad.append(f"the transform failed: {self.transform.error}")
        if bad:
            return "; ".join(bad)
        rows = sum(dataset.result.rows_landed for dataset in self.datasets if dataset.result)
        loaded = sum(dataset.outcome == "loaded" for dataset in self.datasets)
        built = "; dbt had nothing to build" if self.transform.outcome == "nothing_selected" else ""
        return f"{loaded} of {counted(len(self.datasets), 'dataset')} loaded, {counted(rows, 'row')}{built}"


class WindowReport(Artifact):
    """How one window of a backfill ended; `flow_run_id` where it was a run of its own, on a worker."""

    interval: Interval
    outcome: WindowOutcome
    datasets: tuple[DatasetReport, ...] = ()
    flow_run_id: str | None = None
    error: str | None = None

    @property
    def rows(self) -> int:
        """How many rows landed."""
        return sum(dataset.result.rows_landed for dataset in self.datasets if dataset.result)


class BackfillReport(Artifact):
    """A backfill, whole: every window of its range, in order. `run_id` is None where workers ran the windows."""

    client: str
    pipeline: str
    platform: str
    run_id: str | None
    scheduled_at: AwareDatetime
    started_at: AwareDatetime
    finished_at: AwareDatetime
    windows: tuple[WindowReport, ...]
    transform: TransformReport

    @property
    def is_green(self) -> bool:
        """Whether all of the range is loaded and dbt did not fail."""
        ended_well = all(window.outcome not in {"failed", "not_started"} for window in self.windows)
        return ended_well and self.transform.outcome != "failed"

    def summary(self) -> str:
        """Returns one line: how much is loaded, and what stopped the rest."""
        done = sum(window.outcome not in {"failed", "not_started"} for window in self.windows)
        loads = sum(one.outcome == "loaded" for window in self.windows for one in window.datasets)
        rows = sum(window.rows for window in self.windows)
        text = f"{done} of {counted(len(self.windows), 'window')}; {counted(loads, 'load')}, {counted(rows, 'row')}"
        if self.is_green:
            return text
        why = [window.error for window in self.windows if window.error]
        why += [f"transform: {self.transform.error}"] if self.transform.outcome == "failed" else []
        return (
            f"{text}. Stopped: {'; '.join(dict.fromkeys(why))}. The same backfill without --reload goes on from here."
        )


def window_report(interval: Interval, reports: Iterable[DatasetReport], flow_run_id: str | None = None) -> WindowReport:
    """Returns what the reports of a window's datasets say of the window."""
    datasets = tuple(reports)
    outcomes = [dataset.outcome for dataset in datasets]
    failed = "; ".join(f"{dataset.dataset}: {dataset.error}" for dataset in datasets if dataset.outcome == "failed")
    return WindowReport(
        interval=interval,
        outcome=min(outcomes, key=_WORST_FIRST.index, default="nothing_new"),
        datasets=datasets,
        flow_run_id=flow_run_id,
        error=failed or None,
    )
