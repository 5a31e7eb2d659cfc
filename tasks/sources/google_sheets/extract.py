"""Extracts sheets or ranges of a spreadsheet, each into a CSV file of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from penstock.artifacts import CsvDialect, FileFormat
from penstock.connections import GoogleConnection
from penstock.errors import PenstockError, TransientError
from penstock.sources.google_sheets import SheetsDataset
from tasks.sources.contract import ExtractRequest, ExtractSink, FileWriter
from tasks.sources.google.client import open_client, settings_of
from tasks.sources.google_sheets.a1 import column_letters, quote_title, start_of
from tasks.sources.google_sheets.api import SHEETS, formats_request, layout_request, sheets_budgets, values_request
from tasks.sources.google_sheets.hints import TypeHints, date_formats
from tasks.sources.google_sheets.layout import CELLS_PER_REQUEST, Layout, Target, read_layout, targets_of
from tasks.sources.google_sheets.table import Cells, Table, read_header
from tasks.sources.google_sheets.values import cell_text
from tasks.sources.http.client import HttpClient
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock
from tasks.sources.rest.body import Raw, read_body

if TYPE_CHECKING:
    import httpx

_DIALECT = CsvDialect(new_line="\n")
_RECORDS_AT_ONCE = 1_000


class _ValueRange(msgspec.Struct):
    """The cells of one range. Empty ones at the end of a row, and empty rows at the end, are left out."""

    range: str
    values: list[list[Raw]] = []


class _Row(NamedTuple):
    number: int
    cells: Cells


class _Rows(NamedTuple):
    """The rows of one target, and the number of the first that it could have; empty ones may be left out."""

    first: int
    rows: list[_Row]


def extract(
    request: ExtractRequest, connection: GoogleConnection, sink: ExtractSink, *, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Extracts a dataset; see `tasks.sources.contract`."""
    dataset = cast("SheetsDataset", request.dataset)
    settings = settings_of(request.connection_name, connection, SHEETS, budgets=sheets_budgets(connection))
    with open_client(settings, account="itself", clock=clock) as client:
        try:
            layout = _ask_layout(client, dataset)
            for targets in _together(targets_of(layout, dataset)):
                read = list(_read(client, dataset, targets))
                _check_unmoved(client, dataset, targets)
                for target, found in zip(targets, read, strict=True):
                    _write(client, dataset, target, found, layout=layout, sink=sink)
        except PenstockError as error:
            error.facts.setdefault("connection", request.connection_name)
            error.facts["spreadsheet"] = dataset.spreadsheet
            raise


def _ask_layout(client: HttpClient, dataset: SheetsDataset) -> Layout:
    return client.fetch(layout_request(dataset.spreadsheet), lambda answer: read_layout(answer.read()))


def _check_unmoved(client: HttpClient, dataset: SheetsDataset, targets: list[Target]) -> None:
    """Checks that no row came or went between the requests that a large sheet takes: its blocks would not meet.

    Raises:
        TransientError: a sheet has not the size any more that it had before.
    """
    large = [target for target in targets if len(target.ranges) > 1]
    now = targets_of(_ask_layout(client, dataset), dataset) if large else []
    for target in large:
        if target not in now:
            raise TransientError(
                "the sheet changed while it was read, which takes several requests",
                guidance="Read it again: run once more where no try is left, at a time when nobody works in it.",
                sheet=target.name,
            )


def _together(targets: list[Target]) -> Iterator[list[Target]]:
    """Yields targets that one request can bring: what is asked for together is of one moment."""
    group: list[Target] = []
    cells = 0
    for target in targets:
        if group and cells + target.cell_count > CELLS_PER_REQUEST:
            yield group
            group, cells = [], 0
        group.append(target)
        cells += target.cell_count
    if group:
        yield group


def _read(client: HttpClient, dataset: SheetsDataset, targets: list[Target]) -> Iterator[_Rows]:
    """Yields the rows of each target; those of a sheet too large for one request come in blocks."""
    if len(targets) == 1:
        yield _joined(_ask(client, dataset, [one])[0] for one in targets[0].ranges)
        return
    ranges = [one for target in targets for one in target.ranges]
    answered = iter(_ask(client, dataset, ranges) if ranges else [])
    for target in targets:
        yield _joined(islice(answered, len(target.ranges)))


def _ask(client: HttpClient, dataset: SheetsDataset, ranges: list[str]) -> list[_ValueRange]:
    """Returns the values of ranges, in the order in which they were asked for."""

    def read(response: httpx.Response) -> list[_ValueRange]:
        body = read_body(response.read())
        found = body.records("valueRanges") or []
        try:
            answered = [msgspec.json.decode(one, type=_ValueRange) for one in found]
        except msgspec.MsgspecError:
            answered = []
        if len(answered) != len(ranges):
            raise UnreadableBodyError(
                "the answer does not have the ranges that were asked for",
                guidance="The API answered with a success status and something else.",
                asked=len(ranges),
                answered=len(answered),
            )
        return answered

    return client.fetch(values_request(dataset, ranges), read)


def _joined(blocks: Iterable[_ValueRange]) -> _Rows:
    firsts: list[int] = []
    rows: list[_Row] = []
    for block in blocks:
        first = start_of(block.range).row
        firsts.append(first)
        rows += [_Row(first + offset, [cell_text(cell) for cell in cells]) for offset, cells in enumerate(block.values)]
    return _Rows(min(firsts, default=1), rows)


def _write(
    client: HttpClient, dataset: SheetsDataset, target: Target, found: _Rows, *, layout: Layout, sink: ExtractSink
) -> None:
    """Writes a file; a sheet without a header has nothing to write."""
    head = found.first + dataset.header_row - 1
    header_rows = [row for row in found.rows if head <= row.number < head + dataset.header_rows]
    data = [row for row in found.rows if row.number >= head + dataset.header_rows]
    if not any(any(row.cells) for row in header_rows):
        sink.warn(f"{target.name} has no header in row {dataset.header_row}: nothing was read")
        return
    header = read_header([row.cells for row in header_rows], target.merges, first_row=header_rows[0].number - 1)
    unknown = [name for name in dataset.serial_dates if name not in header.names]
    if unknown:
        sink.warn(f"{target.name} has no column {', '.join(unknown)}, which `serial_dates` names")
    table = Table(header, serial_dates=dataset.serial_dates, with_row_numbers=dataset.row_number)
    for row in data:
        table.add(row.number, row.cells)
    if dataset.type_hints and data:
        sink.warn(f"{target.name}: {_hints(client, dataset, target, data).describe(header, table.width)}")
    name = f"{layout.properties.title}/{target.name}"
    with sink.open_file(f"{name}.csv", format=FileFormat.CSV, dialect=_DIALECT, source_name=name) as file:
        _write_records(table, file)


def _write_records(table: Table, file: FileWriter) -> None:
    records = table.records()
    file.write(next(records))
    for piece in _batched(records, _RECORDS_AT_ONCE):
        file.write(b"".join(piece), len(piece))


def _batched(records: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    """Yields records in lists of a size; the last may be shorter."""
    while piece := list(islice(records, size)):
        yield piece


def _hints(client: HttpClient, dataset: SheetsDataset, target: Target, data: list[_Row]) -> TypeHints:
    """Returns what the cells look like; of dates the format of the first data row tells, for they are numbers."""
    formats: list[dict[int, str]] = []
    if dataset.sheets and dataset.values == "unformatted":
        row, width = data[0].number, max(len(one.cells) for one in data)
        first_row = f"{quote_title(target.name)}!A{row}:{column_letters(width)}{row}"
        request = formats_request(dataset.spreadsheet, [first_row])
        formats = client.fetch(request, lambda answer: date_formats(answer.read()))
    hints = TypeHints(formats[0] if formats else None)
    for one in data:
        hints.add(one.cells)
    return hints
