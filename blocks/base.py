"""What all of Penstock's blocks are: settings of one connection, kept by Prefect."""

from __future__ import annotations

from abc import ABC, abstractmethod

from prefect.blocks.core import Block

from penstock.connections import AnyConnection


class ConnectionBlock(Block, ABC):
    """A connection's settings and secrets; a platform file refers to it as `{block: type/name}`.

    Prefect registers no type for a class that names `ABC` among its bases.
    """

    @abstractmethod
    def to_connection(self) -> AnyConnection:
        """Returns the connection that the block holds."""
