"""One dataset of a source under the source contract; each module beside this one has `CASES`, and is found by itself.

A module may have `SETTINGS`, which the sandbox of the suite is made with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from penstock.artifacts import Interval
from sandbox.server import Sandbox

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
FIRST = datetime(2026, 3, 17, tzinfo=UTC)
WRONG_SECRET = "wrong-secret-value"
Row = dict[str, Any]

CASES: dict[str, Case] = {}


class Place(NamedTuple):
    """Where a source is found: the sandbox, and a folder of the suite's own for sources without HTTP."""

    sandbox: Sandbox
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Case:
    """One dataset of a source.

    Args:
        dataset: As in a pipeline file.
        connect: Its connection; with the secret given in place of the right one.
        truth: Its rows in an interval, read without the source.
        secrets: What must be shown nowhere.
        path: Of its requests in the sandbox; empty for a source without HTTP.
        column: A column that a schema change can take away.
        one_request: Whether an extraction is a single request.
        fixed_token: Whether its credentials cannot be renewed.
        token_path: Where they are renewed otherwise.
        has_pages: Whether later pages are found by a token.
        has_late_rows: Whether the sandbox can keep some of its rows back for a while.
        counts_rows: Whether it knows how many rows its files have; what somebody else wrote is counted by warehouses.
    """

    kind: str
    dataset: dict[str, Any]
    connect: Callable[[Place, str | None], Any]
    truth: Callable[[Place, Interval], list[Row]]
    secrets: tuple[str, ...] = ()
    path: str = ""
    column: str = ""
    honours_window: bool = True
    one_request: bool = False
    fixed_token: bool = False
    token_path: str = ""
    has_pages: bool = False
    has_late_rows: bool = False
    counts_rows: bool = True


def interval_of(days: int, first: datetime = FIRST) -> Interval:
    return Interval(start=first, end=first + timedelta(days=days), as_of=NOW)
