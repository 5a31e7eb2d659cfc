"""Sets up a warehouse before its first load: what an account needs around the tables, and Penstock's own tables."""

from __future__ import annotations

from pydantic import BaseModel

from penstock.connections import SnowflakeConnection
from tasks.staging.contract import ObjectStore
from tasks.warehouses.opening import open_warehouse


def init_statements(connection: BaseModel, store: ObjectStore) -> list[str]:
    """Returns the statements that set up a warehouse's account; none where there is nothing but tables to make.

    Args:
        connection: One of the connections of `penstock.connections`.
        store: The platform's lake.

    Raises:
        ConfigurationError: the warehouse cannot read the lake as its connection says.
    """
    if isinstance(connection, SnowflakeConnection):
        from tasks.warehouses.snowflake.account_setup import setup_statements

        return setup_statements(connection, store)
    return []


def init_warehouse(connection: BaseModel, store: ObjectStore) -> list[str]:
    """Sets up a warehouse, and returns the statements that were run in its account; running it again is safe.

    Raises:
        ConfigurationError: credentials or rights are missing; or the warehouse was upgraded by a newer Penstock.
        TransientError: the warehouse cannot be reached.
    """
    statements = init_statements(connection, store)
    if isinstance(connection, SnowflakeConnection):
        from tasks.warehouses.snowflake.session import Account

        # The loader's role may not exist yet: the user's default role begins, and the statements choose others.
        with Account(connection.model_copy(update={"role": None})).session("load") as sql:
            for statement in statements:
                sql.run(statement)
    open_warehouse(connection).migrate()
    return statements
