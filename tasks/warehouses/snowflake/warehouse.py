"""The warehouse contract over a Snowflake database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from penstock.artifacts import LoadPlan, LoadResult, RunKind, StagedBatch, TableRef
from penstock.connections import KeyPairAuth, OAuthTokenAuth, SnowflakeConnection
from penstock.errors import RejectedError
from penstock.ledger import LoadRecord, Span
from penstock.strategy import FullRefresh
from penstock.transforms import TransformRecord
from tasks.staging.contract import ObjectStore
from tasks.warehouses.contract import Rows
from tasks.warehouses.ledger_rows import in_utc
from tasks.warehouses.snowflake import ledger
from tasks.warehouses.snowflake.loading import run_load
from tasks.warehouses.snowflake.preview import preview_load
from tasks.warehouses.snowflake.session import Account, Purpose
from tasks.warehouses.snowflake.tables import describe

_READS = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT|WITH|SHOW|DESC|DESCRIBE|EXPLAIN|LIST|LS|VALUES)\b",
    re.IGNORECASE | re.DOTALL,
)


class SnowflakeWarehouse:
    """A Snowflake database as the warehouse; each call has a session of its own."""

    def __init__(self, settings: SnowflakeConnection) -> None:
        self._account = Account(settings)

    def migrate(self) -> None:
        """Creates or upgrades the `penstock` schema; nothing happens where it is current."""
        with self._account.session("load") as sql:
            ledger.migrate(sql, self._account.settings.stage)

    def load(self, plan: LoadPlan, batch: StagedBatch, store: ObjectStore) -> LoadResult:
        """Loads a staged batch as the plan says, in one transaction with its ledger row.

        Raises:
            ConfigurationError: the plan cannot work, or the connection lacks credentials, rights or compute.
            TransientError: Snowflake cannot be reached, or another transaction holds the table.
            RejectedError: the load took longer than it may.
            GuardError: the load would have destroyed data; no row was touched.
            SchemaContractError: the columns differ from what the contract allows.
            DataError: rows cannot be read, do not fit, or do not add up.
        """
        tag = {"pipeline": plan.pipeline, "dataset": plan.dataset, "batch_id": plan.batch_id, "run_id": plan.run_id}
        with self._account.session(_purpose(plan), tag=tag, timezone=plan.interval.timezone) as sql:
            return run_load(sql, plan, batch, store, self._account.settings.stage)

    def loads(self, *, targets: Sequence[TableRef] = (), touching: Span | None = None) -> list[LoadRecord]:
        """Returns ledger rows in the order they were committed; all of them without a filter.

        Args:
            targets: Only of these tables.
            touching: Only what tells whether this time is loaded and where each table stands; see the contract.
        """
        with self._account.session("load") as sql:
            if not ledger.current_version(sql):
                return []
            return ledger.load_records(sql, targets=targets, touching=touching)

    def seen_files(self, target: TableRef, candidates: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Returns those of `(source_name, source_etag)` whose rows the table holds from earlier loads."""
        with self._account.session("load") as sql:
            if not candidates or not ledger.current_version(sql):
                return set()
            return ledger.seen_files(sql, target, candidates)

    def record_transform(self, records: Sequence[TransformRecord]) -> None:
        """Writes the rows of one run's transform into `penstock.transforms`, in place of any that it has there."""
        with self._account.session("load") as sql:
            ledger.migrate(sql, self._account.settings.stage)
            ledger.write_transform(sql, records)

    @contextmanager
    def lent_to_process(self) -> Iterator[Mapping[str, str]]:
        """Tells another process (dbt) how to reach the database; loads need not wait."""
        yield _environment(self._account)

    def preview(self, plan: LoadPlan, columns: Sequence[str]) -> list[str]:
        """Returns what a load would do to the tables as they are, as SQL statements; touches nothing."""
        with self._account.session("load") as sql:
            table = describe(sql, plan.target)
        return preview_load(plan, columns, table, self._account.settings.stage)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Runs one read-only query; instants come in UTC, names in lower case.

        Raises:
            RejectedError: the query is wrong (`driver_message` says how), or would write.
        """
        # The driver sends one statement at a time, and none that begins with one of these words writes.
        if not _READS.match(sql):
            raise RejectedError("only queries are run here", guidance="Begin with SELECT or WITH.")
        with self._account.session("reporting", is_query=True) as session:
            rows = session.rows(sql, parameters)
            names = tuple(name.lower() if name.isupper() else name for name in session.column_names())
            return Rows(names, [tuple(in_utc(value) for value in row) for row in rows])


def _purpose(plan: LoadPlan) -> Purpose:
    """Returns what a load needs: backfills and whole snapshots are larger than a day's rows."""
    is_large = plan.run_kind is RunKind.BACKFILL or (isinstance(plan.strategy, FullRefresh) and plan.interval.is_full)
    return "load_large" if is_large else "load"


def _environment(account: Account) -> dict[str, str]:
    """Returns the variables that dbt's `snowflake` output reads."""
    from snowflake.connector.util_text import construct_hostname

    settings = account.settings
    values: dict[str, str | None] = {
        "PENSTOCK_SNOWFLAKE_ACCOUNT": settings.account,
        "PENSTOCK_SNOWFLAKE_USER": settings.user,
        "PENSTOCK_SNOWFLAKE_DATABASE": settings.database,
        "PENSTOCK_SNOWFLAKE_ROLE": settings.role,
        "PENSTOCK_SNOWFLAKE_WAREHOUSE": account.compute("transform"),
        "PENSTOCK_SNOWFLAKE_HOST": settings.host or construct_hostname(None, settings.account),
        "PENSTOCK_SNOWFLAKE_PORT": str(settings.port) if settings.port else None,
        "PENSTOCK_SNOWFLAKE_PROTOCOL": settings.protocol,
    }
    auth = settings.auth
    if isinstance(auth, KeyPairAuth):
        values["DBT_ENV_SECRET_PENSTOCK_SNOWFLAKE_PRIVATE_KEY"] = auth.private_key.get_secret_value()
        values["DBT_ENV_SECRET_PENSTOCK_SNOWFLAKE_PASSPHRASE"] = (
            auth.passphrase.get_secret_value() if auth.passphrase else None
        )
    elif isinstance(auth, OAuthTokenAuth):
        values |= {
            "PENSTOCK_SNOWFLAKE_AUTHENTICATOR": "oauth",
            "DBT_ENV_SECRET_PENSTOCK_SNOWFLAKE_TOKEN": auth.token.get_secret_value(),
        }
    else:
        values["DBT_ENV_SECRET_PENSTOCK_SNOWFLAKE_PASSWORD"] = auth.password.get_secret_value()
    return {name: value for name, value in values.items() if value is not None}
