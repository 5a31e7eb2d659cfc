"""Turns one file into files that a warehouse can COPY."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, cast

from penstock.artifacts import Compression, CsvDialect, FileFormat
from penstock.errors import ConfigurationError
from penstock.sources.tabular import DialectSpec, TabularFiles, TabularFormat
from tasks.sources.tabular.archives import read_members
from tasks.sources.tabular.fixed_width import fixed_width_blocks
from tasks.sources.tabular.formats import format_of, is_archive
from tasks.sources.tabular.json_documents import json_blocks
from tasks.sources.tabular.loadable import BLOCK_BYTES, PLAIN_CSV, Block, Loadable
from tasks.sources.tabular.trimmed_csv import trimmed_blocks
from tasks.sources.tabular.xlsx import read_workbook

_COPIED_AS_THEY_ARE = frozenset({TabularFormat.CSV, TabularFormat.JSONL, TabularFormat.PARQUET})


def needs_conversion(name: str, settings: TabularFiles) -> bool:
    """Returns whether no warehouse can COPY a file of that name as it is.

    Raises:
        ConfigurationError: its ending does not say its format, and nothing is declared.
    """
    if is_archive(name):
        return True
    found, _ = format_of(name, declared=settings.format)
    if found is TabularFormat.CSV and settings.dialect is not None:
        return not settings.dialect.is_loadable
    return found not in _COPIED_AS_THEY_ARE


def loadable_dialect(settings: TabularFiles) -> CsvDialect | None:
    """Returns how a CSV file of the dataset is written, once it can be loaded; None where peeking finds it."""
    return settings.dialect.to_loadable() if settings.dialect is not None else None


def convert(file: BinaryIO, name: str, settings: TabularFiles) -> Iterator[Loadable]:
    """Yields the loadable files that one file holds; each is to be read before the next.

    Args:
        file: The file; an archive, a workbook and a JSON document are read from any place (`seek`).
        name: Its name, whose ending says what it is where the dataset does not.
        settings: What the dataset says of its files.

    Raises:
        ConfigurationError: what it is or which of its sheets is meant is not said.
        DataError: it is not what it is said to be.
    """
    if is_archive(name):
        return read_members(file, name, settings.members, partial(_convert_one, settings=settings))
    return _convert_one(file, name, settings)


def _convert_one(file: BinaryIO, name: str, settings: TabularFiles) -> Iterator[Loadable]:
    found, compression = format_of(name, declared=settings.format)
    if found is TabularFormat.XLSX:
        yield from read_workbook(file, name, settings.sheet)
    elif not needs_conversion(name, settings):
        dialect = loadable_dialect(settings) if found is TabularFormat.CSV else None
        yield Loadable(name, None, FileFormat(found), dialect, Compression.NONE, _as_it_is(file))
    else:
        yield _converted(partial(_from_start, file, compression), name, found, settings)


def _converted(open_file: Callable[[], BinaryIO], name: str, found: TabularFormat, settings: TabularFiles) -> Loadable:
    if found is TabularFormat.JSON:
        blocks = json_blocks(open_file, name, settings.records)
        return Loadable(f"{name}.jsonl.gz", None, FileFormat.JSONL, None, Compression.GZIP, blocks)
    if found is TabularFormat.FIXED_WIDTH and settings.fixed_width is not None:
        blocks, dialect = fixed_width_blocks(open_file(), name, settings.fixed_width), PLAIN_CSV
    elif found is TabularFormat.CSV:
        spec = settings.dialect or DialectSpec()
        blocks, dialect = trimmed_blocks(open_file(), name, spec), spec.to_loadable()
    else:
        raise ConfigurationError(
            "fixed-width files need the widths of their columns",
            guidance="Give them in the dataset's `fixed_width`.",
            source_name=name,
        )
    return Loadable(f"{name}.csv.gz", None, FileFormat.CSV, dialect, Compression.GZIP, blocks)


def _as_it_is(file: BinaryIO) -> Iterator[Block]:
    while data := file.read(BLOCK_BYTES):
        yield Block(data, None)


def _from_start(file: BinaryIO, compression: Compression) -> BinaryIO:
    if file.tell():
        file.seek(0)
    return _decompressed(file, compression)


def _decompressed(file: BinaryIO, compression: Compression) -> BinaryIO:
    match compression:
        case Compression.GZIP:
            return cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb"))
        case Compression.ZSTD:
            import zstandard

            reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False)
            return cast("BinaryIO", reader)
        case Compression.NONE:
            return file
