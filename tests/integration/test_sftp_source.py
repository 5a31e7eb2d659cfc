"""Files on an SFTP server: who is trusted, what is brought, and what is refused."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import paramiko
import pytest

from penstock.artifacts import Extraction, FileFormat, Interval
from penstock.connections import SftpConnection
from penstock.errors import ConfigurationError, DataError, PenstockError, RejectedError, TransientError
from penstock.naming import BatchKeys
from penstock.sources.s3_files import FilesDataset, FilesSource
from tasks.probing.sftp import probe
from tasks.sources.contract import ExtractRequest
from tasks.sources.s3_files.extract import count_files, extract
from tasks.sources.sftp.files import SftpFiles
from tasks.staging.local import LocalStore
from tasks.staging.manifest import LakeSink
from tasks.staging.stage import stage_batch
from tests.fakes.sftp_server import PASSPHRASE, PASSWORD, SftpServer, sftp_server

NOON = datetime(2026, 3, 19, 12, tzinfo=UTC)
FULL = Interval(start=None, end=None, as_of=NOON)
KEYS = BatchKeys(
    client="acme", source="s3_files", dataset="drops", strategy="append", interval=FULL, batch_id="20260319T120000Z-a"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    with sftp_server(tmp_path / "vendor") as one:
        yield one


def request_of(**dataset: Any) -> ExtractRequest:
    spec = FilesDataset.model_validate({"name": "drops", "glob": "out/**", "select": "all", **dataset})
    return ExtractRequest(FilesSource(kind="s3_files", connection="vendor"), spec, FULL, "vendor")


def bring(connection: SftpConnection, lake: LocalStore, **dataset: Any) -> Extraction:
    sink = LakeSink(lake, KEYS, dataset="drops", interval=FULL)
    extract(request_of(**dataset), connection, sink)
    return sink.complete()


@pytest.fixture
def lake(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "lake")


def test_files_arrive_byte_for_byte_with_their_size_and_time_and_can_be_staged(
    server: SftpServer, lake: LocalStore
) -> None:
    large = b"id,text\n" + b"".join(b"%d,%s\n" % (number, os.urandom(20).hex().encode()) for number in range(120_000))
    server.put("out/2026/large.csv", large, NOON.timestamp())
    server.put("out/a.csv", b"id\n1\n", NOON.timestamp())
    server.put("other/b.csv", b"id\n2\n")
    extraction = bring(server.connection(), lake)
    assert {file.source_name for file in extraction.files} == {"out/2026/large.csv", "out/a.csv"}
    by_name = {file.source_name: file for file in extraction.files}
    assert len(large) > 2 * (2 << 20)
    with lake.open_read(by_name["out/2026/large.csv"].key) as file:
        assert file.read() == large
    original = by_name["out/a.csv"].original
    assert original is not None
    assert (original.store, original.key, original.size_bytes, original.modified_at) == ("vendor", "out/a.csv", 5, NOON)
    assert extraction.row_count is None
    staged = stage_batch(extraction, lake=lake, stores=lambda _: lake, keys=KEYS)
    assert {file.source_key: file.source_etag for file in staged.files} == {
        "out/2026/large.csv": by_name["out/2026/large.csv"].source_etag, "out/a.csv": original.etag,
    }  # fmt: skip


def test_a_workbook_is_converted_beside_what_was_brought(server: SftpServer, lake: LocalStore) -> None:
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.append([7])
    content = io.BytesIO()
    book.save(content)
    server.put("out/plan.xlsx", content.getvalue())
    [file] = bring(server.connection(), lake).files
    assert (file.format, file.row_count, file.source_name) == (FileFormat.CSV, 1, "out/plan.xlsx")
    kept = [info for info in lake.list(KEYS.ingest_prefix) if info.size_bytes == len(content.getvalue())]
    assert len(kept) == 1


def test_a_server_whose_key_is_not_known_gets_no_credentials(server: SftpServer, lake: LocalStore) -> None:
    other = paramiko.ECDSAKey.generate().fingerprint
    with pytest.raises(ConfigurationError, match="not a known one") as caught:
        bring(server.connection(host_keys=[other]), lake)
    assert caught.value.fingerprint == server.host_key.fingerprint
    assert (server.logins, server.refused) == ([], [])


def test_a_server_is_known_by_a_file_of_known_hosts_too(server: SftpServer, lake: LocalStore, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    line = f"[127.0.0.1]:{server.port} {server.host_key.get_name()} {server.host_key.get_base64()}\n"
    known.write_text(line)
    server.put("out/a.csv", b"id\n1\n")
    assert len(bring(server.connection(host_keys=[], known_hosts=str(known)), lake).files) == 1

    other = paramiko.ECDSAKey.generate()
    known.write_text(line.replace(server.host_key.get_base64(), other.get_base64()))
    with pytest.raises(ConfigurationError, match="another key than the known hosts say"):
        bring(server.connection(host_keys=[], known_hosts=str(known)), lake)
    known.write_text("")
    with pytest.raises(ConfigurationError, match="not a known one"):
        bring(server.connection(host_keys=[], known_hosts=str(known)), lake)
    with pytest.raises(ConfigurationError, match="known hosts cannot be read"):
        bring(server.connection(host_keys=[], known_hosts=str(tmp_path / "none")), lake)
    assert server.logins == ["password"]


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_private_key_opens_it_encrypted_or_not(server: SftpServer, lake: LocalStore, passphrase: str | None) -> None:
    server.put("out/a.csv", b"id\n1\n")
    key = server.private_key(passphrase)
    connection = server.connection(password=None, private_key=key, passphrase=passphrase)
    assert len(bring(connection, lake).files) == 1
    assert server.logins == ["key"]


def test_wrong_credentials_are_refused_and_shown_nowhere(server: SftpServer, lake: LocalStore) -> None:
    with pytest.raises(RejectedError, match="refuses the credentials") as caught:
        bring(server.connection(password="wrong-password-1"), lake)
    assert "wrong-password-1" not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
    locked = server.connection(private_key=server.private_key(PASSPHRASE), passphrase="wrong-passphrase-1")
    with pytest.raises(ConfigurationError, match="private key cannot be read") as unread:
        bring(locked, lake)
    assert "wrong-passphrase-1" not in f"{unread.value!r} {unread.value} {locked!r}"
    assert PASSWORD not in repr(locked)


def test_a_connection_says_which_server_it_trusts_and_how_it_proves_who_it_is() -> None:
    given = {"kind": "sftp", "host": "h", "username": "u"}
    with pytest.raises(ValueError, match="say which server it is"):
        SftpConnection.model_validate({**given, "password": "p"})
    with pytest.raises(ValueError, match="give a `password`, a `private_key`, or both"):
        SftpConnection.model_validate({**given, "known_hosts": "file"})


def test_a_file_that_grows_between_two_looks_is_left_for_a_later_attempt(server: SftpServer, lake: LocalStore) -> None:
    server.put("out/a.csv", b"id\n1\n", NOON.timestamp())
    looks: list[str] = []

    def grow(path: str) -> None:
        if path.endswith("a.csv") and not looks:
            looks.append(path)
            server.put("out/a.csv", b"id\n1\n2\n", NOON.timestamp())

    server.on_stat = grow
    with pytest.raises(TransientError, match="still being written") as caught:
        bring(server.connection(), lake)
    assert caught.value.key == "out/a.csv"
    assert lake.stat(KEYS.manifest_key) is None
    server.on_stat = lambda _path: None
    [file] = bring(server.connection(), lake).files
    assert (file.size_bytes, looks) == (7, ["/out/a.csv"])


# paramiko (5.1) asks for pieces in a thread of its own, which ends with a word on standard error when nobody answers.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_connection_that_breaks_half_way_leaves_no_file_and_may_be_tried_again(
    server: SftpServer, lake: LocalStore
) -> None:
    server.put("out/a.csv", b"id\n" + b"1\n" * 100_000)
    server.breaks_after_bytes = 70_000
    with pytest.raises(TransientError, match="connection broke"):
        bring(server.connection(), lake)
    assert list(lake.list("ingest/")) == []
    server.breaks_after_bytes = None
    assert bring(server.connection(), lake).files[0].size_bytes == 200_003


def test_a_connection_that_breaks_and_looks_like_the_files_end_is_told_as_broken(
    server: SftpServer, lake: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("out/a.csv", b"id\n1\n")

    def end_early(files: Any, _key: str, _size_bytes: int) -> Iterator[bytes]:
        files._sftp.get_channel().get_transport().close()
        yield b"id\n"

    monkeypatch.setattr(SftpFiles, "read", end_early)
    with pytest.raises(TransientError, match="connection broke"):
        bring(server.connection(), lake)
    assert list(lake.list("ingest/")) == []


def test_nobody_there_is_transient_and_a_folder_that_is_missing_is_not(server: SftpServer, lake: LocalStore) -> None:
    server.put("out/forbidden.csv", b"id\n1\n")
    cases: list[tuple[dict[str, Any], type[PenstockError]]] = [
        ({"path": "/none"}, DataError),
        ({}, RejectedError),
        ({"port": 1, "timeout_seconds": 5}, TransientError),
    ]
    for changes, kind in cases:
        with pytest.raises(kind):
            bring(server.connection(**changes), lake)


def test_no_file_is_no_error_and_links_are_not_followed(server: SftpServer, lake: LocalStore, tmp_path: Path) -> None:
    assert bring(server.connection(), lake).files == ()
    (server.root / "out").mkdir()
    (server.root / "out" / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert bring(server.connection(), lake).files == ()


def test_files_are_counted_as_far_as_is_asked(server: SftpServer) -> None:
    for number in range(5):
        server.put(f"out/{number}.csv", b"id\n")
    assert count_files(request_of(), server.connection(), 3) == 3
    assert count_files(request_of(glob="out/[01].csv"), server.connection(), 3) == 2


def test_a_probe_lists_and_reads_and_tells_who_refuses(server: SftpServer) -> None:
    dataset = FilesDataset.model_validate({"name": "drops", "glob": "out/*.csv"})
    assert probe("vendor", server.connection(), [dataset], timeout_seconds=30).note == "listed; no file there yet"
    server.put("out/a.csv", b"id\n1\n")
    assert probe("vendor", server.connection(), [dataset], timeout_seconds=30).note == "listed and read"
    with pytest.raises(RejectedError):
        probe("vendor", server.connection(password="wrong"), [dataset], timeout_seconds=30)
