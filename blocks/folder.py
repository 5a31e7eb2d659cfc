"""The block of a folder that serves as an object store."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from blocks.base import ConnectionBlock
from penstock.connections import FolderConnection


class FolderStore(ConnectionBlock):
    """A folder that every worker sees under the same path.

    Example:
        Load a stored folder:
        ```python
        from blocks.folder import FolderStore

        connection = FolderStore.load("acme-drops").to_connection()
        ```
    """

    _block_type_name = "Penstock Folder"
    _block_type_slug = "penstock-folder"
    _documentation_url = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")

    path: str = Field(title="Path", description="The folder's path on the machines that read it.")

    def to_connection(self) -> FolderConnection:
        """Returns the connection that the block holds."""
        return FolderConnection(kind="folder", path=self.path)
