"""What crosses tasks: references to files and facts about them, never data."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from penstock.spec import Artifact, TableName
from penstock.strategy import LoadStrategy

LAKE = "lake"
"""Logical name of the platform's own object store."""

METADATA_COLUMNS = ("_source_file", "_batch_id", "_window_start", "_window_end", "_extracted_at", "_loaded_at")


class FileFormat(StrEnum):
    """How a file holds rows."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class Compression(StrEnum):
    """How a whole file is compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class RunKind(StrEnum):
    """Why a load happens. Only a scheduled or hand-started forward run moves the forward position."""

    FORWARD = "forward"
    BACKFILL = "backfill"


class Interval(Artifact):
    """A half-open span of time `[start, end)`, decided once from a run's scheduled time.

    Both bounds are aware and in UTC; both are None for a full extraction. `timezone` is the zone in which the window
    was cut; `as_of` is the scheduled time it was resolved from.
    """

    start: AwareDatetime | None
    end: AwareDatetime | None
    timezone: str = "UTC"
    as_of: AwareDatetime

    @property
    def is_full(self) -> bool:
        """Whether the interval has no bounds."""
        return self.start is None or self.end is None

    def bounds(self) -> tuple[datetime, datetime]:
        """Returns (start, end); only for an interval that has them."""
        if self.start is None or self.end is None:
            raise ValueError("a full interval has no bounds")
        return self.start, self.end


NewLine = Literal["\n", "\r\n", "\r"]


class CsvDialect(Artifact):
    """How a CSV file is written. An empty field is NULL, a quoted empty field is an empty string."""

    delimiter: str = Field(default=",", min_length=1)
    quote: str = Field(default='"', description="Empty where nothing is quoted.")
    escape: str = '"'
    encoding: Literal["utf-8", "utf-16", "latin-1"] = "utf-8"
    new_line: NewLine | None = Field(default=None, description="What ends a record; staging finds it by peeking.")
    skip_rows: int = Field(default=0, ge=0, description="Lines above the header.")
    columns: tuple[str, ...] | None = Field(default=None, description="Their names, where the file has no header.")
    null_texts: tuple[str, ...] = Field(default=(), description="Unquoted texts that mean NULL besides the empty one.")


class OriginalFile(Artifact):
    """A file at its source, of which loadable files were made, or which was brought into the lake as it is."""

    store: str = Field(description="The connection that leads to where it is.")
    key: str
    size_bytes: int
    etag: str | None = None
    modified_at: AwareDatetime | None = None


class ExtractedFile(Artifact):
    """One file as the source gave it, in the lake or (for files that already exist) in the source's own store."""

    store: str = Field(default=LAKE, description="`lake`, or the connection whose store holds the file.")
    key: str
    format: FileFormat
    compression: Compression = Compression.NONE
    size_bytes: int
    etag: str | None = None
    row_count: int | None = Field(default=None, description="None where the bytes never passed through the worker.")
    columns: tuple[str, ...] | None = Field(default=None, description="Names as the source writes them, where known.")
    dialect: CsvDialect | None = None
    source_name: str = Field(description="What `_source_file` will hold.")
    modified_at: AwareDatetime | None = None
    original: OriginalFile | None = Field(default=None, description="What it was made of; None for a file as it came.")

    @property
    def source_etag(self) -> str | None:
        """What tells its content apart at the source."""
        return self.original.etag if self.original else self.etag


class Extraction(Artifact):
    """One dataset's batch for one interval; complete when its manifest exists in the lake."""

    batch_id: str
    dataset: str
    interval: Interval
    files: tuple[ExtractedFile, ...]
    row_count: int | None
    extracted_at: AwareDatetime
    warnings: tuple[str, ...] = ()


class StagedColumn(Artifact):
    """A column by position: its bronze name, and the name the file has for it."""

    name: str
    source_name: str


class StagedFile(Artifact):
    """A file in the lake's `stage/` zone that a warehouse can COPY as it is."""

    key: str
    format: FileFormat
    compression: Compression
    size_bytes: int
    etag: str
    columns: tuple[StagedColumn, ...] | None = Field(
        description="By position for CSV, by name for Parquet; None for JSON lines, whose keys the warehouse finds."
    )
    dialect: CsvDialect | None = None
    header_rows: int = 0
    row_count: int | None = None
    source_name: str
    source_etag: str | None = Field(default=None, description="What told this content apart at the source.")
    source_key: str | None = Field(default=None, description="The whole file at the source; a part of it has its key.")
    source_size_bytes: int | None = None
    source_modified_at: AwareDatetime | None = None
    is_empty: bool = Field(default=False, description="No byte of data: nothing to load, and no columns to learn.")


class StagedBatch(Artifact):
    """All staged files of one batch."""

    batch_id: str
    files: tuple[StagedFile, ...]
    row_count: int | None = Field(default=None, description="Rows that the extraction counted, where it did.")
    size_bytes: int = 0


class TableRef(Artifact):
    """A table by schema and name, both lower-case identifiers."""

    schema_name: TableName
    name: TableName

    def __str__(self) -> str:
        return f"{self.schema_name}.{self.name}"


class Guards(Artifact):
    """What stops a load before it destroys. Each can be set per dataset and overridden for one run."""

    allow_empty: bool = Field(default=False, description="Let an empty extract replace a table that has rows.")
    minimum_fraction: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Refuse a whole snapshot with less than this share of the last load's rows.",
    )
    maximum_rejected: int = Field(
        default=0, ge=0, description="Rows that may be rejected (and kept) before the load stops."
    )


SchemaContract = Literal["evolve", "freeze", "ignore"]


class LoadPlan(Artifact):
    """Everything decided about one load; a warehouse needs nothing else but the staged files."""

    client: str
    pipeline: str
    source: str
    dataset: str
    target: TableRef
    strategy: LoadStrategy
    interval: Interval
    batch_id: str
    run_id: str
    run_kind: RunKind = RunKind.FORWARD
    schema_contract: SchemaContract = "evolve"
    typed: bool = Field(default=False, description="Keep the file's own types (SQL sources) instead of text.")
    guards: Guards = Guards()
    reload: bool = Field(default=False, description="Load although the ledger already has the interval.")
    extracted_at: AwareDatetime


LoadOutcome = Literal["loaded", "already_loaded"]


class LoadResult(Artifact):
    """What a committed load did. `staged = landed + rejected` was checked before the commit."""

    outcome: LoadOutcome
    target: TableRef
    batch_id: str
    rows_staged: int = 0
    rows_landed: int = 0
    rows_rejected: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    rows_total: int | None = Field(default=None, description="Rows in the table after the load.")
    columns_added: tuple[str, ...] = ()
    columns_missing: tuple[str, ...] = ()
    columns_ignored: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
