"""Keeps Dask's account of its own connections out of what a person sees of a run; what it warns of stays.

`distributed` shows its INFO lines on standard error, some with a traceback: when a cluster closes, each of its
processes tells that the others are gone (`Batched Comm Closed`, distributed 2026.8), for as long as they race to end.
A level that `LocalCluster(silence_logs=...)` sets is taken back while that goes on, so this one stays.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

_LOGGERS = ("distributed", "tornado.application")  # each with a handler of its own for everything below it


class _WithoutGoodbyes(logging.Filter):
    """Drops what is logged with the traceback of a closed connection, and everything while we close a cluster."""

    is_closing = False

    def filter(self, record: logging.LogRecord) -> bool:
        return not self.is_closing and not _is_of_closed_connection(record)


_without_goodbyes = _WithoutGoodbyes()


def quieten_dask_logs() -> None:
    """Shows warnings and more of what `distributed` logs in this process; doing so twice does nothing.

    A level that Dask's own configuration names is left as it is.
    """
    import dask
    import distributed  # noqa: F401 - gives its loggers their levels and handlers, so it must have done so

    if not (dask.config.get("logging", None) or dask.config.get("distributed.logging", None)):
        logging.getLogger("distributed").setLevel(logging.WARNING)
    for handler in _handlers():
        handler.addFilter(_without_goodbyes)


@contextmanager
def closing_quietly(cluster: AbstractContextManager[Any]) -> Iterator[None]:
    """Opens a cluster and shows nothing of what `distributed` logs in this process while it closes.

    That its processes are gone is then what was asked for. What went wrong before has arrived with the futures.
    """
    try:
        with cluster:
            try:
                yield
            finally:
                _without_goodbyes.is_closing = True
    finally:
        _without_goodbyes.is_closing = False


def dask_setup(worker: Any) -> None:  # noqa: ARG001 - Dask's signature
    """Does the same in the process of a worker that has this module as its `preload`, when it starts."""
    quieten_dask_logs()


def _handlers() -> Iterator[logging.Handler]:
    for name in _LOGGERS:
        yield from logging.getLogger(name).handlers


def _is_of_closed_connection(record: logging.LogRecord) -> bool:
    from distributed.comm.core import CommClosedError
    from tornado.iostream import StreamClosedError

    raised = record.exc_info[1] if record.exc_info else None
    return isinstance(raised, CommClosedError | StreamClosedError)
