"""Connections to the tests' Snowflake; one server a process, a database of its own for each warehouse."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache
from typing import Any
from uuid import uuid4

from penstock.connections import SnowflakeConnection
from tests.fakes.snowflake.server import snowflake_server


@cache
def snowflake_port() -> int:
    """Returns the port of this process's server; it runs until the process ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(snowflake_server())


def snowflake_connection(**changes: Any) -> SnowflakeConnection:
    """Returns a connection to a database that nothing else uses."""
    settings = {
        "kind": "snowflake",
        "account": "acme",
        "user": "penstock",
        "auth": {"kind": "password", "password": "secret"},
        "database": f"TEST_{uuid4().hex[:12]}",
        "compute": {"load": "LOADING"},
        "stage": {"kind": "internal"},
        "host": "127.0.0.1",
        "port": changes.get("port") or snowflake_port(),
        "protocol": "http",
        "login_timeout_seconds": 10,
        "statement_timeout_seconds": 20,
    }
    return SnowflakeConnection.model_validate({**settings, **changes})
