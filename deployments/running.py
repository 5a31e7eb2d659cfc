"""Runs a flow from the command line: finds a Prefect API, shows progress, and reads the report that the run left."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from penstock.errors import DataError, PenstockError, TransientError
from penstock.pipeline import PipelineSpec
from penstock.platform import BlockRef
from penstock.report import RunReport
from tasks.definitions.project import Project
from tasks.environment import current_environment
from tasks.warehouses.contract import Warehouse

_UNREACHED = "Failed to reach API"
"""How the RuntimeError begins that Prefect (3.8.8) raises where a flow run's client gets no answer at all."""


class EndedRun(NamedTuple):
    """A flow run that ended: its report, where the Prefect UI shows it (None without a UI), and whether all is well."""

    report: RunReport
    url: str | None
    succeeded: bool

    def show(self, *, as_json: bool) -> None:
        """Prints the run: a table of datasets, what dbt built, and what to do about failures."""
        from deployments.display import print_report

        if as_json:
            print(self.report.model_dump_json(indent=2))
        else:
            print_report(self.report, self.url)


@contextmanager
def chosen_platform(name: str | None) -> Iterator[None]:
    """Names the platform for the block's runs; None leaves what `PENSTOCK_PLATFORM` says (default `local`)."""
    with set_variable("PENSTOCK_PLATFORM", name) if name is not None else nullcontext():
        yield


@contextmanager
def set_variable(name: str, value: str) -> Iterator[None]:
    """Sets a variable of this process's environment while the block runs, and what it starts."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def run_flow(project: Project, pipeline: PipelineSpec, parameters: Mapping[str, Any]) -> EndedRun:
    """Runs a client's flow in this process.

    Raises:
        PenstockError: the run ended before it could report, for instance because a file cannot be read.
    """
    with prefect_api(project):
        from prefect import State
        from prefect.utilities.urls import url_for

        from flows.elt import read_definitions
        from flows.loading import client_flow
        from flows.run_report import find_report

        run_client: Callable[..., State[Any]] = client_flow(project, pipeline.client)
        state = run_client(**parameters, return_state=True)
        run_id = state.state_details.flow_run_id
        _, environment = read_definitions(parameters["pipeline"])
        report = find_report(environment.lake(), pipeline.client, pipeline.pipeline, str(run_id))
        if report is None:
            raise failure_of(state)
        succeeded = report.is_green and state.is_completed()
        return EndedRun(report, url_for("flow-run", obj_id=run_id), succeeded)


def open_platform_warehouse(project: Project) -> Warehouse:
    """Opens the warehouse of the chosen platform; a Prefect API is only asked where it is in a block."""
    environment = current_environment(project, connections=())
    if not isinstance(environment.platform.warehouse, BlockRef):
        return environment.warehouse()
    with prefect_api(project):
        return environment.warehouse()


@contextmanager
def lent_warehouse(project: Project) -> Iterator[Mapping[str, str]]:
    """Lends the warehouse of the chosen platform to a process; see `Warehouse.lent_to_process`."""
    with open_platform_warehouse(project).lent_to_process() as environment:
        yield environment


def failure_of(state: Any) -> BaseException:
    """Returns why a flow run ended without a report."""
    error = state.result(raise_on_failure=False)
    if isinstance(error, PenstockError | KeyboardInterrupt):
        return error
    return DataError(
        "the run left no report",
        guidance="Its log in the Prefect UI says more.",
        state=state.name,
        error=type(error).__name__ if isinstance(error, BaseException) else None,
    )


@contextmanager
def prefect_api(project: Project) -> Iterator[None]:
    """Gives the block a Prefect API (the configured one, or a local server) and shows progress on standard error.

    Prefect's own lines go to its API only: it would print the trace of each error that the report explains.

    Raises:
        TransientError: the API that is configured does not answer.
    """
    from flows.local_server import local_prefect

    with local_prefect(project.home, logging_level="CRITICAL") as server, _progress():
        try:
            yield
        except RuntimeError as error:
            if not str(error).startswith(_UNREACHED):
                raise
            url = urlsplit(server.api_url)
            raise TransientError(
                "the Prefect API that is configured does not answer",
                guidance="Start it, or unset PREFECT_API_URL: without it a local server is started.",
                host=url.hostname,
                port=url.port,
            ) from error


@contextmanager
def _progress() -> Iterator[None]:
    logger = logging.getLogger("penstock")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
