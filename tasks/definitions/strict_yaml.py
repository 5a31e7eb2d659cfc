"""Reads YAML strictly: places are kept, and duplicate keys, tabs, tags and endless aliases are refused.

Built on libyaml's events rather than on its nodes: composing a node tree recurses in C, and a file of brackets
ends the process there (PyYAML 6.0.3, seen 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tasks.definitions.problems import Problem
from tasks.definitions.scalars import resolve_scalar
from tasks.definitions.tree import Entry, Items, Mapping, Mark, Node, Scalar, dotted

MAXIMUM_DEPTH = 50
MAXIMUM_VALUES = 100_000
_MAXIMUM_BYTES = 2_000_000
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_TAB_INDENT = re.compile(r"^ *\t+(?=[^\s])", re.MULTILINE)
_KNOWN_TAGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map", "!"})
_MERGE_KEY = "<<"


class _RefusedError(Exception):
    """The rest of the file cannot be understood; the problem says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


Parsed = tuple[Mapping | None, list[Problem]]
"""A file's tree, or None where it could not be built, and all problems that were found."""


@dataclass(slots=True)
class _Frame:
    """A list or mapping whose end has not come yet; for a mapping, the key that waits for its value."""

    mark: Mark
    anchor: str | None
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    merged: list[Mapping] = field(default_factory=list)
    key: Scalar | None = None
    size: int = 1


def read_yaml(path: Path) -> Parsed:
    """Reads a file whose top is a mapping."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, [Problem(path, 1, 1, "", "the file cannot be read", seen=error.strerror)]
    try:
        text = data[:_MAXIMUM_BYTES].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return None, [Problem(path, line, 1, "", "the file is not UTF-8", guidance="Save it as UTF-8.")]
    if len(data) > _MAXIMUM_BYTES:
        return None, [Problem(path, 1, 1, "", f"the file is larger than {_MAXIMUM_BYTES:,} bytes")]
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path) -> Parsed:
    """Reads YAML text; `path` is where the problems say it stands. See `read_yaml`."""
    problems = list(_tabs(text, path))
    if problems:
        return None, problems
    builder = _Builder(path, problems)
    try:
        root = builder.build(text)
    except _RefusedError as refused:
        problems.append(refused.problem)
        return None, problems
    if not isinstance(root, Mapping):
        mark = root.mark if root else Mark(path, 1, 1)
        seen = "nothing" if root is None else "a list" if isinstance(root, Items) else "a single value"
        problems.append(
            Problem(*mark, "", "the file is not a mapping", seen=seen, expected="keys such as `version: 1`")
        )
        return None, problems
    return root, problems


def _tabs(text: str, path: Path) -> Iterator[Problem]:
    if "\t" not in text:
        return
    for match in _TAB_INDENT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Problem(path, line, 1, "", "a tab indents the line", expected="spaces, which is all that YAML allows")


class _Builder:
    """Turns parser events into a tree, with a stack of its own instead of recursion."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self._path = path
        self._problems = problems
        self._anchors: dict[str, Node] = {}
        self._stack: list[_Frame] = []
        self._root: Node | None = None
        self._documents = 0

    def build(self, text: str) -> Node | None:
        """Returns the file's tree, or None for a file without a value."""
        loader = _LOADER(text)
        try:
            while loader.check_event():
                self._take(loader.get_event())
        except yaml.MarkedYAMLError as error:
            raise _RefusedError(self._syntax_problem(error)) from error
        except yaml.reader.ReaderError as error:
            line = text.encode()[: error.position].count(b"\n") + 1
            raise _RefusedError(
                Problem(self._path, line, 1, "", "the file holds a character that YAML does not allow")
            ) from error
        finally:
            loader.dispose()
        return self._root

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_tag(event, is_plain=event.implicit[0])
            value = resolve_scalar(event.value) if event.implicit[0] else event.value
            self._close(Scalar(value, event.value, self._mark(event)), event.anchor)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._refuse_tag(event, is_plain=event.implicit)
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            frame = self._stack.pop()
            self._close(self._finished(frame), frame.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._close(self._aliased(event), None)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _RefusedError(self._problem(event, "the file holds more than one document", "Remove the `---`."))

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._stack) >= MAXIMUM_DEPTH:
            raise _RefusedError(self._problem(event, f"values are nested more than {MAXIMUM_DEPTH} deep"))
        self._stack.append(_Frame(self._mark(event), event.anchor, isinstance(event, yaml.MappingStartEvent)))

    def _close(self, node: Node, anchor: str | None) -> None:
        """Gives a finished value to the list or mapping around it."""
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        frame.size += node.size
        if frame.size > MAXIMUM_VALUES:
            raise _RefusedError(
                Problem(*node.mark, "", f"aliases make more than {MAXIMUM_VALUES:,} values of the file")
            )
        if not frame.is_mapping:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = self._key(node)
        else:
            self._add(frame, frame.key, node)
            frame.key = None

    def _key(self, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            raise _RefusedError(Problem(*node.mark, "", "a key is a list or a mapping", expected="text"))
        return node

    def _add(self, frame: _Frame, key: Scalar, value: Node) -> None:
        name = key.text
        if name == _MERGE_KEY:
            frame.merged += self._to_merge(value)
        elif name in frame.entries:
            first = frame.entries[name].key_mark.line
            self._problems.append(
                Problem(
                    *key.mark, self._path_to(name), "the key is given twice", guidance=f"It is in line {first} already."
                )
            )
        else:
            frame.entries[name] = Entry(key.mark, value)

    def _path_to(self, name: str) -> str:
        """Returns the dotted path of a key of the mapping that is being read."""
        above = [frame.key.text if frame.key else len(frame.items) for frame in self._stack[:-1]]
        return dotted([*above, name])

    def _to_merge(self, value: Node) -> list[Mapping]:
        values = value.items if isinstance(value, Items) else [value]
        mappings = [one for one in values if isinstance(one, Mapping)]
        if len(mappings) < len(values):
            raise _RefusedError(
                Problem(*value.mark, _MERGE_KEY, "only mappings can be merged", expected="an alias of one")
            )
        return mappings

    def _finished(self, frame: _Frame) -> Node:
        if not frame.is_mapping:
            return Items(frame.items, frame.mark, frame.size)
        entries = dict(frame.entries)
        for mapping in frame.merged:
            entries = {**mapping.entries, **entries}
        return Mapping(entries, frame.mark, frame.size)

    def _aliased(self, event: yaml.AliasEvent) -> Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            known = ", ".join(f"&{name}" for name in sorted(self._anchors)) or "none"
            raise _RefusedError(
                self._problem(event, f"there is no anchor `&{event.anchor}` above", f"Anchors: {known}.")
            )
        return replace(node, mark=self._mark(event)) if isinstance(node, Scalar) else node

    def _refuse_tag(self, event: Any, *, is_plain: bool) -> None:
        if event.tag is not None and event.tag not in _KNOWN_TAGS and not is_plain:
            raise _RefusedError(
                self._problem(event, f"the tag `{event.tag}` is not allowed", "Write the value without it.")
            )

    def _syntax_problem(self, error: yaml.MarkedYAMLError) -> Problem:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        words = ", ".join(part for part in (error.context, error.problem) if part)
        return Problem(self._path, *place, "", "the file is not YAML", seen=words, guidance=_SYNTAX_GUIDANCE)

    def _problem(self, event: yaml.Event, message: str, guidance: str = "") -> Problem:
        return Problem(*self._mark(event), "", message, guidance=guidance)

    def _mark(self, event: yaml.Event) -> Mark:
        mark = event.start_mark
        return Mark(self._path, mark.line + 1, mark.column + 1) if mark else Mark(self._path, 1, 1)


_SYNTAX_GUIDANCE = "Look at the line above too: indentation, a missing colon or quote, `: ` or ` #` inside of text."
