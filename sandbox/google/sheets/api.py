"""The endpoints of Sheets: `/google/v4/spreadsheets/{id}` and its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.google.grants import Grant
from sandbox.google.problems import GoogleProblemError
from sandbox.google.settings import EXCEL_FILE, PRIVATE_SPREADSHEET, SHEETS_READONLY, GoogleSettings
from sandbox.google.sheets.book import Book, Cell, Sheet
from sandbox.google.sheets.field_mask import apply_mask
from sandbox.google.sheets.ranges import Area, read_range
from sandbox.rate_limit import RateLimiter
from sandbox.schema_changes import change_table

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.context import SandboxContext

_MINUTE = 60.0
_VALUES = ("FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA")
_DATES = ("SERIAL_NUMBER", "FORMATTED_STRING")
_DIMENSIONS = ("ROWS", "COLUMNS")


class Sheets:
    """The spreadsheets of the sandbox.

    Args:
        context: The sandbox.
        settings: What is allowed.
        find_book: Returns a spreadsheet as it is now, by its id.
    """

    def __init__(
        self, context: SandboxContext, settings: GoogleSettings, find_book: Callable[[str], Book | None]
    ) -> None:
        self._context = context
        self._find_book = find_book
        # Of each account; here they share one, which is stricter.
        self._limit = RateLimiter(settings.reads_per_minute, per_seconds=_MINUTE)

    def reset(self) -> None:
        """Forgets used-up quotas."""
        self._limit.reset()

    def get(self, request: Request, grant: Grant) -> dict[str, Any]:
        """Answers a spreadsheet without its cells, or with those of the ranges that are asked for."""
        book = self._book(request, grant)
        asked = request.query_params
        areas = [read_range(text, book) for text in asked.getlist("ranges")]
        with_cells = bool(areas) and ("data" in asked.get("fields", "") or asked.get("includeGridData") == "true")
        sheets = [area.sheet for area in areas] or list(book.sheets)
        written = [_write_sheet(sheet, number) for number, sheet in enumerate(sheets)]
        if with_cells:
            for sheet, area in zip(written, areas, strict=True):
                sheet["data"] = [{"rowData": [{"values": [_write_cell(cell) for cell in row]} for row in _cells(area)]}]
        answer = {
            "spreadsheetId": book.spreadsheet_id,
            "properties": {"title": book.title, "locale": "en_US", "timeZone": book.time_zone},
            "sheets": written,
            "namedRanges": [
                {"namedRangeId": f"n{number}", "name": name} for number, name in enumerate(book.named_ranges)
            ],
        }
        return apply_mask(answer, asked["fields"]) if "fields" in asked else answer

    def batch_get(self, request: Request, grant: Grant) -> dict[str, Any]:
        """Answers the values of ranges, in their order."""
        book = self._book(request, grant)
        areas = [read_range(text, book) for text in request.query_params.getlist("ranges")]
        answered = [self._value_range(request, area) for area in areas]
        return {"spreadsheetId": book.spreadsheet_id, "valueRanges": answered}

    def values(self, request: Request, grant: Grant) -> dict[str, Any]:
        """Answers the values of one range."""
        book = self._book(request, grant)
        return self._value_range(request, read_range(request.path_params["range"], book))

    def _value_range(self, request: Request, area: Area) -> dict[str, Any]:
        dimension = _choice(request, "majorDimension", _DIMENSIONS)
        values, dates = _choice(request, "valueRenderOption", _VALUES), _choice(request, "dateTimeRenderOption", _DATES)
        rows: list[list[Any]] = [[cell.render(values, dates) for cell in row] for row in _cells(area)]
        changes = self._context.faults.schema_changes(request.scope["path"], self._context.clock.now())
        if changes and rows and area.rows[0] == 0:
            width = len(rows[0])
            header, changed = change_table(rows[0], [row + [""] * (width - len(row)) for row in rows[1:]], changes)
            rows = [list(header), *map(list, changed)]
        rows = _trimmed(rows if dimension == "ROWS" else [list(column) for column in zip(*_padded(rows), strict=True)])
        answer: dict[str, Any] = {"range": area.written(), "majorDimension": dimension}
        return {**answer, "values": rows} if rows else answer

    def _book(self, request: Request, grant: Grant) -> Book:
        if SHEETS_READONLY not in grant.scopes:
            raise GoogleProblemError(
                403,
                "Request had insufficient authentication scopes.",
                detail="ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            )
        if not self._limit.try_acquire():
            raise GoogleProblemError(
                429,
                "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user' of "
                "service 'sheets.googleapis.com'",
                detail="RATE_LIMIT_EXCEEDED",
            )
        wanted = request.path_params["spreadsheet"]
        if wanted == PRIVATE_SPREADSHEET:
            raise GoogleProblemError(403, "The caller does not have permission")
        if wanted == EXCEL_FILE:
            raise GoogleProblemError(
                400, "This operation is not supported for this document", status="FAILED_PRECONDITION"
            )
        book = self._find_book(wanted)
        if book is None:
            raise GoogleProblemError(404, "Requested entity was not found.")
        return book


def _cells(area: Area) -> list[tuple[Cell, ...]]:
    return [row[area.columns[0] : area.columns[1]] for row in area.sheet.rows[area.rows[0] : area.rows[1]]]


def _padded(rows: list[list[Any]]) -> list[list[Any]]:
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _trimmed(rows: list[list[Any]]) -> list[list[Any]]:
    """Returns rows without empty cells at their ends, and without empty rows at the end."""
    found = [row[: max((place for place, cell in enumerate(row, 1) if cell != ""), default=0)] for row in rows]
    return found[: max((place for place, row in enumerate(found, 1) if row), default=0)]


def _choice(request: Request, name: str, choices: tuple[str, ...]) -> str:
    value = request.query_params.get(name, choices[0])
    if value not in choices:
        raise GoogleProblemError(400, f"Invalid value at '{name}': \"{value}\"")
    return value


def _write_sheet(sheet: Sheet, index: int) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "sheetId": sheet.sheet_id,
        "title": sheet.title,
        "index": index,
        "sheetType": sheet.sheet_type,
    }
    if sheet.sheet_type == "GRID":
        grid = {"rowCount": sheet.row_count, "columnCount": sheet.column_count}
        properties["gridProperties"] = {**grid, "frozenRowCount": sheet.frozen_rows} if sheet.frozen_rows else grid
    written: dict[str, Any] = {"properties": {**properties, "hidden": True} if sheet.hidden else properties}
    if sheet.merges:
        written["merges"] = [
            {
                "sheetId": sheet.sheet_id,
                "startRowIndex": merge.rows[0],
                "endRowIndex": merge.rows[1],
                "startColumnIndex": merge.columns[0],
                "endColumnIndex": merge.columns[1],
            }
            for merge in sheet.merges
        ]
    return written


def _write_cell(cell: Cell) -> dict[str, Any]:
    if not cell.number_format:
        return {}
    return {"effectiveFormat": {"numberFormat": {"type": cell.number_format}}}
