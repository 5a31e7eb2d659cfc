"""What a run says of itself: one outcome a dataset, what dbt built, and whether all of it is well."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from penstock.artifacts import Interval, LoadResult, RunKind
from penstock.spec import Artifact

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


class NodeReport(Artifact):
    """How one dbt node ended; `status` is dbt's own word."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    seconds: float
    message: str | None = None
    rows: int | None = None

    @property
    def is_bad(self) -> bool:
        """Whether the node failed, or did not run because another failed."""
        return self.status in {"error", "fail", "runtime error", "partial success", "skipped"}


class TransformReport(Artifact):
    """How dbt ended. A skipped node is not a success, and neither is a selection without nodes."""

    outcome: Literal["built", "failed", "nothing_selected", "not_run"]
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
            bad.append(f"{len(self.failed)} of {len(self.datasets)} datasets failed. {names}")
        if self.transform.outcome == "failed":
            bad.append(f"the transform failed: {self.transform.error}")
        if bad:
            return "; ".join(bad)
        rows = sum(dataset.result.rows_landed for dataset in self.datasets if dataset.result)
        loaded = sum(dataset.outcome == "loaded" for dataset in self.datasets)
        built = "; dbt had nothing to build" if self.transform.outcome == "nothing_selected" else ""
        return f"{loaded} of {len(self.datasets)} datasets loaded, {rows:,} rows{built}"
