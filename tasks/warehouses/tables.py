"""A target table as a load finds it, and the columns that a load gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from penstock.artifacts import METADATA_COLUMNS, TableRef
from penstock.strategy import Cdc, Historical, LoadStrategy


class TargetTable(Protocol):
    """A table as it is: its columns with their types, in order; `exists` is off before the first load."""

    @property
    def exists(self) -> bool:
        """Whether there is one."""

    @property
    def types(self) -> Mapping[str, str]:
        """Its columns with their types, in order."""

    @property
    def has_rows(self) -> bool:
        """Whether it holds rows."""


class CountedTable(NamedTuple):
    """A table as it is, where counting its rows costs nothing."""

    ref: TableRef
    exists: bool
    types: Mapping[str, str]
    row_count: int

    @property
    def has_rows(self) -> bool:
        """Whether it holds rows."""
        return bool(self.row_count)


class ColumnTypes:
    """A warehouse's types for the columns that loads add to the dataset's own.

    Attributes:
        metadata: The metadata columns with their types.
    """

    def __init__(self, *, text: str, time: str, boolean: str) -> None:
        self.metadata = {name: text if name in {"_source_file", "_batch_id"} else time for name in METADATA_COLUMNS}
        self._time, self._boolean = time, boolean

    def of_strategy(self, strategy: LoadStrategy) -> dict[str, str]:
        """Returns the columns that a strategy adds, with their types."""
        if isinstance(strategy, Historical):
            return {"_valid_from": self._time, "_valid_to": self._time, "_is_current": self._boolean}
        if isinstance(strategy, Cdc) and strategy.deletes == "soft":
            return {"_is_deleted": self._boolean}
        return {}

    def of_table(self, table: TargetTable, changed: Mapping[str, str], strategy: LoadStrategy) -> dict[str, str]:
        """Returns all columns that a table will have, in order: those it has, new ones, metadata, the strategy's.

        Args:
            table: The table as it is.
            changed: The dataset's columns that are new or get another type.
            strategy: May bring columns of its own.
        """
        ours = {**self.metadata, **self.of_strategy(strategy)}
        return {**ours, **table.types, **changed} if table.exists else {**changed, **ours}
