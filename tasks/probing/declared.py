"""Whether an API whose endpoints are declared answers, and takes the credentials."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.connections import DeclaredConnection
from penstock.sources.base import DatasetSpec
from tasks.probing.asking import ask_once
from tasks.probing.contract import Seen
from tasks.sources.declared import declared_settings
from tasks.sources.http.request import HttpRequest


def probe(
    name: str, connection: DeclaredConnection, _datasets: Sequence[DatasetSpec], *, timeout_seconds: float
) -> Seen:
    """Asks for the small answer that the kind of connection names."""
    path = connection.probe_path()
    endpoint = path.partition("?")[0]
    body: dict[str, str] | None = {} if connection.probe_method == "POST" else None
    request = HttpRequest(path, endpoint, method=connection.probe_method, body=body)
    ask_once(declared_settings(name, connection), request, timeout_seconds)
    return Seen(f"{endpoint} answers this key")
