"""The window in Gmail's terms: a search that holds at least all of it, and the exact cut afterwards."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from penstock.artifacts import Interval

_SLACK_SECONDS = 1


def search_terms(interval: Interval) -> str:
    """Returns `after:` and `before:` in epoch seconds, a second wider on both sides; empty for a full interval.

    Dates such as `after:2026/01/05` would be read in Pacific time. A message is found by whole seconds, and `before:`
    excludes its own ("Search operators"; "Searching for messages", Gmail API); `is_within` cuts exactly.
    """
    if interval.is_full:
        return ""
    start, end = (moment.timestamp() for moment in interval.bounds())
    return f"after:{math.floor(start) - _SLACK_SECONDS} before:{math.ceil(end) + _SLACK_SECONDS}"


def is_within(internal_date: str, interval: Interval) -> bool:
    """Returns whether a message arrived in the interval: `internalDate` is epoch milliseconds in digits."""
    if interval.is_full:
        return True
    start, end = interval.bounds()
    seconds, milliseconds = divmod(int(internal_date), 1_000)
    arrived_at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1_000)
    return start <= arrived_at < end
