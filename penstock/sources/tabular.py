"""What a dataset says of files that hold tables, for every source that brings files: buckets, folders, attachments."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from penstock.artifacts import CsvDialect
from penstock.spec import Spec

ColumnNames = Annotated[tuple[str, ...], Field(min_length=1)]


class TabularFormat(StrEnum):
    """How a file holds a table. Warehouses COPY the first three; the others are converted in the extraction."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    JSON = "json"
    XLSX = "xlsx"
    FIXED_WIDTH = "fixed_width"


class DialectSpec(Spec):
    """How a CSV file is written. An empty field is NULL, a quoted empty field is an empty string."""

    delimiter: str = Field(default=",", min_length=1)
    quote: str = Field(default='"', description="Empty where nothing is quoted.")
    escape: str = Field(default='"', description="What stands before a quote that belongs to a value.")
    encoding: Literal["utf-8", "utf-16", "latin-1", "windows-1252"] = Field(
        default="utf-8", description="`windows-1252` is converted to UTF-8 in the extraction."
    )
    skip_rows: int = Field(default=0, ge=0, le=1_000, description="Lines above the header.")
    columns: ColumnNames | None = Field(default=None, description="The columns' names, where a file has no header.")
    null_texts: tuple[str, ...] = Field(
        default=(), description="Unquoted texts that mean NULL besides the empty one, such as `NULL` or `\\N`."
    )
    footer_rows: int = Field(
        default=0, ge=0, le=1_000, description="Lines below the data, such as totals; left out in the extraction."
    )
    comment: str | None = Field(
        default=None, min_length=1, description="What begins a line that is no data; left out in the extraction."
    )

    @property
    def is_loadable(self) -> bool:
        """Whether a warehouse can COPY such a file as it is."""
        return not self.footer_rows and self.comment is None and self.encoding != "windows-1252"

    def to_loadable(self) -> CsvDialect:
        """Returns how the file is written that a warehouse COPYs: this one, or its converted copy."""
        kept = self.model_dump(exclude={"footer_rows", "comment"})
        if not self.is_loadable:
            kept |= {"encoding": "utf-8", "skip_rows": 0}
        return CsvDialect.model_validate(kept)


class SheetSpec(Spec):
    """Where a workbook (XLSX) has its table."""

    name: str | None = Field(
        default=None,
        description="The sheet, or a pattern such as `20*` for several. Default: the only one that is visible.",
    )
    skip_rows: int = Field(default=0, ge=0, description="Rows above the header.")
    columns: ColumnNames | None = Field(default=None, description="The columns' names, where a sheet has no header.")
    footer_rows: int = Field(default=0, ge=0, le=1_000, description="Rows below the data, such as totals.")


class FixedColumn(Spec):
    """One column of a fixed-width file, counted in characters."""

    name: str = Field(min_length=1)
    width: int = Field(ge=1)
    start: int | None = Field(default=None, ge=1, description="First character, from 1. Default: behind the last one.")


class FixedWidthSpec(Spec):
    """How the lines of a fixed-width file are cut. Blanks around a value are no part of it; a blank value is NULL."""

    columns: tuple[FixedColumn, ...] = Field(min_length=1)
    encoding: Literal["utf-8", "utf-16", "latin-1", "windows-1252"] = "utf-8"
    skip_rows: int = Field(default=0, ge=0, description="Lines above the data, a header among them.")
    footer_rows: int = Field(default=0, ge=0, le=1_000, description="Lines below the data.")


class TabularFiles(Spec):
    """What a dataset says of its files, beside which they are."""

    format: TabularFormat | None = Field(default=None, description="Default: from the file's ending.")
    dialect: DialectSpec | None = Field(default=None, description="How CSV is written. Default: found by peeking.")
    records: str = Field(
        default="", description="Where a JSON document has its array of records, such as `data.items`."
    )
    sheet: SheetSpec = SheetSpec()
    fixed_width: FixedWidthSpec | None = Field(default=None, description="How fixed-width lines are cut.")
    members: str = Field(default="**", description="Which files of a zip archive are meant, such as `**/*.csv`.")

    @model_validator(mode="after")
    def _fits_together(self) -> TabularFiles:
        if self.format is TabularFormat.FIXED_WIDTH and self.fixed_width is None:
            raise ValueError("`format: fixed_width` needs the columns' widths in `fixed_width`")
        return self
