"""Datadog's SLO endpoints, declared for the shared walk.

Facts: Datadog API reference, Service Level Objectives (v1: list, history; v2: status, in public beta) and Service Level
Objective Corrections (v1).
"""

from __future__ import annotations

from typing import Any

from penstock.sources.datadog_slo import DatadogSloDataset
from penstock.sources.rest import OffsetPaging, ParentSpec, RestDataset, WindowParameters
from penstock.sources.rest_rows import RequestBucket

_SLOS = "/api/v1/slo"
_TOTAL = "metadata.page.total_filtered_count"
_SLO_PAGE = 1_000
_CORRECTIONS_PAGE = 100


def declared(dataset: DatadogSloDataset) -> RestDataset:
    """Returns a dataset as the shared walk reads it."""
    return RestDataset.model_validate({"name": dataset.name, "records": "data", **_endpoint(dataset)})


def _endpoint(dataset: DatadogSloDataset) -> dict[str, Any]:
    match dataset.report:
        case "slos":
            return {"path": _SLOS, "parameters": _chosen(dataset), "paging": _pages(_SLO_PAGE), "total": _TOTAL}
        case "corrections":
            return {"path": f"{_SLOS}/correction", "paging": _pages(_CORRECTIONS_PAGE), **_CORRECTIONS_TOTAL}
        case "history":
            parameters: dict[str, Any] = {"apply_correction": dataset.apply_correction}
            if dataset.target is not None:
                parameters["target"] = str(dataset.target)
            return {"path": f"{_SLOS}/{{slo_id}}/history", "parameters": parameters, **_per_slo(dataset)}
        case "status":
            return {"path": "/api/v2/slo/{slo_id}/status", **_per_slo(dataset)}


# The reference has `meta` as an optional part of the answer.
_CORRECTIONS_TOTAL = {"total": "meta.page.total_filtered_count", "total_may_be_absent": True}


def _per_slo(dataset: DatadogSloDataset) -> dict[str, Any]:
    """Returns what asks for one object per SLO and piece of the window.

    An answer tells of all the time between its bounds as one, so the window is cut: a day that is read again with a
    longer window replaces that day alone.
    """
    return {
        "single_record": True,
        "concurrency": dataset.concurrency,
        "window_parameters": WindowParameters(start="from_ts", end="to_ts", format="epoch", longest=dataset.every),
        # The answer of the status does not repeat what time it is about, as the history's does.
        "bucket": RequestBucket(kind="request"),
        "parent": ParentSpec(
            path=_SLOS,
            records="data",
            field="id",
            name="slo_id",
            parameters=_chosen(dataset),
            paging=_pages(_SLO_PAGE),
            total=_TOTAL,
            # Deleted after it was listed.
            gone="skip",
        ),
    }


def _chosen(dataset: DatadogSloDataset) -> dict[str, Any]:
    return {"tags_query": dataset.tags_query} if dataset.tags_query else {}


def _pages(size: int) -> OffsetPaging:
    return OffsetPaging(kind="offset", size=size)
