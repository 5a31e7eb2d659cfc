"""The steps of one load: a survey, then in one transaction prepare, land, apply, record, commit.

Each is a function of its own, called through this module, so that a test can stop the process after any of them.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from penstock.artifacts import LoadPlan, LoadResult, StagedBatch
from penstock.ledger import covers
from penstock.strategy import Append, Cdc, FullRefresh, Historical, Incremental, Partition
from tasks.warehouses.columns import check_needed_columns, check_widened, column_warnings, decide_columns, own_columns
from tasks.warehouses.counts import check_batch, load_record, load_result
from tasks.warehouses.duckdb.batch_query import incoming_types, read_batch
from tasks.warehouses.duckdb.changes import apply_changes
from tasks.warehouses.duckdb.connection import Sql, transaction
from tasks.warehouses.duckdb.history import add_versions
from tasks.warehouses.duckdb.landing import knows_columns, land_in_table, reject_unusable
from tasks.warehouses.duckdb.ledger import (
    has_batch,
    last_extraction,
    migrate,
    touching_records,
    write_files,
    write_record,
)
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.duckdb.reading_parquet import varied_texts
from tasks.warehouses.duckdb.reconciling import read_reconciled
from tasks.warehouses.duckdb.rejects import (
    create_rejected,
    first_rejected,
    write_rejects,
)
from tasks.warehouses.duckdb.replacing import (
    land_in_target,
    reject_outside_partition,
    replace_all,
    replace_partition,
    replace_window,
)
from tasks.warehouses.duckdb.staged_paths import StagedPaths
from tasks.warehouses.duckdb.tables import TYPES, describe, may_choose_zstd, prepare_statements, widened_types
from tasks.warehouses.duckdb.templates import statement
from tasks.warehouses.duckdb.upsert import upsert
from tasks.warehouses.guards import check_age, check_interval, check_rejected, check_table
from tasks.warehouses.keys import Keyed
from tasks.warehouses.quoting import literal


def run_load(sql: Sql, plan: LoadPlan, batch: StagedBatch, paths: StagedPaths) -> LoadResult:
    """Loads a staged batch; nothing of it stays unless the commit was reached."""
    started = time.perf_counter()
    check_batch(plan, batch)
    migrate(sql)
    records = touching_records(sql, plan.target, plan.interval, plan.strategy.kind)
    if has_batch(sql, batch.batch_id) or (not plan.reload and covers(records, plan.interval)):
        return LoadResult(outcome="already_loaded", target=plan.target, batch_id=batch.batch_id)
    check_interval(plan, records)
    newest = last_extraction(sql, plan.target)
    check_age(plan, newest)
    state = LoadState(
        sql=sql,
        plan=plan,
        batch=batch,
        paths=paths,
        table=describe(sql, plan.target),
        loaded_at=datetime.now(UTC),
        newest_extraction=newest,
    )
    check_table(plan, tuple(state.table.types), state.table.row_count)
    survey(state)
    with transaction(sql):
        prepare(state)
        land(state)
        apply(state)
        result = record(state)
        commit(state)
    return result.model_copy(update={"seconds": time.perf_counter() - started})


def survey(state: LoadState) -> None:
    """Finds out what the files bring, and decides the columns; the files do not change, so no transaction is needed."""
    sql, plan = state.sql, state.plan
    state.readings = read_batch(state)
    types = incoming_types(sql, state.readings)
    incoming = None if types is None else tuple(types)
    existing = own_columns(tuple(state.table.types))
    state.change = decide_columns(existing, incoming, plan.schema_contract, target=plan.target)
    check_needed_columns(plan, state.change, incoming)
    state.warnings += column_warnings(state.change)
    widened = widened_types(sql, state.table, types or {}) if plan.typed else {}
    check_widened(plan, widened)
    state.warnings += [f"the column {name} was widened to {of_type}" for name, of_type in widened.items()]
    created = {name: (types or {})[name] for name in state.change.created}
    state.types = TYPES.of_table(state.table, created | widened, plan.strategy)
    is_made = isinstance(plan.strategy, FullRefresh) or not state.table.exists
    if is_made and may_choose_zstd(sql):
        state.varied = varied_texts(sql, state.readings)


def prepare(state: LoadState) -> None:
    """Gives the target the columns it needs, and the session what the steps after it use."""
    sql = state.sql
    sql.run(f"SET TimeZone = {literal(state.plan.interval.timezone)}")
    sql.run(statement("order", "instant", {}))
    sql.run(statement("order", "rank", {}))
    create_rejected(sql)
    is_replaced = isinstance(state.plan.strategy, FullRefresh)
    types = {name: state.types[name] for name in state.landed_columns} if is_replaced else state.types
    for ddl in prepare_statements(state.table, types, is_replaced=is_replaced, varied=state.varied):
        sql.run(ddl)


def land(state: LoadState) -> None:
    """Reads the files' rows into the warehouse, and reconciles them with what the files hold."""
    into_target = isinstance(state.plan.strategy, FullRefresh | Append | Partition)
    read_reconciled(state, land_in_target if into_target else land_in_table)


def apply(state: LoadState) -> None:
    """Gives the landed rows the effect of the strategy."""
    strategy = state.plan.strategy
    match strategy:
        case FullRefresh():
            replace_all(state)
        case Append():
            replace_window(state)
        case Partition():
            _reject(state, reject_outside_partition(state, strategy) if state.counts.landed else 0)
            replace_partition(state, strategy)
        case Incremental() | Historical() | Cdc():
            _apply_keyed(state, strategy)


def record(state: LoadState) -> LoadResult:
    """Writes the ledger's row, the files and the rejected rows of the load."""
    rows_total = state.sql.count(f"SELECT count(*) FROM {state.target}")
    record = load_record(state.plan, state.batch, state.counts, rows_total=rows_total, loaded_at=state.loaded_at)
    write_record(state.sql, record)
    write_files(state.sql, state.plan.target, state.batch, state.loaded_at)
    write_rejects(state)
    return load_result(record, state.change, state.warnings)


def commit(state: LoadState) -> None:
    """Makes all of it visible, or none."""
    state.sql.run("COMMIT")


def _apply_keyed(state: LoadState, strategy: Keyed) -> None:
    if not knows_columns(state):
        return
    if state.counts.landed:
        _reject(state, reject_unusable(state, strategy))
    match strategy:
        case Incremental():
            upsert(state, strategy)
        case Historical():
            add_versions(state, strategy)
        case Cdc():
            apply_changes(state, strategy)


def _reject(state: LoadState, moved: int) -> None:
    state.counts.landed -= moved
    state.counts.rejected += moved
    if moved:
        check_rejected(state.plan, state.counts.rejected, first_rejected(state.sql), is_guard=True)
