"""Brings Prefect's blocks to what a file says: creates and updates, leaves alone what is equal, deletes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blocks.prefect_failures import asking_prefect
from deployments.block_files.building import build, check_connection, load_block
from deployments.block_files.comparing import BlockChange, KeptBlock, compare, find_kept
from deployments.block_files.reading import ReadBlock, read_block_file
from deployments.block_files.types import quiet_notifiers
from penstock.errors import ConfigurationError, PenstockError
from penstock.platform import BlockRef, DbtCloudJob, PlatformSpec
from penstock.spec import Artifact
from penstock.wording import counted
from tasks.definitions.problems import DefinitionProblems, Problem

if TYPE_CHECKING:
    from prefect.blocks.core import Block


class AppliedFile(Artifact):
    """What applying a file did, or would do."""

    is_dry_run: bool
    blocks: tuple[BlockChange, ...]
    missing: tuple[str, ...] = ()
    """Blocks that the platform names and that are neither in the file nor in Prefect."""


def apply_file(path: Path, *, is_dry_run: bool, platform: PlatformSpec | None = None) -> AppliedFile:
    """Applies a file, inside of a Prefect API.

    Everything is read, resolved and compared before the first block is saved.

    Args:
        path: The file.
        is_dry_run: Only tells what would be done.
        platform: Applies only the blocks that this platform names, and those that they refer to.

    Raises:
        ConfigurationError: a block or secret that is referred to does not exist.
        DefinitionProblems: the file cannot be used as it is.
        RejectedError: Prefect or a secrets manager refused.
        TransientError: Prefect cannot be reached.
    """
    named = None if platform is None else {reference.block for reference in references_of(platform)}
    with quiet_notifiers():
        blocks = read_block_file(path, only=named)
        compared = _compared(blocks)
        if not is_dry_run:
            _save_all([read for read, change in compared if change.action != "unchanged"], path)
    missing = sorted(named - {read.reference.block for read in blocks}) if named else []
    return AppliedFile(
        is_dry_run=is_dry_run,
        blocks=tuple(change for _, change in compared),
        missing=tuple(name for name in missing if not _exists(BlockRef(block=name))),
    )


def references_of(platform: PlatformSpec) -> Iterator[BlockRef]:
    """Yields the blocks that a platform names."""
    dbt = [platform.dbt.connection] if isinstance(platform.dbt, DbtCloudJob) else []
    for setting in (platform.store, platform.warehouse, *platform.connections.values(), *dbt):
        if isinstance(setting, BlockRef):
            yield setting


def _compared(blocks: list[ReadBlock]) -> list[tuple[ReadBlock, BlockChange]]:
    """Returns what each block changes; all that is wrong with their values is raised at once."""
    built: dict[str, Block] = {}
    problems: list[Problem] = []

    def lookup(reference: BlockRef) -> Block:
        if reference.block not in built:
            built[reference.block] = load_block(reference)
        return built[reference.block]

    compared = []
    for read in blocks:
        try:
            block = built[read.reference.block] = build(read, lookup)
            check_connection(read, block)
        except DefinitionProblems as error:
            problems += error.problems
            continue
        except ConfigurationError as error:
            problems.append(_problem(read, error))
            continue
        kept: KeptBlock | None = find_kept(read)
        compared.append((read, compare(read, block, kept)))
    if problems:
        raise DefinitionProblems(problems)
    return compared


def _problem(read: ReadBlock, error: ConfigurationError) -> Problem:
    """Returns what a reference leads to, with the block that has the reference."""
    key = f"blocks[{read.place[1]}]"
    return Problem(*read.tree.mark, key, error.message_with_facts(), guidance=error.guidance)


def _save_all(blocks: list[ReadBlock], path: Path) -> None:
    for saved, read in enumerate(blocks):
        name = read.reference.block
        try:
            # Built anew, on the blocks that Prefect has by now: it keeps references to saved blocks only.
            block: Any = build(read, load_block)
            with asking_prefect(block=name):
                block.save(read.reference.name, overwrite=True, _sync=True)
        except PenstockError as error:
            if not saved:
                raise
            guidance = f"{error.guidance} Saved before: {counted(saved, 'block')}."
            raise type(error)(error.message, guidance=guidance, **error.facts, file=path) from None


def _exists(reference: BlockRef) -> bool:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with asking_prefect(block=reference.block), get_client(sync_client=True) as client:
        try:
            client.read_block_document_by_name(reference.name, reference.type, include_secrets=False)
        except ObjectNotFound:
            return False
    return True
