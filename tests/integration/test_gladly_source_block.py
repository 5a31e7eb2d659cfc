"""A Gladly connection from a block that a real Prefect API keeps."""

from __future__ import annotations

import pytest

from penstock.connections import GladlyConnection
from penstock.errors import ConfigurationError
from penstock.platform import BlockRef


def test_a_saved_block_is_resolved_and_a_rotated_secret_is_seen_at_once(prefect_url: str) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from blocks.gladly import GladlyCredentials
    from blocks.resolution import resolve_connection

    reference = BlockRef(block="penstock-gladly/acme")
    with temporary_settings({PREFECT_API_URL: prefect_url}):
        for token in ("first", "second"):
            GladlyCredentials(organization="acme", email="api@acme.example", token=token).save("acme", overwrite=True)
            connection = resolve_connection(reference, "acme-gladly")
            assert isinstance(connection, GladlyConnection)
            assert connection.token.get_secret_value() == token
        with pytest.raises(ConfigurationError, match="no such block"):
            resolve_connection(BlockRef(block="penstock-gladly/absent"), "acme-gladly")
