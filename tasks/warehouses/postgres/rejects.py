"""Rows that did not land: collected in a temporary table, judged, and kept with the load."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.warehouses.duckdb.batch_reader import ReadRow
from tasks.warehouses.guards import RejectedRow, RowCheck, check_rejected
from tasks.warehouses.postgres.connection import Sql
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.templates import statement
from tasks.warehouses.quoting import identifiers, literal

_NUL = "\0"
_NUL_SIGN = "\N{SYMBOL FOR NULL}"


def create_rejected(sql: Sql) -> None:
    """Makes the temporary table of rejected rows."""
    sql.run(
        "CREATE TEMP TABLE rejected "
        "(source_file TEXT, line BIGINT, reason TEXT, raw_text TEXT, file_number INTEGER DEFAULT 0) ON COMMIT DROP"
    )


def keep_unread(sql: Sql, rows: Sequence[ReadRow]) -> None:
    """Collects what the readers left out."""
    if rows:
        sql.run_many("INSERT INTO rejected VALUES ($1, $2, $3, $4, $5)", [_without_nul(row) for row in rows])


def reject_failing(state: LoadState, relation: str, checks: Sequence[RowCheck]) -> None:
    """Moves landed rows that fail a check out of a relation, and judges how many those are.

    Args:
        state: The load.
        relation: The table that holds what the load has landed, and nothing else.
        checks: What rejects a row; the first that does gives the reason.

    Raises:
        GuardError: there are more than the plan allows.
    """
    some = " OR ".join(check.condition for check in checks)
    if not checks or not state.counts.landed:
        return
    if not state.sql.count(statement("replace", "count_failing", {"relation": relation, "condition": some})):
        return
    moved = 0
    for check in checks:
        values = {
            "relation": relation,
            "condition": check.condition,
            "reason": literal(check.reason),
            "fields": identifiers(state.own_columns),
        }
        state.sql.run(statement("replace", "keep_failing", values))
        moved += state.sql.run(statement("replace", "delete_failing", values))
    state.counts.landed -= moved
    state.counts.rejected += moved
    check_rejected(state.plan, state.counts.rejected, first_rejected(state.sql), is_guard=True)


def first_rejected(sql: Sql) -> RejectedRow | None:
    """Returns the first rejected row, by file and line."""
    rows = sql.rows("SELECT source_file, line, reason FROM rejected ORDER BY file_number, line NULLS LAST LIMIT 1")
    return RejectedRow(*rows[0]) if rows else None


def write_rejects(state: LoadState) -> None:
    """Keeps the rejected rows."""
    values = (state.plan.batch_id, state.plan.target.schema_name, state.plan.target.name)
    state.sql.run(
        "INSERT INTO penstock.rejects SELECT "
        f"{', '.join(literal(value) for value in values)}, source_file, line, reason, raw_text, "
        f"{literal(state.loaded_at)} FROM rejected"
    )


def _without_nul(row: ReadRow) -> tuple[object, ...]:
    return tuple(value.replace(_NUL, _NUL_SIGN) if isinstance(value, str) else value for value in row)
