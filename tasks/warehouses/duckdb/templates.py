"""This package's SQL files."""

from __future__ import annotations

from tasks.warehouses.templates import SqlFiles

FILES = SqlFiles(__package__)
statement = FILES.statement
migrations = FILES.migrations
