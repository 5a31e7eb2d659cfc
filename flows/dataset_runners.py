"""Where the datasets of a run are landed: threads of this process, or the processes of a Dask or Ray cluster.

What crosses to a process is a plan and a platform, small and picklable; files and rows never do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from math import ceil
from threading import BoundedSemaphore
from typing import Any

from prefect import Task
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.quiet_dask import closing_quietly, quieten_dask_logs
from penstock.errors import ConfigurationError, PenstockError, TransientError
from penstock.platform import DaskRunner, PlatformSpec, RayRunner

Submit = Callable[[Task[Any, Any], dict[str, Any]], PrefectFuture[Any]]
"""Starts a task with its parameters; waits while `parallel_datasets` are under way."""


@contextmanager
def dataset_runner(platform: PlatformSpec) -> Iterator[Submit]:
    """Opens a platform's task runner; what is under way when the block ends is waited for.

    Raises:
        ConfigurationError: the runner's package is not installed.
        TransientError: the cluster does not answer.
    """
    runner = make_runner(platform)
    slots = BoundedSemaphore(platform.parallel_datasets)

    def submit(task: Task[Any, Any], parameters: dict[str, Any]) -> PrefectFuture[Any]:
        slots.acquire()
        try:
            future: PrefectFuture[Any] = runner.submit(task, parameters)
        except BaseException:
            slots.release()
            raise
        future.add_done_callback(lambda _: slots.release())
        return future

    with ExitStack() as opened:
        try:
            opened.enter_context(closing_quietly(runner) if isinstance(platform.task_runner, DaskRunner) else runner)
            if isinstance(platform.task_runner, DaskRunner):
                _ = runner.client  # type: ignore[attr-defined]  # it connects when it is first used, which is here
        except (OSError, RuntimeError) as error:
            raise _no_cluster(platform) from error
        yield submit


def make_runner(platform: PlatformSpec) -> TaskRunner[Any]:
    """Returns a platform's task runner; a local cluster is only started when it is entered.

    Raises:
        ConfigurationError: the runner's package is not installed.
    """
    asked = platform.task_runner
    if isinstance(asked, DaskRunner):
        return _dask_runner(asked, platform.parallel_datasets)
    if isinstance(asked, RayRunner):
        return _ray_runner(asked)
    return ThreadPoolTaskRunner(max_workers=platform.parallel_datasets)


def _dask_runner(asked: DaskRunner, parallel: int) -> TaskRunner[Any]:
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError as error:
        raise _not_installed("dask") from error
    quieten_dask_logs()
    if asked.address:
        return DaskTaskRunner(address=asked.address)
    local = {
        "n_workers": asked.processes,
        "threads_per_worker": ceil(parallel / asked.processes),
        "dashboard_address": None,  # else it would serve a web page on the machine's port 8787
        "preload": ["flows.quiet_dask"],
    }
    return DaskTaskRunner(cluster_kwargs=local)


def _ray_runner(asked: RayRunner) -> TaskRunner[Any]:
    try:
        from prefect_ray.task_runners import RayTaskRunner  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise _not_installed("ray") from error
    if asked.address:
        made: TaskRunner[Any] = RayTaskRunner(address=asked.address)
    else:
        made = RayTaskRunner(init_kwargs={"num_cpus": asked.processes, "include_dashboard": False})
    return made


def _not_installed(kind: str) -> PenstockError:
    return ConfigurationError(
        "the platform's task runner is not installed",
        guidance=f'Install it where runs happen: pip install "penstock[{kind}]".',
        task_runner=kind,
    )


def _no_cluster(platform: PlatformSpec) -> PenstockError:
    asked = platform.task_runner
    return TransientError(
        "the cluster of the platform's task runner does not answer",
        guidance="Start it, or check `task_runner` in the platform file.",
        platform=platform.platform,
        task_runner=asked.kind,
        address=getattr(asked, "address", None) or "a local one",
    )
