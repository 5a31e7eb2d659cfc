from __future__ import annotations

import atexit
import json
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from tests.contract.source_cases.case import Case, Place
from tests.contract.source_cases.orders import ORDERS
from tests.contract.source_cases.s3_files import NOONS, dropped
from tests.fakes.sftp_server import PASSWORD, SftpServer, sftp_server

_open = ExitStack()
atexit.register(_open.close)


@cache
def _server(root: Path) -> SftpServer:
    server = _open.enter_context(sftp_server(root))
    for day, noon in enumerate(NOONS):
        lines = "".join(json.dumps(order) + "\n" for order in ORDERS[day * 120 :][:120])
        server.put(f"out/day-{day}.jsonl", lines.encode(), noon.timestamp())
    return server


def _connect(place: Place, secret: str | None) -> Any:
    return _server(place.folder / "vendor").connection(password=secret or PASSWORD)


CASES = {
    "s3_files over sftp": Case(
        kind="s3_files",
        dataset={"glob": "out/*.jsonl", "select": "window"},
        connect=_connect,
        truth=dropped,
        secrets=(PASSWORD,),
    )
}
