"""Writes a report as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_csv(
    columns: Sequence[str], rows: Iterable[Sequence[str | None]], *, row_cap: int, byte_order_mark: bool = False
) -> bytes:
    """Returns a header and rows as UTF-8, None as a blank cell; stops after `row_cap` rows without a word."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(islice(rows, row_cap))
    text = buffer.getvalue().encode("utf-8")
    return _BYTE_ORDER_MARK + text if byte_order_mark else text
