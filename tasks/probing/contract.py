"""What a probe tells: it returns what it saw, or raises the error of the tree that says what is missing."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable


class Seen(NamedTuple):
    """What a probe saw.

    Args:
        note: In a few words.
        is_doubtful: Whether it works and will surprise all the same.
        guidance: What to do then.
    """

    note: str
    is_doubtful: bool = False
    guidance: str = ""


@runtime_checkable
class Probing(Protocol):
    """A store or warehouse that knows best how to prove that it can be used."""

    def probe(self) -> Seen:
        """Proves access and rights with as little as that takes, and leaves nothing behind."""
