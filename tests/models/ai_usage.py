"""What gold must say of AI tools, told from what the sandbox's engineers did instead of from what its APIs answered."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from sandbox.ai_tools.people import TOOLS
from sandbox.ai_tools.world import DAY, HOUR, Use, World, start_of
from sandbox.clock import to_milliseconds
from sandbox.faults import LateRows
from sandbox.settings import SandboxSettings
from tests.models.ai_bronze import RUNS, SETTINGS, SUNDAY

NOBODY = "unattributed"
_PER_REQUEST, _PER_SUGGESTION, _PER_LINE = 2_000, 200, 40
_CREDIT_USD = Decimal("0.04")
_COPILOT_IS_READY_AFTER = DAY + 18 * HOUR


@dataclass(frozen=True)
class Metrics:
    """A person's day with a tool; None is what the tool does not tell."""

    requests: int | None = None
    suggestions: int | None = None
    lines: int | None = None
    reported: int | None = None
    estimated: int | None = None
    dollars: Decimal | None = None

    @property
    def tokens(self) -> int | None:
        """Measured and estimated ones."""
        known = [part for part in (self.reported, self.estimated) if part is not None]
        return sum(known) if known else None


class Key(NamedTuple):
    """What there is one row for."""

    tool: str
    engineer: str
    day: date


Days = dict[Key, Metrics]
Uses = dict[str, list[Use]]


@cache
def expected_days(*, is_corrected: bool = True) -> Days:
    """Returns every row of gold's daily metrics, with what became known when a day was read again or without."""
    found: Days = {}
    for offset in range((RUNS[-1].at.date() - RUNS[0].first).days):
        day = RUNS[0].first + timedelta(days=offset)
        for tool in TOOLS:
            found |= {
                Key(tool, engineer, day): metrics for engineer, metrics in _of_tool(tool, day, is_corrected).items()
            }
    return found | _spoilt()


def hash_of(text: str) -> str:
    """Returns a name or an address as models hash it without a salt of one's own."""
    return hashlib.sha256(f"{text.strip().lower()}local".encode()).hexdigest()


def weekly_tokens(days: Days) -> dict[date, dict[str, int]]:
    """Returns each person's tokens by the Monday of the week."""
    weeks: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, metrics in days.items():
        if metrics.tokens is not None and key.engineer != NOBODY:
            weeks[key.day - timedelta(days=key.day.weekday())][key.engineer] += metrics.tokens
    return weeks


def percentile(values: Iterable[int], share: float) -> float:
    """Returns what a share of values lies below, on the straight line between two neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _spoilt() -> Days:
    return {
        Key("anthropic", NOBODY, SUNDAY): Metrics(reported=1_000, dollars=Decimal("2.62500001")),
        Key("copilot", hash_of("ghost-user"), SUNDAY): Metrics(requests=3, estimated=3 * _PER_REQUEST),
        Key("litellm", NOBODY, SUNDAY): Metrics(requests=1, dollars=Decimal("0.00001")),
    }


def _of_tool(tool: str, day: date, is_corrected: bool) -> dict[str, Metrics]:
    read_at = [run.at for run in RUNS if run.reads(day)]
    known_at = read_at[-1] if is_corrected else read_at[0]
    now, start = to_milliseconds(known_at), start_of(day)
    if tool == "copilot" and now < start + _COPILOT_IS_READY_AFTER:
        return {}
    by_person: dict[str, list[Use]] = defaultdict(list)
    for use in _world().uses(tool, start, start + DAY, now=now, late_rows=LateRows([])):
        by_person[hash_of(use.engineer.email)].append(use)
    dollars = _SHARED[tool](by_person) if tool in _SHARED else {}
    return {person: _METRICS[tool](uses, dollars.get(person)) for person, uses in by_person.items()}


@cache
def _world() -> World:
    return World(SandboxSettings().seed, SETTINGS)


def _anthropic(uses: Sequence[Use], dollars: Decimal | None) -> Metrics:
    return Metrics(reported=sum(map(_tokens, uses)), dollars=dollars)


def _claude_code(uses: Sequence[Use], _dollars: Decimal | None) -> Metrics:
    groups: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for use in uses:
        groups[use.surface, use.model] += use.dollars
    # Whole cents by terminal and model; two of three have a subscription.
    cents = sum(round(dollars * 100) for dollars in groups.values())
    return Metrics(
        suggestions=sum(use.acceptances for use in uses),
        lines=sum(use.lines_accepted for use in uses),
        reported=sum(map(_tokens, uses)),
        dollars=Decimal(cents) / 100 if uses[0].engineer.number % 3 == 0 else None,
    )


def _openai(uses: Sequence[Use], dollars: Decimal | None) -> Metrics:
    kinds = [use.surface for use in uses]
    return Metrics(
        requests=len(uses) + kinds.count("cli") + kinds.count("jetbrains"),
        reported=sum(map(_openai_tokens, uses)),
        dollars=dollars,
    )


def _cursor(uses: Sequence[Use], _dollars: Decimal | None) -> Metrics:
    billed = [use for use in uses if use.number % 3]
    return Metrics(
        requests=len(uses),
        suggestions=sum(use.acceptances for use in uses),
        lines=sum(use.lines_accepted for use in uses),
        reported=sum(map(_tokens, billed)) if billed else None,
        estimated=(len(uses) - len(billed)) * _PER_REQUEST + sum(use.suggestions for use in uses) * _PER_SUGGESTION,
        dollars=sum((_charged(use) for use in billed), Decimal(0)),
    )


def _copilot(uses: Sequence[Use], _dollars: Decimal | None) -> Metrics:
    typed = [use for use in uses if use.surface == "cli"]
    return Metrics(
        requests=sum(use.prompts for use in uses),
        suggestions=sum(use.acceptances for use in uses),
        lines=sum(use.lines_accepted for use in uses),
        reported=sum(use.input_tokens + use.output_tokens for use in typed),
        estimated=sum(use.prompts for use in uses if use not in typed) * _PER_REQUEST
        + sum(use.suggestions for use in uses) * _PER_SUGGESTION,
    )


def _litellm(uses: Sequence[Use], _dollars: Decimal | None) -> Metrics:
    good = [use for use in uses if use.at // 1_000 % 11]
    return Metrics(
        requests=len(uses),
        reported=sum(use.input_tokens + use.cached_tokens + use.output_tokens for use in good) if good else None,
        dollars=sum((use.dollars for use in good), Decimal(0)),
    )


def _windsurf(uses: Sequence[Use], _dollars: Decimal | None) -> Metrics:
    prompts, lines = sum(use.prompts for use in uses), sum(use.lines_accepted for use in uses)
    hundredths = sum((use.prompts - 1) * 100 // 2 for use in uses)
    return Metrics(
        requests=prompts,
        suggestions=sum(use.acceptances for use in uses),
        # Cascade and the completions each have them.
        lines=2 * lines,
        estimated=prompts * _PER_REQUEST + lines * _PER_LINE,
        dollars=Decimal(hundredths) / 100 * _CREDIT_USD,
    )


def _sourcegraph(uses: Sequence[Use], _dollars: Decimal | None) -> Metrics:
    prompts = sum(use.prompts for use in uses)
    return Metrics(
        requests=prompts,
        suggestions=sum(use.acceptances for use in uses),
        estimated=prompts * _PER_REQUEST + sum(use.suggestions for use in uses) * _PER_SUGGESTION,
    )


_METRICS: dict[str, Callable[[Sequence[Use], Decimal | None], Metrics]] = {
    "anthropic": _anthropic,
    "claude_code": _claude_code,
    "copilot": _copilot,
    "cursor": _cursor,
    "litellm": _litellm,
    "openai": _openai,
    "sourcegraph": _sourcegraph,
    "windsurf": _windsurf,
}


def _share(by_person: Uses, bill: Callable[[Use], object], tokens: Callable[[Use], int]) -> dict[str, Decimal]:
    """Returns what each person's tokens are of the bills that they were used under."""
    bills: dict[object, Decimal] = defaultdict(Decimal)
    used: dict[object, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for person, uses in by_person.items():
        for use in uses:
            bills[bill(use)] += use.dollars
            used[bill(use)][person] += tokens(use)
    found: dict[str, Decimal] = defaultdict(Decimal)
    for key, dollars in bills.items():
        total = sum(used[key].values())
        for person, count in used[key].items():
            found[person] += dollars * count / total
    return found


def _tokens(use: Use) -> int:
    return use.input_tokens + use.cached_tokens + use.cache_write_tokens + use.output_tokens


def _openai_tokens(use: Use) -> int:
    """Returns a completion's tokens, and those of the embedding that a command line asks for as well."""
    embedded = use.input_tokens if use.surface == "cli" else 0
    return use.input_tokens + use.cached_tokens + use.output_tokens + embedded


def _charged(use: Use) -> Decimal:
    """Returns what Cursor charges, in ten-thousandths of a cent."""
    return Decimal(str(round(float(use.dollars) * 100, 4))) / 100


_SHARED: dict[str, Callable[[Uses], dict[str, Decimal]]] = {
    # By workspace, which a person's number decides, and model; by project.
    "anthropic": lambda people: _share(people, lambda use: (use.engineer.number % 2, use.model), _tokens),
    "openai": lambda people: _share(people, lambda use: use.engineer.number % 2, _openai_tokens),
}
