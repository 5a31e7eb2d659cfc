from __future__ import annotations

from typing import Any, get_args

import pytest

from penstock.connections import IncidentIoConnection, RateLimit
from penstock.sources.incident_io import IncidentIoDataset, Resource, incident_io_traits
from tasks.sources.http.limiter import EVERY_REQUEST
from tasks.sources.incident_io.catalog import declared
from tasks.sources.incident_io.connection import settings_of


def _dataset(resource: str, **more: Any) -> IncidentIoDataset:
    return IncidentIoDataset.model_validate({"name": "things", "resource": resource, **more})


@pytest.mark.parametrize("resource", get_args(Resource))
def test_every_resource_is_declared_and_only_incidents_honour_a_window(resource: str) -> None:
    rest = declared(_dataset(resource))
    assert rest.records == resource
    assert rest.path.endswith(f"/{resource}")
    assert (rest.window_parameters is not None) == (resource == "incidents")
    assert incident_io_traits(_dataset(resource)).honours_window == (resource == "incidents")
    assert incident_io_traits(_dataset(resource)).absent_rows_are_deleted == (resource != "incidents")


@pytest.mark.parametrize("resource", get_args(Resource))
def test_a_dataset_survives_its_way_through_json(resource: str) -> None:
    spec = _dataset(resource)
    assert IncidentIoDataset.model_validate_json(spec.model_dump_json()) == spec


def test_incidents_are_asked_for_oldest_first_with_every_filter() -> None:
    filters = {"status_category[one_of]": ["live", "closed"], "custom_field[01H][is_blank]": ["true"]}
    rest = declared(_dataset("incidents", by="created_at", modes=["standard", "test"], filters=filters))
    assert rest.parameters == {
        "sort_by": "created_at_oldest_first",
        "mode[one_of]": ("standard", "test"),
        "status_category[one_of]": ("live", "closed"),
        "custom_field[01H][is_blank]": ("true",),
    }
    assert rest.window_parameters is not None
    assert (rest.window_parameters.start, rest.window_parameters.end) == ("created_at[gte]", "created_at[lte]")
    assert rest.window_parameters.narrowed_by == "created_at"


@pytest.mark.parametrize(
    ("dataset", "complaint"),
    [
        ({"resource": "severities", "modes": ["test"]}, "are for `resource: incidents`"),
        ({"resource": "users", "by": "created_at"}, "are for `resource: incidents`"),
        ({"resource": "incidents", "catalog_types": ["x"]}, "is for `resource: catalog_entries`"),
        ({"resource": "incidents", "filters": {"updated_at[gte]": ["2026-01-01"]}}, "is said by the window"),
        ({"resource": "incidents", "filters": {"mode[one_of]": ["test"]}}, "is said by the window"),
        ({"resource": "incidents", "filters": {"page_size": ["5"]}}, "pattern"),
        ({"resource": "incident"}, "incidents"),
    ],
)
def test_a_dataset_that_cannot_work_is_no_valid_file(dataset: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        IncidentIoDataset.model_validate({"name": "things", **dataset})


@pytest.mark.parametrize(
    ("settings", "base_url", "pace"),
    [
        ({}, "https://api.incident.io", RateLimit(requests=1200, seconds=60)),
        ({"requests_per_minute": 600}, "https://api.incident.io", RateLimit(requests=600, seconds=60)),
        ({"base_url": "http://127.0.0.1:1"}, "http://127.0.0.1:1", None),
    ],
)
def test_incident_ios_own_address_has_incident_ios_limit(
    settings: dict[str, Any], base_url: str, pace: RateLimit | None
) -> None:
    connection = IncidentIoConnection.model_validate({"kind": "incident_io", "api_key": "key-value", **settings})
    made = settings_of("orbit", connection)
    assert made.base_url == base_url
    assert made.budgets[EVERY_REQUEST].limit == pace
