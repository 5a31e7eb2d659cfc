"""What a file of blocks says, and the references that stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from penstock.platform import BlockRef
from penstock.spec import Name, Spec
from tasks.definitions.tree import Items, Mapping, Node, text_at

Path = tuple[str | int, ...]
"""Keys and list positions below a block's `values`."""

BLOCK_KEY = "block"
SECRET_KEY = "secret"  # noqa: S105 - the key's name


class WrittenBlock(Spec):
    """One block of a file."""

    type: Name = Field(description="The block type's slug.")
    name: Name = Field(description="The block's name, unique among those of its type.")
    values: dict[str, Any] = Field(default_factory=dict, description="The block's settings, by field.")

    @property
    def reference(self) -> BlockRef:
        """What other blocks and platforms call it by."""
        return BlockRef(block=f"{self.type}/{self.name}")


class BlockFileSpec(Spec):
    """A file of blocks."""

    version: Literal[1] = Field(description="Version of the file format.")
    blocks: tuple[WrittenBlock, ...] = Field(description="Blocks, in any order.")


class SecretRef(Spec):
    """A secret that a block of a secrets manager, or Prefect's own `secret`, gives when the file is applied."""

    secret: BlockRef
    key: str | None = None


def written_references(node: Node) -> Iterator[str]:
    """Yields each `type/name` that a block's values refer to, whether it is well written or not."""
    if isinstance(node, Mapping):
        for key in (BLOCK_KEY, SECRET_KEY):
            text = text_at(node, key)
            if text is not None:
                yield text
        for entry in node.entries.values():
            yield from written_references(entry.value)
    elif isinstance(node, Items):
        for item in node.items:
            yield from written_references(item)
