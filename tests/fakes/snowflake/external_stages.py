"""External stages for fakesnow, which knows only its own: COPY gets a bucket's files from moto's server.

A storage integration holds what opens a bucket. Here that is the server's port, which the integration's name ends with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from botocore.exceptions import ClientError
from botocore.session import Session

_CREATE = re.compile(
    r"CREATE STAGE IF NOT EXISTS (?P<stage>[\w.]+) URL = 's3://(?P<bucket>[^/']+)/(?P<prefix>[^']*)' "
    r'STORAGE_INTEGRATION = "\w+_(?P<port>\d+)"'
)


class Bucket(NamedTuple):
    """Where a stage begins."""

    port: int
    name: str
    prefix: str


_STAGES: dict[tuple[str, str], Bucket] = {}


def noted_stage(database: str, command: str) -> bool:
    """Notes a new external stage; whether the command makes one."""
    found = _CREATE.fullmatch(command.strip())
    if not found:
        return False
    bucket = Bucket(int(found["port"]), found["bucket"], found["prefix"])
    _STAGES.setdefault((database, found["stage"].upper()), bucket)
    return True


@contextmanager
def fetched(database: str, stage: str, names: Sequence[str]) -> Iterator[tuple[Path, str] | None]:
    """Gives a folder with a stage's files, and what stands before their names in the bucket; None if it is internal."""
    bucket = _STAGES.get((database, stage.upper()))
    if bucket is None:
        yield None
        return
    session = Session()
    session.set_credentials("testing", "testing-secret")
    client = session.create_client("s3", "us-east-1", endpoint_url=f"http://127.0.0.1:{bucket.port}")
    with TemporaryDirectory() as folder:
        for name in names:
            try:
                body = client.get_object(Bucket=bucket.name, Key=bucket.prefix + name)["Body"].read()
            except ClientError:  # COPY says which file is missing
                continue
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        yield Path(folder), bucket.prefix
