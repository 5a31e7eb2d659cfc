"""The Snowflake of the tests: fakesnow's server on loopback, adapted where it falls short of Snowflake."""

from __future__ import annotations

import gzip
import json
import logging
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import fakesnow.arrow
import fakesnow.info_schema
import fakesnow.server
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
import uvicorn
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.transforms import stage
from snowflake.connector.errors import Error, ProgrammingError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.snowflake.copying import run_copy
from tests.fakes.snowflake.dbt_statements import column_comments, without_temporary
from tests.fakes.snowflake.external_stages import noted_stage
from tests.fakes.snowflake.locks import TableLocks
from tests.fakes.snowflake.rewriting import merge_for_duckdb, rewrite

_MACROS = (
    "CREATE OR REPLACE TEMP MACRO regexp_replace_all_of(s, p, r, g) AS regexp_replace(s, p, r, g)",
    "CREATE OR REPLACE TEMP MACRO current_warehouse() AS 'EMULATED'",
    "CREATE OR REPLACE TEMP MACRO penstock_try_instant(value) AS try_cast(value AS TIMESTAMPTZ)",
)
REFUSED_LOGINS = {
    "bad-password": ("390100", "Incorrect username or password was specified."),
    "bad-key": ("390144", "JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]"),
    "expired-token": ("390318", "OAuth access token expired. [1fa2c6c0-1b1c-4f0a-9d5f-3a3d6d8f9f10]"),
    "no-role": ("390189", "Role 'ELT_WRITER' specified in the connect string is not granted to this user."),
}
"""Users whose login is refused, with the codes and messages that Snowflake documents."""

_FAULT = re.compile(r"CALL penstock_test_fail\('(?P<pattern>[^']*)', (?P<code>\d+), '(?P<message>.*)'\)", re.DOTALL)
_FAULTS: dict[str, tuple[str, int, str]] = {}
_SET_UP = re.compile(r"\s*(CREATE (WAREHOUSE|ROLE)|GRANT|USE (ROLE|WAREHOUSE))\b", re.IGNORECASE)
_ROOT = Path(__file__).parents[3]
_LOCKS = TableLocks()
_fakesnow_execute = FakeSnowflakeCursor.execute
_fakesnow_table_comment = fakesnow.info_schema.insert_table_comment_sql


@contextmanager
def snowflake_server() -> Iterator[int]:
    """Runs the server as a process of its own and gives its port."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.fakes.snowflake.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, cwd=_ROOT, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def serve() -> None:
    """Serves until the process ends; says the port on standard output first."""
    FakeSnowflakeCursor.execute = _execute  # type: ignore[method-assign]
    fakesnow.arrow.timestamp_to_sf_struct = _timestamps
    fakesnow.info_schema.insert_table_comment_sql = _table_comment
    logging.disable(logging.CRITICAL)
    # asyncio turns Nagle's delay off only where the socket says that it is TCP; 40 ms a statement otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    ours = {"/session/v1/login-request": _login, "/queries/v1/query-request": _query}
    routes = [route for route in fakesnow.server.routes if route.path not in ours]
    app = Starlette(routes=[*(Route(path, handler, methods=["POST"]) for path, handler in ours.items()), *routes])
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off")).run(sockets=[listener])


async def _query(request: Request) -> Response:
    """Answers a statement; a failure of fakesnow is an error, for the driver repeats a request after HTTP 500."""
    try:
        response = await fakesnow.server.query_request(request)
    except Exception as error:  # noqa: BLE001 - told to the client
        return _failure(repr(error))
    return _failure(bytes(response.body).decode()) if response.status_code == 500 else response


def _failure(message: str) -> Response:
    return JSONResponse({"data": {"errorCode": "000002"}, "code": "000002", "message": message, "success": False})


async def _login(request: Request) -> Response:
    """Opens a session in the zone it asks for, or refuses it as Snowflake does, by the user's name."""
    user = json.loads(_body(await request.body()))["data"].get("LOGIN_NAME")
    if user in REFUSED_LOGINS:
        code, message = REFUSED_LOGINS[user]
        return JSONResponse({"data": {"authnMethod": ""}, "code": code, "message": message, "success": False})
    response = await fakesnow.server.login_request(request)
    session = fakesnow.server.sessions[json.loads(bytes(response.body))["data"]["token"]]
    parameters = json.loads(_body(await request.body()))["data"]["SESSION_PARAMETERS"]
    for macro in _MACROS:
        session._duck_conn.execute(macro)
    session._duck_conn.execute(f"SET TimeZone = '{parameters.get('TIMEZONE', 'UTC')}'")
    return response


def _body(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def _execute(self: Any, command: str, params: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Runs a statement as Snowflake would; what it cannot do is an error, not a server's failure."""
    try:
        _LOCKS.before(self._conn, command)
        word = command.split(None, 1)[0].upper()
        comments = column_comments(command)
        for comment in comments:
            _fakesnow_execute(self, comment, None, **kwargs)
        is_noted = _noted_fault(self, command) or noted_stage(str(self._conn.database), command)
        if comments or is_noted or _SET_UP.match(command):
            _fakesnow_execute(self, "SELECT 'Statement executed successfully.' AS status", None, **kwargs)
        elif word == "COPY" and "INTO" in command[:20].upper():
            run_copy(self, command)
        elif word == "REMOVE":
            _remove(self, command)
        elif word == "MERGE":
            self._duck_conn.execute(merge_for_duckdb(command))
            _fakesnow_execute(self, "SELECT 'merged' AS status", None, **kwargs)
        elif word == "PUT":
            _fakesnow_execute(self, command, params, *args, **kwargs)
        else:
            _fakesnow_execute(self, rewrite(without_temporary(command)), params, *args, **kwargs)
        _LOCKS.after(self._conn, command)
    except duckdb.Error as error:
        raise ProgrammingError(msg=f"{type(error).__name__}: {error}", errno=1003, sqlstate="42000") from error
    except Error:
        raise
    except (AssertionError, NotImplementedError, KeyError, ValueError) as error:
        raise ProgrammingError(msg=f"not emulated: {error!r}", errno=2, sqlstate="0A000") from error
    return self


def _noted_fault(cursor: Any, command: str) -> bool:
    """Notes the next statement of a database that has to fail; fails it when it comes."""
    database = str(cursor._conn.database)
    told = _FAULT.fullmatch(command)
    if told:
        _FAULTS[database] = (told["pattern"], int(told["code"]), told["message"].replace("''", "'"))
        return True
    pattern, code, message = _FAULTS.get(database, ("$^", 0, ""))
    if not re.search(pattern, command):
        return False
    del _FAULTS[database]
    if not code:
        time.sleep(60)
    raise ProgrammingError(msg=message, errno=code, sqlstate="57014")


def _remove(cursor: Any, command: str) -> None:
    found = re.fullmatch(r"REMOVE @([\w.]+)/(\S+)", command.strip())
    assert found, command
    names = stage.parts_from_var(found[1].upper(), cursor._conn.database, cursor._conn.schema)
    with suppress(FileNotFoundError):
        shutil.rmtree(Path(stage.internal_dir(".".join(names), found[2])))
    cursor._execute(sqlglot.parse_one("SELECT 'removed' AS result", read="duckdb"))


def _table_comment(catalog: str, schema: str, table: str, comment: object) -> str:
    """Quotes a comment, which fakesnow 0.12 puts into SQL as it is."""
    return _fakesnow_table_comment(catalog, schema, table, str(comment).replace("'", "''"))


def _timestamps(column: Any) -> Any:
    """Keeps NULL, which fakesnow 0.12 sends as 1970, and instants in UTC whatever the session's zone is."""
    times = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    micros = times.cast(pa.timestamp("us", tz=times.type.tz)).cast(pa.int64())
    epoch = pc.floor(pc.divide(micros.cast(pa.float64()), 1e6)).cast(pa.int64())
    fraction = pc.multiply(pc.subtract(micros, pc.multiply(epoch, 1_000_000)), 1000).cast(pa.int32())
    arrays, fields = [epoch, fraction], [pa.field("epoch", pa.int64()), pa.field("fraction", pa.int32())]
    if times.type.tz:
        arrays.append(pa.array([1440] * len(times), type=pa.int32()))
        fields.append(pa.field("timezone", pa.int32()))
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=pc.is_null(times))


if __name__ == "__main__":
    serve()
