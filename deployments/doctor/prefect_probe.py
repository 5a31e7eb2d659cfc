"""Whether the Prefect API answers, and the platform's work pool takes runs."""

from __future__ import annotations

import os

from blocks.prefect_failures import asking_prefect
from penstock.errors import ConfigurationError
from tasks.definitions.references import UnsetError, resolve_references
from tasks.probing.contract import Seen


def probe_api() -> Seen:
    """Asks the API for its version.

    Raises:
        PenstockError: it cannot be reached, refuses, or is another Prefect.
    """
    from prefect.client.orchestration import get_client

    with asking_prefect(), get_client(sync_client=True) as client:
        return Seen(f"Prefect {client.api_version()}")


def probe_work_pool(written: str) -> Seen:
    """Looks for a work pool, and for a worker that polls it.

    Raises:
        PenstockError: there is no such pool, or the API refuses.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import WorkerFilter, WorkerFilterStatus
    from prefect.exceptions import ObjectNotFound

    name = _name(written)
    with asking_prefect(work_pool=name), get_client(sync_client=True) as client:
        try:
            pool = client.read_work_pool(name)
        except ObjectNotFound:
            raise ConfigurationError(
                "Prefect has no such work pool",
                guidance=f"Create it: `prefect work-pool create {name} --type process`.",
                work_pool=name,
            ) from None
        if pool.is_paused:
            return Seen("paused", is_doubtful=True, guidance=f"Run `prefect work-pool resume {name}`.")
        if pool.is_push_pool or pool.is_managed_pool:
            return Seen(f"{pool.type}, which needs no worker")
        online = WorkerFilter(status=WorkerFilterStatus(any_=["ONLINE"]))
        workers = client.read_workers_for_work_pool(name, worker_filter=online)
    if not workers:
        guidance = f"Start one: `prefect worker start --pool {name}`; until then no run starts."
        return Seen(f"{pool.type}, and no worker is online", is_doubtful=True, guidance=guidance)
    return Seen(f"{pool.type}, with {len(workers)} worker{'' if len(workers) == 1 else 's'} online")


def _name(written: str) -> str:
    """Returns the pool's name; platform files keep references in it for the time of a deployment."""
    try:
        return resolve_references(written, os.environ)
    except UnsetError as error:
        raise ConfigurationError(
            "a variable in the work pool's name is not set",
            guidance="Set it, or give a default as in `${NAME:-default}`.",
            work_pool=written,
        ) from error
