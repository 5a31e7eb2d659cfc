"""Schema as code: the statements that give an account what Penstock needs. Each may run again and then does nothing.

Databases and virtual warehouses are made by SYSADMIN, roles and grants by SECURITYADMIN, as Snowflake advises; whoever
runs them needs both roles. Penstock's own tables belong to the loader role, which upgrades them later.
"""

from __future__ import annotations

from typing import NamedTuple

from penstock.connections import ExternalStage, SnowflakeConnection
from tasks.staging.contract import ObjectStore
from tasks.warehouses.snowflake.ledger import migration_statements
from tasks.warehouses.snowflake.quoting import identifier, literal
from tasks.warehouses.snowflake.stage_files import stage_name, stage_url

SUSPEND_SECONDS = 60
_SIZES = {"load": "XSMALL", "load_large": "MEDIUM", "transform": "SMALL", "reporting": "XSMALL"}


class Roles(NamedTuple):
    """Who loads, who builds silver and gold, and who reads gold."""

    loader: str
    transformer: str
    reporter: str


def roles_of(connection: SnowflakeConnection) -> Roles:
    """Returns the roles of a database; the loader is the connection's own where it names one."""
    database = connection.database
    return Roles(connection.role or f"{database}_loader", f"{database}_transformer", f"{database}_reporter")


def setup_statements(connection: SnowflakeConnection, store: ObjectStore) -> list[str]:
    """Returns the statements that set up a database, in their order.

    Args:
        connection: The database, its roles, its virtual warehouses and its stage.
        store: The lake, which an external stage points to.

    Raises:
        ConfigurationError: the stage is external, and the lake is no bucket.
    """
    roles = roles_of(connection)
    return [
        "USE ROLE SYSADMIN",
        f"CREATE DATABASE IF NOT EXISTS {identifier(connection.database)}",
        *_compute_statements(connection),
        "USE ROLE SECURITYADMIN",
        *_role_statements(connection, roles),
        *_grant_statements(connection, roles),
        f"USE ROLE {identifier(roles.loader)}",
        f"USE WAREHOUSE {identifier(connection.compute.load)}",
        f"USE DATABASE {identifier(connection.database)}",
        *migration_statements(0, connection.stage),
        *_stage_statements(connection, store),
        f"USE ROLE {identifier(roles.transformer)}",
        *(f"CREATE SCHEMA IF NOT EXISTS {_schema(connection, name)}" for name in ("silver", "gold")),
        "USE ROLE SECURITYADMIN",
        *_reading_statements(connection, roles),
    ]


def _compute_statements(connection: SnowflakeConnection) -> list[str]:
    statements = {}
    for purpose, size in _SIZES.items():
        name = getattr(connection.compute, purpose)
        if name and name not in statements:
            statements[name] = (
                f"CREATE WAREHOUSE IF NOT EXISTS {identifier(name)} WAREHOUSE_SIZE = {literal(size)} "
                f"AUTO_SUSPEND = {SUSPEND_SECONDS} AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE "
                f"STATEMENT_TIMEOUT_IN_SECONDS = {connection.statement_timeout_seconds}"
            )
    return list(statements.values())


def _role_statements(connection: SnowflakeConnection, roles: Roles) -> list[str]:
    made = [f"CREATE ROLE IF NOT EXISTS {identifier(role)}" for role in roles]
    granted = [f"GRANT ROLE {identifier(role)} TO ROLE SYSADMIN" for role in roles]
    # Penstock signs in with one role, also for dbt: what the transformer may do, the loader may.
    granted.append(f"GRANT ROLE {identifier(roles.transformer)} TO ROLE {identifier(roles.loader)}")
    to_user = [
        f"GRANT ROLE {identifier(role)} TO USER {identifier(connection.user)}"
        for role in (roles.loader, roles.transformer)
    ]
    return [*made, *granted, *to_user]


def _grant_statements(connection: SnowflakeConnection, roles: Roles) -> list[str]:
    database, compute = identifier(connection.database), connection.compute
    users = {
        roles.loader: (compute.load, compute.load_large, compute.reporting),
        roles.transformer: (compute.transform or compute.load,),
        roles.reporter: (compute.reporting or compute.load,),
    }
    grants = [
        f"GRANT USAGE, OPERATE ON WAREHOUSE {identifier(name)} TO ROLE {identifier(role)}"
        for role, names in users.items()
        for name in dict.fromkeys(names)
        if name
    ]
    grants += [
        f"GRANT USAGE, CREATE SCHEMA ON DATABASE {database} TO ROLE {identifier(role)}"
        for role in (roles.loader, roles.transformer)
    ]
    grants.append(f"GRANT USAGE ON DATABASE {database} TO ROLE {identifier(roles.reporter)}")
    if isinstance(connection.stage, ExternalStage):
        integration = identifier(connection.stage.storage_integration)
        grants.append(f"GRANT USAGE ON INTEGRATION {integration} TO ROLE {identifier(roles.loader)}")
    transformer = identifier(roles.transformer)
    return [
        *grants,
        f"GRANT USAGE ON FUTURE SCHEMAS IN DATABASE {database} TO ROLE {transformer}",
        f"GRANT USAGE ON ALL SCHEMAS IN DATABASE {database} TO ROLE {transformer}",
        f"GRANT SELECT ON FUTURE TABLES IN DATABASE {database} TO ROLE {transformer}",
        f"GRANT SELECT ON ALL TABLES IN DATABASE {database} TO ROLE {transformer}",
    ]


def _stage_statements(connection: SnowflakeConnection, store: ObjectStore) -> list[str]:
    stage = connection.stage
    if not isinstance(stage, ExternalStage):
        return []
    return [
        f"CREATE STAGE IF NOT EXISTS {stage_name(stage)} URL = {literal(stage_url(store))} "
        f"STORAGE_INTEGRATION = {identifier(stage.storage_integration)}"
    ]


def _reading_statements(connection: SnowflakeConnection, roles: Roles) -> list[str]:
    """Returns the grants of those who read gold, and nothing else: bronze and silver hold personal data."""
    gold, reporter = _schema(connection, "gold"), identifier(roles.reporter)
    return [
        f"GRANT USAGE ON SCHEMA {gold} TO ROLE {reporter}",
        *(
            f"GRANT SELECT ON {which} {kind} IN SCHEMA {gold} TO ROLE {reporter}"
            for which in ("FUTURE", "ALL")
            for kind in ("TABLES", "VIEWS")
        ),
    ]


def _schema(connection: SnowflakeConnection, name: str) -> str:
    return f"{identifier(connection.database)}.{identifier(name)}"
