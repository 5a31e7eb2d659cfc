"""One connection's rate limit holds for all datasets that are landed over it at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from penstock.artifacts import Interval
from penstock.connections import RateLimit, RestConnection
from penstock.sources.rest import RestDataset, RestSource
from sandbox.rest.collection import Collection, Paging
from sandbox.server import serve
from sandbox.settings import SandboxSettings
from tasks.sources.contract import ExtractRequest
from tasks.sources.rest.extract import extract
from tests.fakes.sink import MemorySink

FULL = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, tzinfo=UTC))
NAMES = tuple(f"things_{number}" for number in range(10))
LIMIT = RateLimit(requests=5, seconds=1.0)
RECORDS: list[Any] = [{"id": number} for number in range(6)]

ON_ITS_WAY_SECONDS = 0.7
"""The limit counts when a request starts; on a busy machine it comes in so much later than another at most."""


def land(name: str, connection: RestConnection) -> list[dict[str, Any]]:
    paging = {"kind": "cursor", "path": "paging.next"}
    spec = RestDataset.model_validate({"name": name, "path": f"/{name}", "records": "data", "paging": paging})
    sink = MemorySink()
    extract(ExtractRequest(RestSource(kind="rest", connection="acme-api"), spec, FULL, "acme-api"), connection, sink)
    return sink.rows()


def test_ten_datasets_side_by_side_share_one_limit_as_the_server_sees_it() -> None:
    pages = Collection(records=RECORDS, paging=Paging(style="cursor", size=2))
    with serve(SandboxSettings(collections=dict.fromkeys(NAMES, pages))) as sandbox:
        url = sandbox.service_url("rest")
        land(NAMES[0], RestConnection(kind="rest", base_url=url))
        sandbox.log.clear()
        limited = RestConnection(kind="rest", base_url=url, rate_limit=LIMIT)
        with ThreadPoolExecutor(len(NAMES)) as pool:
            landed = list(pool.map(lambda name: land(name, limited), NAMES))
        asked = sandbox.log.requests()

    assert landed == [RECORDS] * len(NAMES)
    assert [one.status for one in asked] == [200] * 30
    arrivals = sorted(one.at for one in asked)
    for windows in range(1, 6):
        step = windows * LIMIT.requests
        shortest = min(
            (later - earlier for earlier, later in zip(arrivals, arrivals[step:], strict=False)), default=None
        )
        assert shortest is not None
        assert shortest >= windows * LIMIT.seconds - ON_ITS_WAY_SECONDS
