"""A REST source's pipeline file: what to ask, how pages follow, and where the records and the window are."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from penstock.sources.base import DatasetSpec, SourceSpec
from penstock.spec import Spec
from penstock.window import Duration, Timezone

Path = Annotated[
    str, Field(description="Dotted path into a JSON body, such as `meta.next_cursor`; empty is the body itself.")
]


class NoPaging(Spec):
    """One request has everything."""

    kind: Literal["none"]


class PageNumberPaging(Spec):
    """`page=1`, `page=2`, ... until a page is short or empty, or the stated number of pages is reached."""

    kind: Literal["page_number"]
    parameter: str = "page"
    first: int = 1
    size_parameter: str | None = None
    size: int | None = Field(default=None, ge=1)
    pages_path: Path | None = Field(default=None, description="Where the body states how many pages there are.")


class OffsetPaging(Spec):
    """`offset=0`, `offset=size`, ... until a page is short or empty."""

    kind: Literal["offset"]
    parameter: str = "offset"
    size_parameter: str = "limit"
    size: int = Field(default=100, ge=1)


class CursorPaging(Spec):
    """Each answer holds the cursor of the next page; none on the last."""

    kind: Literal["cursor"]
    parameter: str = "cursor"
    path: Path | None = Field(default=None, description="Where the body has the next cursor.")
    header: str | None = Field(default=None, description="Or which response header has it.")
    more_path: Path | None = Field(default=None, description="Where the body says whether more pages follow.")
    size_parameter: str | None = None
    size: int | None = Field(default=None, ge=1)


class NextUrlPaging(Spec):
    """Each body holds the address of the next page; none on the last."""

    kind: Literal["next_url"]
    path: Path


class LinkHeaderPaging(Spec):
    """The `Link` header's `rel="next"` (RFC 8288) is the next page; none on the last."""

    kind: Literal["link_header"]


Paging = Annotated[
    NoPaging | PageNumberPaging | OffsetPaging | CursorPaging | NextUrlPaging | LinkHeaderPaging,
    Field(discriminator="kind"),
]


class WindowParameters(Spec):
    """Where and how a request states the interval."""

    location: Literal["query", "body"] = "query"
    start: str | None = Field(default=None, description="Name of the parameter (a dotted path in a body).")
    end: str | None = None
    format: str = Field(
        default="iso",
        description="`iso`, `date`, `epoch`, `epoch_ms`, or a strftime pattern such as `%Y-%m-%dT%H:%M:%SZ`.",
    )
    timezone: Timezone | None = Field(default=None, description="Zone the API thinks in; default: the window's own.")
    end_inclusive: bool = Field(default=False, description="Whether the API's end is part of the answer.")
    granularity: Duration = Field(
        default="1m", description="Smallest step of the API's clock; what an inclusive end is moved back by."
    )


class ParentSpec(Spec):
    """Asks once per record of another endpoint; `{field}` in the dataset's path is filled from it."""

    path: str
    records: Path = ""
    field: str = Field(description="Field of the parent's record that fills the path.")
    name: str = Field(description="`{name}` in the dataset's path, and the column that children carry it in.")
    parameters: dict[str, str | int | bool] = Field(default_factory=dict)
    paging: Paging = NoPaging(kind="none")


class RestDataset(DatasetSpec):
    """One endpoint."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    parameters: dict[str, str | int | bool] = Field(default_factory=dict)
    body: dict[str, Any] | None = None
    records: Path = Field(default="", description="Where the body has its array of records.")
    paging: Paging = NoPaging(kind="none")
    window_parameters: WindowParameters | None = None
    parent: ParentSpec | None = None
    total: Path | None = Field(default=None, description="Where the body states how many records there are in all.")
    total_header: str | None = None
    concurrency: int = Field(default=1, ge=1, le=16, description="Pages asked for at once, where numbers allow it.")
    max_pages: int = Field(default=1_000_000, ge=1, description="More pages than this are an error, not a stop.")


class RestSource(SourceSpec):
    """A REST API at large."""

    kind: Literal["rest"]
