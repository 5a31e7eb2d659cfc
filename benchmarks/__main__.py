"""Runs every benchmark in a process of its own, one after the other."""

from __future__ import annotations

import argparse
import subprocess
import sys

BENCHMARKS = (
    "command_line",
    "staging",
    "s3_staging",
    "s3_listing",
    "rest_extract",
    "rest_pipeline",
    "sql_extract",
    "csv_load",
    "merge",
    "postgres_load",
    "postgres_merge",
    "many_datasets",
    "deploy",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="only these; all without any")
    names = parser.parse_args().names or BENCHMARKS
    failed = [
        name for name in names if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    ]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
