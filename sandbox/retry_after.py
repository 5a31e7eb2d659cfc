"""Writes the Retry-After header (RFC 9110, 10.2.3)."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime


def write_retry_after(seconds: float, form: str) -> str:
    """Returns a header value that lets a client wait at least this long.

    Args:
        seconds: The pause; rounded up.
        form: `seconds` for whole seconds; otherwise an HTTP date, in real time since clients wait in it.
    """
    whole = math.ceil(seconds)
    if form == "seconds":
        return str(whole)
    # A date has whole seconds too, and the present one has already begun.
    return format_datetime(datetime.now(tz=UTC) + timedelta(seconds=whole + 1), usegmt=True)
