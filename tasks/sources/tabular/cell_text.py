"""A workbook's values as text: what a person sees in the cell, with nothing rounded away that Excel keeps.

Excel stores numbers as IEEE doubles and shows at most 15 digits of them (ECMA-376 part 1, 18.17.5.2 and Microsoft's
"Excel specifications and limits"), so 0.1 + 0.2 is 0.3 here, too. Dates are numbers with a date format.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

_DIGITS = 15
_PLAIN_EXPONENT = 21
"""Up to here a number is written out; beyond it, as Excel does, with an exponent."""

_ONLY_ZEROS = re.compile(r"0{2,}")
_CLOCK = re.compile(r"[hs]|am/pm", re.IGNORECASE)
_LITERALS = re.compile(r'"[^"]*"|\\.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
"""Texts, escaped characters, colours and locales of a number format; `[h]` is an elapsed time, and stays."""


def cell_text(value: Any, number_format: str) -> str | None:
    """Returns a cell's value as text; None for an empty cell.

    Args:
        value: What openpyxl read: text, a number, a truth value, a date, a time or a duration.
        number_format: The cell's number format, which says which digits and times are shown.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number_text(value, number_format)
    if isinstance(value, timedelta):
        return _duration_text(value)
    return _time_text(value, number_format)


def _number_text(value: float, number_format: str) -> str:
    if _ONLY_ZEROS.fullmatch(number_format) and value == int(value):
        # A code such as a postal one, whose leading zeros are part of it.
        return f"{int(value):0{len(number_format) + (value < 0)}d}"
    if isinstance(value, int):
        return str(value)
    text = f"{value:.{_DIGITS}g}"
    if "e" in text and abs(Decimal(text).adjusted()) < _PLAIN_EXPONENT:
        return format(Decimal(text), "f")
    return text


def _duration_text(value: timedelta) -> str:
    sign, whole = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(whole.days * 86_400 + whole.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{whole.microseconds:06d}".rstrip("0") if whole.microseconds else ""
    return f"{sign}{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"


def _time_text(value: datetime | date | time, number_format: str) -> str:
    if isinstance(value, datetime) and value.time() == time.min and not shows_clock(number_format):
        return value.date().isoformat()
    return value.isoformat()


def shows_clock(number_format: str) -> bool:
    """Returns whether a date format shows hours or seconds."""
    return _CLOCK.search(_LITERALS.sub("", number_format)) is not None
