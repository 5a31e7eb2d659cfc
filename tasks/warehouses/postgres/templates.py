"""This package's SQL files."""

from __future__ import annotations

from tasks.warehouses.templates import SqlFiles

_FILES = SqlFiles(__package__)
statement = _FILES.statement
migrations = _FILES.migrations
