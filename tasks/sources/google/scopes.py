"""The rights that sources ask Google for, and which wider ones hold them too."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

_PREFIX = "https://www.googleapis.com/auth/"


class Scope(NamedTuple):
    """A right by its address; `wider` are those that include it ("OAuth 2.0 Scopes for Google APIs")."""

    address: str
    wider: frozenset[str]

    def is_held_by(self, granted: Collection[str]) -> bool:
        """Returns whether what was granted is enough."""
        return self.address in granted or not self.wider.isdisjoint(granted)


# `gmail.metadata` is narrower: it forbids `q`, whole messages and attachments.
READ_MAIL = Scope(f"{_PREFIX}gmail.readonly", frozenset({f"{_PREFIX}gmail.modify", "https://mail.google.com/"}))
READ_SHEETS = Scope(
    f"{_PREFIX}spreadsheets.readonly",
    frozenset({f"{_PREFIX}{name}" for name in ("spreadsheets", "drive", "drive.readonly")}),
)
