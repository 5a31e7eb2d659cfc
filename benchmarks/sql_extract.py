"""6 M rows of PostgreSQL and of MariaDB into DuckDB, the whole pipeline, beside the bare mechanisms.

They are `psql \\copy` to /dev/null and `mariadb --quick`, which keep nothing; a connectorx stream to one Parquet file,
in an environment of its own and without the time of its imports; the same and DuckDB's load of that file. The servers
are those of PGHOST, PGPORT and PGUSER, and of MYSQL_HOST, MYSQL_PORT and MYSQL_USER; their own memory is not counted.
The table is loaded once and stays, in a database of its own. PENSTOCK_BENCH_ROWS takes only so many of its rows, which
is enough to see where the memory levels off.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from benchmarks.loads import DATA, lineitem
from benchmarks.measuring import Measured, print_line, run_measured
from benchmarks.projects import write_project
from benchmarks.rest_pipeline import timed_run

ROWS = int(os.environ.get("PENSTOCK_BENCH_ROWS", "6001215"))
DATABASE = f"penstock_sql_bench_{ROWS}"
_COLUMNS = (
    "l_orderkey bigint not null, l_partkey bigint not null, l_suppkey bigint not null, l_linenumber int not null,"
    " l_quantity decimal(15,2) not null, l_extendedprice decimal(15,2) not null, l_discount decimal(15,2) not null,"
    " l_tax decimal(15,2) not null, l_returnflag char(1) not null, l_linestatus char(1) not null,"
    " l_shipdate date not null, l_commitdate date not null, l_receiptdate date not null,"
    " l_shipinstruct char(25) not null, l_shipmode char(10) not null, l_comment varchar(44) not null,"
    " primary key (l_orderkey, l_linenumber)"
)
POSTGRES = {
    "host": os.environ.get("PGHOST", "127.0.0.1"),
    "port": os.environ.get("PGPORT", "5432"),
    "user": os.environ.get("PGUSER", "postgres"),
}
MARIADB = {
    "host": os.environ.get("MYSQL_HOST", "127.0.0.1"),
    "port": os.environ.get("MYSQL_PORT", "3306"),
    "user": os.environ.get("MYSQL_USER", "root"),
}
CONNECTORX = "connectorx==0.4.6"
PIPELINE = """
source: {kind: sql, connection: database}
window: {kind: full}
load_strategy: {kind: full_refresh}
datasets: [{name: lineitem}]
transform: {select: none}
"""


def psql(*commands: str, database: str = DATABASE) -> list[str]:
    where = [f"--host={POSTGRES['host']}", f"--port={POSTGRES['port']}", f"--username={POSTGRES['user']}"]
    return ["psql", "-qAt", *where, f"--dbname={database}", *(part for one in commands for part in ("-c", one))]


def mariadb(statement: str, database: str = DATABASE) -> list[str]:
    where = [f"--host={MARIADB['host']}", f"--port={MARIADB['port']}", f"--user={MARIADB['user']}", "--local-infile=1"]
    return ["mariadb", "--quick", "--skip-column-names", *where, database, "-e", statement]


def first_rows() -> Path:
    """Returns lineitem's first `ROWS` rows as CSV."""
    whole, path = lineitem(), DATA / f"lineitem-{ROWS}.csv"
    if not path.exists():
        with whole.open("rb") as source, path.open("wb") as target:
            target.writelines(islice(source, ROWS + 1))
    return path


def prepare_postgres() -> None:
    if subprocess.run(psql("select 1 from lineitem limit 1"), capture_output=True, check=False).returncode:
        run_measured(psql(f"create database {DATABASE}", database="postgres"))
        copy = f"\\copy lineitem from '{first_rows()}' with (format csv, header)"
        run_measured(psql(f"create table lineitem ({_COLUMNS})", copy, "vacuum analyze lineitem"))


def prepare_mariadb() -> None:
    if subprocess.run(mariadb("select 1 from lineitem limit 1"), capture_output=True, check=False).returncode:
        run_measured(mariadb(f"create database {DATABASE}", database="mysql"))
        load = f"load data local infile '{first_rows()}' into table lineitem fields terminated by ','"
        more = "optionally enclosed by '\"' ignore 1 lines; analyze table lineitem"
        run_measured(mariadb(f"create table lineitem ({_COLUMNS}); {load} {more}"))


SERVERS = {
    "postgres": (
        prepare_postgres,
        psql("\\copy lineitem to '/dev/null' (format csv)"),
        {"kind": "postgres", **POSTGRES},
        "floor: psql \\copy to /dev/null",
        f"postgresql://{POSTGRES['user']}@{POSTGRES['host']}:{POSTGRES['port']}/{DATABASE}",
    ),
    "mysql": (
        prepare_mariadb,
        ["sh", "-c", '"$@" > /dev/null', "sh", *mariadb("select * from lineitem")],
        {"kind": "mysql", **MARIADB},
        "floor: mariadb --quick to /dev/null",
        f"mysql://{MARIADB['user']}@{MARIADB['host']}:{MARIADB['port']}/{DATABASE}",
    ),
}


def run_pipeline(connection: dict[str, str]) -> Measured:
    """Runs the pipeline in a fresh project, with a Prefect server that is up; its output has the flow's time."""
    settings = ", ".join(f"{name}: {value}" for name, value in {**connection, "database": DATABASE}.items())
    with tempfile.TemporaryDirectory(dir=os.environ.get("PENSTOCK_BENCH_DATA")) as folder:
        environment = write_project(Path(folder), connections=f"database: {{{settings}}}", pipeline=PIPELINE)
        home = environment["PENSTOCK_HOME"]
        server = f"from flows.local_server import {{0}}; from pathlib import Path; {{0}}(Path({home!r}))"
        run_measured([sys.executable, "-c", server.format("ensure_server")], environment)
        try:
            return run_measured([sys.executable, "-m", "benchmarks.sql_extract", "--timed-run"], environment)
        finally:
            run_measured([sys.executable, "-c", server.format("stop_server")], environment)


def connectorx(url: str, path: Path) -> list[str]:
    """Returns the command that streams the table through connectorx, whose environment is made where there is none."""
    environment = DATA / CONNECTORX
    python = environment / "bin" / "python"
    if not (environment / "made").exists():
        run_measured([sys.executable, "-m", "venv", "--clear", str(environment)])
        run_measured([str(python), "-m", "pip", "install", "--quiet", CONNECTORX, f"pyarrow=={version('pyarrow')}"])
        (environment / "made").touch()
    return [str(python), str(Path(__file__).with_name("connectorx_floor.py")), url, str(ROWS), str(path)]


def load_bare(path: str) -> None:
    """Makes a table of a Parquet file as anybody would, with DuckDB's defaults, and prints the seconds."""
    import time

    import duckdb

    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        began = time.perf_counter()
        with duckdb.connect(f"{folder}/bare.duckdb") as connection:
            connection.execute(f"CREATE TABLE lineitem AS SELECT * FROM '{path}'")
        print(time.perf_counter() - began)


def compare(kind: str, rounds: int) -> None:
    prepare, client, connection, client_name, url = SERVERS[kind]
    prepare()
    path = DATA / f"{kind}.parquet"
    clients: list[Measured] = []
    streams: list[Measured] = []
    both: list[Measured] = []
    ours: list[tuple[float, float]] = []
    for _ in range(rounds):
        clients.append(run_measured(client))
        streams.append(_timed_inside(connectorx(url, path)))
        loaded = _timed_inside([sys.executable, "-m", "benchmarks.sql_extract", "--load", str(path)])
        seconds, peak = streams[-1].seconds + loaded.seconds, max(streams[-1].peak_mb, loaded.peak_mb)
        both.append(Measured(seconds, peak, ""))
        path.unlink()
        rows, inside, _whole, peak_mb = run_pipeline(connection).output.split("RESULT ")[1].split()[:4]
        if int(rows) != ROWS:
            raise SystemExit(f"{rows} rows landed")
        ours.append((float(inside), float(peak_mb)))
    print(f"{kind} to DuckDB, {ROWS:,} rows x 16 columns, best of {rounds}")
    floors = {
        client_name: clients,
        f"floor: {CONNECTORX} to Parquet": streams,
        "the same, and DuckDB's load of it": both,
    }
    for name, measured in floors.items():
        print_line(name, min(measured).seconds, min(measured).peak_mb)
    print_line("ours: the flow's body (extract, stage, load, report)", *min(ours))
    ratios = ", ".join(f"{min(ours)[0] / min(measured).seconds:.2f}" for measured in floors.values())
    print(f"  ratios {ratios}; peak memory of all rounds {', '.join(f'{peak_mb:.0f}' for _, peak_mb in ours)} MB")


def _timed_inside(command: list[str]) -> Measured:
    """Runs a command that prints how long its work took, without its own start."""
    measured = run_measured(command)
    return measured._replace(seconds=float(measured.output))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--server", choices=SERVERS)
    parser.add_argument("--timed-run", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--load", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        load_bare(arguments.load)
        return
    if arguments.timed_run:
        timed_run({"pipeline": "bench"})
        return
    for kind in [arguments.server] if arguments.server else SERVERS:
        compare(kind, arguments.rounds)


if __name__ == "__main__":
    main()
