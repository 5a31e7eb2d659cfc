"""What the engineers do with the tools: the one set of facts that all seven APIs report, each in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random

from sandbox.ai_tools.people import Engineer, engineers_of
from sandbox.ai_tools.settings import AiToolsSettings
from sandbox.faults import LateRows
from sandbox.seeded import fraction, random_stream

SECOND = 1_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

MODELS: dict[str, tuple[str, ...]] = {
    "anthropic": ("claude-large", "claude-medium", "claude-small"),
    "openai": ("gpt-large", "gpt-small"),
}
_FAMILIES = {"anthropic": "anthropic", "claude_code": "anthropic", "windsurf": "anthropic", "openai": "openai"}
# Dollars for a million tokens: input, cached input, cache write, output.
_PRICES = {
    "claude-large": ("15", "1.5", "18.75", "75"),
    "claude-medium": ("3", "0.3", "3.75", "15"),
    "claude-small": ("1", "0.1", "1.25", "5"),
    "gpt-large": ("5", "0.5", "5", "20"),
    "gpt-small": ("0.4", "0.04", "0.4", "1.6"),
}
SURFACES = ("vscode", "jetbrains", "cli")
LANGUAGES = ("python", "typescript", "sql")
_SATURDAY, _SUNDAY = 5, 6
_HOLIDAYS = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})
_ON_SATURDAY, _ON_WEEKDAY = 0.12, 0.85
_FEWEST_USES, _MORE_USES = 2, 7
_DELAY = 4 * 60 * SECOND
_LATE_FROM, _LATE_SPAN = 20 * HOUR, 24 * HOUR


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that an engineer did with a tool; times in milliseconds of UTC.

    Tools report of it what they count: tokens, or lines and suggestions, or prompts. `input_tokens` are the uncached.
    """

    engineer: Engineer
    number: int
    at: int
    known_at: int
    model: str
    surface: str
    language: str
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    suggestions: int
    acceptances: int
    lines_suggested: int
    lines_accepted: int
    lines_deleted: int
    prompts: int

    @property
    def dollars(self) -> Decimal:
        """What the tokens cost at the model's prices."""
        return sum(self.dollars_by_token.values(), Decimal(0))

    @property
    def dollars_by_token(self) -> dict[str, Decimal]:
        """What each sort of token cost."""
        counts = (self.input_tokens, self.cached_tokens, self.cache_write_tokens, self.output_tokens)
        names = ("input", "cached", "cache_write", "output")
        prices = _PRICES[self.model]
        return {
            name: count * Decimal(price) / 1_000_000 for name, count, price in zip(names, counts, prices, strict=True)
        }

    @property
    def day(self) -> date:
        """The day of UTC that it lies in."""
        return datetime.fromtimestamp(self.at / SECOND, UTC).date()


class World:
    """The company's use of its tools."""

    def __init__(self, seed: int, settings: AiToolsSettings) -> None:
        self.engineers = engineers_of(seed, settings.engineers)
        self.settings = settings
        self._seed = seed
        self._uses_of_day = lru_cache(maxsize=2_000)(self._make_uses)

    def users_of(self, tool: str) -> list[Engineer]:
        """Returns who has a seat."""
        return [engineer for engineer in self.engineers if tool in engineer.tools]

    def uses(self, tool: str, start: int, end: int, *, now: int, late_rows: LateRows) -> Iterator[Use]:
        """Yields what happened in `[start, end)` and is known by now, in order of time."""
        if start >= end:
            return
        first = max(date_of(start), self.settings.opened_on)
        for offset in range((date_of(min(end, now + DAY) - 1) - first).days + 1):
            for use in self._uses_of_day(tool, first + timedelta(days=offset)):
                is_known = use.known_at <= now and not late_rows.hides(use.at, f"{tool}-{use.engineer.key}-{use.at}")
                if start <= use.at < end and is_known:
                    yield use

    def _make_uses(self, tool: str, day: date) -> tuple[Use, ...]:
        found = []
        for engineer in self.users_of(tool):
            stream = random_stream(self._seed, tool, engineer.number, day)
            if stream.random() < _share_at_work(day):
                count = _FEWEST_USES + int(stream.random() * _MORE_USES)
                found += [self._make_use(stream, tool, engineer, day, number) for number in range(count)]
        return tuple(sorted(found, key=lambda use: (use.at, use.engineer.number, use.number)))

    def _make_use(self, stream: Random, tool: str, engineer: Engineer, day: date, number: int) -> Use:
        # From 07:00 to midnight of UTC, most of it in the afternoon, to the second: some meet in one.
        hours = 7 + (stream.random() + stream.random()) * 8.5
        at = start_of(day) + int(hours * 3_600) * SECOND
        is_late = fraction(self._seed, "late", tool, engineer.number, day, number) < self.settings.late_share
        models = MODELS[_FAMILIES.get(tool, ("anthropic", "openai")[engineer.number % 2])]
        size = 0.2 + 2 * stream.random() ** 2
        suggestions = 1 + int(stream.random() * 20)
        acceptances = int(suggestions * (0.2 + 0.6 * stream.random()))
        lines = int(stream.random() * 60)
        return Use(
            engineer=engineer,
            number=number,
            at=at,
            known_at=at + (_LATE_FROM + int(stream.random() * _LATE_SPAN) if is_late else _DELAY),
            model=models[int(stream.random() ** 1.5 * len(models))],
            surface=SURFACES[int(stream.random() * len(SURFACES))],
            language=LANGUAGES[int(stream.random() * len(LANGUAGES))],
            input_tokens=int(2_000 * size),
            cached_tokens=int(9_000 * size * stream.random()),
            cache_write_tokens=int(1_000 * size * stream.random()),
            output_tokens=int(700 * size),
            suggestions=suggestions,
            acceptances=acceptances,
            lines_suggested=lines + int(stream.random() * 30),
            lines_accepted=lines,
            lines_deleted=lines // 6,
            prompts=1 + int(stream.random() * 3),
        )


def _share_at_work(day: date) -> float:
    if (day.month, day.day) in _HOLIDAYS or day.weekday() == _SUNDAY:
        return 0.0
    return _ON_SATURDAY if day.weekday() == _SATURDAY else _ON_WEEKDAY


def start_of(day: date) -> int:
    """Returns when a day of UTC begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND


def date_of(at: int) -> date:
    """Returns the day of UTC that a moment lies in."""
    return datetime.fromtimestamp(at / SECOND, UTC).date()


def write_time(at: int) -> str:
    """Returns a moment as `2026-03-01T00:00:00Z`."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
