"""A MySQL or MariaDB database."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from penstock.connections.base import ConnectionSpec


class MySqlConnection(ConnectionSpec):
    """A MySQL (5.7 or newer) or MariaDB (10.3 or newer) database, and a user that may SELECT."""

    kind: Literal["mysql"]
    host: str
    port: int = Field(default=3306, ge=1, le=65535)
    database: str = Field(description="The schema of tables that are named without one.")
    user: str
    password: SecretStr | None = None
    tls: Literal["disable", "require", "verify-ca", "verify-full"] = Field(
        default="disable", description="As libpq calls them: `verify-full` over an open network."
    )
    tls_ca: str | None = Field(default=None, description="Path of the authority's certificate; the machine's if empty.")
    connect_timeout_seconds: int = Field(default=30, ge=1)
    statement_timeout_seconds: int = Field(default=3600, ge=1)

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        if self.tls_ca and self.tls not in {"verify-ca", "verify-full"}:
            raise ValueError("tls_ca goes with tls verify-ca or verify-full")
        return self
