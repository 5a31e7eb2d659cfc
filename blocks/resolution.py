"""From what a platform says of a connection to the connection: inline settings as they are, blocks from Prefect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast, get_args

from pydantic import BaseModel, ValidationError

from blocks.registry import block_type
from penstock.connections import AnyConnection
from penstock.errors import ConfigurationError
from penstock.platform import BlockRef, block_type_of

if TYPE_CHECKING:
    from blocks.base import ConnectionBlock


def resolve_connection(
    setting: AnyConnection | BlockRef,
    name: str,
    *,
    accepted: tuple[type[BaseModel], ...] = (),
    find_type: Callable[[str], type[ConnectionBlock]] = block_type,
) -> AnyConnection:
    """Returns what a connection's logical name means, or the platform's `store` or `warehouse`.

    A block is loaded through its own type: Prefect's untyped `Block.load` imports every installed integration first,
    which takes five seconds. Nothing is remembered, so that a rotated secret is seen by the next task. Prefect is only
    imported for a block.

    Args:
        setting: Settings, or a reference to a block.
        name: The logical name, for errors.
        accepted: The connections that can be used here; any by default.
        find_type: Gives a block type by its slug.

    Raises:
        ConfigurationError: There is no such block type, no block of that name, or it holds something else.
        RejectedError: The Prefect API refused the credentials.
        TransientError: The Prefect API cannot be reached.
    """
    if not isinstance(setting, BlockRef):
        return setting
    connection = _connection(_load(find_type(setting.type), setting, name), setting, name)
    if accepted and not isinstance(connection, accepted):
        raise ConfigurationError(
            "the block holds another kind of connection than is needed here",
            guidance=f"Name a block of type {' or '.join(sorted(map(_block_type_of, accepted)))}.",
            connection=name,
            block=setting.block,
        )
    return connection


def _connection(block: ConnectionBlock, setting: BlockRef, name: str) -> AnyConnection:
    try:
        return block.to_connection()
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False)
        raise ConfigurationError(
            "the block's settings do not go together",
            guidance="Correct it with `penstock blocks apply`, or in the Prefect UI.",
            reason="; ".join(dict.fromkeys(fault["msg"].removeprefix("Value error, ") for fault in faults)),
            connection=name,
            block=setting.block,
        ) from None


def _load(block: type[ConnectionBlock], setting: BlockRef, name: str) -> ConnectionBlock:
    from blocks.prefect_failures import asking_prefect

    facts: dict[str, Any] = {"connection": name, "block": setting.block}
    try:
        with asking_prefect(**facts):
            # Without `_sync`, `load` in a running event loop would give a coroutine.
            return cast("ConnectionBlock", block.load(setting.name, _sync=True))  # type: ignore[call-arg]
    except ValueError as error:
        raise ConfigurationError(
            "Prefect has no such block",
            guidance="Create it, in the workspace that this platform's runs use: `penstock blocks apply`, or the UI.",
            **facts,
        ) from error
    except RuntimeError as error:
        # Without the cause: Pydantic's errors quote the settings, and with them the secrets.
        raise ConfigurationError(
            "the block's settings cannot be used as they are",
            guidance="Complete it with `penstock blocks apply`, or in the Prefect UI.",
            settings=_faulty_settings(error.__cause__),
            **facts,
        ) from None


def _faulty_settings(error: BaseException | None) -> str | None:
    if not isinstance(error, ValidationError):
        return None
    found = [".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False, include_context=False)]
    return ", ".join(dict.fromkeys(place for place in found if place)) or None


def _block_type_of(connection: type[BaseModel]) -> str:
    return block_type_of(get_args(connection.model_fields["kind"].annotation)[0])
