"""Nobl9's SLO Status API v2, declared for the shared walk. Facts: docs.nobl9.com, SLO Status API v2; nobl9-go."""

from __future__ import annotations

from penstock.sources.nobl9 import Nobl9Dataset
from penstock.sources.rest import NextUrlPaging, RestDataset

_PAGE = 500
"""The most that a page may hold."""


def declared(dataset: Nobl9Dataset) -> RestDataset:
    """Returns a dataset as the shared walk reads it."""
    return RestDataset(
        name=dataset.name,
        path=f"/v2/{dataset.report}",
        records="data",
        parameters={"limit": _PAGE},
        # Empty on the last page.
        paging=NextUrlPaging(kind="next_url", path="links.next"),
    )
