"""Snowflake's table locks: an UPDATE holds its table until the transaction ends, and others wait for it.

DuckDB would refuse the second writer instead. A transaction that is idle and in the way is aborted by Snowflake after
five minutes; here after a moment, so that a test can kill a load and run it again.
"""

from __future__ import annotations

import re
import threading
import time
from contextlib import suppress
from typing import Any

import duckdb

_UPDATE = re.compile(r'\s*UPDATE\s+penstock\.("?LOCK__\w+"?)', re.IGNORECASE)
_END = re.compile(r"\s*(COMMIT|ROLLBACK)\b", re.IGNORECASE)
_IDLE_SECONDS = 2.0


class TableLocks:
    """Who holds which table, and when each session last ran something."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holders: dict[tuple[str, str], Any] = {}
        self._seen: dict[int, float] = {}

    def before(self, session: Any, command: str) -> None:
        """Waits until a session may run a statement."""
        self._seen[id(session)] = time.monotonic()
        found = _UPDATE.match(command)
        if not found:
            return
        name = (str(session.database), found[1].upper())
        with self._changed:
            while (holder := self._holders.get(name)) not in (None, session):
                self._changed.wait(0.05)
                if time.monotonic() - self._seen[id(holder)] > _IDLE_SECONDS:
                    with suppress(duckdb.Error):
                        holder._duck_conn.execute("ROLLBACK")
                    self._holders.pop(name, None)
            self._holders[name] = session

    def after(self, session: Any, command: str) -> None:
        """Gives up what a session holds when its transaction has ended."""
        self._seen[id(session)] = time.monotonic()
        if _END.match(command):
            with self._changed:
                for name in [name for name, holder in self._holders.items() if holder is session]:
                    del self._holders[name]
                self._changed.notify_all()
