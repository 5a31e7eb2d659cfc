"""Whether a SQL database can be reached, and the datasets' tables read."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.connections import MySqlConnection, PostgresConnection
from penstock.sources.base import DatasetSpec
from penstock.sources.sql import SqlDataset
from penstock.wording import counted
from tasks.probing.contract import Seen
from tasks.sources.sql.extract import open_session
from tasks.sources.sql.failures import explained


def probe(
    name: str,
    connection: MySqlConnection | PostgresConnection,
    datasets: Sequence[DatasetSpec],
    *,
    timeout_seconds: float,
) -> Seen:
    """Looks each table and its columns up, and asks for no row: what a user may not read is refused all the same."""
    seconds = max(2, int(timeout_seconds))
    waits = {
        "connect_timeout_seconds": min(connection.connect_timeout_seconds, seconds),
        "statement_timeout_seconds": min(connection.statement_timeout_seconds, seconds),
    }
    tables = [dataset for dataset in datasets if isinstance(dataset, SqlDataset)]
    with explained(connection=name), open_session(connection.model_copy(update=waits)) as session:
        for dataset in tables:
            table = session.describe(dataset.relation)
            with explained(connection=name, table=table.label):
                session.try_reading(table, session.read_columns(table, dataset))
    return Seen(f"{counted(len(tables), 'table')} can be read")
