"""Copy-then-peek of 2 GB beside 10 MB from one bucket into another, on moto's server over HTTP.

Counted are all bytes between this process and the server, headers too, and the time of each kind of request. How long
the server copies is its own matter: moto does it in memory, and reads the whole object to answer for 8 KiB of it.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any, NamedTuple

from benchmarks.measuring import print_line
from penstock.artifacts import ExtractedFile, Extraction, FileFormat, Interval
from penstock.naming import BatchKeys
from tasks.staging.s3 import S3Store
from tasks.staging.s3_client import S3Limits
from tasks.staging.stage import stage_batch
from tests.fakes.counting_proxy import CountingProxy, counting_proxy
from tests.fakes.moto_server import MotoServer, moto_server

ROUNDS = 3
SIZES_MB = (10, 2_000)
LINE = b'1234567,a customer\'s name,2026-03-20T10:00:00Z,19.99,"quoted, text"\n'
# moto joins the parts and copies in memory before it answers, for longer than S3 is ever silent.
LIMITS = S3Limits(part_bytes=64 << 20, read_seconds=600)
INTERVAL = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, tzinfo=UTC))


class Staged(NamedTuple):
    """One staging."""

    seconds: float
    copy_seconds: float
    range_seconds: float
    wire_bytes: int
    requests: int

    def own_seconds(self) -> float:
        """Returns what is left without the two requests whose time is the emulator's."""
        return self.seconds - self.copy_seconds - self.range_seconds


def main() -> None:
    with moto_server() as server, counting_proxy(server.url) as proxy:
        server.make_bucket("drops")
        server.make_bucket("lake")
        for size_mb in SIZES_MB:
            seconds = fill(S3Store(server.connection("drops"), LIMITS), size_mb)
            print_line(f"streamed upload of {size_mb:,} MB", seconds)
        print(f"Staging by copy-then-peek, bucket to bucket, best of {ROUNDS}")
        stage_once(server, proxy, SIZES_MB[0], -1)
        for size_mb in SIZES_MB:
            runs = [stage_once(server, proxy, size_mb, number) for number in range(ROUNDS)]
            best = min(runs, key=Staged.own_seconds)
            print_line(f"{size_mb:,} MB, the server's copying", best.copy_seconds)
            print_line(f"{size_mb:,} MB, the server's ranged read", best.range_seconds)
            print_line(f"{size_mb:,} MB, everything else", best.own_seconds())
            print(f"  {best.wire_bytes:,} bytes over the wire in {best.requests} requests")


def fill(store: S3Store, size_mb: int) -> float:
    """Writes the source object and returns the seconds that it took."""
    block = LINE * (2**20 // len(LINE))
    began = time.perf_counter()
    with store.open_write(f"{size_mb}.csv") as file:
        file.write(b"id,name,created_at,amount,note\n")
        for _ in range(size_mb):
            file.write(block)
    return time.perf_counter() - began


def stage_once(server: MotoServer, proxy: CountingProxy, size_mb: int, number: int) -> Staged:
    """Stages the object of the given size and says what that took."""
    drops = S3Store(server.connection("drops", endpoint_url=proxy.url), LIMITS)
    lake = S3Store(server.connection("lake", endpoint_url=proxy.url), LIMITS)
    found = drops.stat(f"{size_mb}.csv")
    file = ExtractedFile(
        store="drops",
        key=found.key,
        format=FileFormat.CSV,
        size_bytes=found.size_bytes,
        etag=found.etag,
        source_name=found.key,
    )
    batch = f"batch-{size_mb}-{number}"
    keys = BatchKeys(
        client="bench", source="s3_files", dataset="big", strategy="append", interval=INTERVAL, batch_id=batch
    )
    extraction = Extraction(
        batch_id=batch,
        dataset="big",
        interval=INTERVAL,
        files=(file,),
        row_count=None,
        extracted_at=datetime(2026, 3, 20, tzinfo=UTC),
    )
    proxy.reset()
    times, requests = timed(drops, lake)
    began = time.perf_counter()
    staged = stage_batch(extraction, lake=lake, stores=lambda _name: drops, keys=keys)
    seconds = time.perf_counter() - began
    if staged.size_bytes != found.size_bytes or len(staged.files[0].columns) != 5:
        raise SystemExit("the object was not staged whole")
    wire_bytes, made = proxy.total_bytes, requests.total()
    lake.delete(staged.files[0].key)
    return Staged(seconds, times["CopyObject"], times["GetObject"], wire_bytes, made)


def timed(*stores: S3Store) -> tuple[Counter[str], Counter[str]]:
    """Returns the seconds and the number of requests by operation, which grow as the store is used."""
    seconds: Counter[str] = Counter()
    requests: Counter[str] = Counter()

    def begin(context: dict[str, Any], **_: Any) -> None:
        context["began"] = time.perf_counter()

    def end(context: dict[str, Any], model: Any, **_: Any) -> None:
        seconds[model.name] += time.perf_counter() - context["began"]
        requests[model.name] += 1

    for store in stores:
        events = store.bucket.client().meta.events
        for name, unique_id, handler in (("before-call.s3", "begin", begin), ("after-call.s3", "end", end)):
            events.unregister(name, unique_id=unique_id)
            events.register(name, handler, unique_id=unique_id)
    return seconds, requests


if __name__ == "__main__":
    main()
