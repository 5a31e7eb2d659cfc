"""The steps of one load, in one transaction: survey, prepare, land, apply, record, commit; then tend.

Each is a function of its own, called through this module, so that a test can stop the process after any of them.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime

from penstock.artifacts import LoadPlan, LoadResult, StagedBatch
from penstock.ledger import covers
from penstock.strategy import Append, Cdc, FullRefresh, Historical, Incremental, Partition
from tasks.warehouses.columns import check_needed_columns, check_widened, column_warnings, decide_columns, own_columns
from tasks.warehouses.counts import check_batch, load_record, load_result
from tasks.warehouses.duckdb.staged_paths import filled_files
from tasks.warehouses.guards import check_age, check_interval, check_table
from tasks.warehouses.keys import Keyed, unusable_checks
from tasks.warehouses.postgres.changes import apply_changes
from tasks.warehouses.postgres.connection import Sql, lock_in_transaction, transaction
from tasks.warehouses.postgres.files import StagedFiles
from tasks.warehouses.postgres.history import add_versions, date_versions
from tasks.warehouses.postgres.landing import create_landing, is_plain, knows_columns, land_rows
from tasks.warehouses.postgres.ledger import (
    ensure_schema,
    has_batch,
    last_extraction,
    migrate,
    touching_records,
    write_files,
    write_record,
)
from tasks.warehouses.postgres.load_state import LANDING, LoadState
from tasks.warehouses.postgres.rejects import create_rejected, reject_failing, write_rejects
from tasks.warehouses.postgres.replacing import replace
from tasks.warehouses.postgres.tables import (
    TYPES,
    change_statements,
    columns_of,
    create_key_index,
    describe,
    duckdb_type_of,
    type_of,
)
from tasks.warehouses.postgres.upsert import upsert
from tasks.warehouses.quoting import literal

_DUCKDB_TEXT = "VARCHAR"


def run_load(sql: Sql, plan: LoadPlan, batch: StagedBatch, files: StagedFiles) -> LoadResult:
    """Loads a staged batch; nothing of it stays unless the commit was reached."""
    started = time.perf_counter()
    check_batch(plan, batch)
    migrate(sql)
    ensure_schema(sql, plan.target.schema_name)
    with transaction(sql):
        lock_in_transaction(sql, f"load:{plan.target}")
        records = touching_records(sql, plan.target, plan.interval, plan.strategy.kind)
        if has_batch(sql, batch.batch_id) or (not plan.reload and covers(records, plan.interval)):
            sql.run("ROLLBACK")
            return LoadResult(outcome="already_loaded", target=plan.target, batch_id=batch.batch_id)
        check_interval(plan, records)
        newest = last_extraction(sql, plan.target)
        check_age(plan, newest)
        state = LoadState(
            sql=sql,
            plan=plan,
            batch=batch,
            files=files,
            table=describe(sql, plan.target),
            loaded_at=datetime.now(UTC),
            newest_extraction=newest,
        )
        check_table(plan, tuple(state.table.types), int(state.table.has_rows))
        survey(state)
        prepare(state)
        land(state)
        apply(state)
        result = record(state)
        commit(state)
    tend(state)
    return result.model_copy(update={"seconds": time.perf_counter() - started})


def survey(state: LoadState) -> None:
    """Finds out what the files bring, and decides the columns."""
    plan, table = state.plan, state.table
    brought = _brought_columns(state)
    incoming = None if brought is None else tuple(brought)
    state.change = decide_columns(own_columns(tuple(table.types)), incoming, plan.schema_contract, target=plan.target)
    check_needed_columns(plan, state.change, incoming)
    state.warnings += column_warnings(state.change)
    widened = _widened_types(state, brought or {}) if plan.typed else {}
    check_widened(plan, widened)
    state.warnings += [f"the column {name} was widened to {of_type}" for name, of_type in widened.items()]
    created = {name: type_of((brought or {})[name]) for name in state.change.created}
    state.types = TYPES.of_table(table, created | widened, plan.strategy)


def prepare(state: LoadState) -> None:
    """Makes the table that the rows land in, and the target where there is none."""
    # Times without an offset are in the zone of the interval.
    state.sql.run(f"SET LOCAL TimeZone = {literal(state.plan.interval.timezone)}")
    create_rejected(state.sql)
    create_landing(state)
    if not state.table.exists and not state.lands_in_target:
        state.sql.run(f"CREATE TABLE {state.target} ({columns_of(state.types)})")


def land(state: LoadState) -> None:
    """Reads the files' rows into the warehouse, and reconciles them with what the files hold."""
    land_rows(state)


def apply(state: LoadState) -> None:
    """Gives the landed rows the effect of the strategy.

    Readers of an existing table wait only from here on, and only where it gets new columns.
    """
    if state.table.exists:
        for ddl in change_statements(state.table, state.types):
            state.sql.run(ddl)
        # Nobody else writes; readers go on.
        state.sql.run(f"LOCK TABLE {state.target} IN SHARE ROW EXCLUSIVE MODE")
    strategy = state.plan.strategy
    match strategy:
        case FullRefresh() | Append() | Partition():
            replace(state, strategy)
        case Incremental() | Historical() | Cdc():
            _apply_keyed(state, strategy)


def record(state: LoadState) -> LoadResult:
    """Writes the ledger's row, the files and the rejected rows of the load."""
    rows_total = state.sql.count(f"SELECT count(*) FROM {state.target}")
    write_files(state.sql, state.plan.target, state.batch, state.loaded_at)
    write_rejects(state)
    record = load_record(state.plan, state.batch, state.counts, rows_total=rows_total, loaded_at=state.loaded_at)
    write_record(state.sql, record)
    return load_result(record, state.change, state.warnings)


def commit(state: LoadState) -> None:
    """Makes all of it visible, or none."""
    state.sql.run("COMMIT")


def tend(state: LoadState) -> None:
    """Tells the planner what the table holds now.

    The load is committed: what goes wrong here is the next load's, or autovacuum's, to make good. A VACUUM is left to
    the latter: it would read all of a large table after each small load.
    """
    import psycopg

    counts = state.counts
    with suppress(psycopg.Error):
        if counts.landed or counts.deleted or counts.updated:
            state.sql.run(f"ANALYZE (SKIP_LOCKED) {state.target}")


def _apply_keyed(state: LoadState, strategy: Keyed) -> None:
    if not knows_columns(state):
        return
    if isinstance(strategy, Historical):
        date_versions(state, strategy)
    reject_failing(state, LANDING, unusable_checks(strategy))
    if state.table.has_rows:
        create_key_index(state.sql, state.plan.target, strategy.key_columns)
    match strategy:
        case Incremental():
            upsert(state, strategy)
        case Historical():
            add_versions(state, strategy)
        case Cdc():
            apply_changes(state, strategy)
    if not state.table.has_rows:
        create_key_index(state.sql, state.plan.target, strategy.key_columns)


def _brought_columns(state: LoadState) -> dict[str, str] | None:
    """Returns the batch's columns with DuckDB's types; None where no record or header tells."""
    if is_plain(state):
        return {column.name: _DUCKDB_TEXT for file in filled_files(state.batch) for column in file.columns or ()}
    if not filled_files(state.batch):
        return None
    return state.files.reader(state.plan, state.batch).survey()


def _widened_types(state: LoadState, brought: dict[str, str]) -> dict[str, str]:
    """Returns the table's columns that cannot hold what comes, with the types that hold both."""
    widened = {}
    for name, of_type in brought.items():
        held = state.table.types.get(name)
        if held is not None and held not in {type_of(of_type), "text"}:
            reader = state.files.reader(state.plan, state.batch)
            wanted = type_of(reader.unified([duckdb_type_of(held), of_type]))
            if wanted != held:
                widened[name] = wanted
    return widened
