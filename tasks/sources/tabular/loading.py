"""Makes a kept file's loadable files part of a batch."""

from __future__ import annotations

from penstock.artifacts import OriginalFile
from penstock.errors import PenstockError
from penstock.sources.tabular import TabularFiles
from tasks.sources.contract import ExtractSink
from tasks.sources.tabular.converting import convert


def load_original(sink: ExtractSink, original: OriginalFile, settings: TabularFiles) -> None:
    """Converts a file that the sink keeps (under its own key as the name); what comes of it lies beside it.

    A part is named `<file>#<member or sheet>` in `_source_file`.

    Raises:
        PenstockError: the file cannot be converted; `source_name` says which.
    """
    try:
        with sink.open_original(original.key) as file:
            for loadable in convert(file, original.key, settings):
                source_name = f"{original.key}#{loadable.part}" if loadable.part else original.key
                with sink.open_file(
                    loadable.name,
                    format=loadable.format,
                    compression=loadable.compression,
                    dialect=loadable.dialect,
                    source_name=source_name,
                    original=original,
                ) as written:
                    for block in loadable.blocks:
                        written.write(block.data, block.row_count)
    except PenstockError as error:
        error.facts.setdefault("source_name", original.key)
        raise
