"""The engineers: who they are to each tool, and which tools they use."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.seeded import fraction, identifier

TOOLS = ("anthropic", "claude_code", "openai", "cursor", "copilot", "litellm", "windsurf", "sourcegraph")
"""What is used; Anthropic's API and Claude Code are two tools of one vendor."""

DOMAIN = "orbit.example.com"
_FIRST = ("Ann", "Björn", "Chloé", "Dmitri", "Esra", "Farid", "Grace", "Hana", "Iñigo", "Jolana", "Kwame", "Lena")
_ASCII = ("ann", "bjorn", "chloe", "dmitri", "esra", "farid", "grace", "hana", "inigo", "jolana", "kwame", "lena")
_LAST = ("Abara", "Brandt", "Castillo", "Eriksen", "Gupta")
_TEAMS = ("platform", "product", "data")
_FEWEST, _SPREAD = 2, 3
_IN_BOTH_ORGANIZATIONS = 6


@dataclass(frozen=True, slots=True)
class Engineer:
    """A person; `number` orders engineers, `handle` is `first.last` in ASCII."""

    number: int
    key: str
    name: str
    handle: str
    team: str
    tools: frozenset[str]

    @property
    def email(self) -> str:
        """The address by which most tools know them."""
        return f"{self.handle}@{DOMAIN}"

    @property
    def login(self) -> str:
        """Their name at GitHub, which allows no dot."""
        return self.handle.replace(".", "-")

    @property
    def organizations(self) -> tuple[int, ...]:
        """Places of their organisations at GitHub; a few are in both, and are reported by both."""
        return (0, 1) if self.number % _IN_BOTH_ORGANIZATIONS == 0 else (self.number % 2,)


def engineers_of(seed: int, count: int) -> tuple[Engineer, ...]:
    """Returns the company's engineers."""
    return tuple(_engineer(seed, number) for number in range(count))


def _engineer(seed: int, number: int) -> Engineer:
    first, last = number % len(_FIRST), (number * 7 + number // len(_FIRST)) % len(_LAST)
    count = _FEWEST + int(fraction(seed, "tools", number) * _SPREAD)
    # In turn, so that every tool has users however few engineers there are.
    used = {TOOLS[(number * 3 + step * 5) % len(TOOLS)] for step in range(count)}
    return Engineer(
        number=number,
        key=identifier(seed, "engineer", number)[:12].replace("-", "x").replace("_", "y"),
        name=f"{_FIRST[first]} {_LAST[last]}",
        handle=f"{_ASCII[first]}.{_LAST[last].lower()}" + (str(number) if number >= len(_FIRST) else ""),
        team=_TEAMS[number % len(_TEAMS)],
        tools=frozenset(used),
    )
