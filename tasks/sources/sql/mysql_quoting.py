"""Names in SQL for MySQL and MariaDB."""

from __future__ import annotations


def quoted(name: str) -> str:
    """Returns a name between backticks, which hold whatever the session's SQL mode is."""
    return f"`{name.replace('`', '``')}`"
