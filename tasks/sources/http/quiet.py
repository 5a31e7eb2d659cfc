"""Keeps the HTTP libraries' own logs from showing what a request or an answer held."""

from __future__ import annotations

import logging
from typing import Any

# httpx logs every address with its query at INFO; httpcore logs headers at DEBUG, and only through these.
_HTTPX = "httpx"
_HTTPCORE = ("httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks")


class _WithoutQuery(logging.Filter):
    """Cuts the query, the user and the fragment off the addresses that httpx logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_bare(argument) for argument in record.args)
        return True


class _WithoutFacts(logging.Filter):
    """Keeps the event's name of what httpcore logs, and drops its arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = str(record.msg).split(" ", 1)[0]
        record.args = ()
        return True


_without_query = _WithoutQuery()
_without_facts = _WithoutFacts()


def quieten_http_logs() -> None:
    """Filters the libraries' loggers, whatever level a user sets them to; adding a filter twice does nothing."""
    logging.getLogger(_HTTPX).addFilter(_without_query)
    for name in _HTTPCORE:
        logging.getLogger(name).addFilter(_without_facts)


def _bare(argument: Any) -> Any:
    import httpx

    if not isinstance(argument, httpx.URL):
        return argument
    return httpx.URL(f"{argument.scheme}://{argument.netloc.decode('ascii')}{argument.path}")
