"""Reads what dbt wrote about a run: `run_results.json` (schema v6)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from penstock.report import NodeReport

_HIDDEN = "***"


def read_nodes(target_path: Path, *, hidden: Iterable[str] = ()) -> tuple[NodeReport, ...]:
    """Returns the nodes of the last run in the order dbt finished them; none where there is no result file.

    Args:
        target_path: dbt's target folder.
        hidden: Values that stand in compiled SQL and are shown nowhere else.
    """
    results = target_path / "run_results.json"
    if not results.is_file():
        return ()
    return nodes_of(json.loads(results.read_text(encoding="utf-8")), hidden=hidden)


def nodes_of(run_results: dict[str, Any], *, hidden: Iterable[str] = ()) -> tuple[NodeReport, ...]:
    """Returns the nodes of a run's results."""
    secrets = [value for value in hidden if value]
    return tuple(_node(result, secrets) for result in run_results["results"])


def _node(result: dict[str, Any], secrets: list[str]) -> NodeReport:
    resource_type, _, rest = result["unique_id"].partition(".")
    rows = (result.get("adapter_response") or {}).get("rows_affected")
    has_failing_rows = resource_type == "test" and result["status"] in {"fail", "warn"}
    return NodeReport(
        unique_id=result["unique_id"],
        name=rest.split(".")[1] if resource_type in {"test", "unit_test"} and rest.count(".") else rest.split(".")[-1],
        resource_type=resource_type,
        status=result["status"],
        seconds=result.get("execution_time") or 0.0,
        message=_without(result.get("message"), secrets),
        rows=rows if isinstance(rows, int) and rows >= 0 else None,
        relation=result.get("relation_name"),
        started_at=_started_at(result),
        failures=result.get("failures"),
        failing_rows_query=_without(result.get("compiled_code"), secrets) if has_failing_rows else None,
    )


def _started_at(result: dict[str, Any]) -> datetime | None:
    starts = [timing["started_at"] for timing in result.get("timing") or () if timing.get("started_at")]
    return datetime.fromisoformat(min(starts)) if starts else None


def _without(text: str | None, secrets: list[str]) -> str | None:
    for secret in secrets if text else ():
        text = (text or "").replace(secret, _HIDDEN)
    return text.strip() if text else text
