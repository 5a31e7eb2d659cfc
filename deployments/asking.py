"""Turns what a person types for a run into the typed values that a flow takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from penstock.backfill import refuse_future
from penstock.errors import ConfigurationError
from penstock.pipeline import PipelineSpec, expand
from penstock.plan import GuardOverrides, explicit_window
from penstock.strategy import LoadStrategy
from penstock.window import TimeWindow


def parse_moment(text: str, timezone: str) -> datetime:
    """Reads an ISO 8601 date or time; without an offset it is local time of `timezone`, a date its midnight.

    Raises:
        ConfigurationError: the text is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            "not a date or time", guidance="Write it like 2026-03-20 or 2026-03-20T06:00:00-05:00.", seen=text
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))


def parse_window(window: str | None, since: str | None, until: str | None, pipeline: PipelineSpec) -> TimeWindow | None:
    """Returns the window that `--window` or `--from` and `--to` ask for; None where neither is given."""
    if window is not None and (since or until):
        raise ConfigurationError("a window was given twice", guidance="Use --window, or --from and --to.")
    if window is not None:
        return cast("TimeWindow", _validated(TimeWindow, window, "--window"))
    if since is None and until is None:
        return None
    if since is None or until is None:
        raise ConfigurationError("half an interval was given", guidance="Give both --from and --to.")
    zone = pipeline_zone(pipeline)
    start, end = parse_moment(since, zone), parse_moment(until, zone)
    if end <= start:
        raise ConfigurationError(
            "the interval is empty",
            guidance="--to is not part of it: give a later one than --from.",
            start=start,
            end=end,
        )
    refuse_future(end, datetime.now(UTC))
    return explicit_window(start, end, zone)


def parse_strategy(text: str | None) -> LoadStrategy | None:
    """Returns the strategy that `--strategy` names, as a kind (`append`) or as JSON where it has fields."""
    if text is None:
        return None
    written = text if text.lstrip().startswith("{") else json.dumps({"kind": text})
    return cast("LoadStrategy", _validated(LoadStrategy, written, "--strategy"))


def parse_guards(settings: Sequence[str]) -> GuardOverrides | None:
    """Returns the guards that `--guard NAME=VALUE` asks for; None where there is none."""
    pairs = dict(setting.partition("=")[::2] for setting in settings)
    return cast("GuardOverrides", _validated(GuardOverrides, json.dumps(pairs), "--guard")) if pairs else None


def parse_at(text: str | None, pipeline: PipelineSpec) -> datetime | None:
    """Returns the time that `--at` names, in UTC."""
    return parse_moment(text, pipeline_zone(pipeline)).astimezone(UTC) if text else None


def parse_past(text: str | None, pipeline: PipelineSpec) -> datetime | None:
    """Returns the time that `--at` names, for a run: one that has passed."""
    at = parse_at(text, pipeline)
    if at is not None:
        refuse_future(at, datetime.now(UTC))
    return at


def pipeline_zone(pipeline: PipelineSpec) -> str:
    """Returns the zone in which a person's times without an offset are read: that of the first dataset's window."""
    return expand(pipeline)[0].window.timezone


def _validated(kind: Any, text: str, option: str) -> Any:
    try:
        return TypeAdapter(kind).validate_json(text, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ConfigurationError(
            "the option's value cannot be read",
            guidance=first["msg"],
            option=option,
            field=".".join(str(part) for part in first["loc"]) or None,
        ) from error
