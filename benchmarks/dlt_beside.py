"""dlt beside `benchmarks.sql_extract`: the same table into DuckDB by its `sql_database` source; time and peak memory.

Run it by its path, with an interpreter that has `dlt[duckdb,sql_database]`, connectorx and the drivers; Penstock
needs none of them. The benchmark `sql_extract` has to have made the table.
"""

from __future__ import annotations

import argparse
import re
import resource
import tempfile
import time

URLS = {
    "postgres": "postgresql+psycopg2://postgres@127.0.0.1:5432/",
    "mysql": "mysql+pymysql://root@127.0.0.1:3306/",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", choices=URLS)
    parser.add_argument("--backend", choices=["connectorx", "pyarrow"], default="connectorx")
    parser.add_argument("--database", default="penstock_sql_bench_6001215")
    arguments = parser.parse_args()
    import dlt
    from dlt.sources.sql_database import sql_table

    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "beside",
            pipelines_dir=folder,
            destination=dlt.destinations.duckdb(f"{folder}/beside.duckdb"),
            dataset_name="bronze",
        )
        began = time.perf_counter()
        url = URLS[arguments.server] + arguments.database
        # connectorx speaks the protocols itself, and does not know SQLAlchemy's names of drivers.
        plain = re.sub(r"\+\w+", "", url)
        options = {"conn": plain} if arguments.backend == "connectorx" else {}
        pipeline.run(sql_table(url, table="lineitem", backend=arguments.backend, backend_kwargs=options))
        seconds = time.perf_counter() - began
        with pipeline.sql_client() as client:
            rows = client.execute_sql("SELECT count(*) FROM lineitem")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    versions = f"dlt {dlt.__version__}, {arguments.backend}"
    print(f"{versions}: {rows[0][0]:,} rows of {arguments.server}, {seconds:.1f} s, {peak:.0f} MB")


if __name__ == "__main__":
    main()
