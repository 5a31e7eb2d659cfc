"""A Gmail source's pipeline file. Facts: Gmail API v1, users.messages."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from penstock.sources.base import DatasetSpec, SourceSpec, SourceTraits
from penstock.sources.tabular import TabularFiles
from penstock.sources.traits import WINDOWED

# What Gmail's search understands as a time; the window says that.
_TIMES = re.compile(r"\b(after|before|newer|older|newer_than|older_than):", re.IGNORECASE)


class GmailDataset(TabularFiles, DatasetSpec):
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
    concurrency: int = Field(default=8, ge=1, le=32, description="Messages asked for at once.")

    @model_validator(mode="after")
    def _says_what_is_meant(self) -> GmailDataset:
        if _TIMES.search(self.query):
            raise ValueError("`query` says no times: the window does")
        if self.resource == "attachments" and not (self.filenames or self.content_types):
            raise ValueError("say in `filenames` or `content_types` which attachments are meant")
        about_files = sorted(self.model_fields_set & {"filenames", "content_types", *TabularFiles.model_fields})
        if self.resource == "messages" and about_files:
            raise ValueError(f"`{about_files[0]}` is about attachments")
        if self.resource == "attachments" and self.snippet:
            raise ValueError("`snippet` is about messages")
        return self


class GmailSource(SourceSpec):
    """Mailboxes of Gmail."""

    kind: Literal["gmail"]


def gmail_traits(_dataset: DatasetSpec) -> SourceTraits:
    """Returns a mailbox's traits: both datasets read the messages that arrived in the interval."""
    return WINDOWED
