"""What cells hold: text as the API writes it, and serial numbers as the dates they stand for."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from tasks.sources.rest.body import Raw

# "Date/Time serial numbers", Sheets API: the whole part counts days since this day. There is no 1904 system, and the
# day that Lotus 1-2-3 invented (29 February 1900) does not exist.
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a serial number has no zone; it is in the spreadsheet's
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_MILLISECONDS_PER_DAY = 86_400_000
# 9999-12-31, the last day that Sheets and Python know.
_LAST_SERIAL = 2_958_465


def cell_text(cell: Raw) -> str:
    """Returns a cell's text, numbers and booleans as the API writes them; empty for an empty cell."""
    written = bytes(cell)
    if written.startswith(b'"'):
        return msgspec.json.decode(cell, type=str)
    return "" if written == b"null" else written.decode("ascii")


def serial_to_iso(text: str) -> str:
    """Returns what a serial number stands for: a date, a date and time to the millisecond, or (below 1) a time of day.

    What is no number, or none that is a date, stays as it is: somebody typed it as text.
    """
    if not _NUMBER.fullmatch(text):
        return text
    serial = Decimal(text)
    if not 0 <= serial < _LAST_SERIAL + 1:
        return text
    moment = _EPOCH + timedelta(milliseconds=round(serial * _MILLISECONDS_PER_DAY))
    precision = "milliseconds" if moment.microsecond else "seconds"
    if serial < 1:
        return moment.time().isoformat(precision)
    if serial == serial.to_integral_value():
        return moment.date().isoformat()
    return moment.isoformat(timespec=precision)
