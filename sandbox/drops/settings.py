"""Where the drops are written, and how much of the past they tell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.gladly.settings import GLADLY_ORG


@dataclass(frozen=True, kw_only=True)
class DropsSettings:
    """The emulated drops.

    Args:
        folder: Where to write; None writes nothing.
        days: How many complete days are there.
        organization: The contact centre that is planned for; its agents and shifts are those of the emulated Gladly.
    """

    folder: Path | None = None
    days: int = 14
    organization: str = GLADLY_ORG
