"""What the commands print: tables for people, on standard output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from penstock.report import DatasetReport, RunReport, TransformReport

OUTCOME_STYLES = {"loaded": "green", "already_loaded": "cyan", "nothing_new": "cyan", "failed": "bold red"}


def print_report(report: RunReport, url: str | None) -> None:
    """Prints a run: one row a dataset, what dbt built, and what to do about failures."""
    console = Console()
    console.print(_datasets_table(report))
    for dataset in report.datasets:
        for warning in dataset.warnings:
            console.print(f"[yellow]![/] {escape(dataset.dataset)}: {escape(warning)}")
    _print_transform(console, report.transform)
    for dataset in report.failed:
        console.print(f"[bold red]x[/] {escape(dataset.dataset)}: {escape(dataset.error or 'failed')}")
        if dataset.guidance:
            console.print(f"  {escape(dataset.guidance)}")
    if report.failed:
        console.print("Run the same command again: it loads only what is missing.")
    if url:
        console.print(f"In the Prefect UI: {url}", soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Prints rows as a table; numbers to the right."""
    table = Table(title=title, title_justify="left")
    filled = [tuple(row) for row in rows]
    for index, column in enumerate(columns):
        numeric = any(isinstance(row[index], int | float) for row in filled)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in filled:
        table.add_row(*(_cell(value) for value in row))
    Console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if isinstance(value, float) else escape(str(value))


def _datasets_table(report: RunReport) -> Table:
    table = Table(title=f"{report.pipeline} on {report.platform}", title_justify="left")
    for name in ("dataset", "interval", "outcome"):
        table.add_column(name, overflow="fold")
    for name in ("rows", "rejected", "in table", "seconds"):
        table.add_column(name, justify="right")
    for dataset in report.datasets:
        table.add_row(*_dataset_row(dataset))
    return table


def _dataset_row(dataset: DatasetReport) -> tuple[str, ...]:
    style = OUTCOME_STYLES[dataset.outcome]
    result = dataset.result
    return (
        escape(dataset.dataset),
        _interval(dataset),
        f"[{style}]{dataset.outcome.replace('_', ' ')}[/]",
        _cell(result.rows_landed if result else None),
        _cell(result.rows_rejected if result else None),
        _cell(result.rows_total if result else None),
        _cell(dataset.seconds if result else None),
    )


def _interval(dataset: DatasetReport) -> str:
    from zoneinfo import ZoneInfo

    if dataset.interval is None:
        return "-"
    if dataset.interval.is_full:
        return "everything"
    zone = ZoneInfo(dataset.interval.timezone)
    start, end = (moment.astimezone(zone) for moment in dataset.interval.bounds())
    if start.time() == end.time() and not (start.hour or start.minute):
        return f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def _print_transform(console: Console, transform: TransformReport) -> None:
    if transform.outcome == "not_run":
        return
    counts = ", ".join(f"{count} {status}" for status, count in sorted(transform.counts().items()))
    console.print(f"dbt: {transform.outcome.replace('_', ' ')} in {transform.seconds:.1f} s ({counts or 'no nodes'})")
    if transform.outcome == "failed":
        console.print(f"[bold red]x[/] {escape(transform.error or 'failed')}")
        for node in transform.nodes:
            if node.is_bad and node.message:
                console.print(f"  {escape(node.name)}: {escape(node.message)}")
        if transform.guidance:
            console.print(f"  {escape(transform.guidance)}")
