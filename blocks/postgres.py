"""The block of a PostgreSQL database: the warehouse, or one that a source reads."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import PostgresConnection


class PostgresDatabase(ConnectionBlock):
    """A PostgreSQL database and the user that loads or reads it.

    Example:
        Load a stored warehouse:
        ```python
        from blocks.postgres import PostgresDatabase

        connection = PostgresDatabase.load("analytics").to_connection()
        ```
    """

    _block_type_name = "Penstock PostgreSQL"
    _block_type_slug = "penstock-postgres"
    _documentation_url = HttpUrl("https://www.postgresql.org/docs/current/libpq-connect.html")

    host: str = Field(title="Host", description="The server's name or address.")
    port: int = Field(default=5432, ge=1, le=65535, title="Port", description="The server's port.")
    database: str = Field(title="Database", description="The warehouse's database, or the one to read.")
    user: str = Field(title="User", description="One that may create schemas in a warehouse, or SELECT what is read.")
    password: SecretStr | None = Field(
        default=None, title="Password", description="The worker's password file or the server's trust if empty."
    )
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = Field(
        default="prefer", title="SSL mode", description="As libpq calls it; `verify-full` over an open network."
    )
    sslrootcert: str | None = Field(
        default=None,
        title="CA file",
        description="Path of the authority's certificate; libpq's own if empty.",
    )
    connect_timeout_seconds: int = Field(
        default=30, ge=2, title="Connect timeout", description="Seconds to wait for the server."
    )
    statement_timeout_seconds: int = Field(
        default=3600, ge=1, title="Statement timeout", description="Seconds after which the server stops a statement."
    )
    lock_timeout_seconds: float = Field(
        default=600.0, gt=0, title="Lock timeout", description="Seconds that a load waits for another run's."
    )

    def to_connection(self) -> PostgresConnection:
        """Returns the connection that the block holds."""
        return PostgresConnection(
            kind="postgres",
            host=self.host,
            port=self.port,
            database=self.database,
            user=self.user,
            password=self.password,
            sslmode=self.sslmode,
            sslrootcert=self.sslrootcert,
            connect_timeout_seconds=self.connect_timeout_seconds,
            statement_timeout_seconds=self.statement_timeout_seconds,
            lock_timeout_seconds=self.lock_timeout_seconds,
        )
