"""Shows a plan, or what came of it: a table for people, JSON for programs. No value of a job variable is shown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from deployments.deploy.alerts import AlertChange
from deployments.deploy.applying import AnyChange, Outcome
from deployments.deploy.limits import LimitChange
from deployments.deploy.planning import Change
from deployments.display import print_table
from penstock.errors import PenstockError

HIDDEN = frozenset({"job_variables", "parameter_openapi_schema"})
DONE = {"create": "created", "update": "updated", "prune": "pruned", "unchanged": "unchanged"}


class Deployed(NamedTuple):
    """A plan, and what came of it where it was not a dry run."""

    api_url: str
    platform: str
    is_dry_run: bool
    changes: tuple[Change, ...]
    alerts: tuple[AlertChange, ...]
    limits: tuple[LimitChange, ...]
    outcomes: tuple[Outcome, ...]
    creates_pool: str | None = None

    @property
    def everything(self) -> tuple[AnyChange, ...]:
        """Deployments first, then automations and limits."""
        return (*self.changes, *self.alerts, *self.limits)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """What was not done."""
        return tuple(one for one in self.outcomes if one.error is not None)


def print_deployed(deployed: Deployed, *, as_json: bool) -> None:
    """Prints a deploy."""
    if as_json:
        print(json.dumps(_as_json(deployed), indent=2))
        return
    errors = {_key(one.change): one.error for one in deployed.failed}
    rows = [_row(one, errors, deployed) for one in deployed.everything if _is_shown(one)]
    if deployed.creates_pool:
        verb = "create" if deployed.is_dry_run else "created"
        rows.insert(0, (verb, f"work pool {deployed.creates_pool}", "type process"))
    if rows:
        title = f"{'Plan for' if deployed.is_dry_run else 'Deployed to'} {deployed.platform} at {deployed.api_url}"
        print_table(title, ("", "deployment", "what"), rows)
    print(_summary(deployed))
    for outcome in deployed.failed:
        print(f"x {_name(outcome.change)}: {outcome.error}")
    if deployed.failed:
        print("The others landed. Run the same command again: it sends only what is missing.")


def _summary(deployed: Deployed) -> str:
    failed = {_key(one.change) for one in deployed.failed}
    words = ("create", "update", "unchanged", "prune") if deployed.is_dry_run else tuple(DONE.values())
    counts: Counter[str] = Counter()
    for one in deployed.everything:
        word = one.action if deployed.is_dry_run else DONE[one.action]
        counts["failed" if _key(one) in failed else word] += 1
    parts = [f"{counts[word]} {word}" for word in (*words, "failed") if counts[word]]
    return f"{'dry run, nothing sent: ' if deployed.is_dry_run else ''}{', '.join(parts) or 'nothing to deploy'}"


def _is_shown(change: AnyChange) -> bool:
    return change.action != "unchanged" or (isinstance(change, Change) and bool(change.remarks))


def _row(change: AnyChange, errors: dict[str, PenstockError | None], deployed: Deployed) -> tuple[str, str, str]:
    word = change.action if deployed.is_dry_run else DONE[change.action]
    if _key(change) in errors:
        word = "failed"
    return word, _name(change), _what(change)


def _what(change: AnyChange) -> str:
    if isinstance(change, AlertChange):
        return "automation"
    if isinstance(change, LimitChange):
        return change.as_text()
    if change.action == "create":
        return ", ".join(one.as_text() for one in change.schedules)
    variables = _changed_keys(change.before.get("job_variables"), change.fields.get("job_variables"))
    told = [f"job variables ({', '.join(variables)})" if one == "job variables" else one for one in change.changed()]
    return ", ".join([*told, *change.remarks])


def _as_json(deployed: Deployed) -> dict[str, Any]:
    errors = {_key(one.change): str(one.error) for one in deployed.failed}

    def state(change: AnyChange) -> dict[str, Any]:
        return {"action": change.action, **({"error": errors[_key(change)]} if _key(change) in errors else {})}

    return {
        "api_url": deployed.api_url,
        "platform": deployed.platform,
        "dry_run": deployed.is_dry_run,
        "work_pool_created": deployed.creates_pool,
        "deployments": [
            {
                "deployment": one.full_name,
                **state(one),
                "fields": _fields(one),
                "schedules": [schedule.as_text() for schedule in one.schedules],
                "remarks": list(one.remarks),
            }
            for one in deployed.changes
        ],
        "automations": [{"automation": one.name, **state(one)} for one in deployed.alerts],
        "limits": [
            {"limit": one.name, **state(one), "slots": {"before": one.before, "after": one.limit}}
            for one in deployed.limits
        ],
        "failed": len(deployed.failed),
    }


def _fields(change: Change) -> dict[str, Any]:
    if change.action != "update":
        return {}
    shown = {
        name: {"before": change.before[name], "after": value}
        for name, value in change.fields.items()
        if name not in HIDDEN
    }
    hidden = {
        name: {"changed": _changed_keys(change.before[name], value)}
        for name, value in change.fields.items()
        if name in HIDDEN
    }
    return {**shown, **hidden}


def _changed_keys(before: Any, after: Any, prefix: str = "") -> Sequence[str]:
    """Returns the dotted keys whose values differ."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return [prefix.rstrip(".") or "all of it"] if before != after else []
    found: list[str] = []
    for key in sorted({*before, *after}):
        found += _changed_keys(before.get(key), after.get(key), f"{prefix}{key}.")
    return found


def _key(change: AnyChange) -> str:
    """Tells a plan's changes apart; automations may share a name."""
    return change.full_name if isinstance(change, Change) else f"{change.name} {change.found_id}"


def _name(change: AnyChange) -> str:
    return change.full_name if isinstance(change, Change) else change.name
