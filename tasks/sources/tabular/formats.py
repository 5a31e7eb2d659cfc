"""What a file holds, by its endings (`orders.csv.gz`) or as the dataset declares it."""

from __future__ import annotations

from penstock.artifacts import Compression
from penstock.errors import ConfigurationError
from penstock.sources.tabular import TabularFormat

_FORMATS = {
    "csv": TabularFormat.CSV,
    "tsv": TabularFormat.CSV,
    "jsonl": TabularFormat.JSONL,
    "ndjson": TabularFormat.JSONL,
    "parquet": TabularFormat.PARQUET,
    "pq": TabularFormat.PARQUET,
    "json": TabularFormat.JSON,
    "xlsx": TabularFormat.XLSX,
    "xlsm": TabularFormat.XLSX,
}
_COMPRESSIONS = {"gz": Compression.GZIP, "gzip": Compression.GZIP, "zst": Compression.ZSTD, "zstd": Compression.ZSTD}


def is_archive(name: str) -> bool:
    """Returns whether a file is a zip archive, by its ending."""
    return name.lower().endswith(".zip")


def format_of(key: str, *, declared: TabularFormat | None) -> tuple[TabularFormat, Compression]:
    """Returns how a file holds its rows, and how it is compressed.

    Raises:
        ConfigurationError: Nothing is declared, and the ending says nothing.
    """
    endings = key.rsplit("/", 1)[-1].lower().split(".")[1:]
    compression = _COMPRESSIONS.get(endings[-1], Compression.NONE) if endings else Compression.NONE
    if compression is not Compression.NONE:
        endings.pop()
    found = declared or (_FORMATS.get(endings[-1]) if endings else None)
    if found is None:
        raise ConfigurationError(
            "a matching file's ending does not say its format",
            guidance="Set the dataset's `format`, or narrow its `glob` to the files that are meant.",
            key=key,
        )
    return found, compression
