"""Sends requests to a Prefect API, as many at once as it takes, and again soon what it was too busy for.

A server on SQLite refuses (503) writes that meet, its scheduler's among them, after holding them for seconds: 30
deployments took 9 s one at a time, 34 s two at a time, and of eight at a time some failed. A server does not say what
it is on, so one at a time is the default but for Prefect Cloud. Prefect's client waits 2, 4, 8, 16 and 32 s after a
refusal, where a tenth of a second is enough.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx
    from prefect.client.orchestration import PrefectClient

AT_ONCE_ON_CLOUD = 8
BUSY = frozenset({429, 502, 503, 504})
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, GROWTH = 0.05, 5.0, 1.6
ATTEMPTS = 18
"""Together about 45 s of waiting."""


class Sender:
    """Sends requests, `at_once` at once until the server says that it is busy, from then on one at a time.

    Args:
        client: Leads to the server.
        at_once: By default what the server is sure to take.
    """

    def __init__(self, client: PrefectClient, at_once: int | None = None) -> None:
        self.client = client
        self._places = asyncio.Semaphore(at_once or _safely_at_once(client))
        self._alone = asyncio.Lock()
        self._is_careful = False

    async def request(self, method: str, path: Any, **arguments: Any) -> httpx.Response:
        """Sends a request, again where the server did not take it.

        Raises:
            httpx.HTTPStatusError: the answer is an error, after the last attempt or one that no attempt can mend.
            httpx.TransportError: there is no answer.
        """
        import httpx

        wait = FIRST_WAIT_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._turn():
                    return await self.client.request(method, path, **arguments)  # type: ignore[arg-type]
            except httpx.HTTPStatusError as error:
                if error.response.status_code not in BUSY or attempt == ATTEMPTS:
                    raise
                self._is_careful = True
                asked = _asked_wait(error.response)
            await asyncio.sleep(asked if asked is not None else wait * random.uniform(0.5, 1.0))  # noqa: S311 - a delay
            wait = min(wait * GROWTH, LONGEST_WAIT_SECONDS)
        raise AssertionError("the last attempt returns or raises")

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with self._places:
            if not self._is_careful:
                yield
                return
            async with self._alone:
                yield


@contextmanager
def own_retries() -> Iterator[None]:
    """Turns the client's own retries off for the block, so that the two do not multiply."""
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        yield


def _safely_at_once(client: PrefectClient) -> int:
    from prefect.client.base import ServerType

    return AT_ONCE_ON_CLOUD if client.server_type == ServerType.CLOUD else 1


def _asked_wait(response: httpx.Response) -> float | None:
    """Returns the seconds of a `Retry-After`; None where there is none."""
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
