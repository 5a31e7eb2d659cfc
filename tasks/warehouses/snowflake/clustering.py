"""Clustering keys: by which columns Snowflake keeps a table's rows together, so that queries read fewer of its files.

`ALTER TABLE ... CLUSTER BY` (https://docs.snowflake.com/en/sql-reference/sql/alter-table, "Clustering actions") is DDL
and commits by itself. Snowflake then reclusters on its own, and is paid for that: hence no key that no dataset names.
"""

from __future__ import annotations

from collections.abc import Sequence

from penstock.artifacts import TableRef
from tasks.warehouses.snowflake.load_state import LoadState
from tasks.warehouses.snowflake.quoting import identifiers, literal
from tasks.warehouses.snowflake.session import Sql


def cluster(state: LoadState) -> None:
    """Gives the target the clustering key that its dataset wants; DDL, so before the transaction.

    A dataset without one leaves a key that the table has: somebody gave it that.
    """
    wanted = state.plan.cluster_by
    missing = [column for column in wanted if column not in state.types]
    if missing:
        state.warnings.append(f"the table was not clustered, for it lacks columns of the key: {', '.join(missing)}")
    elif wanted and not is_clustered_by(wanted, clustering_key(state.sql, state.plan.target)):
        state.sql.run(f"ALTER TABLE {state.target} CLUSTER BY ({identifiers(wanted)})")


def is_clustered_by(wanted: Sequence[str], key: str | None) -> bool:
    """Returns whether a clustering key, such as `LINEAR(DAY, ID)`, is just these columns in this order."""
    columns = (key or "").strip().removeprefix("LINEAR").strip().removeprefix("(").removesuffix(")")
    return [column.strip().strip('"').lower() for column in columns.split(",")] == list(wanted)


def clustering_key(sql: Sql, target: TableRef) -> str | None:
    """Returns a table's clustering key as Snowflake tells it; None without one."""
    schema, name = literal(target.schema_name.upper()), literal(target.name.upper())
    rows = sql.rows(
        f"SELECT clustering_key FROM information_schema.tables WHERE table_schema = {schema} AND table_name = {name}"
    )
    return rows[0][0] if rows else None
