"""Makes Prefect's blocks of what was read, and explains what Pydantic says against it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from blocks.prefect_failures import asking_prefect
from deployments.block_files.types import find_type
from deployments.block_files.written import SecretRef
from penstock.errors import ConfigurationError, RejectedError
from penstock.platform import BlockRef
from tasks.definitions.problems import DefinitionProblems, Problem
from tasks.definitions.tree import dotted
from tasks.definitions.validation import problems_of

if TYPE_CHECKING:
    from prefect.blocks.core import Block

    from deployments.block_files.reading import ReadBlock

Lookup = Callable[[BlockRef], "Block"]
"""Gives the block that a reference means."""

# Stands in for a secret that only a manager knows, while everything else is checked.
_UNKNOWN_SECRET = "unknown"  # noqa: S105


def build(read: ReadBlock, lookup: Lookup) -> Block:
    """Returns a block as Prefect's object, with every reference replaced by what it means.

    Raises:
        DefinitionProblems: the type refuses the values.
        ConfigurationError: a block or a secret's key that is referred to does not exist.
        RejectedError: a secrets manager refused to give a secret.
    """

    def resolve(reference: BlockRef | SecretRef) -> Any:
        return read_secret(reference, lookup) if isinstance(reference, SecretRef) else lookup(reference)

    try:
        return read.type.model_validate(_filled(read, resolve))
    except ValidationError as error:
        problems = list(_problems(read, error))
    raise DefinitionProblems(problems)


def validation_problems(read: ReadBlock) -> list[Problem]:
    """Returns what the type has against the values, as far as it can be told without asking Prefect."""

    def placeholder(reference: BlockRef | SecretRef) -> Any:
        if isinstance(reference, SecretRef):
            return _UNKNOWN_SECRET
        found = find_type(reference.type)
        return found.model_construct() if found is not None else None

    try:
        read.type.model_validate(_filled(read, placeholder))
    except ValidationError as error:
        return list(_problems(read, error))
    return []


def check_connection(read: ReadBlock, block: Block) -> None:
    """Checks that a block of Penstock's makes a connection; a key's file may be on the workers only.

    Raises:
        DefinitionProblems: its settings do not go together.
        ConfigurationError: what it is built on has settings that cannot be used.
    """
    from blocks.base import ConnectionBlock

    if not isinstance(block, ConnectionBlock):
        return
    try:
        block.to_connection()
    except ValidationError as error:
        problems = list(_problems(read, error))
    except ConfigurationError as error:
        if "path" in error.facts:
            return
        raise
    else:
        return
    raise DefinitionProblems(problems)


def load_block(reference: BlockRef) -> Block:
    """Returns a block that Prefect has.

    Raises:
        ConfigurationError: Prefect has no such block.
    """
    found = find_type(reference.type)
    facts: dict[str, Any] = {"block": reference.block}
    if found is None:
        raise ConfigurationError("there is no such block type", guidance="Install the package that has it.", **facts)
    try:
        with asking_prefect(**facts):
            loaded: Any = found.load(reference.name, _sync=True)  # type: ignore[call-arg]
    except (ValueError, RuntimeError):
        raise ConfigurationError(
            "a block that the file refers to is not in Prefect, or is incomplete there",
            guidance="Add it to the file, or create it in Prefect first.",
            **facts,
        ) from None
    return cast("Block", loaded)


def read_secret(reference: SecretRef, lookup: Lookup) -> str:
    """Returns what a block of a secrets manager, or Prefect's own `secret`, keeps.

    Raises:
        ConfigurationError: it is no text, or has no such key.
        RejectedError: the manager did not give it.
    """
    facts = {"secret": reference.secret.block, "key": reference.key}
    block: Any = lookup(reference.secret)
    try:
        value = block.get() if hasattr(block, "get") else block.read_secret(_sync=True)
    except Exception as error:  # noqa: BLE001 - each manager's driver has errors of its own
        raise RejectedError(
            "the secrets manager did not give the secret",
            guidance="Check the name of the secret, and the rights of the credentials that its block has.",
            error=type(error).__name__,
            **facts,
        ) from None
    value = value.decode() if isinstance(value, bytes) else value
    if reference.key is not None:
        value = _below(value).get(reference.key)
    if isinstance(value, str) and value:
        return value
    raise ConfigurationError(
        "the secret is not one text" if reference.key is None else "the secret is not JSON with this key",
        guidance="Name one of its keys with `key` where it is JSON, and none where it is not.",
        **facts,
    )


def _below(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _filled(read: ReadBlock, resolve: Callable[[BlockRef | SecretRef], Any]) -> dict[str, Any]:
    values: Any = copy.deepcopy(read.values)
    for path, reference in read.references.items():
        node = values
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = resolve(reference)
    filled: dict[str, Any] = values
    return filled


def _problems(read: ReadBlock, error: ValidationError) -> Iterator[Problem]:
    for problem in problems_of(error, read.type, read.tree):
        key = dotted(read.place) + (f".{problem.key}" if problem.key else "")
        yield problem._replace(key=key)
