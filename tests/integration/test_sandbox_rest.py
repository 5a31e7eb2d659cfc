"""The generic REST API: every paging style to its last page, every way to authenticate, every time filter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from penstock.errors import ConfigurationError
from sandbox.clock import Clock
from sandbox.rest.collection import (
    REST_API_KEY,
    REST_CLIENT_ID,
    REST_CLIENT_SECRET,
    REST_PASSWORD,
    REST_TOKEN,
    REST_USERNAME,
    Auth,
    Collection,
    Paging,
    RateLimit,
    TimeFilter,
)
from sandbox.rest.demo import AUTH_KINDS, PAGING_STYLES
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings

NOW = "2026-03-20T12:00:00Z"
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
RECORDS = [
    {"id": number, "parent": number % 5, "updated_at": (FIRST + timedelta(hours=number)).isoformat(), "text": "ü\n"}
    for number in range(257)
]
EPOCH_RECORDS = [{"id": number, "at": int(FIRST.timestamp()) + 3600 * number} for number in range(100)]
IN_BODY = TimeFilter(start_name="filter.from", end_name="filter.to", place="body", format="epoch_milliseconds")


def styled(name: str, **paging: Any) -> Collection:
    return Collection(records=RECORDS, paging=Paging(style=name, size=50, **paging), record_path="result.items")


COLLECTIONS = {
    "page": styled("page", pages_path="meta.pages", total_path="meta.total"),
    "page_from_zero": styled("page", first_page=0, page_name="p", size_name="limit"),
    "page_in_body": styled("page", place="body", page_name="paging.page", size_name="paging.size"),
    "offset": styled("offset", total_header="X-Total-Count", largest_size=40),
    "cursor": styled("cursor", next_path="meta.next", last_page="absent", more_path="meta.more"),
    "cursor_empty": styled("cursor", last_page="empty"),
    "header_cursor": Collection(records=RECORDS, paging=Paging(style="header_cursor", size=50), record_path=""),
    "keyset": styled("keyset", cursor_name="after", more_path="has_more"),
    "next_url": styled("next_url", next_path="links.next"),
    "next_url_relative": styled("next_url", next_path="links.next", relative_urls=True),
    "link_header": Collection(records=RECORDS, paging=Paging(style="link_header", size=50), record_path=""),
    "none": Collection(records=RECORDS, paging=Paging(style="none", total_header="X-Total-Count"), record_path=""),
    "by_bytes": Collection(records=[orjson.dumps(record) for record in RECORDS]),
    "by_iterable": Collection(records=(record for record in RECORDS)),
    "exclusive": Collection(records=RECORDS, time_filter=TimeFilter()),
    "inclusive": Collection(records=RECORDS, time_filter=TimeFilter(end_inclusive=True)),
    "days": Collection(records=RECORDS, time_filter=TimeFilter(format="date", end_inclusive=True, required=True)),
    "epochs": Collection(records=EPOCH_RECORDS, time_filter=TimeFilter(column="at", format="epoch_seconds")),
    "patterned": Collection(records=RECORDS, time_filter=TimeFilter(format="%d/%m/%Y %H:%M")),
    "in_body": Collection(records=RECORDS, time_filter=IN_BODY),
    "empty_null": Collection(records=[], empty_page="null", wrapper={"status": "ok"}),
    "empty_absent": Collection(records=[], empty_page="absent", wrapper={"status": "ok"}),
    "parents": Collection(records=[{"id": number} for number in range(6)]),
    "parents/{parent}/children": Collection(records=RECORDS, paging=Paging(style="cursor", size=20)),
    "limited": Collection(records=RECORDS, rate_limit=RateLimit(requests=2, per_seconds=30)),
    "limited_by_date": Collection(records=[], rate_limit=RateLimit(requests=1, per_seconds=9, retry_after="http_date")),
    "keyed_urls": Collection(
        records=RECORDS, paging=Paging(style="next_url", size=200), auth=Auth(kind="api_key_query", name="key")
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with serve(SandboxSettings(clock=Clock(NOW), collections=COLLECTIONS)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def connection(server: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.service_url("rest"), timeout=30) as client:
        yield client


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    server.clock.set(NOW)
    return server


@pytest.fixture
def client(sandbox: Sandbox, connection: httpx.Client) -> httpx.Client:
    assert sandbox.url in str(connection.base_url)
    return connection


def items(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    body = response.json()
    if isinstance(body, list):
        return body
    return body["result"]["items"] if "result" in body else body["data"]


def read_counted(client: httpx.Client, path: str, name: str, step: int, **fixed: Any) -> list[list[dict[str, Any]]]:
    """Reads page after page by a number in the query until one is empty."""
    pages, at = [], int(fixed.pop("start", 0))
    while page := items(client.get(path, params={name: at, **fixed})):
        pages.append(page)
        at += step
    return pages


def read_pointed(client: httpx.Client, path: str, find_next: Any) -> list[list[dict[str, Any]]]:
    """Reads page after page by what a page says about the next one: parameters, a URL, or None."""
    response = client.get(path)
    pages = [items(response)]
    while (pointer := find_next(response)) is not None:
        response = client.get(path, params=pointer) if isinstance(pointer, dict) else client.get(pointer)
        pages.append(items(response))
        assert len(pages) < 50
    return pages


def cursor_at(*path: str) -> Any:
    def find_next(response: httpx.Response) -> dict[str, str] | None:
        value = response.json()
        for part in path:
            value = value.get(part)
        return {"cursor": value} if value else None

    return find_next


def read_body_pages(client: httpx.Client) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    while page := items(client.post("/page_in_body", json={"paging": {"page": len(pages) + 1, "size": 60}})):
        pages.append(page)
    return pages


def read_keyset(client: httpx.Client) -> list[list[dict[str, Any]]]:
    def find_next(response: httpx.Response) -> dict[str, str] | None:
        return {"after": items(response)[-1]["id"]} if response.json()["has_more"] else None

    return read_pointed(client, "/keyset", find_next)


READERS = {
    "page": lambda client: read_counted(client, "/page", "page", 1, start=1),
    "page_from_zero": lambda client: read_counted(client, "/page_from_zero", "p", 1, limit=100),
    "page_in_body": read_body_pages,
    "offset": lambda client: read_counted(client, "/offset", "offset", 40, per_page=1000),
    "cursor": lambda client: read_pointed(client, "/cursor", cursor_at("meta", "next")),
    "cursor_empty": lambda client: read_pointed(client, "/cursor_empty", cursor_at("paging", "next")),
    "header_cursor": lambda client: read_pointed(
        client,
        "/header_cursor",
        lambda r: {"cursor": r.headers["x-next-cursor"]} if "x-next-cursor" in r.headers else None,
    ),
    "keyset": read_keyset,
    "next_url": lambda client: read_pointed(client, "/next_url", lambda r: r.json()["links"]["next"]),
    "link_header": lambda client: read_pointed(client, "/link_header", lambda r: r.links.get("next", {}).get("url")),
    "none": lambda client: [items(client.get("/none"))],
}


@pytest.mark.parametrize("style", READERS)
def test_each_paging_style_gives_every_record_once_up_to_the_last_page(client: httpx.Client, style: str):
    pages = READERS[style](client)
    assert [record for page in pages for record in page] == RECORDS
    expected = {"none": 1, "page_from_zero": 3, "page_in_body": 5, "offset": 7}
    assert len(pages) == expected.get(style, 6)
    assert len(pages[-1]) == {"none": 257, "page_from_zero": 57, "page_in_body": 17, "offset": 17}.get(style, 7)


def test_totals_stand_in_the_body_or_in_a_header(client: httpx.Client):
    assert client.get("/page").json()["meta"] == {"total": 257, "pages": 6}
    assert client.get("/offset").headers["x-total-count"] == "257"
    assert client.get("/none").headers["x-total-count"] == "257"
    assert client.get("/cursor").json()["meta"].keys() == {"next", "more"}


def test_the_last_page_has_a_null_an_empty_or_no_pointer_as_the_collection_wants(client: httpx.Client):
    assert client.get("/next_url", params={"per_page": 500}).json()["links"] == {"next": None}
    assert client.get("/cursor_empty", params={"per_page": 500}).json()["paging"] == {"next": ""}
    assert client.get("/cursor", params={"per_page": 500}).json()["meta"] == {"more": False}


def test_a_page_that_ends_with_the_last_record_points_nowhere(client: httpx.Client):
    assert client.get("/next_url", params={"per_page": 257}).json()["links"] == {"next": None}
    assert client.get("/keyset", params={"per_page": 257}).json()["has_more"] is False
    assert "next" not in client.get("/link_header", params={"per_page": 257}).links
    assert "next" in client.get("/link_header", params={"per_page": 256}).links


def test_next_urls_keep_the_rest_of_the_query_and_can_be_relative(client: httpx.Client, sandbox: Sandbox):
    absolute = client.get("/next_url", params={"per_page": 100, "fields": "a,b"}).json()["links"]["next"]
    assert absolute.startswith(f"{sandbox.url}/rest/next_url?")
    assert httpx.URL(absolute).params["fields"] == "a,b"
    assert httpx.URL(absolute).params["per_page"] == "100"
    relative = client.get("/next_url_relative").json()["links"]["next"]
    assert relative.startswith("/rest/next_url_relative?")
    assert items(client.get(f"{sandbox.url}{relative}"))[0] == RECORDS[50]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/page", {"page": "0"}),
        ("/page", {"page": "two"}),
        ("/page", {"per_page": "0"}),
        ("/offset", {"offset": "-1"}),
        ("/cursor", {"cursor": "bm90IG91cnM"}),
        ("/cursor", {"cursor": "ö"}),
        ("/keyset", {"after": "9999"}),
        ("/days", {}),
        ("/days", {"updated_since": "2026-03-01T00:00:00Z"}),
        ("/exclusive", {"updated_since": "last week"}),
        ("/epochs", {"updated_since": "2026-03-01"}),
    ],
)
def test_malformed_parameters_are_refused_by_name(client: httpx.Client, path: str, params: dict[str, str]):
    response = client.get(path, params=params)
    assert response.status_code == 400
    assert response.json()["error"] == "bad_request"
    assert response.json()["message"]


def test_records_given_as_bytes_or_as_an_iterable_are_served_as_they_are(client: httpx.Client):
    for path in ("/by_bytes", "/by_iterable"):
        pages = read_counted(client, path, "page", 1, start=1)
        assert [record for page in pages for record in page] == RECORDS
    body = client.get("/by_bytes", params={"per_page": 2}).content
    assert b",".join(orjson.dumps(record) for record in RECORDS[:2]) in body


@pytest.mark.parametrize(
    ("path", "start", "end", "expected"),
    [
        ("/exclusive", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", range(24, 48)),
        ("/exclusive", "2026-03-01T19:00:00-05:00", "2026-03-03T00:00:00", range(24, 48)),
        ("/exclusive", "2026-03-11T00:00:00Z", None, range(240, 257)),
        ("/exclusive", None, "2026-03-01T02:00:00Z", range(2)),
        ("/inclusive", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", range(24, 49)),
        ("/days", "2026-03-02", "2026-03-03", range(24, 72)),
        ("/epochs", "1772409600", "1772416800", range(24, 26)),
        ("/patterned", "02/03/2026 00:00", "02/03/2026 03:00", range(24, 27)),
    ],
)
def test_time_filters_keep_their_format_and_their_end(
    client: httpx.Client, path: str, start: str | None, end: str | None, expected: range
):
    params = {name: value for name, value in [("updated_since", start), ("updated_until", end)] if value}
    assert [record["id"] for record in items(client.get(path, params=params))] == list(expected)


def test_a_filter_in_a_body_is_dotted_and_the_query_does_not_stand_in_for_it(client: httpx.Client):
    since = int((FIRST + timedelta(hours=250)).timestamp() * 1000)
    found = items(client.post("/in_body", json={"filter": {"from": since, "to": since + 3 * 3_600_000}}))
    assert [record["id"] for record in found] == [250, 251, 252]
    assert len(items(client.get("/in_body", params={"filter.from": str(since)}))) == 100
    assert client.post("/in_body", content=b"{").status_code == 400


def test_an_empty_page_has_an_empty_array_null_or_nothing(client: httpx.Client):
    assert client.get("/exclusive", params={"updated_since": "2027-01-01T00:00:00Z"}).json() == {"data": []}
    assert client.get("/empty_null").json() == {"status": "ok", "data": None}
    assert client.get("/empty_absent").json() == {"status": "ok"}


def test_children_are_those_of_their_parent_page_by_page(client: httpx.Client):
    for parent in range(5):
        pages = read_pointed(client, f"/parents/{parent}/children", cursor_at("paging", "next"))
        assert [record for page in pages for record in page] == [r for r in RECORDS if r["parent"] == parent]
    assert items(client.get("/parents/5/children")) == []
    assert client.get("/parents/99/children").status_code == 404
    assert client.get("/parents/3").json() == {"id": 3}
    assert client.get("/parents/99").status_code == 404


def test_a_body_that_is_an_array_has_no_room_for_a_pointer():
    with pytest.raises(ConfigurationError, match="record_path"):
        Collection(records=[], record_path="", paging=Paging(style="cursor"))
    with pytest.raises(ConfigurationError, match="record_path"):
        Collection(records=[], record_path="", paging=Paging(style="page", total_path="total"))


def request_token(client: httpx.Client, **form: str) -> httpx.Response:
    return client.post("/oauth/token", data={"grant_type": "client_credentials", **form})


def credentials(client: httpx.Client, kind: str) -> dict[str, Any]:
    if kind == "oauth2":
        granted = request_token(client, client_id=REST_CLIENT_ID, client_secret=REST_CLIENT_SECRET)
        return {"headers": {"authorization": f"Bearer {granted.json()['access_token']}"}}
    return {
        "none": {},
        "basic": {"auth": (REST_USERNAME, REST_PASSWORD)},
        "bearer": {"headers": {"authorization": f"Bearer {REST_TOKEN}"}},
        "api_key_header": {"headers": {"x-api-key": REST_API_KEY}},
        "api_key_query": {"params": {"api_key": REST_API_KEY}},
    }[kind]


@pytest.mark.parametrize("kind", AUTH_KINDS)
def test_each_way_to_authenticate_opens_its_own_collections_only(sandbox: Sandbox, client: httpx.Client, kind: str):
    accepted = credentials(client, kind)
    for other in AUTH_KINDS:
        response = client.get(f"/auth/{other}/orders", **accepted)
        assert response.status_code == (200 if other in {kind, "none"} else 401), other
    log = repr(sandbox.log.requests())
    assert REST_API_KEY not in log
    assert REST_TOKEN not in log


def test_oauth_tokens_expire_with_the_clock_and_need_the_right_client(sandbox: Sandbox, client: httpx.Client):
    accepted = credentials(client, "oauth2")
    assert client.get("/auth/oauth2/orders", **accepted).status_code == 200
    sandbox.clock.advance(seconds=3599)
    assert client.get("/auth/oauth2/orders", **accepted).status_code == 200
    sandbox.clock.advance(seconds=1)
    expired = client.get("/auth/oauth2/orders", **accepted)
    assert expired.status_code == 401
    assert "invalid_token" in expired.headers["www-authenticate"]
    assert client.get("/auth/oauth2/orders", **credentials(client, "oauth2")).status_code == 200
    assert request_token(client, client_id=REST_CLIENT_ID, client_secret="wrong").status_code == 401
    assert client.post("/oauth/token", data={"grant_type": "password"}).status_code == 400
    by_header = client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=(REST_CLIENT_ID, REST_CLIENT_SECRET)
    )
    assert by_header.json().keys() == {"access_token", "token_type", "expires_in"}


def test_next_urls_do_not_repeat_an_api_key(client: httpx.Client):
    page = client.get("/keyed_urls", params={"key": REST_API_KEY}).json()
    assert REST_API_KEY not in page["paging"]["next"]
    assert client.get(page["paging"]["next"]).status_code == 401


def test_a_rate_limit_refuses_the_next_request_and_says_how_long_to_wait(sandbox: Sandbox, client: httpx.Client):
    assert [client.get("/limited").status_code for _ in range(3)] == [200, 200, 429]
    assert 25 <= int(client.get("/limited").headers["retry-after"]) <= 30
    client.get("/limited_by_date")
    by_date = datetime.strptime(
        client.get("/limited_by_date").headers["retry-after"], "%a, %d %b %Y %H:%M:%S GMT"
    ).replace(tzinfo=UTC)
    assert timedelta(seconds=6) < by_date - datetime.now(tz=UTC) <= timedelta(seconds=11)
    sandbox.reset()
    assert client.get("/limited").status_code == 200


def read_orders(client: httpx.Client, **bounds: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    params: dict[str, Any] = {**bounds, "per_page": 1000}
    while True:
        body = client.get("/orders", params=params).json()
        found += body["data"]
        if body["paging"]["next_cursor"] is None:
            assert len(found) == body["paging"]["total"]
            return found
        params["cursor"] = body["paging"]["next_cursor"]


def test_generated_orders_grow_and_move_with_the_clock(sandbox: Sandbox, client: httpx.Client):
    before = {order["id"]: order for order in read_orders(client)}
    sandbox.clock.advance(days=2)
    after = {order["id"]: order for order in read_orders(client)}
    assert before.keys() < after.keys()
    changed = {key for key, order in before.items() if after[key] != order}
    assert changed
    assert all(after[key]["updated_at"] > NOW for key in changed)
    since = {order["id"] for order in read_orders(client, updated_since="2026-03-20T12:00:00.001Z")}
    assert since == changed | (after.keys() - before.keys())


@pytest.mark.parametrize("style", PAGING_STYLES)
def test_generated_orders_are_served_in_every_paging_style(client: httpx.Client, style: str):
    window = {"updated_since": "2026-02-20T00:00:00Z", "updated_until": "2026-03-11T00:00:00Z"}
    expected = read_orders(client, **window)
    assert items(client.get(f"/paging/{style}/orders", params={**window, "per_page": 1000})) == expected
    assert len(expected) > 400


def test_generated_orders_belong_to_their_accounts(client: httpx.Client):
    accounts = items(client.get("/accounts", params={"per_page": 1000}))
    orders = read_orders(client)
    assert {order["account_id"] for order in orders} >= {account["id"] for account in accounts[:5]}
    own = items(client.get(f"/accounts/{accounts[0]['id']}/orders", params={"per_page": 1000}))
    assert own == [order for order in orders if order["account_id"] == accounts[0]["id"]]
    assert own
