"""A credential that cannot be a header is refused before anything is sent, and shown nowhere."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from penstock.artifacts import Interval
from penstock.connections import RestConnection
from penstock.errors import ConfigurationError
from penstock.sources.rest import RestDataset, RestSource
from tasks.sources.contract import ExtractRequest
from tasks.sources.rest.extract import extract
from tests.fakes.sink import MemorySink


@pytest.mark.parametrize("token", ["s3cr3t-xyzzy\n", "", "  "])
def test_a_token_with_a_line_break_or_none_at_all_is_refused_at_once(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    connection = RestConnection.model_validate(
        {"kind": "rest", "base_url": "http://127.0.0.1:9", "auth": {"kind": "bearer", "token": token}}
    )
    dataset = RestDataset.model_validate({"name": "things", "path": "/things"})
    interval = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, tzinfo=UTC))
    request = ExtractRequest(RestSource(kind="rest", connection="api"), dataset, interval, "api")
    with pytest.raises(ConfigurationError, match="credential is empty, or holds a line break") as caught:
        extract(request, connection, MemorySink())
    assert "xyzzy" not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r} {caplog.text}"
