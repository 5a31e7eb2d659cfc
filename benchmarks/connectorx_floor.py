"""Streams a table to one Parquet file by connectorx and prints the seconds; `benchmarks.sql_extract` runs it.

Run it by its path, with an interpreter that has connectorx and pyarrow; Penstock does not need the first.
"""

from __future__ import annotations

import argparse
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("rows", type=int)
    parser.add_argument("path")
    arguments = parser.parse_args()
    import connectorx
    from pyarrow import parquet

    began = time.perf_counter()
    query = "SELECT * FROM lineitem"
    batches = connectorx.read_sql(arguments.url, query, return_type="arrow_stream", batch_size=100_000)
    row_count = 0
    with parquet.ParquetWriter(arguments.path, batches.schema, compression="zstd", compression_level=1) as writer:
        for batch in batches:
            writer.write_batch(batch)
            row_count += batch.num_rows
    if row_count != arguments.rows:
        raise SystemExit(f"{row_count} rows came")
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
