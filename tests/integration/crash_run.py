"""Loads in forked children that may kill themselves (SIGKILL) after a named step; one JSON request a line.

The argument is the warehouse's kind. A request is `{"connection", "lake", "strategy", "files", "options",
"die_after"}`; the answer is the child's wait status. The parent opens no warehouse, so that a child inherits no threads
of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import TypeAdapter

from penstock.connections import WarehouseConnection
from tasks.staging.local import LocalStore
from tasks.warehouses.opening import open_warehouse
from tests.contract.warehouse_cases import Loader

_DRIVERS = {"duckdb": ("duckdb", "filelock"), "postgres": ("duckdb", "psycopg")}
_CONNECTION: TypeAdapter[Any] = TypeAdapter(WarehouseConnection)


def die_after_step(loading: ModuleType, name: str) -> None:
    step = getattr(loading, name)

    def fatal(*arguments: Any) -> None:
        step(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(loading, name, fatal)


def run(asked: dict[str, Any], loading: ModuleType) -> None:
    if asked.get("die_after"):
        die_after_step(loading, asked["die_after"])
    warehouse = open_warehouse(_CONNECTION.validate_python(asked["connection"]))
    Loader(warehouse, LocalStore(Path(asked["lake"]))).load(asked["strategy"], asked["files"], **asked["options"])


def main() -> None:
    kind = sys.argv[1]
    for driver in _DRIVERS[kind]:
        import_module(driver)  # once, before the forks
    loading = import_module(f"tasks.warehouses.{kind}.loading")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                run(json.loads(line), loading)
            except Exception:  # noqa: BLE001 - shown, and told by the status
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
