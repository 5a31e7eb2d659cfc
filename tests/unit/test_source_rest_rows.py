from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from penstock.artifacts import Interval
from penstock.errors import ConfigurationError, DataError
from penstock.sources.rest import PageNumberPaging, RestDataset, WindowParameters
from tasks.sources.rest.body import join_records, read_body
from tasks.sources.rest.numbered import NumberedPages
from tasks.sources.rest.page import Page
from tasks.sources.rest.rows import read_moment, shape_page
from tasks.sources.rest.walk import with_values
from tasks.sources.rest.window import parts_of, window_values

FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def _days(count: int, first: datetime = FIRST, timezone: str = "UTC") -> Interval:
    return Interval(start=first, end=first + timedelta(days=count), timezone=timezone, as_of=first)


def _page(body: dict[str, Any], records: str = "data") -> Page:
    read = read_body(json.dumps(body).encode())
    found = read.records(records) or []
    url = httpx.URL("https://api.example.com/x")
    return Page(url, {}, (), read, found, join_records(found) if found else b"", None)


def _shape(body: dict[str, Any], interval: Interval | None = None, **dataset: Any) -> tuple[list[dict[str, Any]], int]:
    spec = RestDataset.model_validate({"name": "x", "path": "/x", "records": "data", **dataset})
    shaped = shape_page(_page(body), spec, interval or _days(3))
    lines = shaped.page.lines.splitlines()
    assert len(lines) == len(shaped.page.records)
    return [json.loads(line) for line in lines], shaped.left_out


ENVELOPE = {"rows": ("results", "result"), "bucket": {"kind": "envelope", "start": "from", "end": "to"}}
DAY_1 = {"bucket_start": "2026-03-01T00:00:00Z", "bucket_end": "2026-03-02T00:00:00Z"}
DAY_2 = {"bucket_start": "2026-03-02T00:00:00Z", "bucket_end": "2026-03-03T00:00:00Z"}


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"), (1772323200, 1772409600), ("1772323200000", 1772409600000)],
)
@pytest.mark.parametrize("name", ["results", "result"])
def test_rows_of_a_bucket_carry_when_it_starts_and_ends_however_the_api_writes_times(
    name: str, start: Any, end: Any
) -> None:
    buckets = [{"from": start, "to": end, name: [{"n": 1}, {"n": 2}]}, {"from": 1772409600, "to": 1772496000, name: []}]
    rows, left_out = _shape({"data": buckets}, **ENVELOPE)
    assert rows == [{**DAY_1, "n": 1}, {**DAY_1, "n": 2}]
    assert left_out == 0


def test_a_bucket_without_its_array_is_an_error_and_not_a_day_without_use() -> None:
    with pytest.raises(DataError, match="no array"):
        _shape({"data": [{"from": 1772323200, "to": 1772409600}]}, **ENVELOPE)


def test_an_api_that_leaves_empty_arrays_out_has_no_rows_there() -> None:
    rows, _ = _shape({"data": [{}, {"a": {"b": [{"n": 1}]}}]}, rows="a.b", records_may_be_absent=True)
    assert rows == [{"n": 1}]


def test_buckets_of_another_time_than_was_asked_are_left_out_and_counted() -> None:
    spans = [(1772236800, 1772323200), (1772323200, 1772409600), (1772582400, 1772668800)]
    buckets = [{"from": start, "to": end, "results": [{"n": start}]} for start, end in spans]
    rows, left_out = _shape({"data": buckets}, **ENVELOPE)
    assert [row["n"] for row in rows] == [1772323200]
    assert left_out == 2


@pytest.mark.parametrize(
    "time", ["2026-03-02", "2026-03-02T23:59:59.999Z", 1772409600, "1772495999999", "2026-03-03T00:30:00+02:00"]
)
def test_a_rows_own_time_puts_it_into_its_day_of_utc(time: Any) -> None:
    rows, _ = _shape({"data": [{"at": {"time": time}}]}, bucket={"kind": "row", "time": "at.time"})
    assert rows == [{**DAY_2, "at": {"time": time}}]


def test_a_row_that_an_inclusive_end_brings_is_the_next_windows() -> None:
    bucket = {"kind": "row", "time": "t"}
    hour = Interval(start=FIRST, end=FIRST + timedelta(hours=1), as_of=FIRST)
    body = {"data": [{"t": "2026-03-01T00:59:59Z"}, {"t": "2026-03-01T01:00:00Z"}]}
    rows, left_out = _shape(body, hour, bucket=bucket)
    assert [row["t"] for row in rows] == ["2026-03-01T00:59:59Z"]
    assert left_out == 1
    assert _shape({"data": [{"t": "2026-03-04"}]}, bucket=bucket) == ([], 1)


@pytest.mark.parametrize("time", [None, "yesterday", "", 7, True, [1]])
def test_what_is_no_time_is_no_bucket(time: Any) -> None:
    assert read_moment(time) is None
    with pytest.raises(DataError, match="no time"):
        _shape({"data": [{"at": time}]}, bucket={"kind": "row", "time": "at"})


def test_rows_without_a_time_carry_what_was_asked() -> None:
    window = {"start": "day", "format": "date", "timezone": "UTC"}
    rows, _ = _shape({"data": [{"n": 1}]}, _days(1), bucket={"kind": "request"}, window_parameters=window)
    assert rows == [{**DAY_1, "n": 1}]


def test_rows_carry_fields_of_the_body_and_an_own_field_of_another_value_stops() -> None:
    rows, _ = _shape({"data": [{"n": 1}, {}], "cycle": {"start": 5}}, carry={"cycle_start": "cycle.start", "gone": "x"})
    assert rows == [{"cycle_start": 5, "gone": None, "n": 1}, {"cycle_start": 5, "gone": None}]
    with pytest.raises(DataError, match="another value"):
        _shape({"data": [{"cycle_start": 6}], "cycle": {"start": 5}}, carry={"cycle_start": "cycle.start"})


@pytest.mark.parametrize(
    ("longest", "days", "lengths"),
    [("30d", 70, [30, 30, 10]), ("30d", 30, [30]), ("1d", 3, [1, 1, 1]), (None, 70, [70]), ("1w", 8, [7, 1])],
)
def test_a_window_is_asked_for_in_parts_that_meet(longest: str | None, days: int, lengths: list[int]) -> None:
    spec = WindowParameters(start="from", longest=longest, timezone="UTC")
    parts = [part.bounds() for part in parts_of(spec, _days(days))]
    assert [(end - start).days for start, end in parts] == lengths
    assert parts[0][0] == FIRST
    assert parts[-1][1] == FIRST + timedelta(days=days)
    assert all(one[1] == other[0] for one, other in pairwise(parts))


def test_parts_of_days_keep_to_the_apis_zone_across_a_clock_change() -> None:
    spec = WindowParameters(start="from", format="date", longest="1d", timezone="Europe/Berlin")
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)
    interval = Interval(start=start, end=datetime(2026, 3, 30, 22, tzinfo=UTC), timezone="Europe/Berlin", as_of=start)
    parts = list(parts_of(spec, interval))
    assert [window_values(spec, part) for part in parts] == [{"from": "2026-03-29"}, {"from": "2026-03-30"}]
    hours = [(end - start) / timedelta(hours=1) for start, end in (part.bounds() for part in parts)]
    assert hours == [23, 24]


@pytest.mark.parametrize("granularity", ["day", "hour", "minute"])
def test_a_bound_that_the_apis_clock_would_round_is_refused(granularity: str) -> None:
    spec = WindowParameters.model_validate({"start": "from", "granularity": granularity, "timezone": "UTC"})
    off = FIRST + timedelta(seconds=30)
    with pytest.raises(ConfigurationError, match="cannot be asked"):
        window_values(spec, Interval(start=off, end=off + timedelta(days=1), as_of=off))


def test_values_are_put_into_lists_of_a_body_by_their_place() -> None:
    body = {"filters": [{"op": "ge", "value": ""}, {"op": "le", "value": ""}]}
    filled = with_values(body, {"filters.0.value": "2026-03-01", "filters.1.value": "2026-03-02"})
    assert [one["value"] for one in filled["filters"]] == ["2026-03-01", "2026-03-02"]
    assert body["filters"][0]["value"] == ""


@pytest.mark.parametrize("path", ["filters.2.value", "filters.first.value", "name.deeper"])
def test_a_path_that_does_not_fit_the_body_is_named(path: str) -> None:
    with pytest.raises(ConfigurationError, match="does not fit"):
        with_values({"filters": [{}], "name": "x"}, {path: 1})


def _numbered(bodies: list[dict[str, Any]], **paging: Any) -> int:
    pager = NumberedPages(PageNumberPaging.model_validate({"kind": "page_number", **paging}))
    step, count = pager.first(), 0
    while step is not None:
        step, count = pager.following(_page(bodies[count])), count + 1
    return count


def test_pages_go_on_for_as_long_as_the_body_says_so() -> None:
    bodies = [{"data": [{"n": n}], "p": {"hasNextPage": n < 2}} for n in range(4)]
    assert _numbered(bodies, more_path="p.hasNextPage", size=1) == 3


def test_a_body_that_does_not_say_whether_more_follow_is_judged_by_its_rows() -> None:
    bodies = [{"data": [{"n": 1}, {"n": 2}], "numPages": 2}, {"data": [{"n": 3}], "numPages": 2}]
    assert _numbered(bodies, more_path="p.hasNextPage", size=2) == 2


def test_an_empty_page_before_the_stated_end_is_an_error() -> None:
    with pytest.raises(DataError, match="empty although more"):
        _numbered([{"data": [], "p": {"more": True}}], more_path="p.more")


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ({"bucket": {"kind": "envelope", "start": "a", "end": "b"}}, "rows"),
        ({"bucket": {"kind": "request"}}, "window_parameters"),
        ({"download_links": "links", "records": "data"}, "download_links"),
        ({"answer": "csv", "records": "data"}, "CSV"),
        ({"answer": "csv", "paging": {"kind": "page_number"}}, "CSV"),
        ({"paging": {"kind": "page_number", "pages_path": "a", "more_path": "b"}}, "not both"),
        ({"parent": {"name": "org"}}, "values"),
        ({"parent": {"name": "org", "path": "/orgs"}}, "together"),
        ({"parent": {"name": "org", "values": ["a"]}}, "must be the same"),
        ({"parent": {"name": "org", "path": "/o", "field": "id", "body": {}}}, "POST"),
    ],
)
def test_what_does_not_go_together_is_refused(dataset: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RestDataset.model_validate({"name": "x", "path": "/x", **dataset})


@pytest.mark.parametrize(
    "dataset",
    [
        {"path": "/orgs/{org}/x"},
        {"path": "/x", "parameters": {"org": "{org}"}},
        {"path": "/x", "method": "POST", "body": {"filter": {"orgs": ["{org}"]}}},
    ],
)
def test_a_parents_value_may_stand_in_path_parameters_or_body(dataset: dict[str, Any]) -> None:
    read = RestDataset.model_validate({"name": "x", "parent": {"name": "org", "values": ["a", 7]}, **dataset})
    assert read.parent is not None
    assert read.parent.values == ("a", 7)
    with pytest.raises(ValueError, match="org"):
        RestDataset.model_validate({"name": "x", "parent": {"name": "other", "values": ["a"]}, **dataset})
