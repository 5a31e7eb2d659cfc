"""Reads the SQL files of a warehouse's package. A file holds statements, each behind a line `-- name: <name>`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


class SqlFiles:
    """The files below `sql/` and `migrations/` of a package."""

    def __init__(self, package: str) -> None:
        self._package = package

    def statement(self, file: str, name: str, values: Mapping[str, str]) -> str:
        """Returns a statement of a file below `sql/`, its `${...}` filled."""
        return _statements(self._package, file)[name].substitute(values)

    def migrations(self) -> list[tuple[int, str]]:
        """Returns the migrations as (number, script) in order; a file's name begins with its number."""
        folder = files(self._package).joinpath("migrations")
        scripts = [(entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".sql")]
        return sorted((int(name.split("_", 1)[0]), script) for name, script in scripts)


@cache
def _statements(package: str, file: str) -> dict[str, Template]:
    text = files(package).joinpath("sql", f"{file}.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    return {name: Template(body.strip()) for name, body in zip(parts[::2], parts[1::2], strict=True)}
