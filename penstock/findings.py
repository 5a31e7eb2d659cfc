"""What a check of a file's meaning found, and where in the file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple

Where = tuple[str | int, ...]
"""Keys and list positions that lead to a place in a file, such as `("datasets", 2, "window")`."""


class Finding(NamedTuple):
    """One thing that is wrong, or (a warning) that will surprise.

    Args:
        where: The place, from the top of the file.
        message: What is wrong, with what was seen; never a secret.
        guidance: One sentence that says what to do.
        is_error: Whether the file cannot be used as it is.
        suggestion: What was probably meant.
    """

    where: Where
    message: str
    guidance: str = ""
    is_error: bool = True
    suggestion: str | None = None

    def below(self, *where: str | int) -> Finding:
        """Returns the same finding with its place seen from further up."""
        return self._replace(where=(*where, *self.where))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that was probably meant; spelling, case, hyphens and camelCase are forgiven."""
    by_plain = {_plain(one): one for one in sorted(known)}
    if _plain(name) in by_plain:
        return by_plain[_plain(name)]
    close = difflib.get_close_matches(_plain(name), list(by_plain), n=1, cutoff=0.6)
    return by_plain[close[0]] if close else None


def _plain(name: str) -> str:
    return re.sub(r"[-_ ]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).lower()
