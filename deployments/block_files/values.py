"""Walks over one block's settings: keys are the type's fields, secrets are references, and so are other blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping as Variables
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from deployments.block_files.types import (
    find_type,
    is_secret_mapping,
    is_secret_type,
    is_undeclared_secret,
    known_slugs,
    nested_types,
)
from deployments.block_files.written import BLOCK_KEY, SECRET_KEY, Path, SecretRef
from penstock.findings import nearest
from penstock.platform import BLOCK_PATTERN, BlockRef
from tasks.definitions.problems import Problem
from tasks.definitions.references import UnsetError, has_reference, resolve_references
from tasks.definitions.schema_walk import field_of, keys_of, union_members
from tasks.definitions.tree import Items, Mapping, Mark, Node, Scalar, dotted, text_at

if TYPE_CHECKING:
    from prefect.blocks.core import Block

_ONE_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_REFERENCE_FORMS = "`${NAME}`, or `{secret: <block type>/<block name>}` with a `key` where the secret is JSON"
_BLOCK_FORM = "`{block: <block type>/<block name>}`"


class ValueReader:
    """Reads the values of one block; what is wrong collects in `problems`.

    Args:
        block: The block's type.
        environment: What `${NAME}` means.
        above: Where the values stand in the file.
    """

    def __init__(self, block: type[Block], environment: Variables[str, str], above: Path) -> None:
        self.problems: list[Problem] = []
        self.hidden: set[str] = set()
        """Dotted paths whose values came from the environment or a secrets manager and are never shown."""
        self.references: dict[Path, BlockRef | SecretRef] = {}
        """What stands for other blocks and for a manager's secrets, by path."""
        self._block = block
        self._environment = environment
        self._above = above

    def read(self, values: Mapping) -> dict[str, Any]:
        """Returns the values with those of the environment in place; references to blocks stay as they are."""
        return self._model(self._block, values, ())

    def _model(self, model: type[BaseModel], node: Mapping, path: Path) -> dict[str, Any]:
        read = {}
        for key, entry in node.entries.items():
            field = field_of(model, key)
            if field is None:
                known = list(keys_of(model))
                self._add(
                    entry.key_mark,
                    (*path, key),
                    f"unknown key `{key}`",
                    expected=", ".join(f"`{name}`" for name in known),
                    suggestion=nearest(key, known),
                )
            else:
                read[key] = self._value(field.annotation, entry.value, (*path, key))
        return read

    def _value(self, annotation: Any, node: Node, path: Path) -> Any:
        if isinstance(node, Scalar) and node.value is None:
            return None
        if is_secret_mapping(annotation) and isinstance(node, Mapping) and SECRET_KEY not in node.entries:
            return {key: self._secret(entry.value, (*path, key)) for key, entry in node.entries.items()}
        if is_secret_type(annotation) or is_undeclared_secret(self._block, dotted(path)):
            return self._secret(node, path)
        accepted = nested_types(annotation)
        if accepted:
            return self._nested(accepted, node, path)
        return self._plain(annotation, node, path)

    def _plain(self, annotation: Any, node: Node, path: Path) -> Any:
        if isinstance(node, Scalar):
            return self._scalar(node, path)
        members = union_members(annotation)
        below = get_args(members[0])[-1] if len(members) == 1 and get_args(members[0]) else None
        if isinstance(node, Items):
            return [self._value(below, item, (*path, index)) for index, item in enumerate(node.items)]
        models = [member for member in members if isinstance(member, type) and issubclass(member, BaseModel)]
        if len(models) == 1:
            return self._model(models[0], node, path)
        return {key: self._value(below, entry.value, (*path, key)) for key, entry in node.entries.items()}

    def _scalar(self, node: Scalar, path: Path) -> Any:
        if not isinstance(node.value, str) or not has_reference(node.value):
            return node.value
        self.hidden.add(dotted(path))
        try:
            return resolve_references(node.value, self._environment)
        except UnsetError as error:
            if error.is_malformed:
                self._add(node.mark, path, "a reference is not complete", expected="`${NAME}` or `${NAME:-default}`")
            for name in error.names:
                self._add_unset(node.mark, path, name)
            return node.value

    def _secret(self, node: Node, path: Path) -> Any:
        """Returns a secret's value, or the reference to it; nothing of what else stands there is repeated."""
        self.hidden.add(dotted(path))
        if isinstance(node, Mapping) and SECRET_KEY in node.entries:
            return self._managed(node, path)
        text = node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""
        match = _ONE_REFERENCE.fullmatch(text)
        if match is None:
            message = "a secret is one reference and nothing beside it" if "${" in text else "a secret is in the file"
            self._add(
                node.mark,
                path,
                message,
                expected=_REFERENCE_FORMS,
                guidance="Whoever can read the file can use it: move it, and renew it if it was shared.",
            )
            return None
        value = self._environment.get(match[1])
        if not value:
            self._add_unset(node.mark, path, match[1])
        return value

    def _managed(self, node: Mapping, path: Path) -> SecretRef | None:
        unknown = [key for key in node.entries if key not in {SECRET_KEY, "key"}]
        text, key = text_at(node, SECRET_KEY), text_at(node, "key")
        is_key_wrong = "key" in node.entries and not key
        if unknown or is_key_wrong or text is None or not re.fullmatch(BLOCK_PATTERN, text):
            self._add(
                node.mark, path, "a reference to a secret is not written as it has to be", expected=_REFERENCE_FORMS
            )
            return None
        from prefect.blocks.abstract import SecretBlock
        from prefect.blocks.system import Secret

        found = SecretRef(secret=BlockRef(block=text), key=key)
        if self._is_type(found.secret, (Secret, SecretBlock), node.mark, path):
            self.references[path] = found
        return found

    def _nested(self, accepted: tuple[type[Block], ...], node: Node, path: Path) -> BlockRef | None:
        text = text_at(node, BLOCK_KEY)
        is_alone = isinstance(node, Mapping) and list(node.entries) == [BLOCK_KEY]
        if not is_alone or text is None or not re.fullmatch(BLOCK_PATTERN, text):
            guidance = "What it refers to is a block of its own, here or in Prefect."
            self._add(node.mark, path, "another block is named here", expected=_BLOCK_FORM, guidance=guidance)
            return None
        found = BlockRef(block=text)
        if self._is_type(found, accepted, node.mark, path):
            self.references[path] = found
        return found

    def _is_type(self, reference: BlockRef, accepted: tuple[type, ...], mark: Mark, path: Path) -> bool:
        block = find_type(reference.type)
        if block is not None and issubclass(block, accepted):
            return True
        fitting = [slug for slug in known_slugs() if issubclass(find_type(slug) or object, accepted)]
        self._add(
            mark,
            path,
            "a block of this type cannot be used here" if block else "there is no such block type",
            seen=f"`{reference.type}`",
            expected=", ".join(f"`{slug}`" for slug in fitting) or None,
            suggestion=None if block else nearest(reference.type, known_slugs()),
        )
        return False

    def _add_unset(self, mark: Mark, path: Path, name: str) -> None:
        state = "empty" if name in self._environment else "not set"
        self._add(mark, path, f"`{name}` is {state} in the environment", guidance="Set it, and apply the file again.")

    def _add(self, mark: Mark, path: Path, message: str, **details: Any) -> None:
        self.problems.append(Problem(*mark, dotted((*self._above, *path)), message, **details))


def resolved_tree(node: Node, values: Any) -> Node:
    """Returns a tree whose text stays as it is written and whose values are those that were read, for complaints."""
    if isinstance(node, Mapping):
        entries = {
            key: entry._replace(value=resolved_tree(entry.value, values.get(key) if isinstance(values, dict) else None))
            for key, entry in node.entries.items()
        }
        return Mapping(entries, node.mark, node.size)
    if isinstance(node, Items):
        known = values if isinstance(values, list) else [None] * len(node.items)
        return Items(
            [resolved_tree(item, value) for item, value in zip(node.items, known, strict=True)], node.mark, node.size
        )
    return replace(node, value=values) if isinstance(values, str | int | float | bool | None) else node
