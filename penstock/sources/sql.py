"""A SQL database as a source: tables or views, whole or by a column of time, with the database's own types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from penstock.findings import Finding
from penstock.governance import DatasetGovernance
from penstock.sources.base import DatasetSpec, SourceSpec, SourceTraits
from penstock.spec import Spec
from penstock.strategy import Partition
from penstock.window import TimeWindow, Timezone

WindowType = Literal["auto", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds"]
NullCursor = Literal["error", "include", "skip"]
LoadType = Literal["full", "append", "partition", "incremental", "scd1", "scd2", "cdc"]
UnfitTimes = Annotated[
    Literal["error", "null"],
    # YAML's bare `null` is no text.
    BeforeValidator(lambda value: "null" if value is None else value),
    WithJsonSchema({"enum": ["error", "null", None]}),
]
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=128)]

SOURCE_DELETED = "source_deleted"
"""The column that a `delete_marker` adds: true where the source holds the row for deleted."""


class TableReading(Spec):
    """How a table is read, in both forms in which a file may name one."""

    source_table: str | None = Field(
        default=None,
        description="Table or view, such as `customers` or `shop.customers`; the dataset's name if left out.",
    )
    columns: tuple[ColumnName, ...] = Field(default=(), description="Only these columns; all of them if left out.")
    exclude_columns: tuple[ColumnName, ...] = Field(default=(), description="All columns but these.")
    as_text: tuple[ColumnName, ...] = Field(
        default=(),
        description="Columns that are read as the text that the database writes for them, where their type holds less.",
    )
    window_type: WindowType = Field(
        default="auto", description="What a window column of numbers counts; for any other, its own type says it."
    )
    naive_timezone: Timezone | None = Field(
        default=None, description="The zone of a window column's times without one; the window's if left out."
    )
    null_cursor: NullCursor = Field(
        default="error",
        description="Rows whose window column is NULL: `error` stops, `include` reads them each time, `skip` says so.",
    )
    delete_marker: ColumnName | None = Field(
        default=None,
        description=f"Column that marks a deleted row (a time, or true); it adds `{SOURCE_DELETED}`, for `cdc`.",
    )
    unfit_times: UnfitTimes = Field(
        default="error", description="Times that no warehouse holds, such as `infinity` and zero dates."
    )
    parallel_ranges: int | None = Field(
        default=None,
        ge=1,
        le=16,
        description="Ranges of a PostgreSQL table read at once; by its size if empty.",
    )

    @model_validator(mode="after")
    def _chooses_columns_once(self) -> Self:
        if self.columns and self.exclude_columns:
            raise ValueError("give `columns` or `exclude_columns`, not both")
        return self


class SqlDataset(TableReading, DatasetSpec):
    """A table or view of the database."""

    window_column: ColumnName | None = Field(
        default=None,
        description="The column of time by which an interval is read; without it, an extraction reads every row.",
    )

    @model_validator(mode="after")
    def _has_a_column_whose_type_it_says(self) -> SqlDataset:
        if self.window_type != "auto" and self.window_column is None:
            raise ValueError("`window_type` goes with `window_column`")
        return self

    @property
    def relation(self) -> str:
        """The table as the file names it."""
        return self.source_table or self.name


class SqlSource(SourceSpec):
    """A MySQL, MariaDB or PostgreSQL database."""

    kind: Literal["sql"]


class SqlTable(TableReading):
    """A table by its metadata; it becomes an ordinary dataset."""

    name: str = Field(description="The dataset's name.")
    load_type: LoadType = Field(
        description="`full`, `append`, `partition`, `incremental` (or `scd1`), `scd2`, or `cdc` with a `delete_marker`."
    )
    primary_key: Annotated[str, StringConstraints(min_length=1)] | Annotated[tuple[str, ...], Field(min_length=1)] = (
        Field(default=(), description="Column or columns that identify a row, as bronze calls them.")
    )
    watermark_column: str | None = Field(
        default=None,
        description="Column of time that changes with the row; without it, each run reads all.",
    )
    window: TimeWindow | None = Field(default=None, description="As in `datasets`.")
    governance: DatasetGovernance = Field(default=DatasetGovernance(), description="As in `datasets`.")

    @model_validator(mode="after")
    def _has_what_its_load_needs(self) -> SqlTable:
        needs_keys = self.load_type in {"incremental", "scd1", "scd2", "cdc"}
        if needs_keys and not self.primary_key:
            raise ValueError(f"`{self.load_type}` needs a `primary_key`")
        if self.load_type in {"append", "partition", "cdc"} and self.watermark_column is None:
            raise ValueError(f"`{self.load_type}` needs a `watermark_column`")
        if self.load_type == "cdc" and self.delete_marker is None:
            raise ValueError("`cdc` needs a `delete_marker`")
        return self

    def to_dataset(self) -> dict[str, Any]:
        """Returns the entry of `datasets` that means the same."""
        kept = self.model_dump(exclude={"load_type", "primary_key", "watermark_column"}, exclude_defaults=True)
        kept["load_strategy"] = self._strategy()
        if self.load_type == "full" or self.watermark_column is None:
            return {**kept, "window": {"kind": "full"}}
        return {**kept, "window_column": self.watermark_column}

    def _strategy(self) -> dict[str, Any]:
        keys = [self.primary_key] if isinstance(self.primary_key, str) else list(self.primary_key)
        order = {"order_by": self.watermark_column} if self.watermark_column else {}
        match self.load_type:
            case "full":
                return {"kind": "full_refresh"}
            case "append":
                return {"kind": "append"}
            case "partition":
                return {"kind": "partition", "column": self.watermark_column}
            case "scd2":
                return {"kind": "historical", "keys": keys, **order}
            case "cdc":
                return {"kind": "cdc", "keys": keys, **order, "delete_column": SOURCE_DELETED}
            case _:
                return {"kind": "incremental", "keys": keys, **order}


def sql_traits(dataset: DatasetSpec) -> SourceTraits:
    """Returns a table's traits: without a window column every row is read."""
    by_window = isinstance(dataset, SqlDataset) and dataset.window_column is not None
    return SourceTraits(honours_window=by_window, absent_rows_are_deleted=True, keeps_types=True)


def check_sql_dataset(dataset: DatasetSpec, window: TimeWindow) -> Iterator[Finding]:
    """Yields what is wrong with a table's columns, and with the zone of its times."""
    if not isinstance(dataset, SqlDataset):
        return
    zone = dataset.naive_timezone
    if zone and zone != window.timezone and isinstance(dataset.load_strategy, Partition):
        yield Finding(
            ("naive_timezone",),
            f"`partition` takes a time without a zone for one of the window's ({window.timezone})",
            "Set the window's `timezone` to that of the column.",
            suggestion=window.timezone,
        )
    needed = {"window_column": dataset.window_column, "delete_marker": dataset.delete_marker}
    for key, column in needed.items():
        if column and (column in dataset.exclude_columns or (dataset.columns and column not in dataset.columns)):
            yield Finding(
                (key,), f"`{column}` is not among the columns that are read", "Read it too, or name another column."
            )
