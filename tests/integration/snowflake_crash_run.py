"""Loads into Snowflake in forked children that may kill themselves (SIGKILL) after a step; one JSON request a line.

A request is `{"connection", "lake", "table", "strategy", "files", "options", "die_after"}`; the answer is the child's
wait status. The parent opens no session, so that a child inherits no threads of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from penstock.artifacts import TableRef
from penstock.connections import SnowflakeConnection
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tasks.warehouses.snowflake import loading
from tests.contract.warehouse_cases import Loader


def die_after_step(name: str) -> None:
    step = getattr(loading, name)

    def fatal(*arguments: Any) -> None:
        step(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(loading, name, fatal)


def run(asked: dict[str, Any]) -> None:
    if asked.get("die_after"):
        die_after_step(asked["die_after"])
    warehouse = open_warehouse(SnowflakeConnection.model_validate(asked["connection"]))
    target = TableRef(schema_name="acme_bronze", name=asked["table"])
    loader = Loader(warehouse, LocalStore(Path(asked["lake"])), target)
    loader.load(asked["strategy"], asked["files"], **asked["options"])


def main() -> None:
    import snowflake.connector  # noqa: F401 - imported once, before the forks

    # It loads a library in a thread. A child forked meanwhile inherits an import's lock that nobody there lets go.
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()
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
