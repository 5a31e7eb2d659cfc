"""What the steps of one load hand to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from typing_extensions import override

from penstock.strategy import Append, FullRefresh, Partition
from tasks.warehouses.load_state import AnyLoadState
from tasks.warehouses.postgres.connection import Sql
from tasks.warehouses.postgres.files import StagedFiles
from tasks.warehouses.postgres.tables import Table
from tasks.warehouses.postgres.templates import FILES

LANDING = "landing"


@dataclass(kw_only=True)
class LoadState(AnyLoadState):
    """A load under way; `AnyLoadState` has the rest.

    Attributes:
        files: Reads the staged files.
        brought: The batch's columns with DuckDB's types; None where no record or header tells.
    """

    sql_files = FILES

    sql: Sql
    files: StagedFiles
    table: Table
    brought: Mapping[str, str] | None = None

    @property
    def lands_in_target(self) -> bool:
        """Whether rows go straight into the target: it is new, so nobody reads it yet and nothing is replaced."""
        return not self.table.exists and isinstance(self.plan.strategy, FullRefresh | Append | Partition)

    @override
    @contextmanager
    def by_place(self) -> Iterator[None]:
        # Each row is fetched by its ctid: the planner, which takes that for dear, would hash all of the target.
        self.sql.run("SET LOCAL enable_hashjoin = off")
        self.sql.run("SET LOCAL enable_mergejoin = off")
        yield
        self.sql.run("SET LOCAL enable_hashjoin = on")
        self.sql.run("SET LOCAL enable_mergejoin = on")

    @property
    def landed_in(self) -> str:
        """The table that the rows land in, quoted."""
        return self.target if self.lands_in_target else LANDING
