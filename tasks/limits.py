"""How many extractions ask a source, and how many builds run, at once over all workers: Prefect's global limits.

Prefect lets in whoever asks for a limit that does not exist, so a limit is made before it is asked for. A slot is held
by a lease that its holder renews: when its worker dies, the slot is free again `LEASE_SECONDS` later.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from penstock.errors import TransientError
from tasks.environment import Environment
from tasks.retries import STOPPING

LEASE_SECONDS = 120.0
ASK_AGAIN_SECONDS = 10.0
"""An interrupted run that waits for a slot ends after this long at most."""

logger = logging.getLogger("penstock.limits")


@contextmanager
def extraction_slot(environment: Environment, connection: str) -> Iterator[None]:
    """Holds one of a connection's slots; where the platform sets no limit, nothing is asked of Prefect.

    Raises:
        InterruptedError: the run was stopped while it waited.
        TransientError: Prefect did not answer.
    """
    platform = environment.platform
    with _slot(platform.limit_name(connection), platform.limits.get(connection)):
        yield


@contextmanager
def build_slot(environment: Environment) -> Iterator[None]:
    """Holds one of the slots for dbt's builds, as `extraction_slot` does.

    Two builds of one table at once would insert its rows twice, or fail on each other's temporary tables.
    """
    platform = environment.platform
    with _slot(platform.build_limit_name, platform.build_limit):
        yield


@contextmanager
def _slot(name: str, limit: int | None) -> Iterator[None]:
    if limit is None:
        yield
        return
    ensure_limits({name: limit})
    with ExitStack() as held:
        _acquire(name, held)
        yield


def ensure_limits(limits: Mapping[str, int]) -> None:
    """Makes or adapts global concurrency limits, by name; one that was switched off by hand stays off.

    Raises:
        TransientError: Prefect did not answer.
    """
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectAlreadyExists

    try:
        with get_client(sync_client=True) as client:
            for name, limit in limits.items():
                try:
                    client.upsert_global_concurrency_limit_by_name(name, limit)
                except ObjectAlreadyExists:  # another worker made it between our look and our making it
                    client.upsert_global_concurrency_limit_by_name(name, limit)
    except httpx.HTTPError as error:
        raise _unavailable(", ".join(limits)) from error


def _acquire(name: str, held: ExitStack) -> None:
    from prefect.concurrency.asyncio import AcquireConcurrencySlotTimeoutError, ConcurrencySlotAcquisitionError
    from prefect.concurrency.sync import concurrency

    # Prefect (3.8.8) logs each wait that ends without a slot as an error of its service; here it is an exception too.
    logging.getLogger("ConcurrencySlotAcquisitionWithLeaseService").setLevel(logging.CRITICAL)
    is_told = False
    while True:
        slot = concurrency(
            name,
            strict=True,
            timeout_seconds=ASK_AGAIN_SECONDS,
            lease_duration=LEASE_SECONDS,
            # An hour's extraction goes on when Prefect misses one renewal; its neighbours may be one too many then.
            raise_on_lease_renewal_failure=False,
        )
        try:
            held.enter_context(slot)
        except AcquireConcurrencySlotTimeoutError:
            if STOPPING.is_set():
                raise InterruptedError(f"the run was stopped while it waited for {name}") from None
            if not is_told:
                logger.info("waiting for one of the slots of %s", name)
                is_told = True
        except ConcurrencySlotAcquisitionError as error:
            raise _unavailable(name) from error
        else:
            return


def _unavailable(name: str) -> TransientError:
    return TransientError(
        "Prefect did not answer for a concurrency limit",
        guidance="Check that the Prefect API is up and that the run may use its concurrency limits.",
        limit=name,
    )
