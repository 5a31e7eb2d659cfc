"""Every block type, one line each. Prefect's server registers what this module imports (`prefect.collections`)."""

from __future__ import annotations

from blocks.base import ConnectionBlock
from blocks.folder import FolderStore
from blocks.gladly import GladlyCredentials
from blocks.rest import RestCredentials

BLOCK_TYPES: dict[str, type[ConnectionBlock]] = {
    block.get_block_type_slug(): block for block in (FolderStore, GladlyCredentials, RestCredentials)
}
"""Block types by their slug."""
