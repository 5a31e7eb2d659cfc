"""How an answer's records become rows, for APIs whose records are envelopes, lack their time, or lie in files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from penstock.spec import Spec

JsonPath = Annotated[
    str, Field(description="Dotted path into a JSON body, such as `meta.next_cursor`; empty is the body itself.")
]

BUCKET_START, BUCKET_END = "bucket_start", "bucket_end"
"""Columns of a row's bucket: ISO 8601 in UTC, the end not part of it. `partition` can replace by the first."""


class EnvelopeBucket(Spec):
    """Each record is a bucket: it says when it starts and ends, and holds its rows (see the dataset's `rows`)."""

    kind: Literal["envelope"]
    start: JsonPath
    end: JsonPath


class RowBucket(Spec):
    """The day, in UTC, that a row's own time lies in."""

    kind: Literal["row"]
    time: JsonPath = Field(description="Where a row has its date or time: ISO 8601, or seconds or milliseconds.")


class RequestBucket(Spec):
    """The time that the request asked for, for rows that hold none; `longest` of the window makes it a day or so."""

    kind: Literal["request"]


Bucket = Annotated[EnvelopeBucket | RowBucket | RequestBucket, Field(discriminator="kind")]
"""Which span of time a row is about."""
