"""Every block type at once. Prefect's server registers what this module imports (`prefect.collections`).

Prefect imports it together with every other collection, so nothing else should: see `blocks.registry`.
"""

from __future__ import annotations

from blocks.base import ConnectionBlock
from blocks.registry import BLOCK_CLASSES, block_type

BLOCK_TYPES: dict[str, type[ConnectionBlock]] = {slug: block_type(slug) for slug in BLOCK_CLASSES}
"""Block types by their slug."""
