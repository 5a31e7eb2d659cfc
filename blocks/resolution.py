"""From what a platform says of a connection to the connection: inline settings as they are, blocks from Prefect."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, cast

from penstock.connections import AnyConnection
from penstock.errors import ConfigurationError
from penstock.platform import BlockRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blocks.base import ConnectionBlock


def resolve_connection(
    setting: AnyConnection | BlockRef, name: str, *, block_types: Mapping[str, type[ConnectionBlock]] | None = None
) -> AnyConnection:
    """Returns what a connection's logical name means, or the platform's `store` or `warehouse`.

    A block is loaded through its own type: Prefect's untyped `Block.load` imports every installed integration first,
    which takes five seconds. Nothing is remembered, so that a rotated secret is seen by the next task. Prefect is only
    imported for a block.

    Args:
        setting: Settings, or a reference to a block.
        name: The logical name, for errors.
        block_types: By slug; all of Penstock's when left out.

    Raises:
        ConfigurationError: There is no such block type, or no block of that name.
    """
    if not isinstance(setting, BlockRef):
        return setting
    if block_types is None:
        from blocks.catalog import BLOCK_TYPES

        block_types = BLOCK_TYPES
    slug, _, block_name = setting.block.partition("/")
    if slug not in block_types:
        nearest = difflib.get_close_matches(slug, block_types, n=1)
        raise ConfigurationError(
            "the platform names a block type that Penstock does not have",
            guidance=f"Did you mean {nearest[0]}?" if nearest else f"There are: {', '.join(sorted(block_types))}.",
            connection=name,
            block=setting.block,
        )
    try:
        # Without the dispatch, `load` in a running event loop would give a coroutine.
        block = cast("ConnectionBlock", block_types[slug].load(block_name, _sync=True))  # type: ignore[call-arg]
    except ValueError as error:
        raise ConfigurationError(
            "Prefect has no such block, or its settings are incomplete",
            guidance="Create or complete it in Prefect, in the workspace that this platform's runs use.",
            connection=name,
            block=setting.block,
        ) from error
    return block.to_connection()
