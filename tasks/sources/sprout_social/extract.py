"""Extracts a dataset of Sprout Social: a list that comes whole, or a report for an interval."""

from __future__ import annotations

from typing import cast

from penstock.artifacts import Interval
from penstock.connections import SproutSocialConnection
from penstock.sources.rest import RestDataset
from penstock.sources.sprout_social import REPORTS, SproutSocialDataset
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.http.client import HttpClient
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock
from tasks.sources.rest.extract import write_endpoint
from tasks.sources.sprout_social.catalog import LISTS
from tasks.sources.sprout_social.connection import CLIENTS_PATH, POLICY, find_customer, settings_of
from tasks.sources.sprout_social.reports import write_report


def extract(
    request: ExtractRequest, connection: SproutSocialConnection, sink: ExtractSink, *, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Extracts a dataset; see `tasks.sources.contract`."""
    dataset = cast("SproutSocialDataset", request.dataset)
    with HttpClient(settings_of(request.connection_name, connection), policy=POLICY, clock=clock) as client:
        if dataset.endpoint == "clients":
            _write_list(client, CLIENTS_PATH, request.interval, sink)
            return
        customer = find_customer(client, connection)
        if dataset.endpoint in REPORTS:
            write_report(client, customer, dataset, request.interval, sink)
        else:
            _write_list(client, f"/v1/{customer}{LISTS[dataset.endpoint]}", request.interval, sink)


def _write_list(client: HttpClient, path: str, interval: Interval, sink: ExtractSink) -> None:
    write_endpoint(client, RestDataset(name="list", path=path, records="data"), interval, sink)
