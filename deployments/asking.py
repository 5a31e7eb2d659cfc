"""Turns what a person types for a run into the typed values that a flow takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from penstock.backfill import refuse_future
from penstock.errors import ConfigurationError
from penstock.pipeline import PipelineSpec, expand
from penstock.plan import GuardOverrides, explicit_window
from penstock.spec import Spec
from penstock.strategy import LoadStrategy
from penstock.window import TimeWindow
from tasks.definitions.problems import DefinitionProblems
from tasks.definitions.scalars import resolve_scalar
from tasks.definitions.strict_yaml import parse_yaml
from tasks.definitions.tree import Entry, Mapping, Mark, Scalar
from tasks.definitions.validation import validate

S = TypeVar("S", bound=Spec)

_OPTION_GUIDANCE = "Write it in quotes, as in a pipeline file: '{kind: daily, timezone: UTC, lag: 1d}', or as JSON."


class _Options(Spec):
    """The values of options that are written like parts of a pipeline file."""

    window: TimeWindow | None = None
    strategy: LoadStrategy | None = None


def _under(key: str, value: Mapping) -> Mapping:
    return Mapping({key: Entry(value.mark, value)}, value.mark)


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
        return _validated(_Options, _under("window", _written(window, "--window"))).window
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
    return _validated(_Options, _under("strategy", _written(text, "--strategy"))).strategy


def parse_guards(settings: Sequence[str]) -> GuardOverrides | None:
    """Returns the guards that `--guard NAME=VALUE` asks for; None where there is none."""
    mark = Mark(Path("--guard"), 1, 1)
    entries: dict[str, Entry] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigurationError(
                "a guard is written as NAME=VALUE", guidance="For instance: --guard allow_empty=true.", seen=setting
            )
        entries[name.strip()] = Entry(mark, Scalar(resolve_scalar(value.strip()), value, mark))
    return _validated(GuardOverrides, Mapping(entries, mark)) if entries else None


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


def _written(text: str, option: str) -> Mapping:
    """Returns what an option says, as in a pipeline file: a mapping, or the `kind` alone where that is enough.

    Raises:
        DefinitionProblems: it is neither.
    """
    path = Path(option)
    if re.fullmatch(r"[\w-]+", text.strip()):
        mark = Mark(path, 1, 1)
        return Mapping({"kind": Entry(mark, Scalar(text.strip(), text.strip(), mark))}, mark)
    root, problems = parse_yaml(text, path)
    if root is None or problems:
        raise DefinitionProblems(
            one._replace(message=one.message.replace("the file", "the value"), expected=None, guidance=_OPTION_GUIDANCE)
            for one in problems
        )
    return root


def _validated(model: type[S], root: Mapping) -> S:
    """Returns an option's value.

    Raises:
        DefinitionProblems: it is not one; every problem is told as it would be of a file.
    """
    validated = validate(model, root)
    if validated.spec is None or validated.problems:
        raise DefinitionProblems(validated.problems)
    return validated.spec
