"""Reads a file of blocks strictly: every problem at once, with its place, before anything is asked of Prefect."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from collections.abc import Mapping as Variables
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from deployments.block_files.types import find_type, known_slugs, quiet_notifiers
from deployments.block_files.values import ValueReader, resolved_tree
from deployments.block_files.written import BlockFileSpec, SecretRef, WrittenBlock, written_references
from penstock.errors import ConfigurationError
from penstock.findings import nearest
from penstock.platform import BlockRef
from tasks.definitions.problems import DefinitionProblems, Problem, has_errors
from tasks.definitions.strict_yaml import read_yaml
from tasks.definitions.tree import Entry, Items, Mapping, Node
from tasks.definitions.validation import validate

if TYPE_CHECKING:
    from prefect.blocks.core import Block

BLOCKS_KEY = "blocks"


class ReadBlock(NamedTuple):
    """One block of a file, as far as the file and the environment tell.

    Args:
        reference: What it is called.
        type: Its type.
        values: By field; references stand in for other blocks and for a manager's secrets.
        references: Those references, by their place in the values.
        hidden: Dotted paths of values that are never shown.
        tree: The values as they stand in the file, for complaints.
        place: Where the values stand in the file.
    """

    reference: BlockRef
    type: type[Block]
    values: dict[str, Any]
    references: dict[tuple[str | int, ...], BlockRef | SecretRef]
    hidden: frozenset[str]
    tree: Mapping
    place: tuple[str | int, ...]

    def needs(self) -> Iterator[BlockRef]:
        """Yields the blocks that have to be there before this one."""
        for reference in self.references.values():
            yield reference.secret if isinstance(reference, SecretRef) else reference


def read_block_file(
    path: Path, *, only: Collection[str] | None = None, environment: Variables[str, str] | None = None
) -> list[ReadBlock]:
    """Returns a file's blocks, each behind those that it refers to.

    Args:
        path: The file.
        only: Reads only these blocks and what they refer to; what the others lack does not matter. All by default.
        environment: What `${NAME}` means; the process's own by default.

    Raises:
        ConfigurationError: there is no such file.
        DefinitionProblems: the file cannot be used as it is.
    """
    if not path.is_file():
        raise ConfigurationError("there is no such file", guidance="Give the path of a file of blocks.", path=path)
    root, problems = read_yaml(path)
    if root is None:
        raise DefinitionProblems(problems)
    if only is not None:
        root = _reduced(root, only)
    validated = validate(BlockFileSpec, root)
    problems += validated.problems
    if validated.spec is None:
        raise DefinitionProblems(problems)
    written = validated.spec.blocks
    problems += _duplicates(written, root)
    variables = os.environ if environment is None else environment
    with quiet_notifiers():
        read = [_read(block, index, root, variables, problems) for index, block in enumerate(written)]
    if has_errors(problems):
        raise DefinitionProblems(sorted(problems, key=lambda one: (one.line, one.column)))
    return _ordered([block for block in read if block is not None])


def _read(
    written: WrittenBlock, index: int, root: Mapping, environment: Variables[str, str], problems: list[Problem]
) -> ReadBlock | None:
    """Returns one block, adding what is wrong with it to the problems."""
    from deployments.block_files.building import validation_problems

    item = _items(root)[index]
    block = find_type(written.type)
    if block is None:
        slug, slugs = written.type, known_slugs()
        problems.append(
            Problem(
                *item.entries["type"].key_mark,
                f"{BLOCKS_KEY}[{index}].type",
                "nothing that is installed has such a block type",
                seen=f"`{slug}`",
                suggestion=nearest(slug, slugs),
                guidance="Penstock's are in docs/blocks.md; `prefect block type ls` lists those of a server.",
            )
        )
        return None
    entry = item.entries.get("values", Entry(item.mark, Mapping({}, item.mark)))
    values = entry.value if isinstance(entry.value, Mapping) else Mapping({}, entry.key_mark)
    place = (BLOCKS_KEY, index, "values")
    reader = ValueReader(block, environment, place)
    read = ReadBlock(
        written.reference,
        block,
        reader.read(values),
        reader.references,
        frozenset(reader.hidden),
        Mapping(values.entries, entry.key_mark, values.size),
        place,
    )
    read = read._replace(tree=cast("Mapping", resolved_tree(read.tree, read.values)))
    refused = {problem.key for problem in reader.problems}
    problems += reader.problems
    problems += [one for one in validation_problems(read) if one.key not in refused]
    return read


def _duplicates(written: Collection[WrittenBlock], root: Mapping) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, block in enumerate(written):
        name = block.reference.block
        line = _items(root)[first.setdefault(name, index)].mark.line
        if first[name] != index:
            mark = _items(root)[index].entries["name"].key_mark
            guidance = f"It is in line {line} already."
            yield Problem(*mark, f"{BLOCKS_KEY}[{index}]", f"`{name}` is given twice", guidance=guidance)


def _ordered(blocks: list[ReadBlock]) -> list[ReadBlock]:
    """Returns the blocks so that each comes behind those that it refers to, otherwise in the file's order."""
    by_name = {block.reference.block: block for block in blocks}
    ordered: dict[str, ReadBlock] = {}

    def add(block: ReadBlock, above: tuple[str, ...]) -> None:
        name = block.reference.block
        if name in above:
            message = "blocks refer to each other in a circle"
            raise DefinitionProblems([Problem(*block.tree.mark, f"{BLOCKS_KEY}[{block.place[1]}]", message)])
        for needed in block.needs():
            if needed.block in by_name and needed.block not in ordered:
                add(by_name[needed.block], (*above, name))
        ordered.setdefault(name, block)

    for block in blocks:
        add(block, ())
    return list(ordered.values())


def _reduced(root: Mapping, only: Collection[str]) -> Mapping:
    """Returns the file's tree with only the blocks that are named, and those that they refer to."""
    by_name = {_name(item): item for item in _items(root)}
    wanted, found = list(only), set[str]()
    while wanted:
        name = wanted.pop()
        if name in by_name and name not in found:
            found.add(name)
            wanted += written_references(by_name[name])
    entry = root.entries.get(BLOCKS_KEY)
    if entry is None or not isinstance(entry.value, Items):
        return root
    kept: list[Node] = [item for item in entry.value.items if not isinstance(item, Mapping) or _name(item) in found]
    return Mapping({**root.entries, BLOCKS_KEY: Entry(entry.key_mark, Items(kept, entry.value.mark))}, root.mark)


def _items(root: Mapping) -> list[Mapping]:
    entry = root.entries.get(BLOCKS_KEY)
    items = entry.value.items if entry is not None and isinstance(entry.value, Items) else []
    return [item for item in items if isinstance(item, Mapping)]


def _name(item: Mapping) -> str:
    from tasks.definitions.tree import text_at

    return f"{text_at(item, 'type')}/{text_at(item, 'name')}"
