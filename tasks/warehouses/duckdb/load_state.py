"""What the steps of one load hand to each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.duckdb.reading import Reading
from tasks.warehouses.duckdb.staged_paths import StagedPaths
from tasks.warehouses.duckdb.templates import FILES
from tasks.warehouses.load_state import AnyLoadState
from tasks.warehouses.tables import CountedTable

LANDING = "landing"
REJECTED = "rejected"


@dataclass(kw_only=True)
class LoadState(AnyLoadState):
    """A load under way; `AnyLoadState` has the rest.

    Attributes:
        paths: Where the staged files are.
        readings: The queries that read the files.
        varied: Text columns of a table that is made whose values hardly repeat.
    """

    sql_files = FILES

    sql: Sql
    paths: StagedPaths
    table: CountedTable
    readings: Sequence[Reading] = ()
    varied: Collection[str] = ()
