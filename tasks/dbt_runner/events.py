"""What dbt says while it works, from its log in JSON: nodes that begin and end, and errors."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from penstock.report import FAILED_NODES, NodeReport

_ENDED = FAILED_NODES | {"success", "pass", "warn", "skipped", "no-op", "reused"}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class NodeStarted(NamedTuple):
    """A node began."""

    unique_id: str
    name: str
    resource_type: str
    started_at: datetime


class NodeEnded(NamedTuple):
    """A node ended; the message of one that failed is only known when dbt is through."""

    node: NodeReport


class DbtError(NamedTuple):
    """Something that dbt logged as an error, or said outside of its log."""

    text: str


Event = NodeStarted | NodeEnded | DbtError


def read_event(line: str) -> Event | None:
    """Returns what a line of dbt's output says, None where it says nothing of these."""
    try:
        event = json.loads(line)
        info, data = event["info"], event["data"]
    except (ValueError, KeyError, TypeError):  # not of dbt's log, such as a complaint about an option
        text = line.strip()
        return DbtError(text) if text.startswith(("Error", "Usage:")) else None
    node = data.get("node_info") or {}
    if node.get("unique_id") and info["name"] != "NodeCompiling":
        found = _node_event(node, data)
        if found is not None:
            return found
    return DbtError(_COLOUR.sub("", info["msg"]).strip()) if info["level"] == "error" else None


def _node_event(node: dict[str, Any], data: dict[str, Any]) -> NodeStarted | NodeEnded | None:
    started_at = _moment(node.get("node_started_at"))
    if node["node_status"] in _ENDED:
        seconds = data.get("execution_time")
        return NodeEnded(
            NodeReport(
                unique_id=node["unique_id"],
                name=node["node_name"],
                resource_type=node["resource_type"],
                status=node["node_status"],
                seconds=float(seconds or 0.0),
                relation=node["node_relation"].get("relation_name") or None,
                started_at=started_at,
            )
        )
    if node["node_status"] == "started" and started_at is not None:
        return NodeStarted(node["unique_id"], node["node_name"], node["resource_type"], started_at)
    return None


def _moment(text: str | None) -> datetime | None:
    """Returns a moment of dbt's log, which is UTC without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
