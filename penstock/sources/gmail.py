"""A Gmail source's pipeline file. Facts: Gmail API v1, users.messages."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from penstock.artifacts import CsvDialect, FileFormat
from penstock.sources.base import DatasetSpec, SourceSpec, SourceTraits
from penstock.sources.traits import WINDOWED

# What Gmail's search understands as a time; the window says that.
_TIMES = re.compile(r"\b(after|before|newer|older|newer_than|older_than):", re.IGNORECASE)


class GmailDataset(DatasetSpec):
    """The messages of the window (what their headers say), or the files that are attached to them."""

    resource: Literal["messages", "attachments"]
    mailboxes: tuple[str, ...] = Field(
        default=(),
        description="Addresses to read one after the other, by delegation; default: the connection's own mailbox.",
    )
    query: str = Field(default="", description="Gmail's search syntax, such as `from:reports@example.com`.")
    labels: tuple[str, ...] = Field(default=(), description="Names of labels that a message must all have.")
    include_spam_trash: bool = False
    snippet: bool = Field(default=False, description="Whether the first words of each message are kept.")
    filenames: tuple[str, ...] = Field(
        default=(), description="Names of the attachments that are meant, such as `csat_*.csv`; case does not matter."
    )
    content_types: tuple[str, ...] = Field(default=(), description="Or their types, such as `text/csv`; `*` works.")
    members: tuple[str, ...] = Field(
        default=(), description="Files in a zip that are meant, such as `**/*.csv`; default: all that can be loaded."
    )
    format: FileFormat | None = Field(default=None, description="Default: from the file's ending.")
    dialect: CsvDialect | None = Field(default=None, description="Default: found by peeking.")
    maximum_unpacked_bytes: int = Field(
        default=2**30, ge=1, description="An archive that holds more is refused: it may be made to fill a disk."
    )
    concurrency: int = Field(default=8, ge=1, le=32, description="Messages asked for at once.")

    @model_validator(mode="after")
    def _fits_together(self) -> GmailDataset:
        if _TIMES.search(self.query):
            raise ValueError("`query` says no times: the window does")
        if self.resource == "attachments" and not (self.filenames or self.content_types):
            raise ValueError("say in `filenames` or `content_types` which attachments are meant")
        chosen = (self.filenames, self.content_types, self.members, self.format, self.dialect)
        if self.resource == "messages" and any(chosen):
            raise ValueError("`filenames`, `content_types`, `members`, `format` and `dialect` are about attachments")
        if self.resource == "attachments" and self.snippet:
            raise ValueError("`snippet` is about messages")
        return self


class GmailSource(SourceSpec):
    """Mailboxes of Gmail."""

    kind: Literal["gmail"]


def gmail_traits(_dataset: DatasetSpec) -> SourceTraits:
    """Returns a mailbox's traits: both datasets read the messages that arrived in the interval."""
    return WINDOWED
