"""What a plain YAML scalar means: YAML 1.2's core schema.

PyYAML resolves YAML 1.1, where `no` is false and `10:30` is 630; a time window must not be read like that.
"""

from __future__ import annotations

import math
import re

from tasks.definitions.tree import PlainScalar

_CONSTANTS: dict[str, PlainScalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Python refuses to read more than 4,300 digits as a number.
_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_NUMERIC_START = frozenset("0123456789+-.")


def resolve_scalar(text: str) -> PlainScalar:
    """Returns the value of an unquoted scalar; whatever is not null, a truth value or a number is text."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _FLOAT.fullmatch(text):
        return text
    number = float(text)
    return number if math.isfinite(number) else text
