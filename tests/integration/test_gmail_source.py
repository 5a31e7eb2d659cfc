"""Gmail: pages, windows, labels and every sort of attachment, against the emulated API."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from penstock.artifacts import Compression, FileFormat, Interval
from penstock.connections import GoogleConnection
from penstock.errors import ConfigurationError, DataError, RejectedError
from penstock.naming import BatchKeys
from penstock.sources.gmail import GmailDataset, GmailSource
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.gladly.settings import GladlySettings
from sandbox.gladly.timeline import write_time
from sandbox.gladly.world import World
from sandbox.google.mail.surveys import COLUMNS
from sandbox.google.settings import OPERATIONS_MAILBOX, SUPPORT_MAILBOX, GoogleSettings
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.sources.contract import ExtractRequest
from tasks.sources.gmail.extract import extract
from tasks.sources.http.policy import Clock as HttpClock
from tasks.staging.local import LocalStore
from tasks.staging.manifest import LakeSink
from tasks.staging.stage import stage_batch
from tests.fakes.clock import FakeTime
from tests.fakes.google_api import ask, refresh_token_connection, service_account_connection, sign_in
from tests.fakes.scripted_api import Answer, Asked, scripted_api
from tests.fakes.sink import MemorySink

NOW = "2026-03-23T18:00:00Z"
GLADLY = GladlySettings(conversations_per_day=60)
MESSAGES = "/google/gmail/v1/users/me/messages"


def _serve(**google: Any) -> Any:
    return serve(SandboxSettings(clock=Clock(NOW), gladly=GLADLY, google=GoogleSettings(**google)))


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with _serve(most_per_page=7, letters_per_day=8, opened_on=date(2026, 2, 1)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    server.clock.set(NOW)
    return server


def _interval(first: str = "2026-03-16", days: float = 7) -> Interval:
    start = datetime.fromisoformat(first).replace(tzinfo=UTC)
    return Interval(start=start, end=start + timedelta(days=days), as_of=datetime.fromisoformat(NOW))


def _extract(
    sandbox: Sandbox,
    interval: Interval | None = None,
    *,
    connection: GoogleConnection | None = None,
    clock: HttpClock | None = None,
    **dataset: Any,
) -> MemorySink:
    sink = MemorySink()
    spec = GmailDataset.model_validate({"name": "mail", "resource": "messages", **dataset})
    request = ExtractRequest(
        GmailSource(kind="gmail", connection="acme-google"), spec, interval or _interval(), "acme-google"
    )
    made = connection or refresh_token_connection(sandbox.url)
    extract(request, made, sink, clock=clock or FakeTime(wall=time.time()).clock)
    return sink


def _attached(sandbox: Sandbox, interval: Interval | None = None, **dataset: Any) -> MemorySink:
    return _extract(sandbox, interval, resource="attachments", **dataset)


def _delegate(sandbox: Sandbox) -> GoogleConnection:
    return service_account_connection(sandbox.url, subject=SUPPORT_MAILBOX)


def _ids_in_mailbox(sandbox: Sandbox, subject: str = "") -> list[str]:
    """All ids of the mailbox, oldest first, found without the window."""
    with httpx.Client(headers=sign_in(sandbox.url, subject=subject), timeout=30) as client:
        token, ids = "", []
        while True:
            page = ask(client, f"{sandbox.url}{MESSAGES}", maxResults=500, pageToken=token)
            ids += [one["id"] for one in page.get("messages", [])]
            token = page.get("nextPageToken", "")
            if not token:
                return ids[::-1]


def _arrived(message_id: str) -> datetime:
    return datetime.fromtimestamp(int(message_id[:11], 16) / 1000, UTC)


def test_every_page_is_read_up_to_the_last(sandbox: Sandbox) -> None:
    sink = _extract(sandbox, connection=_delegate(sandbox))
    rows = sink.rows()
    start, end = _interval().bounds()
    expected = [one for one in _ids_in_mailbox(sandbox, SUPPORT_MAILBOX) if start <= _arrived(one) < end]
    assert [row["id"] for row in rows] == expected[::-1]
    assert len(rows) == sink.row_count > 40
    assert {row["mailbox"] for row in rows} == {SUPPORT_MAILBOX}
    pages = [one for one in sandbox.log.requests(MESSAGES) if "after" in one.query]
    assert len(pages) == -(-len(rows) // 7)


@pytest.mark.parametrize("slack", [-1, 0, 3_600])
def test_the_window_is_exact_however_coarse_the_search_is(slack: int) -> None:
    with _serve(search_slack_seconds=slack, opened_on=date(2026, 3, 10)) as sandbox:
        ids = _ids_in_mailbox(sandbox)
        third, tenth = _arrived(ids[-10]), _arrived(ids[-3])
        interval = Interval(start=third, end=tenth, as_of=datetime.fromisoformat(NOW))
        found = [row["id"] for row in _extract(sandbox, interval).rows()]
        assert found == ids[-10:-3][::-1]


def test_a_full_interval_reads_the_whole_mailbox() -> None:
    with _serve(opened_on=date(2026, 3, 10)) as sandbox:
        everything = Interval(start=None, end=None, as_of=datetime.fromisoformat(NOW))
        rows = _extract(sandbox, everything).rows()
        assert [row["id"] for row in rows] == _ids_in_mailbox(sandbox)[::-1]


def test_a_window_without_mail_is_no_rows_and_no_error(sandbox: Sandbox) -> None:
    sink = _extract(sandbox, _interval("2025-01-01"))
    assert (sink.rows(), sink.files, sink.warnings) == ([], [], [])


def test_headers_arrive_decoded_and_the_content_stays_at_google(sandbox: Sandbox) -> None:
    rows = _extract(sandbox, _interval("2026-02-02", 21)).rows()
    subjects = {row["subject"] for row in rows}
    assert any(subject.startswith("Fwd: CSAT \N{EN DASH} corrected ") for subject in subjects)
    assert "News of 2026-02-03" in subjects
    assert all("snippet" not in row and "payload" not in row for row in rows)
    assert {row["cc"] for row in rows} >= {None, "lead@example.com", "all@example.com"}
    assert all(request.query.count("format=metadata") for request in sandbox.log.requests(f"{MESSAGES}/*"))


def test_letters_without_a_subject_and_with_a_broken_date_are_rows_too(sandbox: Sandbox) -> None:
    rows = _extract(sandbox, _interval(days=3), connection=_delegate(sandbox), snippet=True).rows()
    assert None in {row["subject"] for row in rows}
    assert "Someday, 45 Foo 2026" in {row["date"] for row in rows}
    assert all(row["snippet"].startswith("it is about order") for row in rows)
    assert any(row["threadId"] != row["id"] for row in rows)


def test_labels_are_named_as_people_know_them(sandbox: Sandbox) -> None:
    rows = _extract(sandbox, labels=["Reports/CSAT", "UNREAD"]).rows()
    assert len(rows) == 7
    assert all({"Label_7", "UNREAD"} <= set(row["labelIds"]) for row in rows)
    with pytest.raises(ConfigurationError, match="Did you mean Reports/CSAT"):
        _extract(sandbox, labels=["Report/CSAT"])


def test_a_query_of_alternatives_stays_within_the_window(sandbox: Sandbox) -> None:
    rows = _extract(sandbox, query="from:billing OR from:planning").rows()
    assert {row["from"] for row in rows} == {'"Billing, Ltd." <billing@example.net>', "planning@example.com"}
    start, end = _interval().bounds()
    assert all(start <= _arrived(row["id"]) < end for row in rows)


def test_spam_is_read_where_it_is_asked_for(sandbox: Sandbox) -> None:
    labels = {label for row in _extract(sandbox).rows() for label in row["labelIds"]}
    with_spam = {label for row in _extract(sandbox, include_spam_trash=True).rows() for label in row["labelIds"]}
    assert with_spam - labels == {"SPAM"}


def test_several_mailboxes_are_read_by_delegation(sandbox: Sandbox) -> None:
    connection = service_account_connection(sandbox.url)
    rows = _extract(sandbox, mailboxes=[SUPPORT_MAILBOX, OPERATIONS_MAILBOX], connection=connection).rows()
    counts = {name: sum(row["mailbox"] == name for row in rows) for name in (SUPPORT_MAILBOX, OPERATIONS_MAILBOX)}
    assert counts[OPERATIONS_MAILBOX] == len(_extract(sandbox).rows())
    assert counts[SUPPORT_MAILBOX] == len(_extract(sandbox, connection=_delegate(sandbox)).rows())
    with pytest.raises(ConfigurationError, match="own mailbox"):
        _extract(sandbox, mailboxes=[SUPPORT_MAILBOX])


def test_a_message_that_was_late_is_read_by_the_next_window_that_reaches_back(sandbox: Sandbox) -> None:
    expected = _extract(sandbox, _interval("2026-03-18", 1)).rows()
    late = {"rows_from": "2026-03-18T00:00:00Z", "since": "2026-03-18T14:00:00Z"}
    made = Fault.model_validate({"kind": "late_rows", "path": MESSAGES, **late})
    sandbox.clock.set("2026-03-18T13:59:00Z")
    sandbox.faults.add(made)
    assert _extract(sandbox, _interval("2026-03-18", 1)).rows() == []
    sandbox.clock.set(NOW)
    assert _extract(sandbox, _interval("2026-03-16", 3)).rows()[: len(expected)] == expected


def test_a_message_that_vanishes_on_the_way_is_left_out_and_told(sandbox: Sandbox) -> None:
    expected = _extract(sandbox).rows()
    gone = f"{MESSAGES}/{expected[3]['id']}"
    sandbox.faults.add(Fault(kind="server_error", status=404, path=gone, times=None))
    sink = _extract(sandbox)
    assert [row["id"] for row in sink.rows()] == [row["id"] for row in expected if row["id"] not in gone]
    assert sink.warnings == [f"messages of {OPERATIONS_MAILBOX} that were gone when they were asked for: 1"]


def test_a_page_token_that_comes_again_is_an_error(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="repeated_page_token", path=MESSAGES, after=1))
    with pytest.raises(DataError):
        _extract(sandbox)


def test_what_moves_between_pages_is_read_once() -> None:
    pages = {"": (["a", "b"], "2"), "2": (["b", "c"], "3"), "3": (["c"], None)}

    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return Answer({"access_token": "t", "expires_in": 3599})
        if asked.path.endswith("/profile"):
            return Answer({"emailAddress": "me@example.com"})
        if asked.path.endswith("/messages"):
            ids, token = pages[asked.query.get("pageToken", "")]
            return Answer({"messages": [{"id": one} for one in ids], **({"nextPageToken": token} if token else {})})
        return Answer({"id": asked.path[-1], "internalDate": "1773700000000", "newField": {"a": [1]}})

    with scripted_api(answer) as api:
        sink = MemorySink()
        spec = GmailDataset.model_validate({"name": "mail", "resource": "messages"})
        request = ExtractRequest(GmailSource(kind="gmail", connection="acme"), spec, _interval(), "acme")
        extract(request, refresh_token_connection(api.url), sink, clock=FakeTime(wall=time.time()).clock)
        assert [row["id"] for row in sink.rows()] == ["a", "b", "c"]
        assert sink.rows()[0]["newField"] == {"a": [1]}


def test_the_quota_of_a_mailbox_is_kept_and_a_403_for_it_is_waited_for() -> None:
    with _serve(units_per_minute=6_000) as sandbox:
        passing = FakeTime(wall=time.time())
        connection = refresh_token_connection(sandbox.url).model_copy(update={"gmail_units_per_minute": 200})
        rows = _extract(sandbox, connection=connection, clock=passing.clock).rows()
        units = 1 + 5 + 20 * len(rows)
        assert sum(passing.slept) >= 60 * (units // 200 - 1) > 0
    with _serve(units_per_minute=100) as tight:
        with pytest.raises(Exception, match="quota") as caught:
            # One at a time: all who wait move the same clock on, towards the deadline.
            _extract(tight, concurrency=1)
        assert type(caught.value).__name__ == "RateLimitedError"
        assert caught.value.attempts == 6


def _table(sink: MemorySink) -> list[dict[str, Any]]:
    return [row for file in sink.files for row in csv.DictReader(io.StringIO(file.data.decode(), newline=""))]


def test_a_plain_file_arrives_as_the_sender_wrote_it(sandbox: Sandbox) -> None:
    sink = _attached(sandbox, _interval("2026-03-18", 1), filenames=["csat_*.csv"])
    (file,) = sink.files
    assert file.format is FileFormat.CSV
    assert file.source_name.endswith("/csat_2026-03-17.csv")
    assert file.row_count is None
    assert file.data.startswith(",".join(COLUMNS).encode() + b"\r\n")
    rows = list(csv.DictReader(io.StringIO(file.data.decode(), newline="")))
    agents = {agent.email for agent in World("warbyparker", seed=7, settings=GLADLY).roster.agents}
    assert {row["agent_email"] for row in rows} - {""} <= agents
    assert {row["score"] for row in rows} <= {"1", "2", "3", "4", "5"}
    report_at = write_time(int(file.source_name.split("/")[0][:11], 16))
    assert max(row["answered_at"] for row in rows) < report_at


def test_a_week_of_files_of_every_kind_is_one_table(sandbox: Sandbox) -> None:
    names = ["csat_*.csv", "csat_*.csv.gz", "csat_*.zip"]
    sink = _attached(sandbox, filenames=names, members="**/*.csv", query="from:reports")
    sources = [file.source_name.partition("/")[2] for file in sink.files]
    assert sum(name.endswith(".csv") and "#" not in name for name in sources) == 5
    assert sum(name.endswith(".csv.gz") for name in sources) == 1
    members = [name for name in sources if "#" in name]
    assert len(members) > 2
    assert all(name.startswith("csat_2026-03-15.zip#csat/csat_2026-03-15_") for name in members)
    (packed,) = [file for file in sink.files if file.source_name.endswith(".gz")]
    assert packed.data[:2] == b"\x1f\x8b"


def test_files_of_every_kind_are_staged_like_any_other(sandbox: Sandbox, tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    keys = BatchKeys(
        client="acme", source="gmail", dataset="csat", strategy="append", interval=_interval(), batch_id="b1"
    )
    sink = LakeSink(store, keys, dataset="csat", interval=_interval())
    names = ["csat_*.csv", "csat_*.csv.gz", "csat_*.zip"]
    spec = GmailDataset.model_validate(
        {
            "name": "csat",
            "resource": "attachments",
            "filenames": names,
            "members": "**/*.csv",
            "labels": ["Reports/CSAT"],
        }
    )
    request = ExtractRequest(GmailSource(kind="gmail", connection="acme-google"), spec, _interval(), "acme-google")
    extract(request, refresh_token_connection(sandbox.url), sink, clock=FakeTime(wall=time.time()).clock)
    extraction = sink.complete()
    staged = stage_batch(extraction, lake=store, stores=lambda _name: store, keys=keys)
    assert len(staged.files) == len(extraction.files) > 8
    assert {tuple(column.name for column in file.columns or ()) for file in staged.files} == {COLUMNS}
    assert {file.compression for file in staged.files} == {Compression.NONE, Compression.GZIP}
    kept = [info.key for info in store.list("ingest/") if ".zip--" in info.key or info.key.endswith(".zip")]
    assert len(kept) == 1


def test_a_workbook_is_converted(sandbox: Sandbox) -> None:
    sink = _attached(sandbox, content_types=["application/vnd.openxmlformats*"], query="from:planning")
    assert [file.source_name.partition("/")[2] for file in sink.files] == ["Workforce plan 2026-W12.xlsx"]


def test_a_file_in_a_forwarded_message_and_one_inside_the_message_itself_are_found(sandbox: Sandbox) -> None:
    sink = _attached(sandbox, _interval("2026-02-01", 50), filenames=["*_corrected.csv"], query="subject:corrected")
    assert len(sink.files) > 3
    assert all(row["response_id"] for file in sink.files for row in _rows_of(file))
    inlined = [file for file in sink.files if len(file.data) <= 400]
    fetched = sandbox.log.requests(f"{MESSAGES}/*/attachments/*")
    assert len(fetched) == len(sink.files) - len(inlined)
    assert inlined


def _rows_of(file: Any) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(file.data.decode(), newline="")))


def test_pictures_that_a_text_shows_are_no_attachments(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="format") as caught:
        _attached(sandbox, content_types=["application/pdf"])
    assert caught.value.source_name.endswith(".pdf")
    assert _attached(sandbox, filenames=["logo.png"]).files == []


def test_an_archive_without_any_of_the_members_is_an_error_with_its_name(sandbox: Sandbox) -> None:
    with pytest.raises(DataError) as caught:
        _attached(sandbox, filenames=["csat_*.zip"], members="**/*.parquet")
    assert caught.value.source_name.endswith("/csat_2026-03-15.zip")
    assert caught.value.connection == "acme-google"


def test_attachments_of_several_mailboxes_say_whose_they_are(sandbox: Sandbox) -> None:
    connection = service_account_connection(sandbox.url)
    mailboxes = [OPERATIONS_MAILBOX, SUPPORT_MAILBOX]
    sink = _attached(
        sandbox, _interval("2026-03-18", 1), filenames=["csat_*.csv"], mailboxes=mailboxes, connection=connection
    )
    assert [file.source_name.split("/")[0] for file in sink.files] == [OPERATIONS_MAILBOX]


def test_an_attachment_that_is_cut_off_is_asked_for_again(sandbox: Sandbox) -> None:
    path = f"{MESSAGES}/*/attachments/*"
    made = sandbox.faults.add(Fault(kind="error_text", path=path, times=2))
    assert len(_attached(sandbox, _interval("2026-03-18", 1), filenames=["csat_*.csv"]).files) == 1
    assert sandbox.faults.times_met(made) == 2


def test_a_profile_without_an_address_is_an_error_and_no_mailbox_of_that_name() -> None:
    token = {"access_token": "t", "expires_in": 3599}
    with scripted_api(lambda asked: Answer(token if asked.path.endswith("/token") else {})) as api:
        request = ExtractRequest(
            GmailSource(kind="gmail", connection="acme"),
            GmailDataset(name="x", resource="messages"),
            _interval(),
            "acme",
        )
        with pytest.raises(DataError, match="no profile"):
            extract(request, refresh_token_connection(api.url), MemorySink(), clock=FakeTime(wall=time.time()).clock)


def test_a_mailbox_that_may_not_be_read_is_an_error(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="server_error", status=403, path=MESSAGES, times=None))
    with pytest.raises(RejectedError, match=r"gmail\.readonly"):
        _extract(sandbox)
