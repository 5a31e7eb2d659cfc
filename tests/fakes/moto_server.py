"""moto's server in a process of its own, on a free port: S3, STS and IAM over HTTP.

One thing of it is changed: its routes lose keys that hold a line feed, which S3 takes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from penstock.connections import S3Connection

_PROGRAM = """
import logging, sys
from moto.moto_server import werkzeug_app
from moto.server import ThreadedMotoServer

class AnyCharacter(werkzeug_app.RegexConverter):
    def __init__(self, url_map, *items):
        super().__init__(url_map, *items)
        self.regex = f"(?s:{self.regex})"

werkzeug_app.RegexConverter = AnyCharacter
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


class MotoServer(NamedTuple):
    """A running server; it takes any credentials, unless it was told to look at them."""

    url: str
    process_id: int

    def connection(self, bucket: str, **settings: Any) -> S3Connection:
        credentials = {"access_key_id": "testing", "secret_access_key": "testing-secret"}
        if settings.keys() & {"access_key_id", "profile"}:
            credentials = {}
        values = {"region": "us-east-1", "endpoint_url": self.url, **credentials, **settings}
        return S3Connection.model_validate({"kind": "s3", "bucket": bucket, **values})

    def setting(self, bucket: str, **settings: str) -> str:
        """A connection as a platform file holds it; YAML reads JSON."""
        given = {"region": "us-east-1", "access_key_id": "testing", "secret_access_key": "testing-secret", **settings}
        return json.dumps({"kind": "s3", "bucket": bucket, "endpoint_url": self.url, **given})

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A bare client of the vendor's own, to look at the server beside the store."""
        from botocore.session import Session

        session = Session()
        session.set_credentials("testing", "testing-secret")
        return session.create_client(service, region_name=region, endpoint_url=self.url)

    def make_bucket(self, name: str) -> str:
        self.client("s3").create_bucket(Bucket=name)
        return name


@contextmanager
def moto_server() -> Iterator[MotoServer]:
    """Runs a server until the block ends; it ends with this process too, whose pipe it reads."""
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            assert port, "moto's server did not start"
            yield MotoServer(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.stdin.close()
            process.wait(30)
