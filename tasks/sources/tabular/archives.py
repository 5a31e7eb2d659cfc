"""Reads the members of a zip archive, one after the other."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from penstock.errors import DataError, PenstockError
from tasks.sources.globs import compile_glob
from tasks.sources.tabular.formats import is_archive
from tasks.sources.tabular.loadable import Block, Loadable

_ENCRYPTED = 0x1
_SPOOLED_BYTES = 8 << 20
_LARGEST_RATIO = 2_000
"""DEFLATE makes at most 1,032 bytes of one; more is a forged size, or a bomb of another method."""

Convert = Callable[[BinaryIO, str], Iterator[Loadable]]


def read_members(file: BinaryIO, name: str, members: str, convert: Convert) -> Iterator[Loadable]:
    """Yields what `convert` makes of an archive's members; each is named by its path in the archive.

    Args:
        file: An archive, from which any place can be read.
        name: Its name.
        members: Which members are meant, as a glob over their paths.
        convert: Converts one member.

    Raises:
        DataError: it is no archive, none of its members is meant, or one of those cannot be read.
    """
    with _explained(name), zipfile.ZipFile(file) as archive:
        chosen = _choose(archive, members, name)
        for info in chosen:
            with _explained(name, info.filename), _opened(archive, info) as member:
                for loadable in convert(member, info.filename):
                    yield _inside(loadable, name, info.filename)


def _choose(archive: zipfile.ZipFile, members: str, name: str) -> list[zipfile.ZipInfo]:
    pattern = compile_glob(members)
    found = [info for info in archive.infolist() if not info.is_dir() and not _is_of_a_desktop(info.filename)]
    chosen = [info for info in found if pattern.fullmatch(info.filename)]
    if not chosen:
        raise DataError(
            "no member of the archive is meant",
            guidance="Correct the dataset's `members`, or have the archive delivered whole.",
            source_name=name,
            members=members,
            member_count=len(found),
        )
    for info in chosen:
        _check_readable(info, name)
    return chosen


def _is_of_a_desktop(path: str) -> bool:
    """Returns whether it is what a desktop puts beside files: resource forks, hidden files, icons."""
    return path.startswith("__MACOSX/") or path.rsplit("/", 1)[-1].startswith((".", "~$", "Thumbs.db"))


def _check_readable(info: zipfile.ZipInfo, name: str) -> None:
    reason = None
    if info.flag_bits & _ENCRYPTED:
        reason = "it is encrypted"
    elif is_archive(info.filename):
        reason = "it is an archive itself"
    elif info.file_size > _LARGEST_RATIO * max(info.compress_size, 1):
        reason = "it says that it is far larger than its bytes can be"
    if reason:
        raise DataError(
            "a member of the archive cannot be read",
            guidance="Have it delivered as a plain file, or leave it out with the dataset's `members`.",
            source_name=name,
            member=info.filename,
            reason=reason,
        )


@contextmanager
def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[BinaryIO]:
    """Opens a member; a workbook, which is read from its end, is unpacked to a file that has no name first."""
    with archive.open(info) as member:
        if not info.filename.lower().endswith((".xlsx", ".xlsm")):
            yield cast("BinaryIO", member)
            return
        with tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES) as unpacked:
            shutil.copyfileobj(member, unpacked)
            unpacked.seek(0)
            yield cast("BinaryIO", unpacked)


def _inside(loadable: Loadable, name: str, member: str) -> Loadable:
    part = f"{member}#{loadable.part}" if loadable.part else member
    return loadable._replace(name=f"{name}.{loadable.name}", part=part, blocks=_blocks(loadable.blocks, name, member))


def _blocks(blocks: Iterator[Block], name: str, member: str) -> Iterator[Block]:
    with _explained(name, member):
        yield from blocks


@contextmanager
def _explained(name: str, member: str | None = None) -> Iterator[None]:
    try:
        yield
    except PenstockError as error:
        if member is not None:
            error.facts |= {"source_name": name, "member": member}
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DataError(
            "the archive cannot be read",
            guidance="Have it delivered again; a cut-off upload looks like this.",
            source_name=name,
            member=member,
            reason=type(error).__name__,
        ) from error
