"""The steps of one load: survey, land, prepare; then in one transaction lock, apply, record, commit.

Snowflake commits on DDL, so all of it comes before the transaction: the landing table is made, filled and judged
first, then the target gets its columns. Each step is a function of its own, called through this module, so that a test
can stop the process after any of them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from penstock.artifacts import LoadPlan, LoadResult, StagedBatch
from penstock.connections import ExternalStage, InternalStage
from penstock.errors import PenstockError
from penstock.ledger import covers
from penstock.strategy import Append, Cdc, FullRefresh, Historical, Incremental, Partition
from tasks.staging.contract import ObjectStore
from tasks.warehouses.columns import check_needed_columns, check_widened, column_warnings, decide_columns, own_columns
from tasks.warehouses.counts import check_batch, load_record, load_result
from tasks.warehouses.guards import RowCheck, check_age, check_interval, check_table
from tasks.warehouses.keys import Keyed
from tasks.warehouses.snowflake import reading_json, reading_parquet
from tasks.warehouses.snowflake.clustering import cluster
from tasks.warehouses.snowflake.copy_history import keep_copy_history
from tasks.warehouses.snowflake.keyed import apply_keyed, create_applied
from tasks.warehouses.snowflake.landing import create_landing, create_rows, knows_columns, land_files, reject_failing
from tasks.warehouses.snowflake.ledger import (
    has_batch,
    last_extraction,
    migrate,
    touching_records,
    write_files,
    write_record,
    write_rejects,
)
from tasks.warehouses.snowflake.load_state import LoadState, new_names
from tasks.warehouses.snowflake.ordering import instant
from tasks.warehouses.snowflake.quoting import identifier
from tasks.warehouses.snowflake.replacing import partition_checks, replace_all, replace_partition, replace_window
from tasks.warehouses.snowflake.session import Sql, transaction
from tasks.warehouses.snowflake.stage_files import stage_name, staged_names
from tasks.warehouses.snowflake.tables import TEXT, TYPES, describe, prepare_statements, widened_types

LEFTOVER_AGE = timedelta(days=2)
"""How old a load's own objects must be before another load takes them for those of a killed one."""

_OWN_OBJECT = re.compile(
    r"(?:landing|lines|rows|applied)_((\d{14})_[0-9a-f]{8}_[0-9a-f]{8})(?:_checked)?", re.IGNORECASE
)


def run_load(
    sql: Sql, plan: LoadPlan, batch: StagedBatch, store: ObjectStore, stage: InternalStage | ExternalStage
) -> LoadResult:
    """Loads a staged batch; no row of it stays unless the commit was reached."""
    started = time.perf_counter()
    check_batch(plan, batch)
    migrate(sql, stage)
    if is_loaded(sql, plan):
        return already_loaded(plan)
    table = describe(sql, plan.target)
    check_table(plan, tuple(table.types), table.row_count)
    sweep(sql, stage)
    now = datetime.now(UTC)
    names = new_names(batch.batch_id, now)
    with staged_names(sql, stage, batch, store, names.suffix) as staged:
        state = LoadState(sql=sql, plan=plan, batch=batch, staged=staged, names=names, table=table, loaded_at=now)
        with own_objects(state):
            survey(state)
            land(state)
            prepare(state)
            result = commit_load(state)
            if result.outcome == "loaded":
                keep_copy_history(state)
    return result.model_copy(update={"seconds": time.perf_counter() - started})


def commit_load(state: LoadState) -> LoadResult:
    """Applies the landed rows, and commits them with the ledger's row."""
    with transaction(state.sql):
        lock(state)
        if is_loaded(state.sql, state.plan):
            state.sql.run("ROLLBACK")
            return already_loaded(state.plan)
        apply(state)
        result = record(state)
        commit(state)
    return result


def is_loaded(sql: Sql, plan: LoadPlan) -> bool:
    """Returns whether the ledger has the batch or its interval.

    Raises:
        ConfigurationError: the strategy cannot work on the interval.
        GuardError: the load would spoil what is loaded.
    """
    records = touching_records(sql, plan.target, plan.interval, plan.strategy.kind)
    if has_batch(sql, plan.batch_id) or (not plan.reload and covers(records, plan.interval)):
        return True
    check_interval(plan, records)
    check_age(plan, last_extraction(sql, plan.target))
    return False


def already_loaded(plan: LoadPlan) -> LoadResult:
    """Returns the result of a load that had nothing to do."""
    return LoadResult(outcome="already_loaded", target=plan.target, batch_id=plan.batch_id)


def survey(state: LoadState) -> None:
    """Finds out what the files bring, and decides the columns."""
    plan = state.plan
    reading_json.land_lines(state)
    types = _incoming_types(state)
    incoming = None if types is None else tuple(types)
    state.change = decide_columns(
        own_columns(tuple(state.table.types)), incoming, plan.schema_contract, target=plan.target
    )
    check_needed_columns(plan, state.change, incoming)
    state.warnings += column_warnings(state.change)
    widened = widened_types(state.table, types or {}) if plan.typed else {}
    check_widened(plan, widened)
    state.warnings += [f"the column {name} was widened to {of_type}" for name, of_type in widened.items()]
    created = {name: (types or {})[name] for name in state.change.created}
    state.types = TYPES.of_table(state.table, created | widened, plan.strategy)


def land(state: LoadState) -> None:
    """Lands the files' rows beside the target, reconciles them, and rejects those that the strategy cannot use."""
    create_landing(state)
    land_files(state)
    create_rows(state)
    strategy = state.plan.strategy
    if state.counts.landed and knows_columns(state):
        reject_failing(state, _row_checks(state))
    if isinstance(strategy, Incremental | Historical | Cdc):
        create_applied(state)


def prepare(state: LoadState) -> None:
    """Gives the target the columns it needs, and the load something to lock; all that commits by itself."""
    for ddl in prepare_statements(state.table, state.types):
        state.sql.run(ddl)
    cluster(state)
    name = lock_name(state)
    state.sql.run(f"CREATE TRANSIENT TABLE IF NOT EXISTS {name} (taken_at TIMESTAMP_TZ)")
    if not state.sql.count(f"SELECT count(*) FROM {name}"):
        state.sql.run(f"INSERT INTO {name} SELECT CURRENT_TIMESTAMP()")


def lock(state: LoadState) -> None:
    """Waits for other loads of the target, and looks at it again.

    Snowflake locks a table with an UPDATE until the transaction ends; each target has a table for that, so that loads
    of different targets do not wait for each other. Constraints are not enforced, so nothing else keeps two apart.
    """
    state.sql.run(f"UPDATE {lock_name(state)} SET taken_at = CURRENT_TIMESTAMP()")
    state.table = state.table._replace(row_count=state.sql.count(f"SELECT count(*) FROM {state.target}"))


def apply(state: LoadState) -> None:
    """Gives the landed rows the effect of the strategy."""
    strategy = state.plan.strategy
    match strategy:
        case FullRefresh():
            replace_all(state)
        case Append():
            replace_window(state)
        case Partition():
            replace_partition(state, strategy)
        case Incremental() | Historical() | Cdc():
            _apply_keyed(state, strategy)


def record(state: LoadState) -> LoadResult:
    """Writes the ledger's row, the files and the rejected rows of the load."""
    target, batch = state.plan.target, state.batch
    rows_total = state.sql.count(f"SELECT count(*) FROM {state.target}")
    row = load_record(state.plan, batch, state.counts, rows_total=rows_total, loaded_at=state.loaded_at)
    write_record(state.sql, row)
    write_files(state.sql, target, batch, state.loaded_at)
    rejects = [reject[1:] for reject in state.rejects]
    write_rejects(state.sql, target, batch.batch_id, rejects, state.loaded_at)
    return load_result(row, state.change, state.warnings)


def commit(state: LoadState) -> None:
    """Makes all of it visible, or none."""
    state.sql.run("COMMIT")


def lock_name(state: LoadState) -> str:
    """Returns the table that stands for the target's lock."""
    target = state.plan.target
    return f"penstock.{identifier(f'lock__{target.schema_name}__{target.name}')}"


@contextmanager
def own_objects(state: LoadState) -> Iterator[None]:
    """Drops the objects that the load makes for itself when it ends; those that stay are swept by a later load."""
    from snowflake.connector import errors

    names = state.names
    try:
        yield
    finally:
        with suppress(errors.Error, PenstockError):
            state.sql.run(f"DROP VIEW IF EXISTS {names.rows}")
            for table in (names.applied, names.lines, names.landing):
                state.sql.run(f"DROP TABLE IF EXISTS {table}")


def sweep(sql: Sql, stage: InternalStage | ExternalStage) -> None:
    """Drops the objects of loads that were killed long ago, and the files that they uploaded."""
    query = (
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'PENSTOCK' "
        "AND REGEXP_LIKE(table_name, '(LANDING|LINES|ROWS|APPLIED)_[0-9]{14}_.*')"
    )
    oldest = f"{datetime.now(UTC) - LEFTOVER_AGE:%Y%m%d%H%M%S}"
    for name, kind in sql.rows(query):
        found = _OWN_OBJECT.fullmatch(name)
        if found and found[2] < oldest:
            if isinstance(stage, InternalStage):
                sql.run(f"REMOVE @{stage_name(stage)}/{found[1].lower()}/")
            sql.run(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} IF EXISTS penstock.{identifier(name)}")


def _incoming_types(state: LoadState) -> dict[str, str] | None:
    """Returns the batch's columns with their types, in the files' order; None where no record or header tells."""
    types: dict[str, str] = {}
    parquet = reading_parquet.column_types(state)
    for file in state.files:
        names = state.json_keys if file.columns is None else [column.name for column in file.columns]
        types |= {name: parquet.get(name, TEXT) for name in names if name not in types}
    return types or None


def _row_checks(state: LoadState) -> list[RowCheck]:
    strategy = state.plan.strategy
    if isinstance(strategy, Partition):
        return partition_checks(state, strategy)
    if not isinstance(strategy, Incremental | Historical | Cdc):
        return []
    checks = [RowCheck(f"{identifier(key)} IS NULL", "a key column is NULL") for key in strategy.key_columns]
    if isinstance(strategy, Historical) and strategy.order_by:
        checks.append(
            RowCheck(f"{instant(identifier(strategy.order_by))} IS NULL", "the order_by column holds no time")
        )
    if isinstance(strategy, Cdc):
        checks.append(RowCheck(f"{identifier(strategy.order_by)} IS NULL", "the order_by column is NULL"))
    return checks


def _apply_keyed(state: LoadState, strategy: Keyed) -> None:
    if knows_columns(state):
        apply_keyed(state, strategy)
