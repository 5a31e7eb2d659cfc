"""The `Link` header (RFC 8288)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_PARAMETER = r';\s*([^\s=;,"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*))?\s*'
# An address may hold commas and semicolons, and so may a quoted value: neither separates anything there.
_LINK = re.compile(rf"<([^>]*)>\s*((?:{_PARAMETER})*)")
_ESCAPED = re.compile(r"\\(.)")


def next_link(fields: Iterable[str]) -> str | None:
    """Returns the address whose relation is `next`, None where there is none.

    A relation may be one of several in `rel`, in any case; of repeated `rel` parameters only the first counts, and a
    link with an `anchor` is about another resource than the page (sections 3.2 and 3.3).
    """
    for address, parameters in _links(", ".join(fields)):
        if "anchor" not in parameters and "next" in parameters.get("rel", "").lower().split():
            return address
    return None


def _links(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for link in _LINK.finditer(text):
        parameters: dict[str, str] = {}
        for parameter in re.finditer(_PARAMETER, link[2]):
            parameters.setdefault(parameter[1].lower(), _unquoted(parameter[2] or ""))
        yield link[1].strip(), parameters


def _unquoted(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
