"""Google Sheets API v4: its address, its quota, and how its questions are put."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from penstock.connections import GoogleConnection
from penstock.errors import RejectedError
from penstock.sources.google_sheets import SheetsDataset
from tasks.sources.google.client import GoogleApi, budgets_per_minute
from tasks.sources.google.scopes import READ_SHEETS
from tasks.sources.http.failures import Failure
from tasks.sources.http.limiter import Budget
from tasks.sources.http.request import HttpRequest

# Per user, and a service account is one user ("Usage limits", Sheets API).
_READS_PER_MINUTE = 60
_LAYOUT_FIELDS = "spreadsheetId,properties(title,timeZone,locale),sheets(properties,merges)"
_FORMAT_FIELDS = "sheets(data(rowData(values(effectiveFormat(numberFormat)))))"
_RENDERED = {"formatted": "FORMATTED_VALUE", "unformatted": "UNFORMATTED_VALUE", "formula": "FORMULA"}
_DATES = {"serial": "SERIAL_NUMBER", "formatted": "FORMATTED_STRING"}

SHEETS = GoogleApi(
    address="https://sheets.googleapis.com",
    scope=READ_SHEETS,
    rights="access to the spreadsheet: share it with the account's address, a service account's too",
    # Google gives a request up after so long.
    timeout_seconds=180.0,
    known={
        "FAILED_PRECONDITION": Failure(
            RejectedError,
            "the file is no Google spreadsheet",
            "Open an Excel file that lies in Drive, and save it as a spreadsheet (File, Save as Google Sheets).",
        ),
        "INVALID_ARGUMENT": Failure(
            RejectedError,
            "the spreadsheet has no such range",
            "Compare the dataset's `ranges` with the sheet titles and named ranges of the spreadsheet.",
        ),
        "NOT_FOUND": Failure(
            RejectedError,
            "there is no such spreadsheet",
            "Copy the dataset's `spreadsheet` from the browser's address.",
        ),
    },
)


def sheets_budgets(connection: GoogleConnection) -> dict[str, Budget]:
    """Returns an account's budgets; Google's limit holds at Google's own address."""
    default = _READS_PER_MINUTE if connection.base_url is None else None
    return budgets_per_minute(connection.sheets_reads_per_minute or default)


def layout_request(spreadsheet: str) -> HttpRequest:
    """Returns the question which sheets there are; without `fields`, cells would come along."""
    return HttpRequest(_url(spreadsheet), "spreadsheets.get", parameters={"fields": _LAYOUT_FIELDS})


def formats_request(spreadsheet: str, ranges: Sequence[str]) -> HttpRequest:
    """Returns the question how the cells of ranges are formatted."""
    asked = {"ranges": list(ranges), "fields": _FORMAT_FIELDS}
    return HttpRequest(_url(spreadsheet), "spreadsheets.get", parameters=asked)


def values_request(dataset: SheetsDataset, ranges: Sequence[str]) -> HttpRequest:
    """Returns the question for the values of ranges, which is one request for the quota."""
    asked = {
        "ranges": list(ranges),
        "majorDimension": "ROWS",
        "valueRenderOption": _RENDERED[dataset.values],
        "dateTimeRenderOption": _DATES[dataset.dates],
    }
    return HttpRequest(f"{_url(dataset.spreadsheet)}/values:batchGet", "spreadsheets.values.batchGet", parameters=asked)


def _url(spreadsheet: str) -> str:
    return f"/v4/spreadsheets/{quote(spreadsheet, safe='')}"
