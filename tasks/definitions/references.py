"""References to the environment in a file's text: `${NAME}`, `${NAME:-default}`, and `$${` for the two characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from tasks.definitions.problems import Problem
from tasks.definitions.tree import Entry, Items, Node, Scalar, dotted
from tasks.definitions.tree import Mapping as MappingNode

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<or>:-(?P<default>[^{}]*))?\}|\$\{")


class UnsetError(Exception):
    """A text refers to variables that are not set, or is not written as a reference is."""

    def __init__(self, names: list[str], *, is_malformed: bool = False) -> None:
        super().__init__(names, is_malformed)
        self.names = names
        self.is_malformed = is_malformed


def resolve_references(text: str, environment: Mapping[str, str]) -> str:
    """Returns a text with its references replaced; as in a shell, `:-` also stands in for an empty value.

    Raises:
        UnsetError: a variable without a default is not set, or a reference has no name or no closing brace.
    """
    missing: list[str] = []

    def value_of(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if match[0] == "$${":
            return "${"
        if name is None:
            raise UnsetError([], is_malformed=True)
        value = environment.get(name)
        if value is None and default is None:
            missing.append(name)
        return (value or default) if default is not None else (value or "")

    resolved = _REFERENCE.sub(value_of, text)
    if missing:
        raise UnsetError(missing)
    return resolved


def replace_references(text: str, write: Callable[[str, str | None], str]) -> str:
    """Returns a text with each reference rewritten by `write(name, default)`, as for another templating language."""
    return _REFERENCE.sub(lambda match: write(match["name"], match["default"]) if match["name"] else match[0], text)


def has_reference(text: str) -> bool:
    """Tells whether a text refers to the environment."""
    return "${" in text


class ReferenceResolver:
    """Replaces the references of a whole file.

    Args:
        environment: The variables. With None, as for checks that must not depend on a machine, a reference becomes its
            default, and one without a default is kept as it is written.
        kept: Top-level keys whose text is kept too, because it is meant for another time.
    """

    def __init__(self, environment: Mapping[str, str] | None, *, kept: frozenset[str] = frozenset()) -> None:
        self._environment = environment
        self._kept = kept
        self.problems: list[Problem] = []

    def resolve(self, root: MappingNode) -> MappingNode:
        """Returns the tree with values from the environment; what could not be replaced is in `problems`."""
        return MappingNode(
            {
                key: entry if key in self._kept else Entry(entry.key_mark, self._resolve(entry.value, (key,)))
                for key, entry in root.entries.items()
            },
            root.mark,
        )

    def _resolve(self, node: Node, place: tuple[str | int, ...]) -> Node:
        if isinstance(node, MappingNode):
            entries = {
                key: Entry(entry.key_mark, self._resolve(entry.value, (*place, key)))
                for key, entry in node.entries.items()
            }
            return MappingNode(entries, node.mark)
        if isinstance(node, Items):
            return Items([self._resolve(item, (*place, index)) for index, item in enumerate(node.items)], node.mark)
        return self._resolve_scalar(node, place)

    def _resolve_scalar(self, node: Scalar, place: tuple[str | int, ...]) -> Scalar:
        if not isinstance(node.value, str) or not has_reference(node.value):
            return node
        try:
            return replace(node, value=resolve_references(node.value, self._environment or {}))
        except UnsetError as error:
            if self._environment is not None or error.is_malformed:
                self.problems.append(_problem(node, place, error))
            return node


def _problem(node: Scalar, place: tuple[str | int, ...], error: UnsetError) -> Problem:
    if error.is_malformed:
        return Problem(
            *node.mark, dotted(place), "a reference is not complete", expected="`${NAME}` or `${NAME:-default}`"
        )
    names = " and ".join(f"`{name}`" for name in error.names)
    return Problem(
        *node.mark,
        dotted(place),
        f"{names} {'is' if len(error.names) == 1 else 'are'} not set in the environment",
        guidance="Set it, or give a default as in `${NAME:-default}`.",
    )
