"""Whether Sprout takes the credentials, and which customer they open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from penstock.connections import SproutSocialConnection
from penstock.sources.base import DatasetSpec
from tasks.probing.contract import Seen
from tasks.sources.http.client import HttpClient
from tasks.sources.http.policy import RetryPolicy
from tasks.sources.http.request import HttpRequest
from tasks.sources.sprout_social.catalog import LISTS
from tasks.sources.sprout_social.connection import find_customer, settings_of


def probe(
    name: str, connection: SproutSocialConnection, _datasets: Sequence[DatasetSpec], *, timeout_seconds: float
) -> Seen:
    """Finds the customer, and asks for its groups, a short list."""
    settings = settings_of(name, connection)
    impatient = replace(settings, timeout_seconds=min(settings.timeout_seconds, timeout_seconds))
    with HttpClient(impatient, policy=RetryPolicy(attempts=1)) as client:
        customer = find_customer(client, connection)
        path = f"/v1/{customer}{LISTS['groups']}"
        client.fetch(HttpRequest(path, path), lambda _answer: None)
    return Seen(f"customer {customer} answers these credentials")
