"""The `fields` parameter of Google's APIs: which parts of an answer are sent."""

from __future__ import annotations

import re
from typing import Any

from sandbox.google.problems import GoogleProblemError

_TOKEN = re.compile(r"[A-Za-z0-9_*]+|[(),./]")

Mask = dict[str, "Mask"]


def apply_mask(answer: Any, fields: str) -> Any:
    """Returns an answer with the named fields alone, as in `properties(title),sheets.properties`."""
    return _filtered(answer, _read(_TOKEN.findall(fields)))


def _read(tokens: list[str]) -> Mask:
    mask: Mask = {}
    while tokens and tokens[0] != ")":
        name = tokens.pop(0)
        inner: Mask = {}
        below = mask.setdefault(name, inner)
        while tokens and tokens[0] in {".", "/"}:
            tokens.pop(0)
            below = below.setdefault(tokens.pop(0), {})
        if tokens and tokens[0] == "(":
            tokens.pop(0)
            below.update(_read(tokens))
            if not tokens:
                raise GoogleProblemError(400, "Invalid field selection")
            tokens.pop(0)
        if tokens and tokens[0] == ",":
            tokens.pop(0)
    return mask


def _filtered(answer: Any, mask: Mask) -> Any:
    if not mask or "*" in mask:
        return answer
    if isinstance(answer, list):
        return [_filtered(one, mask) for one in answer]
    if not isinstance(answer, dict):
        return answer
    return {name: _filtered(value, mask[name]) for name, value in answer.items() if name in mask}
