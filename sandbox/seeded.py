"""Draws that depend on a seed and on names only, so that the same question has the same answer in every process."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b
from math import exp
from random import Random

_HASH_RANGE = 2**64
_IDENTIFIER_LENGTH = 22


def seed_number(*parts: object) -> int:
    """Returns a 64-bit number that the parts alone decide."""
    return int.from_bytes(_digest(parts, size=8), "big")


def random_stream(*parts: object) -> Random:
    """Returns a generator of its own for what the parts name."""
    return Random(seed_number(*parts))  # noqa: S311 - generated data, no secret


def identifier(*parts: object) -> str:
    """Returns an opaque id of 22 URL-safe characters, the form Gladly's own ids have."""
    return urlsafe_b64encode(_digest(parts, size=16))[:_IDENTIFIER_LENGTH].decode("ascii")


def fraction(*parts: object) -> float:
    """Returns a number in [0, 1) that the parts alone decide."""
    return seed_number(*parts) / _HASH_RANGE


def skewed(stream: Random, median: float, spread: float = 1.0) -> float:
    """Draws a positive duration with a long right tail, between `median * e**(-1.5 * spread)` and its inverse.

    The sum of three uniform draws stands in for a normal one: it is bounded, and needs `Random.random` alone, whose
    sequence Python guarantees across versions.
    """
    return median * exp(spread * (stream.random() + stream.random() + stream.random() - 1.5))


def _digest(parts: tuple[object, ...], *, size: int) -> bytes:
    text = "\x1f".join(map(str, parts))
    return blake2b(text.encode("utf-8"), digest_size=size).digest()
