"""The block of a DuckDB file that serves as the warehouse."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from blocks.base import ConnectionBlock
from penstock.connections import DuckDBConnection


class DuckDBFile(ConnectionBlock):
    """A DuckDB file, for a warehouse on one machine.

    Example:
        Load a stored warehouse:
        ```python
        from blocks.duckdb_file import DuckDBFile

        connection = DuckDBFile.load("acme").to_connection()
        ```
    """

    _block_type_name = "Penstock DuckDB"
    _block_type_slug = "penstock-duckdb"
    _documentation_url = HttpUrl("https://duckdb.org/docs/")

    path: str = Field(title="Path", description="The file's path on the machine that runs loads; made by the first.")
    memory_limit: str = Field(
        default="256MB", title="Memory limit", description="Such as `256MB`; DuckDB spills to disk beyond it."
    )
    threads: int | None = Field(
        default=None, ge=1, title="Threads", description="The machine's, at most one to 64 MB of memory, if empty."
    )
    lock_timeout_seconds: float = Field(
        default=600.0, gt=0, title="Lock timeout", description="Seconds that a load waits for another run's."
    )

    def to_connection(self) -> DuckDBConnection:
        """Returns the connection that the block holds."""
        return DuckDBConnection(
            kind="duckdb",
            path=self.path,
            memory_limit=self.memory_limit,
            threads=self.threads,
            lock_timeout_seconds=self.lock_timeout_seconds,
        )
