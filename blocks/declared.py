"""What the blocks of APIs whose endpoints are declared share: address, pace, and how a connection is made."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, cast

from pydantic import Field

from blocks.base import ConnectionBlock
from penstock.connections import AnyConnection, DeclaredConnection


class DeclaredApiBlock(ConnectionBlock, ABC):
    """A vendor's API; the fields of each type are those of its connection."""

    connection_type: ClassVar[type[DeclaredConnection]]

    base_url: str | None = Field(
        default=None,
        title="Another address",
        description="Only for a sandbox or a proxy: the whole address. Credentials are sent there.",
    )
    requests_per_minute: int | None = Field(
        default=None, ge=1, title="Requests per minute", description="Pace of all calls; the vendor's if empty."
    )

    def to_connection(self) -> AnyConnection:
        """Returns the connection that the block holds."""
        settings = {name: getattr(self, name) for name in type(self).model_fields}
        kind = self.connection_type.model_fields["kind"].annotation
        return cast("AnyConnection", self.connection_type.model_validate({"kind": kind.__args__[0], **settings}))  # type: ignore[union-attr]
