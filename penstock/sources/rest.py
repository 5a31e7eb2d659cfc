"""A REST source's pipeline file: what to ask, how pages follow, and where the records and the window are."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from penstock.sources.base import DatasetSpec, SourceSpec
from penstock.sources.rest_rows import Bucket, JsonPath
from penstock.spec import Spec
from penstock.window import Duration, Timezone

Location = Annotated[
    Literal["query", "body"], Field(description="Where requests carry it; names in a body are dotted paths.")
]
Granularity = Literal["day", "hour", "minute", "second", "millisecond"]
Parameters = Annotated[
    dict[str, str | int | bool | tuple[str | int, ...]],
    Field(description="Of the query; a list repeats its name. A parent's `{name}` may stand in a text."),
]
_PLACE = re.compile(r"{([A-Za-z_][A-Za-z0-9_]*)}")
"""Where a parent's value goes in a text that may hold JSON besides."""

ListedValue = Annotated[str | int, Field(union_mode="left_to_right")]


class NoPaging(Spec):
    """One request has everything."""

    kind: Literal["none"]


class PageNumberPaging(Spec):
    """`page=1`, `page=2`, ... until the stated number of pages or records is reached, or a page is empty.

    A page with fewer records than `size` is the last one only after a page had exactly `size`: an API that quietly
    gives less than it was asked for would otherwise be cut off at its first page.
    """

    kind: Literal["page_number"]
    parameter: str = "page"
    location: Location = "query"
    first: int = 1
    size_parameter: str | None = None
    size: int | None = Field(default=None, ge=1)
    pages_path: JsonPath | None = Field(default=None, description="Where the body states how many pages there are.")
    more_path: JsonPath | None = Field(
        default=None,
        description="Where the body says whether more pages follow; a body that does not say it is judged by its rows.",
    )

    @model_validator(mode="after")
    def _learns_the_end_in_one_place(self) -> PageNumberPaging:
        if self.pages_path is not None and self.more_path is not None:
            raise ValueError("give `pages_path` or `more_path`, not both")
        return self


class OffsetPaging(Spec):
    """`offset=0`, `offset=100`, ... by the records that came, until a page is short (as in page_number) or empty."""

    kind: Literal["offset"]
    parameter: str = "offset"
    location: Location = "query"
    size_parameter: str = "limit"
    size: int = Field(default=100, ge=1)


class CursorPaging(Spec):
    """Each answer holds the cursor of the next page; none on the last."""

    kind: Literal["cursor"]
    parameter: str = "cursor"
    location: Location = "query"
    path: JsonPath | None = Field(default=None, description="Where the body has the next cursor.")
    header: str | None = Field(default=None, description="Or which response header has it.")
    record_field: JsonPath | None = Field(
        default=None, description="Or which field of the page's last record is it; an empty page ends the walk then."
    )
    more_path: JsonPath | None = Field(default=None, description="Where the body says whether more pages follow.")
    size_parameter: str | None = None
    size: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _finds_the_cursor_in_one_place(self) -> CursorPaging:
        if sum(place is not None for place in (self.path, self.header, self.record_field)) != 1:
            raise ValueError("give exactly one of `path`, `header` and `record_field`")
        return self


class NextUrlPaging(Spec):
    """Each body holds the address of the next page; none on the last. Other hosts are refused."""

    kind: Literal["next_url"]
    path: JsonPath
    more_path: JsonPath | None = Field(default=None, description="Where the body says whether more pages follow.")


class LinkHeaderPaging(Spec):
    """The `Link` header's `rel="next"` (RFC 8288) is the next page; none on the last. Other hosts are refused."""

    kind: Literal["link_header"]


Paging = Annotated[
    NoPaging | PageNumberPaging | OffsetPaging | CursorPaging | NextUrlPaging | LinkHeaderPaging,
    Field(discriminator="kind"),
]


class WindowParameters(Spec):
    """Where and how a request states the interval."""

    location: Location = "query"
    start: str | None = Field(default=None, description="Name of the parameter (a dotted path in a body).")
    end: str | None = None
    format: str = Field(
        default="iso",
        description="`iso`, `date`, `epoch`, `epoch_ms`, or a strftime pattern such as `%Y-%m-%dT%H:%M:%SZ`.",
    )
    timezone: Timezone | None = Field(
        default=None,
        description="Zone the API thinks in; default: the window's own, or UTC where the format ends in Z.",
    )
    end_inclusive: bool = Field(default=False, description="Whether the API's end is part of the answer.")
    granularity: Granularity = Field(
        default="second",
        description="Smallest step of the API's clock, by which an inclusive end is moved back; `date` is in days.",
    )
    narrowed_by: JsonPath | None = Field(
        default=None,
        description="Field with a record's time (ISO-8601), where the API's clock is coarser than windows: it is asked "
        "for whole steps around the interval, and records outside of the interval are left out.",
    )
    longest: Duration | None = Field(
        default=None,
        description="The longest time that one request may ask for (1h, 31d), or that one answer tells of as one: a "
        "longer window is asked for in parts; days begin at midnight in `timezone`.",
    )

    @model_validator(mode="after")
    def _states_a_window(self) -> WindowParameters:
        if self.start is None and self.end is None:
            raise ValueError("give `start`, `end` or both")
        if self.format.endswith("Z") and self.timezone not in (None, "UTC"):
            raise ValueError("a format that ends in Z is in UTC")
        if self.format not in ("iso", "date", "epoch", "epoch_ms") and "%" not in self.format:
            raise ValueError("`format` is iso, date, epoch, epoch_ms or a strftime pattern")
        return self


class ParentSpec(Spec):
    """Asks once per record of another endpoint, or per value of a list.

    `{name}` is filled in with it, in the dataset's path or as a text of its parameters or body.
    """

    path: str | None = None
    method: Literal["GET", "POST"] = "GET"
    body: dict[str, Any] | None = None
    records: JsonPath = ""
    field: JsonPath | None = Field(default=None, description="Field of the parent's record that is filled in.")
    values: tuple[ListedValue, ...] = Field(default=(), description="Or the values themselves, instead of an endpoint.")
    name: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="`{name}` in the dataset's path or parameters, and the column that children carry it in.",
    )
    where: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Only parents whose field holds one of the texts."
    )
    parameters: Parameters = Field(default_factory=dict)
    paging: Paging = NoPaging(kind="none")
    total: JsonPath | None = Field(default=None, description="Where the body states how many parents there are in all.")
    gone: Literal["error", "skip"] = Field(
        default="error", description="What a 404 for one parent does, which may vanish while the others are read."
    )

    @model_validator(mode="after")
    def _knows_its_values(self) -> ParentSpec:
        if (self.path is None) != (self.field is None):
            raise ValueError("a parent's `path` and `field` are given together")
        if (self.path is None) == (not self.values):
            raise ValueError("give a parent's `path` and `field`, or its `values`")
        if self.method == "GET" and self.body is not None:
            raise ValueError("a request with a body needs `method: POST`")
        return self


class RestDataset(DatasetSpec):
    """One endpoint."""

    path: str = Field(description="Below the connection's address; no host.")
    method: Literal["GET", "POST"] = "GET"
    parameters: Parameters = Field(default_factory=dict)
    body: dict[str, Any] | None = None
    answer: Literal["json", "csv"] = Field(
        default="json", description="`csv`: the answer is a CSV file with a header, which is kept as it is."
    )
    records: JsonPath = Field(default="", description="Where the body has its array of records.")
    single_record: bool = Field(
        default=False, description="Whether `records` leads to one object, which is the only record."
    )
    records_may_be_absent: bool = Field(
        default=False, description="Whether a body without the array, or with null in its place, is an empty page."
    )
    rows: JsonPath | tuple[JsonPath, ...] | None = Field(
        default=None,
        description="Where a record has an array of its own, whose elements are the rows; of several places the first "
        "that is there.",
    )
    download_links: JsonPath | None = Field(
        default=None,
        description="Where the body has an array of signed addresses, of JSON-lines files that hold the records.",
    )
    bucket: Bucket | None = Field(
        default=None, description="Where a row's `bucket_start` and `bucket_end` come from, if it shall carry them."
    )
    carry: dict[str, JsonPath] = Field(
        default_factory=dict, description="Columns that each row gets from its answer's body, outside of the records."
    )
    paging: Paging = NoPaging(kind="none")
    window_parameters: WindowParameters | None = None
    parent: ParentSpec | None = None
    total: JsonPath | None = Field(default=None, description="Where the body states how many records there are in all.")
    total_header: str | None = Field(default=None, description="Or which response header states it.")
    total_may_be_absent: bool = Field(
        default=False, description="Whether answers may leave the total out; where they state it, it must be right."
    )
    concurrency: int = Field(
        default=1, ge=1, le=16, description="Pages asked for at once (page_number, offset), or parents."
    )
    max_pages: int = Field(default=1_000_000, ge=1, description="More pages than this are an error, not a stop.")

    @model_validator(mode="after")
    def _fits_together(self) -> RestDataset:
        if "://" in self.path:
            raise ValueError("`path` is below the connection's address and names no host")
        self._check_parent()
        if self.method == "GET" and (self.body is not None or self._puts_into_the_body()):
            raise ValueError("a request with a body needs `method: POST`")
        if self.concurrency > 1 and not self.parent and self.paging.kind not in ("page_number", "offset"):
            raise ValueError("only numbered pages or a parent's children can be asked for at once")
        if self.total is not None and self.total_header is not None:
            raise ValueError("give `total` or `total_header`, not both")
        self._check_rows()
        if self.single_record and self.paging.kind != "none":
            raise ValueError("a single record has no pages")
        return self

    def _check_parent(self) -> None:
        texts = [value for value in self.parameters.values() if isinstance(value, str)]
        named = {*re.findall(r"{([^{}]*)}", self.path), *(name for text in texts for name in _PLACE.findall(text))}
        known = {self.parent.name} if self.parent else set()
        if self.parent and _mentions((self.parameters, self.body), f"{{{self.parent.name}}}"):
            named |= known
        if named != known:
            raise ValueError("`{name}` in the path, parameters or body and the parent's `name` must be the same")

    def _check_rows(self) -> None:
        if self.bucket is not None and self.bucket.kind == "envelope" and self.rows is None:
            raise ValueError("a bucket of kind `envelope` holds its rows in an array: say where with `rows`")
        if self.bucket is not None and self.bucket.kind == "request" and self.window_parameters is None:
            raise ValueError("a bucket of kind `request` needs `window_parameters`")
        if self.download_links is not None and (self.paging.kind != "none" or self.records):
            raise ValueError("`download_links` takes no `paging` and no `records`: the files hold them")
        asks_for_json = (self.records, self.rows, self.download_links, self.bucket, self.carry, self.parent, self.total)
        if self.answer == "csv" and (any(asks_for_json) or self.paging.kind != "none"):
            raise ValueError("an answer in CSV is kept as it is: nothing of it can be paged, carried or cut out")

    def _puts_into_the_body(self) -> bool:
        places = (self.window_parameters, self.paging)
        return any(getattr(place, "location", "query") == "body" for place in places)


class RestSource(SourceSpec):
    """A REST API at large."""

    kind: Literal["rest"]


def _mentions(value: Any, text: str) -> bool:
    """Returns whether a text stands somewhere in a value."""
    if isinstance(value, str):
        return text in value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return any(_mentions(one, text) for one in inner)
