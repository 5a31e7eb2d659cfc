"""A MariaDB server of its own that speaks TLS: rows come over it, and what does not hold is refused by name."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pymysql
import pytest
from pyarrow import parquet

from penstock.artifacts import Interval
from penstock.connections import MySqlConnection
from penstock.errors import ConfigurationError, RejectedError
from penstock.naming import BatchKeys
from penstock.sources.sql import SqlDataset, SqlSource
from tasks.probing.registry import probe_connection
from tasks.sources.contract import ExtractRequest
from tasks.sources.sql.extract import extract
from tasks.staging.local import LocalStore
from tasks.staging.manifest import LakeSink
from tests.fakes.certificates import Certificates, write_certificates

FULL = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, tzinfo=UTC))
START_SECONDS = 60
ROWS = 40_000


class TlsServer(NamedTuple):
    """The server's port, and the files of its certificate."""

    port: int
    files: Certificates

    def connection(self, **settings: str) -> MySqlConnection:
        known = {"host": "127.0.0.1", "port": self.port, "database": "shop", "user": "reader", "password": "s3cret"}
        return MySqlConnection.model_validate({"kind": "mysql", **known, **settings})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    if not (shutil.which("mariadbd") and shutil.which("mariadb-install-db")):
        pytest.skip("MariaDB's server is not installed")
    folder = tmp_path_factory.mktemp("mariadb")
    files = write_certificates(folder, host="localhost")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, control = folder / "data", folder / "socket"
    mine = ["--no-defaults", f"--datadir={data}", "--user=root"]
    install = ["mariadb-install-db", *mine, "--skip-test-db", "--auth-root-authentication-method=normal"]
    subprocess.run(install, check=True, capture_output=True)
    tls = [f"--ssl-cert={files.certificate}", f"--ssl-key={files.key}"]
    small = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--skip-log-bin"]
    places = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={control}", f"--pid-file={folder / 'pid'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["mariadbd", *mine, *places, *tls, *small], stdout=log, stderr=log)
    try:
        _wait_until_up(control, process)
        administrator = pymysql.connect(unix_socket=str(control), user="root", autocommit=True)
        with closing(administrator), administrator.cursor() as cursor:
            for statement in (
                "CREATE DATABASE shop",
                f"CREATE TABLE shop.t AS SELECT seq AS id, repeat(seq, 20) AS words FROM mysql.seq_1_to_{ROWS}",
                "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 's3cret' REQUIRE SSL",
                "CREATE USER reader@'localhost' IDENTIFIED BY 's3cret' REQUIRE SSL",
                "GRANT SELECT ON shop.* TO reader@'127.0.0.1', reader@'localhost'",
            ):
                cursor.execute(statement)
        yield TlsServer(port, files)
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def _wait_until_up(control: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not control.exists():
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server did not come up"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("host", "tls", "knows_authority"),
    [("127.0.0.1", "require", False), ("127.0.0.1", "verify-ca", True), ("localhost", "verify-full", True)],
)
def test_rows_come_over_tls(server: TlsServer, tmp_path: Path, host: str, tls: str, knows_authority: bool) -> None:
    authority = {"tls_ca": str(server.files.authority)} if knows_authority else {}
    connection = server.connection(host=host, tls=tls, **authority)
    keys = BatchKeys(client="acme", source="sql", dataset="t", strategy="append", interval=FULL, batch_id="b")
    sink = LakeSink(LocalStore(tmp_path), keys, dataset="t", interval=FULL)
    extract(
        ExtractRequest(SqlSource(kind="sql", connection="shop"), SqlDataset(name="t"), FULL, "shop"), connection, sink
    )
    extraction = sink.complete()
    tables = [parquet.read_table(tmp_path / file.key).to_pylist() for file in extraction.files]
    rows = [row for table in tables for row in table]
    assert sorted(row["id"] for row in rows) == list(range(1, ROWS + 1))
    assert all(row["words"] == str(row["id"]) * 20 for row in rows)


@pytest.mark.parametrize(
    "settings",
    [
        {"tls": "verify-ca"},
        {"tls": "verify-ca", "tls_ca": "another"},
        {"tls": "verify-full", "tls_ca": "its own"},
    ],
    ids=["the machine's authorities", "another authority", "another name than the certificate's"],
)
def test_a_certificate_that_does_not_hold_is_refused(
    server: TlsServer, tmp_path: Path, settings: dict[str, str]
) -> None:
    authorities = {
        "another": str(write_certificates(tmp_path, host="localhost").authority),
        "its own": str(server.files.authority),
    }
    if "tls_ca" in settings:
        settings = {**settings, "tls_ca": authorities[settings["tls_ca"]]}
    with pytest.raises(ConfigurationError, match="no TLS connection") as caught:
        probe_connection("shop", server.connection(**settings), [SqlDataset(name="t")], timeout_seconds=10)
    assert "s3cret" not in str(caught.value)


def test_a_user_who_must_use_tls_is_refused_without(server: TlsServer) -> None:
    with pytest.raises(RejectedError, match="refused the user"):
        probe_connection("shop", server.connection(tls="disable"), [SqlDataset(name="t")], timeout_seconds=10)
