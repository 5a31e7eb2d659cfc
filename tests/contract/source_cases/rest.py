from __future__ import annotations

from penstock.connections import RestConnection
from sandbox.rest.collection import REST_CLIENT_ID, REST_CLIENT_SECRET, Auth, Collection, Paging, TimeFilter
from tests.contract.source_cases.case import Case, Place
from tests.contract.source_cases.orders import ORDERS, orders_between

SETTINGS = {
    "collections": {
        "orders": Collection(
            records=ORDERS,
            paging=Paging(style="cursor", size=40, total_path="paging.total"),
            time_filter=TimeFilter(),
            auth=Auth(kind="oauth2"),
        )
    }
}


def _connect(place: Place, secret: str | None) -> RestConnection:
    url = place.sandbox.service_url("rest")
    auth = {
        "kind": "oauth2",
        "token_url": f"{url}/oauth/token",
        "client_id": REST_CLIENT_ID,
        "client_secret": secret or REST_CLIENT_SECRET,
    }
    return RestConnection.model_validate({"kind": "rest", "base_url": url, "auth": auth})


CASES = {
    "rest": Case(
        kind="rest",
        dataset={
            "path": "/orders",
            "records": "data",
            "paging": {"kind": "cursor", "path": "paging.next"},
            "window_parameters": {"start": "updated_since", "end": "updated_until"},
            "total": "paging.total",
        },
        connect=_connect,
        truth=lambda _place, interval: orders_between(interval),
        secrets=(REST_CLIENT_SECRET,),
        path="/rest/orders",
        column="note",
        token_path="/rest/oauth/token",
        has_pages=True,
        has_late_rows=True,
    )
}
