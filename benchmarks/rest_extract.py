"""A REST API's million nested records into JSON-lines files: ours beside httpx and orjson that only fetch and parse.

    python benchmarks/rest_extract.py [--pages 1000] [--rounds 3] [--paging page_number] [--concurrency 1]

The API is a process of its own on loopback that sends pages of 1,000 records of about 330 bytes, encoded beforehand; so
the numbers are the client's. Each round measures the floor and ours in a fresh process, for their own peak of memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parent.parent
RECORDS_PER_PAGE = 1_000
DISTINCT_PAGES = 10
PAGINGS = {
    "page_number": {"kind": "page_number", "size": RECORDS_PER_PAGE},
    "cursor": {"kind": "cursor", "path": "meta.next", "parameter": "page"},
    "next_url": {"kind": "next_url", "path": "meta.next_url"},
}


def encode_pages() -> tuple[bytes, ...]:
    """Returns the arrays of a few pages; more different ones would only take longer to prepare."""
    return [
        json.dumps(
            [_record(page * RECORDS_PER_PAGE + place) for place in range(RECORDS_PER_PAGE)], separators=(",", ":")
        ).encode()
        for page in range(DISTINCT_PAGES)
    ]


def _record(number: int) -> dict[str, object]:
    return {
        "id": 10_000_000 + number,
        "status": ("open", "closed", "pending")[number % 3],
        "customer": {"id": f"cus_{number % 5000:06d}", "name": f"Customer {number % 5000}", "vip": number % 7 == 0},
        "items": [
            {"sku": f"SKU-{number % 97:04d}", "quantity": number % 5 + 1, "price": 9.99},
            {"sku": f"SKU-{number % 89:04d}", "quantity": 1, "price": 19.5},
        ],
        "tags": ["retail", "web"],
        "amount": round(number * 1.17 % 1000, 2),
        "created_at": "2026-03-19T13:02:11.123Z",
        "updated_at": "2026-03-20T07:45:00.000Z",
    }


class Api(asyncio.Protocol):
    """Just enough HTTP to send prepared pages over connections that stay open."""

    pages = 0
    arrays: tuple[bytes, ...] = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        lines = head.decode("latin-1").split("\r\n")
        page = int(parse_qs(urlsplit(lines[0].split(" ")[1]).query).get("page", ["1"])[0])
        host = next(line.split(": ", 1)[1] for line in lines if line.lower().startswith("host:"))
        follows = page + 1 if page < self.pages else None
        meta = {
            "total": self.pages * RECORDS_PER_PAGE,
            "next": follows,
            "next_url": follows and f"http://{host}/records?page={follows}",
        }
        array = self.arrays[page % DISTINCT_PAGES] if page <= self.pages else b"[]"
        body = b'{"data":' + array + b',"meta":' + json.dumps(meta).encode() + b"}"
        return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


async def serve(pages: int) -> None:
    Api.pages, Api.arrays = pages, encode_pages()
    server = await asyncio.get_running_loop().create_server(Api, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def prepare_floor(arguments: argparse.Namespace) -> Callable[[str, Path], int]:
    """Returns the floor: one connection, every page fetched and parsed, nothing kept."""
    import httpx
    import orjson

    def fetch_and_parse(url: str, _folder: Path) -> int:
        rows = 0
        with httpx.Client(timeout=60) as client:
            for page in range(1, arguments.pages + 1):
                rows += len(orjson.loads(client.get(f"{url}/records", params={"page": page}).content)["data"])
        return rows

    return fetch_and_parse


def prepare_ours(arguments: argparse.Namespace) -> Callable[[str, Path], int]:
    """Returns ours: the same pages through the REST source into files of a local lake, with a manifest."""
    sys.path.insert(0, str(ROOT))
    from penstock.artifacts import Interval
    from penstock.connections import RestConnection
    from penstock.naming import BatchKeys
    from penstock.sources.rest import RestDataset, RestSource
    from tasks.sources.contract import ExtractRequest
    from tasks.sources.http.client import HttpClient
    from tasks.sources.http.request import HttpSettings
    from tasks.sources.rest.extract import extract
    from tasks.staging.local import LocalStore
    from tasks.staging.manifest import LakeSink

    with HttpClient(HttpSettings("warm", "http://127.0.0.1")):
        pass  # imports httpx, which the floor has imported before its clock starts as well
    interval = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, tzinfo=UTC))
    keys = BatchKeys(
        client="bench", source="rest", dataset="records", strategy="full_refresh", interval=interval, batch_id="b1"
    )
    dataset = RestDataset.model_validate(
        {
            "name": "records",
            "path": "/records",
            "records": "data",
            "total": "meta.total",
            "paging": PAGINGS[arguments.paging],
            "concurrency": arguments.concurrency,
        }
    )
    request = ExtractRequest(RestSource(kind="rest", connection="bench"), dataset, interval, "bench")

    def extract_to_lake(url: str, folder: Path) -> int:
        sink = LakeSink(LocalStore(folder), keys, dataset="records", interval=interval)
        extract(request, RestConnection(kind="rest", base_url=url), sink)
        return sink.complete().row_count or 0

    return extract_to_lake


def measure(what: str, arguments: argparse.Namespace) -> None:
    """Runs one side in this process and prints what it took."""
    run = prepare_floor(arguments) if what == "floor" else prepare_ours(arguments)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        began, began_cpu = time.perf_counter(), time.process_time()
        rows = run(f"http://127.0.0.1:{arguments.port}", Path(folder))
        seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    if rows != arguments.pages * RECORDS_PER_PAGE:
        raise SystemExit(f"{what}: {rows} rows came")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak}))


def compare(arguments: argparse.Namespace) -> None:
    """Serves the API and measures both sides in turn."""
    program = [sys.executable, str(Path(__file__).resolve()), "--pages", str(arguments.pages)]
    server = subprocess.Popen([*program, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip()
        options = ["--port", port, "--paging", arguments.paging, "--concurrency", str(arguments.concurrency)]
        results: dict[str, list[dict[str, float]]] = {"floor": [], "ours": []}
        for _ in range(arguments.rounds):
            for what, found in results.items():
                done = subprocess.run(
                    [*program, *options, "--measure", what], check=True, capture_output=True, text=True
                )
                found.append(json.loads(done.stdout))
    finally:
        server.terminate()
        server.wait()
    report(arguments, results)


def report(arguments: argparse.Namespace, results: dict[str, list[dict[str, float]]]) -> None:
    best = {what: min(found, key=lambda one: one["seconds"]) for what, found in results.items()}
    rows = arguments.pages * RECORDS_PER_PAGE
    how = f"{arguments.paging}, {arguments.concurrency} at once"
    print(f"REST, {rows:,} nested records, {how}; best of {arguments.rounds}")
    for what, name in (("floor", "httpx + orjson, fetch and parse"), ("ours", "extract to JSON lines in the lake")):
        one = best[what]
        print(f"  {name:36} {one['seconds']:6.2f} s  {one['cpu_seconds']:6.2f} s CPU  {one['peak_mb']:5.0f} MB")
    print(f"  ratio {best['ours']['seconds'] / best['floor']['seconds']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--paging", choices=PAGINGS, default="page_number")
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--folder", help="where the lake is written; a temporary folder by default")
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--measure", choices=("floor", "ours"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(arguments.pages))
    elif arguments.measure:
        measure(arguments.measure, arguments)
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
