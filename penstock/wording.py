"""How numbers are said to people."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun, such as `1 row` and `1,234 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
