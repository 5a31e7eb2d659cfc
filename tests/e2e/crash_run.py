"""Runs pipelines in forked children that kill themselves (SIGKILL) after a named step; one JSON request a line.

A request is `{"home", "pipeline", "at", "run_id", "die_after"}`; the answer is the child's wait status. The
parent opens no warehouse, so that a child inherits no threads.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from datetime import datetime
from typing import Any

from penstock.plan import DatasetPlan, RunRequest, decide, select_datasets
from tasks.definitions.project import find_project
from tasks.definitions.reading import find_pipeline, read_pipeline, read_platform
from tasks.environment import Environment
from tasks.extract import extract_dataset
from tasks.load import load_staged
from tasks.stage import stage_extraction
from tasks.warehouses.duckdb import loading

STEPS_OF_A_LOAD = ("land", "apply", "record", "commit")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after_step(name: str) -> None:
    """Makes one step of the load the last thing that this process does."""
    step = getattr(loading, name)

    def fatal(*arguments: Any) -> None:
        step(*arguments)
        die()

    setattr(loading, name, fatal)


def run(asked: dict[str, Any]) -> None:
    os.environ["PENSTOCK_HOME"] = asked["home"]
    project = find_project()
    pipeline = read_pipeline(find_pipeline(asked["pipeline"], project))
    environment = Environment(read_platform("local", project))
    warehouse = environment.warehouse()
    warehouse.migrate()
    if asked["die_after"] in STEPS_OF_A_LOAD:
        die_after_step(asked["die_after"])
    request = RunRequest(
        pipeline=asked["pipeline"], scheduled_at=datetime.fromisoformat(asked["at"]), run_id=asked["run_id"]
    )
    targets = [dataset.target for dataset in select_datasets(pipeline, None)]
    for plan in decide(pipeline, request, {target: warehouse.loads(targets=[target]) for target in targets}):
        if isinstance(plan, DatasetPlan):
            extraction = extract_dataset(plan, environment)
            if asked["die_after"] == "extract":
                die()
            staged = stage_extraction(plan, extraction, environment)
            if asked["die_after"] == "stage":
                die()
            load_staged(plan, extraction, staged, environment)


def main() -> None:
    import duckdb  # noqa: F401 - imported once, before the forks
    import httpx  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                run(json.loads(line))
            except Exception:  # noqa: BLE001 - shown, and told by the status
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
