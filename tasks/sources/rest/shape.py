"""What an answer looks like where a path of the pipeline file leads: sorts of values and names of keys, no values."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Raw

from penstock.findings import nearest

BODY = "(body)"
_SORTS = {"{": "an object", "[": "an array", '"': "text", "t": "true or false", "f": "true or false", "n": "null"}
# Keys may be data, as in an object by e-mail address: only what looks like a field's name is shown.
_FIELD_NAME = re.compile(r"[A-Za-z_$@][\w$-]{0,39}")
_SHOWN_KEYS = 12


def sort_of(raw: Raw) -> str:
    """Returns what sort of JSON value stands there."""
    return _SORTS.get(chr(memoryview(raw)[0]), "a number")


def describe_object(level: Mapping[str, Raw]) -> str:
    """Returns an object as its keys."""
    shown = [key for key in level if _FIELD_NAME.fullmatch(key)][:_SHOWN_KEYS]
    hidden = len(level) - len(shown)
    if not shown:
        return f"an object with {hidden} keys" if hidden else "an empty object"
    more = f" and {hidden} more" if hidden else ""
    return f"an object with {', '.join(shown)}{more}"


def array_near(level: Mapping[str, Raw], wanted: str | None) -> str | None:
    """Returns the key of an object that was probably meant: the nearest name, or else its only array.

    Args:
        level: The object.
        wanted: The key that it does not have; None where the object itself stood in an array's place.
    """
    names = [key for key in level if _FIELD_NAME.fullmatch(key)]
    arrays = [name for name in names if sort_of(level[name]) == "an array"]
    close = nearest(wanted, names) if wanted else None
    return close or (arrays[0] if len(arrays) == 1 else None)
