"""Patterns of object keys: `*` and `?` stay within one folder, `**` crosses folders."""

from __future__ import annotations

import re

_PART = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]/]+\]|[^*?\[]+|\[")
_WILDCARD = re.compile(r"[*?\[]")
_MEANINGS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def compile_glob(glob: str) -> re.Pattern[str]:
    """Returns the pattern that whole keys must match; `[abc]`, `[a-z]` and `[!abc]` are sets of characters."""
    return re.compile("".join(_translate(part) for part in _PART.findall(glob)))


def literal_prefix(glob: str) -> str:
    """Returns what every matching key begins with, so that a store lists no more than it must."""
    wildcard = _WILDCARD.search(glob)
    return glob if wildcard is None else glob[: wildcard.start()]


def _translate(part: str) -> str:
    if part in _MEANINGS:
        return _MEANINGS[part]
    if part.startswith("[") and part != "[":
        inner = part[1:-1]
        negated = inner.startswith("!")
        characters = re.escape(inner[negated:]).replace(r"\-", "-")
        return f"[{'^/' if negated else ''}{characters}]"
    return re.escape(part)
