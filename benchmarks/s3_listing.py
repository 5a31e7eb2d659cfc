"""Lists a million keys in pages of 1,000, as S3 answers them, in the memory of one page."""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.measuring import print_line, run_measured
from penstock.connections import S3Connection
from tasks.staging.s3 import S3Store
from tests.fakes.scripted_api import Answer, Asked, scripted_api

KEYS = (1_000, 1_000_000)
PAGE = 1_000
OBJECT = (
    "<Contents><Key>drops/2026/03/20/{number:09d}.csv.gz</Key><LastModified>2026-03-20T12:00:00.000Z</LastModified>"
    "<ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag><Size>1048576</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", nargs=2, metavar=("URL", "KEYS"), help="be the process that lists")
    asked = parser.parse_args().list
    if asked:
        list_all(asked[0], int(asked[1]))
        return
    print("Listing a bucket: processor time and peak memory of the process that lists, its start included")
    for keys in KEYS:
        with scripted_api(lambda asked, keys=keys: answer_page(asked, keys)) as api:
            run = run_measured([sys.executable, "-m", "benchmarks.s3_listing", "--list", api.url, str(keys)])
        seconds = float(run.output)
        print_line(f"{keys:,} keys", seconds, run.peak_mb)


def answer_page(asked: Asked, keys: int) -> Answer:
    first = int(asked.query.get("continuation-token", "0"))
    last = min(first + PAGE, keys)
    more = (
        f"<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>" if last < keys else ""
    )
    objects = "".join(OBJECT.format(number=number) for number in range(first, last))
    return Answer(f"<ListBucketResult>{more}{objects}</ListBucketResult>")


def list_all(url: str, keys: int) -> None:
    connection = S3Connection.model_validate(
        {"kind": "s3", "bucket": "drops", "region": "us-east-1", "endpoint_url": url}
        | {"access_key_id": "testing", "secret_access_key": "testing"}
    )
    if sum(1 for _ in S3Store(connection).list("drops/")) != keys:
        raise SystemExit("not all keys were listed")
    print(time.process_time())


if __name__ == "__main__":
    main()
