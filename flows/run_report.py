"""Keeps a run's report in the lake, and shows it in the Prefect UI."""

from __future__ import annotations

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from penstock.report import BackfillReport, DatasetReport, RunReport, WindowReport
from penstock.wording import counted
from tasks.staging.contract import ObjectStore


def publish(report: RunReport, lake: ObjectStore) -> None:
    """Writes the report under `artifacts/` and creates the run's artifacts (a table of datasets, and what failed)."""
    key = report_key(report.client, report.pipeline, report.run_id)
    with lake.open_write(key) as file:
        file.write(report.model_dump_json(indent=2).encode())
    create_table_artifact(
        key=f"{report.pipeline}-datasets",
        table=[table_row(dataset) for dataset in report.datasets],
        description=report.summary(),
    )
    if not report.is_green:
        create_markdown_artifact(key=f"{report.pipeline}-failures", markdown=failures_markdown(report))


def publish_backfill(report: BackfillReport, lake: ObjectStore) -> None:
    """Writes a backfill's report under `artifacts/` and creates its artifacts (a table of windows, and what failed)."""
    with lake.open_write(backfill_key(report.client, report.pipeline, str(report.run_id))) as file:
        file.write(report.model_dump_json(indent=2).encode())
    create_table_artifact(
        key=f"{report.pipeline}-backfill",
        table=[window_row(window) for window in report.windows],
        description=report.summary(),
    )
    if not report.is_green:
        lines = [f"# {report.pipeline}: the backfill stopped", "", report.summary()]
        create_markdown_artifact(key=f"{report.pipeline}-failures", markdown="\n".join(lines))


def find_backfill_report(lake: ObjectStore, client: str, pipeline: str, run_id: str) -> BackfillReport | None:
    """Reads the report of one backfill; None where it ended before it could write one."""
    key = backfill_key(client, pipeline, run_id)
    if lake.stat(key) is None:
        return None
    with lake.open_read(key) as file:
        return BackfillReport.model_validate_json(file.read())


def find_report(lake: ObjectStore, client: str, pipeline: str, run_id: str) -> RunReport | None:
    """Reads the report of one run; None where it ended before it could write one."""
    key = report_key(client, pipeline, run_id)
    if lake.stat(key) is None:
        return None
    with lake.open_read(key) as file:
        return RunReport.model_validate_json(file.read())


def report_key(client: str, pipeline: str, run_id: str) -> str:
    """Returns the object key of one run's report."""
    return f"artifacts/{client}/{pipeline}/runs/{run_id}.json"


def backfill_key(client: str, pipeline: str, run_id: str) -> str:
    """Returns the object key of one backfill's report."""
    return f"artifacts/{client}/{pipeline}/backfills/{run_id}.json"


def window_row(window: WindowReport) -> dict[str, str | int]:
    """Returns a window's row of the backfill's table; every cell is filled, for the UI aligns by keys."""
    start, end = window.interval.bounds()
    return {
        "from (UTC)": f"{start:%Y-%m-%d %H:%M}",
        "to (UTC)": f"{end:%Y-%m-%d %H:%M}",
        "outcome": window.outcome.replace("_", " "),
        "datasets": ", ".join(one.dataset for one in window.datasets if one.outcome == "loaded") or "-",
        "rows": window.rows,
        "remarks": window.error or "-",
    }


def table_row(dataset: DatasetReport) -> dict[str, str | int | float]:
    """Returns a dataset's row of the run's table; every cell is filled, for the UI aligns by keys."""
    result, interval = dataset.result, dataset.interval
    bounds = f"{interval.start:%Y-%m-%d %H:%M} to {interval.end:%Y-%m-%d %H:%M}" if interval and interval.start else "-"
    return {
        "dataset": dataset.dataset,
        "outcome": dataset.outcome.replace("_", " "),
        "interval (UTC)": bounds,
        "rows": result.rows_landed if result else 0,
        "rejected": result.rows_rejected if result else 0,
        "total": result.rows_total if result and result.rows_total is not None else "-",
        "seconds": round(dataset.seconds, 2),
        "table": dataset.target,
        "remarks": "; ".join(dataset.warnings) or "-",
    }


def failures_markdown(report: RunReport) -> str:
    """Returns what failed, why, and what to do about it."""
    lines = [f"# {report.pipeline}: {len(report.failed)} of {counted(len(report.datasets), 'dataset')} failed", ""]
    for dataset in report.failed:
        lines += [f"- **{dataset.dataset}**: {dataset.error}. {dataset.guidance or ''}".rstrip()]
    if report.transform.outcome == "failed":
        lines += [f"- **transform**: {report.transform.error}. {report.transform.guidance or ''}".rstrip()]
    return "\n".join([*lines, "", "A new run loads only what is missing."])
