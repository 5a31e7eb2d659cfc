"""Identifiers as incident.io has them: ULIDs, whose order is the order of time (github.com/ulid/spec)."""

from __future__ import annotations

from datetime import datetime

from sandbox.clock import to_milliseconds
from sandbox.seeded import seed_number

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_CHARACTERS = 10
_RANDOM_BITS = 80
_SEED_BITS = 64
_BITS = 5


def ulid(moment: datetime, *parts: object) -> str:
    """Returns the identifier of what came to be at a moment; the parts decide its random half."""
    drawn = seed_number("ulid", *parts) << (_RANDOM_BITS - _SEED_BITS)
    number = (to_milliseconds(moment) << _RANDOM_BITS) + drawn
    length = _TIME_CHARACTERS + _RANDOM_BITS // _BITS
    return "".join(_ALPHABET[number >> (_BITS * place) & 31] for place in reversed(range(length)))


def write_instant(moment: datetime) -> str:
    """Returns a moment as the API writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
