"""What the commands print: tables for people, on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from penstock.report import DatasetReport, RunReport, TransformReport
from penstock.transforms import failures_with_queries

OUTCOME_STYLES = {"loaded": "green", "already_loaded": "cyan", "nothing_new": "cyan", "failed": "bold red"}


PIPED_WIDTH = 160
PASSING = frozenset({"TransientError", "RateLimitedError"})


def console() -> Console:
    """Returns where commands print; what goes to a file or a program is not folded at a terminal's 80 columns."""
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH)


def print_report(report: RunReport, url: str | None) -> None:
    """Prints a run: one row a dataset, what dbt built, and what to do about failures."""
    out = console()
    out.print(_datasets_table(report))
    for dataset in report.datasets:
        for warning in dataset.warnings:
            out.print(f"[yellow]![/] {escape(dataset.dataset)}: {escape(warning)}")
    _print_transform(out, report.transform)
    for dataset in report.failed:
        out.print(f"[bold red]x[/] {escape(dataset.dataset)}: {escape(dataset.error or 'failed')}")
        if dataset.guidance:
            out.print(f"  {escape(dataset.guidance)}")
    if any(dataset.error_kind in PASSING for dataset in report.failed):
        out.print("Run the same command again later: it loads only what is missing.")
    if url:
        out.print(f"In the Prefect UI: {url}", soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Prints rows as a table; numbers to the right."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    filled = [tuple(row) for row in rows]
    for index, column in enumerate(columns):
        numeric = any(isinstance(row[index], int | float) for row in filled)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in filled:
        table.add_row(*(_cell(value) for value in row))
    console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if isinstance(value, float) else escape(str(value))


def _datasets_table(report: RunReport) -> Table:
    has_rejects = any(dataset.result and dataset.result.rows_rejected for dataset in report.datasets)
    table = Table(title=f"{report.pipeline} on {report.platform}", title_justify="left", box=SIMPLE_HEAD)
    for name in ("dataset", "interval", "outcome"):
        table.add_column(name, no_wrap=True)
    for name in ("rows", *(["rejected"] if has_rejects else []), "total", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for dataset in report.datasets:
        result = dataset.result
        style = OUTCOME_STYLES[dataset.outcome]
        rejected = [_cell(result.rows_rejected if result else None)] if has_rejects else []
        table.add_row(
            escape(dataset.dataset),
            _interval(dataset),
            f"[{style}]{dataset.outcome.replace('_', ' ')}[/]",
            _cell(result.rows_landed if result else None),
            *rejected,
            _cell(result.rows_total if result else None),
            _cell(dataset.seconds if result else None),
        )
    return table


def _interval(dataset: DatasetReport) -> str:
    from zoneinfo import ZoneInfo

    if dataset.interval is None:
        return "-"
    if dataset.interval.is_full:
        return "everything"
    zone = ZoneInfo(dataset.interval.timezone)
    start, end = (moment.astimezone(zone) for moment in dataset.interval.bounds())
    if start.time() == end.time() and not (start.hour or start.minute):
        days = (end.date() - start.date()).days
        return f"{start:%Y-%m-%d}" if days == 1 else f"{start:%Y-%m-%d} + {days} days"
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def _print_transform(out: Console, transform: TransformReport) -> None:
    if transform.outcome == "not_run":
        return
    counts = ", ".join(f"{count} {status}" for status, count in sorted(transform.counts().items()))
    out.print(f"dbt: {transform.outcome.replace('_', ' ')} in {transform.seconds:.1f} s ({counts or 'no nodes'})")
    if transform.outcome == "failed":
        out.print(f"[bold red]x[/] {escape(transform.error or 'failed')}")
        for node in transform.nodes:
            if node.is_bad and node.message:
                out.print(f"  {escape(node.name)}: {escape(node.message)}")
        for test, query in failures_with_queries(transform.nodes):
            out.print(f"  rows that {escape(test)} found:")
            out.print(escape(query), soft_wrap=True)
        if transform.guidance:
            out.print(f"  {escape(transform.guidance)}")
