"""A YAML file as values that know where they stand, so that every later complaint can name file, line and key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PlainScalar = str | int | float | bool | None
Plain = PlainScalar | list["Plain"] | dict[str, "Plain"]


class Mark(NamedTuple):
    """A place in a file; line and column count from 1."""

    path: Path
    line: int
    column: int


@dataclass(slots=True, frozen=True)
class Scalar:
    """A single value. `text` is what stands in the file, also where the value came from the environment."""

    value: PlainScalar
    text: str
    mark: Mark

    @property
    def size(self) -> int:
        """How many values it is."""
        return 1


@dataclass(slots=True, frozen=True)
class Items:
    """A list."""

    items: list[Node]
    mark: Mark
    size: int = 1


class Entry(NamedTuple):
    """One key of a mapping: where the key stands, and its value."""

    key_mark: Mark
    value: Node


@dataclass(slots=True, frozen=True)
class Mapping:
    """Keys and values, in the file's order."""

    entries: dict[str, Entry]
    mark: Mark
    size: int = 1


Node = Scalar | Items | Mapping


def dotted(parts: Iterable[str | int]) -> str:
    """Returns keys and positions as a person writes them: `datasets[2].window.days`."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def plain(node: Node) -> Plain:
    """Returns a tree's values alone."""
    if isinstance(node, Mapping):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return node.value


def text_at(node: Node, *keys: str) -> str | None:
    """Returns the text value that a path of keys leads to, or None where there is no such text."""
    for key in keys:
        if not isinstance(node, Mapping) or key not in node.entries:
            return None
        node = node.entries[key].value
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def merge(base: Node, over: Node) -> Node:
    """Returns `over` with what only `base` says added; mappings are merged key by key, lists and values replaced.

    Two mappings of different `kind` are different things: the one above then replaces the one below whole.
    """
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)) or _kinds_differ(base, over):
        return over
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        below = base.entries.get(key)
        entries[key] = Entry(entry.key_mark, merge(below.value, entry.value)) if below else entry
    return Mapping(entries, over.mark)


def _kinds_differ(base: Mapping, over: Mapping) -> bool:
    kinds = text_at(base, "kind"), text_at(over, "kind")
    return None not in kinds and kinds[0] != kinds[1]
