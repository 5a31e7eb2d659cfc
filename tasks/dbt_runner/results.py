"""Reads what dbt wrote about a run: `run_results.json`, beside the manifest's names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from penstock.report import NodeReport


def read_nodes(target_path: Path) -> tuple[NodeReport, ...]:
    """Returns the nodes of the last run in the order dbt finished them; none where there is no result file."""
    results = target_path / "run_results.json"
    if not results.is_file():
        return ()
    return tuple(_node(result) for result in json.loads(results.read_text(encoding="utf-8"))["results"])


def _node(result: dict[str, Any]) -> NodeReport:
    resource_type, _, rest = result["unique_id"].partition(".")
    rows = (result.get("adapter_response") or {}).get("rows_affected")
    return NodeReport(
        unique_id=result["unique_id"],
        name=rest.split(".")[1] if resource_type in {"test", "unit_test"} and rest.count(".") else rest.split(".")[-1],
        resource_type=resource_type,
        status=result["status"],
        seconds=result.get("execution_time") or 0.0,
        message=result.get("message"),
        rows=rows if isinstance(rows, int) and rows >= 0 else None,
    )
