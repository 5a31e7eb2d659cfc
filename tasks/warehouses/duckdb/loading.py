"""The steps of one load: a survey, then in one transaction prepare, land, apply, record, commit.

Each is a function of its own, called through this module, so that a test can stop the process after any of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from penstock.artifacts import LoadPlan, LoadResult, StagedBatch, StagedFile
from penstock.errors import ConfigurationError
from penstock.ledger import LoadRecord, covers
from penstock.strategy import Append, Cdc, FullRefresh, Historical, Incremental, Partition
from tasks.warehouses.columns import check_needed_columns, check_widened, column_warnings, decide_columns, own_columns
from tasks.warehouses.duckdb.batch_query import incoming_types, read_batch
from tasks.warehouses.duckdb.changes import apply_changes
from tasks.warehouses.duckdb.connection import Sql, transaction
from tasks.warehouses.duckdb.history import add_versions
from tasks.warehouses.duckdb.landing import Keyed, knows_columns, land_in_table, reject_unusable
from tasks.warehouses.duckdb.ledger import (
    has_batch,
    last_extraction,
    migrate,
    touching_records,
    write_files,
    write_record,
)
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.duckdb.quoting import literal
from tasks.warehouses.duckdb.reading import RowRange
from tasks.warehouses.duckdb.reading_csv import count_rows, count_rows_exactly
from tasks.warehouses.duckdb.rejects import (
    collect_unclosed,
    collect_unread,
    count_rejected,
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
from tasks.warehouses.duckdb.tables import column_types, describe, prepare_statements, widened_types
from tasks.warehouses.duckdb.templates import statement
from tasks.warehouses.duckdb.upsert import upsert
from tasks.warehouses.guards import check_age, check_counts, check_interval, check_rejected, check_table


def run_load(sql: Sql, plan: LoadPlan, batch: StagedBatch, paths: StagedPaths) -> LoadResult:
    """Loads a staged batch; nothing of it stays unless the commit was reached."""
    started = time.perf_counter()
    if plan.batch_id != batch.batch_id:
        raise ConfigurationError(
            "the plan and the staged files are not of one batch",
            guidance="Pass what one run has planned and staged.",
            planned=plan.batch_id,
            staged=batch.batch_id,
        )
    migrate(sql)
    records = touching_records(sql, plan.target, plan.interval, plan.strategy.kind)
    if has_batch(sql, batch.batch_id) or (not plan.reload and covers(records, plan.interval)):
        return LoadResult(outcome="already_loaded", target=plan.target, batch_id=batch.batch_id)
    check_interval(plan, records)
    check_age(plan, last_extraction(sql, plan.target))
    state = LoadState(sql, plan, batch, paths, describe(sql, plan.target), loaded_at=datetime.now(UTC))
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
    state.types = column_types(state.table, created | widened, plan.strategy)


def prepare(state: LoadState) -> None:
    """Gives the target the columns it needs, and the session what the steps after it use."""
    sql = state.sql
    sql.run(f"SET TimeZone = {literal(state.plan.interval.timezone)}")
    sql.run(statement("order", "instant", {}))
    sql.run(statement("order", "rank", {}))
    create_rejected(sql)
    is_replaced = isinstance(state.plan.strategy, FullRefresh)
    for ddl in prepare_statements(state.table, state.types, is_replaced=is_replaced):
        sql.run(ddl)


def land(state: LoadState) -> None:
    """Reads the files' rows into the warehouse, and reconciles them with what the files hold."""
    import duckdb

    into_target = isinstance(state.plan.strategy, FullRefresh | Append | Partition)
    try:
        state.counts.landed = land_in_target(state) if into_target else land_in_table(state)
    except duckdb.InvalidInputException:
        _expected_rows(state, count_rows_exactly)  # tells files apart whose records end in several ways
        raise
    uncounted = collect_unread(state)
    state.counts.rejected = count_rejected(state.sql)
    check_rejected(state.plan, state.counts.rejected, first_rejected(state.sql))
    _reconcile(state, uncounted)


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
    record = _record(state)
    write_record(state.sql, record)
    write_files(state.sql, state.plan.target, state.batch, state.loaded_at)
    write_rejects(state)
    change = state.change
    return LoadResult(
        outcome="loaded",
        target=state.plan.target,
        batch_id=state.batch.batch_id,
        rows_staged=record.rows_staged,
        rows_landed=record.rows_landed,
        rows_rejected=record.rows_rejected,
        rows_inserted=record.rows_inserted,
        rows_updated=record.rows_updated,
        rows_deleted=record.rows_deleted,
        rows_total=record.rows_total,
        columns_added=change.added,
        columns_missing=change.missing,
        columns_ignored=change.ignored,
        warnings=tuple(state.warnings),
    )


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


def _reconcile(state: LoadState, uncounted: int) -> None:
    """Compares the rows that landed or were rejected with an independent count, and with the extraction's."""
    counts = state.counts
    expected = _expected_rows(state, count_rows)
    if not expected.holds(counts.staged - uncounted):
        counts.rejected += collect_unclosed(state)
        check_rejected(state.plan, counts.rejected, first_rejected(state.sql))
        expected = _expected_rows(state, count_rows_exactly)
    if not expected.holds(counts.staged - uncounted):
        check_counts(state.plan, staged=expected.minimum + uncounted, landed=counts.landed, rejected=counts.rejected)
    check_counts(state.plan, staged=state.batch.row_count, landed=counts.landed, rejected=counts.rejected)


def _expected_rows(state: LoadState, count: Callable[[StagedFile, StagedPaths], RowRange]) -> RowRange:
    """Returns how many rows the files hold, counting those that no survey has counted."""
    total = RowRange(0, 0)
    for reading in state.readings:
        total = total.plus(reading.expected or count(reading.files[0], state.paths))
    return total


def _record(state: LoadState) -> LoadRecord:
    plan, counts = state.plan, state.counts
    return LoadRecord(
        batch_id=state.batch.batch_id,
        client=plan.client,
        pipeline=plan.pipeline,
        source=plan.source,
        dataset=plan.dataset,
        target=plan.target,
        strategy=plan.strategy.kind,
        interval_start=plan.interval.start,
        interval_end=plan.interval.end,
        timezone=plan.interval.timezone,
        as_of=plan.interval.as_of,
        run_kind=plan.run_kind,
        run_id=plan.run_id,
        rows_staged=counts.staged,
        rows_landed=counts.landed,
        rows_rejected=counts.rejected,
        rows_inserted=counts.inserted,
        rows_updated=counts.updated,
        rows_deleted=counts.deleted,
        rows_total=state.sql.count(f"SELECT count(*) FROM {state.target}"),
        size_bytes=state.batch.size_bytes or sum(file.size_bytes for file in state.batch.files),
        file_count=len(state.batch.files),
        extracted_at=plan.extracted_at,
        loaded_at=state.loaded_at,
    )
