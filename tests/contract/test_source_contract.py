"""What every source promises, whatever it reads: every row of the interval once, or an error, and no secret anywhere.

Each case is one dataset of a source against the emulated system, written through the lake's own sink.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from penstock.artifacts import Extraction, FileFormat, Interval
from penstock.connections import FolderConnection, GladlyConnection, RestConnection
from penstock.errors import DataError, PenstockError, RejectedError, TransientError
from penstock.naming import BatchKeys
from penstock.sources.base import DatasetSpec, SourceSpec
from penstock.sources.registry import SOURCES
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.gladly.settings import GLADLY_EMAIL, GLADLY_ORG, GLADLY_TOKEN, GladlySettings
from sandbox.rest.collection import REST_CLIENT_ID, REST_CLIENT_SECRET, Auth, Collection, Paging, TimeFilter
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.sources.contract import ExtractRequest
from tasks.sources.registry import EXTRACTORS, extractor
from tasks.staging.local import LocalStore
from tasks.staging.manifest import LakeSink
from tests.fakes.clock import FakeTime

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
FIRST = datetime(2026, 3, 17, tzinfo=UTC)
PAGE = 40
ORDERS = [
    {"id": number, "updated_at": (FIRST + timedelta(minutes=12 * number)).isoformat(), "note": 'a\n"b", ü'}
    for number in range(360)
]
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One dataset of a source.

    Args:
        dataset: As in a pipeline file.
        path: Of its requests in the sandbox; empty for a source without HTTP.
        truth: Its rows in an interval, read without the source.
        column: A column that a schema change can take away.
    """

    kind: str
    dataset: dict[str, Any]
    path: str
    truth: Callable[[Sandbox, Interval], list[Row]]
    column: str = ""
    honours_window: bool = True


def _interval(days: int, first: datetime = FIRST) -> Interval:
    return Interval(start=first, end=first + timedelta(days=days), as_of=NOW)


def _orders_between(_sandbox: Sandbox, interval: Interval) -> list[Row]:
    start, end = interval.bounds()
    return [order for order in ORDERS if start <= datetime.fromisoformat(str(order["updated_at"])) < end]


def _ask_gladly(sandbox: Sandbox, path: str, **request: Any) -> httpx.Response:
    method = "POST" if "json" in request else "GET"
    url = f"{sandbox.service_url('gladly')}{path}"
    return httpx.request(method, url, auth=(GLADLY_EMAIL, GLADLY_TOKEN), **request).raise_for_status()


def _report_rows(sandbox: Sandbox, interval: Interval) -> list[Row]:
    start, end = interval.bounds()
    days = {"startAt": f"{start:%Y-%m-%d}", "endAt": f"{end - timedelta(days=1):%Y-%m-%d}", "timezone": "UTC"}
    answer = _ask_gladly(sandbox, "/reports", json={"metricSet": "ContactTimestampsReport", **days})
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def _export_rows(sandbox: Sandbox, interval: Interval) -> list[Row]:
    start, end = interval.bounds()
    jobs = [
        job
        for job in _ask_gladly(sandbox, "/export/jobs").json()
        if job["status"] == "COMPLETED" and start <= datetime.fromisoformat(job["updatedAt"]) < end
    ]
    paths = [f"/export/jobs/{job['id']}/files/customers.jsonl" for job in jobs]
    return [json.loads(line) for path in paths for line in _ask_gladly(sandbox, path).text.splitlines()]


def _agents(sandbox: Sandbox, _interval: Interval) -> list[Row]:
    return _ask_gladly(sandbox, "/agents").json()  # type: ignore[no-any-return]


def _dropped_orders(_sandbox: Sandbox, interval: Interval) -> list[Row]:
    """The rows of one file a day, dropped at noon."""
    start, end = interval.bounds()
    noons = [FIRST + timedelta(days=day, hours=12) for day in range(3)]
    return [order for day, noon in enumerate(noons) if start <= noon < end for order in ORDERS[day * 120 :][:120]]


REST_DATASET = {
    "path": "/orders",
    "records": "data",
    "paging": {"kind": "cursor", "path": "paging.next"},
    "window_parameters": {"start": "updated_since", "end": "updated_until"},
    "total": "paging.total",
}
CASES = {
    "rest": Case("rest", REST_DATASET, "/rest/orders", _orders_between, "note"),
    "gladly-report": Case(
        "gladly", {"report": "ContactTimestampsReport"}, "/gladly/*/reports", _report_rows, "Event Type"
    ),
    "gladly-export": Case("gladly", {"export": "customers"}, "/gladly/*/export/*", _export_rows),
    "gladly-collection": Case("gladly", {"collection": "agents"}, "/gladly/*/agents", _agents, honours_window=False),
    "s3_files": Case("s3_files", {"glob": "drops/*.jsonl", "select": "window"}, "", _dropped_orders),
}
HTTP_CASES = [name for name, case in CASES.items() if case.path]
WINDOWED = [name for name, case in CASES.items() if case.honours_window]


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    orders = Collection(
        records=ORDERS,
        paging=Paging(style="cursor", size=PAGE, total_path="paging.total"),
        time_filter=TimeFilter(),
        auth=Auth(kind="oauth2"),
    )
    gladly = GladlySettings(conversations_per_day=30)
    with serve(SandboxSettings(clock=Clock(NOW), collections={"orders": orders}, gladly=gladly)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    return server


@pytest.fixture(scope="module")
def drops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("drops")
    (root / "drops").mkdir()
    for day in range(3):
        file = root / "drops" / f"day-{day}.jsonl"
        file.write_text("".join(json.dumps(order) + "\n" for order in ORDERS[day * 120 :][:120]))
        noon = (FIRST + timedelta(days=day, hours=12)).timestamp()
        os.utime(file, (noon, noon))
    return root


@dataclass
class Reader:
    """Extracts a case into a lake and reads what is there."""

    sandbox: Sandbox
    drops: Path
    lake: Path

    def connection(self, kind: str, secret: str | None = None) -> Any:
        if kind == "rest":
            auth = {
                "kind": "oauth2",
                "token_url": f"{self.sandbox.service_url('rest')}/oauth/token",
                "client_id": REST_CLIENT_ID,
                "client_secret": secret or REST_CLIENT_SECRET,
            }
            url = self.sandbox.service_url("rest")
            return RestConnection.model_validate({"kind": "rest", "base_url": url, "auth": auth})
        if kind == "gladly":
            return GladlyConnection.model_validate(
                {
                    "kind": "gladly",
                    "organization": GLADLY_ORG,
                    "email": GLADLY_EMAIL,
                    "token": secret or GLADLY_TOKEN,
                    "base_url": self.sandbox.service_url("gladly"),
                }
            )
        return FolderConnection(kind="folder", path=str(self.drops))

    def extract(self, name: str, interval: Interval, *, batch: str = "b1", secret: str | None = None) -> Extraction:
        case = CASES[name]
        kinds = SOURCES[case.kind]
        dataset: DatasetSpec = kinds.dataset.model_validate({"name": "contract", **case.dataset})
        source: SourceSpec = kinds.source.model_validate({"kind": case.kind, "connection": "acme-system"})
        keys = BatchKeys(
            client="acme", source=case.kind, dataset="contract", strategy="append", interval=interval, batch_id=batch
        )
        sink = LakeSink(LocalStore(self.lake), keys, dataset="contract", interval=interval)
        request = ExtractRequest(source, dataset, interval, "acme-system")
        clock = {"clock": FakeTime(wall=time.time()).clock} if case.path else {}
        extractor(case.kind)(request, self.connection(case.kind, secret), sink, **clock)
        return sink.complete()

    def rows(self, extraction: Extraction) -> list[Row]:
        found: list[Row] = []
        for file in extraction.files:
            store = LocalStore(self.lake if file.store == "lake" else self.drops)
            with store.open_read(file.key) as stored:
                text = stored.read().decode("utf-8-sig")
            found += (
                list(csv.DictReader(io.StringIO(text, newline="")))
                if file.format is FileFormat.CSV
                else [json.loads(line) for line in text.splitlines()]
            )
        return found

    def read(self, name: str, interval: Interval, **options: Any) -> list[Row]:
        return self.rows(self.extract(name, interval, **options))


@pytest.fixture
def reader(sandbox: Sandbox, drops: Path, tmp_path: Path) -> Reader:
    return Reader(sandbox, drops, tmp_path / "lake")


def _sorted(rows: list[Row]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def test_every_kind_of_source_is_under_contract() -> None:
    assert {case.kind for case in CASES.values()} == set(EXTRACTORS)


@pytest.mark.parametrize("name", CASES)
def test_every_row_of_the_interval_arrives_once_with_the_last_page_and_the_total(reader: Reader, name: str) -> None:
    expected = CASES[name].truth(reader.sandbox, _interval(3))
    extraction = reader.extract(name, _interval(3))
    assert len(expected) > 10
    assert _sorted(reader.rows(extraction)) == _sorted(expected)
    if CASES[name].path:
        assert extraction.row_count == len(expected)


@pytest.mark.parametrize("name", CASES)
def test_the_same_interval_gives_the_same_rows_again(reader: Reader, name: str) -> None:
    assert reader.read(name, _interval(3)) == reader.read(name, _interval(3), batch="b2")


@pytest.mark.parametrize("name", WINDOWED)
def test_intervals_that_meet_have_no_gap_and_no_overlap(reader: Reader, name: str) -> None:
    parts = [row for day in range(3) for row in reader.read(name, _interval(1, FIRST + timedelta(days=day)))]
    assert _sorted(parts) == _sorted(reader.read(name, _interval(3)))


FAULTS = {
    "429": {"kind": "rate_limited"},
    "429-seconds": {"kind": "rate_limited", "retry_after_seconds": 30},
    "429-date": {"kind": "rate_limited", "retry_after_seconds": 30, "retry_after_form": "http_date"},
    "500": {"kind": "server_error", "status": 500},
    "503-seconds": {"kind": "server_error", "status": 503, "retry_after_seconds": 2},
    "truncated": {"kind": "truncated_body"},
    "dropped": {"kind": "connection_drop"},
    "error-text": {"kind": "error_text"},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", HTTP_CASES)
def test_what_fails_for_a_moment_changes_nothing(reader: Reader, name: str, fault: str) -> None:
    expected = CASES[name].truth(reader.sandbox, _interval(2))
    made = reader.sandbox.faults.add(Fault.model_validate({**FAULTS[fault], "path": CASES[name].path, "times": 2}))
    extraction = reader.extract(name, _interval(2))
    assert reader.sandbox.faults.times_met(made) == 2
    assert _sorted(reader.rows(extraction)) == _sorted(expected)
    assert extraction.row_count == len(expected)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("500", TransientError), ("429", TransientError), ("truncated", TransientError), ("error-text", DataError)],
)
@pytest.mark.parametrize("name", HTTP_CASES)
def test_what_keeps_failing_is_an_error_that_says_what_to_do_next(
    reader: Reader, name: str, fault: str, error: type[PenstockError]
) -> None:
    path = CASES[name].path
    reader.sandbox.faults.add(Fault.model_validate({**FAULTS[fault], "path": path, "times": None, "after": 1}))
    after_first = _interval(3)
    if name in ("gladly-report", "gladly-collection"):
        reader.extract(name, after_first, batch="uses-up-the-first")
    with pytest.raises(error) as caught:
        reader.extract(name, after_first)
    assert caught.value.guidance
    assert caught.value.connection == "acme-system"
    assert [info.key for info in LocalStore(reader.lake).list("ingest/") if "/b1/" in info.key] == []


def test_an_oauth_token_that_expires_on_the_way_is_renewed(reader: Reader) -> None:
    expected = _orders_between(reader.sandbox, _interval(3))
    reader.sandbox.faults.add(Fault(kind="expired_token", path="/rest/orders", after=3))
    assert _sorted(reader.read("rest", _interval(3))) == _sorted(expected)
    assert len(reader.sandbox.log.requests("/rest/oauth/token")) == 2


@pytest.mark.parametrize("name", [name for name in HTTP_CASES if name.startswith("gladly")])
def test_a_fixed_token_that_expires_stops_the_extraction(reader: Reader, name: str) -> None:
    reader.sandbox.faults.add(Fault(kind="expired_token", path=CASES[name].path))
    with pytest.raises(RejectedError, match="Renew the credentials") as caught:
        reader.extract(name, _interval(2))
    assert caught.value.connection == "acme-system"


@pytest.mark.parametrize("kind", ["repeated_page_token", "missing_page_token"])
def test_paging_that_goes_wrong_is_an_error_and_not_a_short_table(reader: Reader, kind: str) -> None:
    reader.sandbox.faults.add(Fault.model_validate({"kind": kind, "path": "/rest/orders", "after": 2}))
    with pytest.raises(DataError):
        reader.extract("rest", _interval(3))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.column])
def test_a_change_of_columns_arrives_as_it_is(reader: Reader, name: str) -> None:
    case = CASES[name]
    before = reader.read(name, _interval(1))
    reader.sandbox.faults.add(Fault(kind="schema_change", path=case.path, change="remove", column=case.column))
    reader.sandbox.faults.add(Fault(kind="schema_change", path=case.path, change="add", column="brand_new"))
    after = reader.read(name, _interval(1), batch="b2")
    assert len(after) == len(before)
    assert set(before[0]) - set(after[0]) == {case.column}
    assert {row["brand_new"] for row in after} == {"added"}


@pytest.mark.parametrize("fault", [None, "500", "error-text"])
@pytest.mark.parametrize("secret", [None, "wrong-secret-value"])
@pytest.mark.parametrize("name", HTTP_CASES)
def test_no_secret_and_no_row_is_in_logs_errors_or_artifacts(
    reader: Reader, name: str, secret: str | None, fault: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if fault:
        path = CASES[name].path
        reader.sandbox.faults.add(Fault.model_validate({**FAULTS[fault], "path": path, "times": None}))
    shown = [repr(reader.connection(CASES[name].kind, secret))]
    try:
        shown.append(repr(reader.extract(name, _interval(1), secret=secret)))
    except PenstockError as error:
        shown += [str(error), repr(error), repr(error.context()), "".join(traceback.format_exception(error))]
    shown += [record.getMessage() for record in caplog.records]
    everything = "\n".join(shown)
    for hidden in ("wrong-secret-value", REST_CLIENT_SECRET, GLADLY_TOKEN, "Bearer ", "Basic ", "Please try again"):
        assert hidden not in everything
    assert caplog.records
