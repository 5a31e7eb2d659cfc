"""A Google Sheets source's pipeline file. Facts: Google Sheets API v4, spreadsheets.get and values.batchGet."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from penstock.sources.base import DatasetSpec, SourceSpec, SourceTraits
from penstock.sources.traits import WHOLE

_ADDRESS = re.compile(r"^https://docs\.google\.com/spreadsheets/(?:u/\d+/)?d/([A-Za-z0-9_-]+)")
_ID = re.compile(r"^[A-Za-z0-9_-]{10,}$")


def _spreadsheet_id(text: str) -> str:
    address = _ADDRESS.match(text)
    if address:
        return address[1]
    if not _ID.fullmatch(text):
        raise ValueError("a spreadsheet is its id or its address, such as https://docs.google.com/spreadsheets/d/...")
    return text


SpreadsheetId = Annotated[str, AfterValidator(_spreadsheet_id)]


class SheetsDataset(DatasetSpec):
    """Sheets or ranges of one spreadsheet, read as rows below a header."""

    spreadsheet: SpreadsheetId = Field(description="Its id, or its address as the browser shows it.")
    sheets: tuple[str, ...] = Field(
        default=(), description="Titles of sheets, or patterns of titles such as `Roster *`; one file each."
    )
    ranges: tuple[str, ...] = Field(
        default=(), description="Or ranges: `Plan!B2:F`, or the name of a named range; one file each."
    )
    header_row: int = Field(default=1, ge=1, description="Row of the sheet or range that holds the header.")
    header_rows: int = Field(default=1, ge=1, le=3, description="How many rows the header has, read as one name.")
    include_hidden: bool = Field(default=False, description="Whether a pattern finds hidden sheets too.")
    values: Literal["formatted", "unformatted", "formula"] = Field(
        default="unformatted", description="As shown, as they are, or the formulas that make them."
    )
    dates: Literal["serial", "formatted"] = Field(
        default="serial", description="Days since 1899-12-30, or as shown; values as shown have shown dates anyway."
    )
    serial_dates: tuple[str, ...] = Field(
        default=(), description="Headers of columns whose serial numbers become ISO 8601, without a zone."
    )
    row_number: bool = Field(default=False, description="Whether `_row` holds each row's number in the sheet.")
    type_hints: bool = Field(
        default=False, description="Whether the run's report says which type each column seems to have."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> SheetsDataset:
        if bool(self.sheets) == bool(self.ranges):
            raise ValueError("give either `sheets` or `ranges`")
        if self.serial_dates and (self.values != "unformatted" or self.dates != "serial"):
            raise ValueError("`serial_dates` needs `values: unformatted` and `dates: serial`")
        return self


class SheetsSource(SourceSpec):
    """A spreadsheet of Google Sheets."""

    kind: Literal["google_sheets"]


def sheets_traits(_dataset: DatasetSpec) -> SourceTraits:
    """Returns a sheet's traits: it has no time, and what it no longer has was deleted."""
    return WHOLE
