"""DuckDB's readers for other warehouses: a staged batch as Arrow batches, and the rows that cannot be read.

Nothing is kept in DuckDB but the rejected rows; what does not fit into memory spills to the scratch folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.artifacts import LoadPlan, StagedBatch
from tasks.warehouses.columns import ColumnChange
from tasks.warehouses.duckdb.batch_query import batch_query, incoming_types, read_batch
from tasks.warehouses.duckdb.connection import Sql, cap_threads
from tasks.warehouses.duckdb.errors import explained
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.duckdb.reconciling import read_reconciled
from tasks.warehouses.duckdb.rejects import create_rejected
from tasks.warehouses.duckdb.staged_paths import StagedPaths
from tasks.warehouses.duckdb.tables import TYPES, unified_types
from tasks.warehouses.quoting import identifier, literal
from tasks.warehouses.tables import CountedTable

if TYPE_CHECKING:
    import duckdb

_MEMORY_LIMIT = "256MB"
_BATCH_ROWS = 50_000
_SOURCE_FILE = "_source_file"


ArrowBatch = Any
"""A `pyarrow.RecordBatch`; pyarrow has no types."""


class ReadRow(NamedTuple):
    """A rejected row; `file_number` is its file's place in the batch."""

    source_file: str
    line: int | None
    reason: str
    raw_text: str | None
    file_number: int


class BatchReader:
    """One staged batch, surveyed once and read once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, plan: LoadPlan, batch: StagedBatch, paths: StagedPaths):
        self._connection = connection
        nothing = CountedTable(plan.target, exists=False, types={}, row_count=0)
        self._state = LoadState(
            sql=Sql(connection), plan=plan, batch=batch, paths=paths, table=nothing, loaded_at=plan.extracted_at
        )
        self._brought: dict[str, str] | None = None
        self._is_surveyed = False

    def survey(self) -> dict[str, str] | None:
        """Returns the batch's columns with DuckDB's types, in order; None where no record or header tells.

        Raises:
            DataError: a file cannot be read as what it claims to be.
        """
        if not self._is_surveyed:
            with explained():
                self._state.readings = read_batch(self._state)
                self._brought = incoming_types(self._state.sql, self._state.readings)
            self._is_surveyed = True
        return self._brought

    def unified(self, types: Sequence[str]) -> str:
        """Returns the type of DuckDB's that holds the values of several."""
        with explained():
            return unified_types(self._state.sql, types)

    def read(
        self,
        columns: Mapping[str, str],
        expressions: Mapping[str, str],
        write: Callable[[Iterator[ArrowBatch]], int],
        *,
        in_order: bool,
        unfit: str | None = None,
    ) -> list[ReadRow]:
        """Reads the batch and reconciles what came of it; returns the rejected rows.

        Args:
            columns: The columns to read with DuckDB's types, from what `survey` told.
            expressions: What is read instead of a column's value, by name.
            write: Takes the columns and, as the last one, `_source_file`; returns how many rows it wrote.
            in_order: Whether the rows have to come in the files' order.
            unfit: A character that no value may hold; rows that do are rejected.

        Raises:
            DataError: too many rows cannot be read, or they do not add up.
        """
        state = self._state
        state.change = ColumnChange(written=tuple(columns), created=tuple(columns))
        state.types = {**columns, **TYPES.metadata}
        state.sql.run(f"SET preserve_insertion_order = {literal(in_order)}")
        selected = ", ".join(
            [f"{expressions.get(name, identifier(name))} AS {identifier(name)}" for name in columns] + [_SOURCE_FILE]
        )

        def read_and_write(state: LoadState) -> int:
            rows = f"({batch_query(state)}) AS b"
            if unfit is not None:
                rows = self._keep_fit(rows, unfit)
            reader = self._connection.sql(f"SELECT {selected} FROM {rows}").to_arrow_reader(_BATCH_ROWS)
            return write(iter(reader))

        with explained():
            read_reconciled(state, read_and_write)
            found = "SELECT source_file, line, reason, raw_text, file_number FROM rejected"
            return [ReadRow(*row) for row in state.sql.rows(found)]

    @property
    def landed(self) -> int:
        """How many rows the last `read` wrote."""
        return self._state.counts.landed

    def _keep_fit(self, rows: str, unfit: str) -> str:
        """Rejects the rows that hold the character, and returns the others."""
        sql, character = self._state.sql, f"chr({ord(unfit)})"
        own = [name for name, of_type in self._state.types.items() if name not in TYPES.metadata]
        unfitting = " OR ".join(f"contains(CAST({identifier(name)} AS VARCHAR), {character})" for name in own)
        fields = ", ".join(f"{literal(name)}: {identifier(name)}" for name in own)
        sql.run(f"CREATE TEMP TABLE read AS SELECT * FROM {rows}")
        sql.run(
            f"INSERT INTO rejected SELECT _source_file, NULL, {literal(unfit_reason(unfit))}, "
            f"CAST(to_json({{{fields}}}) AS VARCHAR), 0 FROM read WHERE {unfitting}"
        )
        return f"(SELECT * FROM read WHERE NOT coalesce({unfitting}, false))"


def unfit_reason(character: str) -> str:
    """Returns why a row with a character that no value may hold is rejected."""
    return f"a value holds the character U+{ord(character):04X}, which the warehouse cannot hold"


@contextmanager
def batch_reader(plan: LoadPlan, batch: StagedBatch, paths: StagedPaths) -> Iterator[BatchReader]:
    """Opens a reader for the time of one load."""
    import duckdb

    spill = paths.new().parent
    config: dict[str, Any] = {
        "memory_limit": _MEMORY_LIMIT,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(":memory:", config=config) as connection:
        sql = Sql(connection)
        sql.run("SET TimeZone = 'UTC'")
        cap_threads(sql)
        create_rejected(sql)
        yield BatchReader(connection, plan, batch, paths)
