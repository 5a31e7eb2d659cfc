"""Whether a warehouse can be reached and loaded, by one query of its own dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from penstock.connections import PostgresConnection, SnowflakeConnection
from penstock.errors import ConfigurationError, RejectedError
from tasks.probing.contract import Probing, Seen
from tasks.warehouses.contract import Warehouse
from tasks.warehouses.opening import open_warehouse

_OLDEST_POSTGRES = 150_000
_WAITS = ("lock_timeout_seconds", "connect_timeout_seconds", "login_timeout_seconds", "statement_timeout_seconds")

_POSTGRES = """
SELECT current_setting('server_version_num')::int,
       current_user,
       has_database_privilege(current_database(), 'CREATE'),
       EXISTS (SELECT FROM pg_namespace WHERE nspname = 'penstock' AND has_schema_privilege(oid, 'CREATE')),
       pg_is_in_recovery()
"""
_SNOWFLAKE = "SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_DATABASE(), CURRENT_WAREHOUSE()"


def probe_warehouse(connection: BaseModel, *, timeout_seconds: float) -> Seen:
    """Opens a warehouse as loads do, and asks it for the rights that they need.

    Args:
        connection: One of the warehouse connections.
        timeout_seconds: The longest that it waits for a lock, a session or an answer.

    Raises:
        PenstockError: it cannot be reached, or a right is missing; the guidance says which.
    """
    return probe_opened(open_warehouse(_impatient(connection, timeout_seconds)), connection)


def probe_opened(warehouse: Warehouse, connection: BaseModel) -> Seen:
    """Asks an open warehouse for the rights that loads need; see `probe_warehouse`."""
    if isinstance(warehouse, Probing):
        return warehouse.probe()
    return _PROBES[type(connection)](warehouse, connection)


def _impatient(connection: BaseModel, timeout_seconds: float) -> BaseModel:
    """Returns a connection that waits no longer for anything than its probe may take."""
    waits: dict[str, Any] = {
        name: type(value)(min(value, timeout_seconds))
        for name in _WAITS
        if (value := getattr(connection, name, None)) is not None
    }
    if isinstance(connection, SnowflakeConnection):
        # Queries run where people's do; what matters is where loads run.
        waits["compute"] = connection.compute.model_copy(update={"reporting": None})
    return connection.model_copy(update=waits)


def _probe_postgres(warehouse: Warehouse, connection: PostgresConnection) -> Seen:
    version, user, may_create, has_ledger, is_replica = warehouse.query(_POSTGRES).rows[0]
    if version < _OLDEST_POSTGRES:
        raise ConfigurationError(
            "the server is older than Penstock's SQL needs", guidance="Use PostgreSQL 15 or newer.", version=version
        )
    if is_replica:
        raise ConfigurationError(
            "the server is a replica, which takes no loads",
            guidance="Let the connection lead to the primary server.",
            host=connection.host,
        )
    grant = f'Let an owner of it run: GRANT CREATE ON DATABASE "{connection.database}" TO "{user}";'
    if not may_create and not has_ledger:
        raise RejectedError(
            "the user may not create schemas in the database", guidance=grant, user=user, database=connection.database
        )
    if not may_create:
        return Seen(f"PostgreSQL {version // 10_000} as {user}, which may not create new schemas", True, grant)
    return Seen(f"PostgreSQL {version // 10_000} as {user}, which may create schemas")


def _probe_snowflake(warehouse: Warehouse, connection: SnowflakeConnection) -> Seen:
    user, role, database, compute = warehouse.query(_SNOWFLAKE).rows[0]
    wanted = {"DATABASE": (database, connection.database), "WAREHOUSE": (compute, connection.compute.load)}
    for sort, (current, name) in wanted.items():
        if current is None:
            raise RejectedError(
                f"the role may not use the {sort.lower()}, or there is none of that name",
                guidance=f"Let its owner run: GRANT USAGE ON {sort} {name} TO ROLE {role};",
                role=role,
                name=name,
            )
    return Seen(f"Snowflake as {user} in the role {role}, on {compute}")


_PROBES: dict[type[BaseModel], Callable[[Warehouse, Any], Seen]] = {
    PostgresConnection: _probe_postgres,
    SnowflakeConnection: _probe_snowflake,
}
