from __future__ import annotations

import base64
from typing import Any, ClassVar, get_args

import pytest
from pydantic import TypeAdapter

from penstock.connections import Connection, DeclaredConnection
from penstock.sources.declared import BucketedDataset, Catalogue, DeclaredDataset, check_declared_dataset, declare
from penstock.sources.registry import SOURCES
from penstock.sources.rest import CursorPaging
from penstock.window import TimeWindow

DECLARED = {kind: entry.dataset for kind, entry in SOURCES.items() if issubclass(entry.dataset, DeclaredDataset)}
SECRET = "never-to-be-seen"
CONNECTIONS: dict[str, dict[str, Any]] = {
    "anthropic": {"api_key": SECRET},
    "copilot": {"token": SECRET, "organizations": ["orbit", "orbit-labs"]},
    "cursor": {"api_key": SECRET},
    "litellm": {"api_key": SECRET, "base_url": "https://llm.example.com"},
    "openai": {"api_key": SECRET},
    "sourcegraph": {"token": SECRET, "instance_url": "https://sg.example.com"},
    "windsurf": {"service_key": SECRET},
}


def _connection(kind: str, **changed: Any) -> DeclaredConnection:
    connection: DeclaredConnection = TypeAdapter(Connection).validate_python(
        {"kind": kind, **CONNECTIONS[kind], **changed}
    )
    return connection


def _dataset(kind: str, **fields: Any) -> Any:
    return SOURCES[kind].dataset.model_validate({"name": "x", **fields})


def _window(**window: Any) -> Any:
    return TypeAdapter(TimeWindow).validate_python(window)


def test_there_are_seven_ai_tools() -> None:
    assert len(CONNECTIONS) == 7
    assert set(CONNECTIONS) <= set(DECLARED)


@pytest.mark.parametrize("kind", DECLARED)
def test_a_file_may_name_each_report_of_the_catalogue_and_no_other(kind: str) -> None:
    dataset = DECLARED[kind]
    assert set(get_args(dataset.model_fields["report"].annotation)) == set(dataset.catalogue)


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_each_row_that_is_about_a_time_says_which(kind: str) -> None:
    for name, report in DECLARED[kind].catalogue.items():
        if report.window_parameters is not None and report.answer != "csv":
            assert report.bucket is not None, name


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_no_connection_shows_its_secret(kind: str) -> None:
    connection = _connection(kind)
    rest = connection.to_rest()
    shown = repr(connection) + connection.model_dump_json() + repr(rest) + rest.model_dump_json()
    assert SECRET not in shown
    assert base64.b64encode(f"{SECRET}:".encode()).decode() not in shown


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_the_vendors_pace_holds_at_the_vendors_address_only(kind: str) -> None:
    rest = _connection(kind).to_rest()
    assert rest.base_url.startswith("https://")
    elsewhere = _connection(kind, base_url="http://127.0.0.1:1/x").to_rest()
    assert elsewhere.rate_limit is None
    slow = _connection(kind, base_url="http://127.0.0.1:1/x", requests_per_minute=7).to_rest()
    assert slow.rate_limit is not None
    assert (slow.rate_limit.requests, slow.rate_limit.seconds) == (7, 60)
    expected = {"cursor": 20, "openai": 60}.get(kind)
    assert (rest.rate_limit.requests if rest.rate_limit else None) == expected


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_narrower_buckets_take_the_pages_and_the_clock_of_their_width(kind: str) -> None:
    report = {"anthropic": "usage", "openai": "completions"}[kind]
    for width, size, step in (("1d", 31, "day"), ("1h", 168, "hour"), ("1m", 1440, "minute")):
        endpoint = _dataset(kind, report=report, bucket_width=width).endpoint(_connection(kind))
        assert isinstance(endpoint.paging, CursorPaging)
        assert endpoint.window_parameters is not None
        assert (endpoint.paging.size, endpoint.window_parameters.granularity) == (size, step)
        assert endpoint.parameters["bucket_width"] == width


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("anthropic", {"report": "costs", "bucket_width": "1h"}, "bucket_width"),
        ("anthropic", {"report": "users", "group_by": ["model"]}, "group_by"),
        ("anthropic", {"report": "usage", "group_by": ["colour"]}, "group_by"),
        ("openai", {"report": "projects", "bucket_width": "1d"}, "bucket_width"),
        ("litellm", {"report": "users", "only": ["a"]}, "only"),
        ("copilot", {"report": "users", "page_size": 5}, "page_size"),
        ("windsurf", {"report": "users", "page_size": 5}, "pages"),
        ("sourcegraph", {"page_size": 5}, "pages"),
        ("cursor", {"report": "metrics"}, "report"),
    ],
)
def test_what_a_report_does_not_take_is_refused_in_the_file(kind: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _dataset(kind, **fields)


def test_copilot_asks_for_whom_the_connection_names() -> None:
    endpoint = _dataset("copilot", report="users").endpoint(_connection("copilot"))
    assert endpoint.parent is not None
    assert (endpoint.parent.name, endpoint.parent.values) == ("organization", ("orbit", "orbit-labs"))
    with pytest.raises(Exception, match="does not say whose"):
        _dataset("copilot", report="enterprise").endpoint(_connection("copilot"))
    with pytest.raises(ValueError, match="organizations"):
        _connection("copilot", organizations=[])


def test_windsurfs_people_are_those_of_the_connections_group() -> None:
    connection = _connection("windsurf", group_name="platform")
    by_person = _dataset("windsurf", report="cascade_lines").endpoint(connection)
    assert by_person.parent is not None
    assert by_person.parent.body == {"group_name": "platform"}
    assert "group_name" not in (by_person.body or {})
    assert _dataset("windsurf", report="users").endpoint(connection).body == {"group_name": "platform"}


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ({"kind": "full"}, "needs a start and an end"),
        ({"kind": "daily", "timezone": "America/New_York"}, "days of UTC"),
        ({"kind": "daily"}, None),
    ],
)
def test_a_window_that_the_api_cannot_be_asked_for_is_found_before_it_is(
    window: dict[str, Any], said: str | None
) -> None:
    found = list(check_declared_dataset(_dataset("cursor", report="daily_usage"), _window(**window)))
    assert [said in finding.message for finding in found if said] == ([True] if said else [])
    assert bool(found) == bool(said)
    assert list(check_declared_dataset(_dataset("cursor", report="members"), _window(kind="full"))) == []


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_every_report_with_a_window_is_counted_in_days_of_utc(kind: str) -> None:
    for name, report in DECLARED[kind].catalogue.items():
        found = list(check_declared_dataset(_dataset(kind, report=name), _window(kind="daily", timezone="Asia/Tokyo")))
        assert bool(found) == (report.window_parameters is not None), name


def test_a_list_of_what_has_changed_may_be_asked_for_by_the_days_of_any_zone() -> None:
    class Changes(DeclaredDataset[DeclaredConnection]):
        catalogue: ClassVar[Catalogue] = declare(
            parcels={"path": "/parcels", "window_parameters": {"start": "changed_from", "end": "changed_until"}}
        )

    dataset = Changes(name="parcels", report="parcels")
    assert list(check_declared_dataset(dataset, _window(kind="daily", timezone="Asia/Tokyo"))) == []
    assert len(list(check_declared_dataset(dataset, _window(kind="full")))) == 1


@pytest.mark.parametrize("kind", DECLARED)
def test_reports_with_a_window_honour_it_and_lists_come_whole(kind: str) -> None:
    for name, report in DECLARED[kind].catalogue.items():
        traits = SOURCES[kind].dataset_traits(_dataset(kind, report=name))
        assert traits.honours_window == (report.window_parameters is not None), name


def test_only_the_two_vendors_with_buckets_vary_them() -> None:
    assert {kind for kind in DECLARED if issubclass(SOURCES[kind].dataset, BucketedDataset)} == {"anthropic", "openai"}
