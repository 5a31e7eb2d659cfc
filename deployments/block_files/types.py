"""Block types by their slug: Penstock's own, Prefect's, and those of every installed integration."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, get_origin

from blocks.registry import BLOCK_CLASSES, block_type
from tasks.definitions.schema_walk import union_members

if TYPE_CHECKING:
    from prefect.blocks.core import Block

# Where the types are that Penstock's own are built on; the package of any other is found by importing all of them.
_MODULES = {
    "aws-credentials": "prefect_aws.credentials",
    "aws-secret": "prefect_aws.secrets_manager",
    "snowflake-credentials": "prefect_snowflake.credentials",
}

# Fields that hold secrets although their type does not say so; Prefect shows them to whoever may see the block.
_UNDECLARED_SECRETS = {
    "aws-credentials": {"aws_session_token", "assume_role_kwargs.ExternalId", "assume_role_kwargs.TokenCode"},
}


def find_type(slug: str) -> type[Block] | None:
    """Returns a block type, or None where nothing that is installed has one of that slug.

    Only a slug that is nowhere near makes Prefect import every integration that is installed, which takes seconds.
    """
    if slug in BLOCK_CLASSES:
        return block_type(slug)
    if slug in _MODULES:
        import_module(_MODULES[slug])
    known = _registered()
    if slug not in known:
        from prefect.plugins import load_prefect_collections

        load_prefect_collections()
        known = _registered()
    return known.get(slug)


def known_slugs() -> list[str]:
    """Returns the slug of every type that was imported so far, and of Penstock's own."""
    return sorted({*BLOCK_CLASSES, *_registered()})


def secret_paths(block: type[Block]) -> set[str]:
    """Returns the dotted paths of a type's secrets; `.*` at the end stands for all below."""
    return {*block.model_json_schema()["secret_fields"], *_UNDECLARED_SECRETS.get(block.get_block_type_slug(), ())}


def is_undeclared_secret(block: type[Block], path: str) -> bool:
    """Tells whether a field holds a secret although its type does not say so."""
    return path in _UNDECLARED_SECRETS.get(block.get_block_type_slug(), ())


def is_secret_type(annotation: Any) -> bool:
    """Tells whether values of this type are Pydantic's secrets."""
    return any(hasattr(get_origin(member) or member, "get_secret_value") for member in union_members(annotation))


def is_secret_mapping(annotation: Any) -> bool:
    """Tells whether values of this type are mappings whose values are all secret."""
    from prefect.types import SecretDict

    return any(member is SecretDict for member in union_members(annotation))


def nested_types(annotation: Any) -> tuple[type[Block], ...]:
    """Returns the block types that a field takes a block of; none for a field that takes no block."""
    from prefect.blocks.core import Block

    return tuple(
        member for member in union_members(annotation) if isinstance(member, type) and issubclass(member, Block)
    )


@contextmanager
def quiet_notifiers() -> Iterator[None]:
    """Silences apprise, which logs the whole address of a webhook, its secret included, where it cannot read it."""
    logger = logging.getLogger("apprise")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _registered() -> dict[str, type[Block]]:
    import prefect.blocks.notifications
    import prefect.blocks.system
    import prefect.blocks.webhook
    import prefect.filesystems  # noqa: F401
    from prefect.blocks.core import Block
    from prefect.utilities.dispatch import get_registry_for_type

    return get_registry_for_type(Block) or {}
