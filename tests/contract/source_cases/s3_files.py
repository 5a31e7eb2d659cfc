from __future__ import annotations

import json
import os
from datetime import timedelta

from penstock.artifacts import Interval
from penstock.connections import FolderConnection
from tests.contract.source_cases.case import FIRST, Case, Place, Row
from tests.contract.source_cases.orders import ORDERS

NOONS = [FIRST + timedelta(days=day, hours=12) for day in range(3)]


def _connect(place: Place, _secret: str | None) -> FolderConnection:
    drops = place.folder / "drops"
    if not drops.exists():
        drops.mkdir()
        for day, noon in enumerate(NOONS):
            file = drops / f"day-{day}.jsonl"
            file.write_text("".join(json.dumps(order) + "\n" for order in ORDERS[day * 120 :][:120]))
            os.utime(file, (noon.timestamp(), noon.timestamp()))
    return FolderConnection(kind="folder", path=str(place.folder))


def dropped(_place: Place, interval: Interval) -> list[Row]:
    """The rows of one file a day, dropped at noon."""
    start, end = interval.bounds()
    return [order for day, noon in enumerate(NOONS) if start <= noon < end for order in ORDERS[day * 120 :][:120]]


CASES = {
    "s3_files": Case(
        kind="s3_files", dataset={"glob": "drops/*.jsonl", "select": "window"}, connect=_connect, truth=dropped
    )
}
