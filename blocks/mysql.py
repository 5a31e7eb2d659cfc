"""The block of a MySQL or MariaDB database."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import MySqlConnection


class MySqlDatabase(ConnectionBlock):
    """A MySQL or MariaDB database and a user that reads it.

    Example:
        Load a stored connection:
        ```python
        from blocks.mysql import MySqlDatabase

        connection = MySqlDatabase.load("shop").to_connection()
        ```
    """

    _block_type_name = "Penstock MySQL"
    _block_type_slug = "penstock-mysql"
    _documentation_url = HttpUrl("https://mariadb.com/kb/en/grant/")

    host: str = Field(title="Host", description="The server's name or address; a replica is best.")
    port: int = Field(default=3306, ge=1, le=65535, title="Port", description="The server's port.")
    database: str = Field(title="Database", description="The schema of tables that are named without one.")
    user: str = Field(title="User", description="A user with SELECT on the tables, and no other right.")
    password: SecretStr | None = Field(default=None, title="Password", description="The user's password.")
    tls: Literal["disable", "require", "verify-ca", "verify-full"] = Field(
        default="require", title="TLS", description="As libpq calls them: `verify-full` over an open network."
    )
    tls_ca: str | None = Field(
        default=None, title="CA file", description="Path of the authority's certificate; the worker's own if empty."
    )
    connect_timeout_seconds: int = Field(
        default=30, ge=1, title="Connect timeout", description="Seconds to wait for the server."
    )
    statement_timeout_seconds: int = Field(
        default=3600, ge=1, title="Statement timeout", description="Seconds after which the server stops a statement."
    )

    def to_connection(self) -> MySqlConnection:
        """Returns the connection that the block holds."""
        return MySqlConnection(
            kind="mysql",
            host=self.host,
            port=self.port,
            database=self.database,
            user=self.user,
            password=self.password,
            tls=self.tls,
            tls_ca=self.tls_ca,
            connect_timeout_seconds=self.connect_timeout_seconds,
            statement_timeout_seconds=self.statement_timeout_seconds,
        )
