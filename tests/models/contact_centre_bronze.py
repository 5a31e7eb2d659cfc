"""Bronze of what stands beside Gladly: the example pipelines' own datasets, extracted by their sources, as text."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from deployments.catalog import load_catalog
from penstock.artifacts import Interval
from penstock.connections import FolderConnection, SproutSocialConnection
from penstock.pipeline import PipelineSpec
from penstock.sources.base import DatasetSpec
from sandbox.clock import Clock
from sandbox.drops.filling import fill_drops
from sandbox.drops.settings import DropsSettings
from sandbox.gladly.settings import GladlySettings
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from sandbox.sprout_social.settings import SPROUT_TOKEN, SproutSocialSettings
from tasks.definitions.project import Project
from tasks.sources.contract import ExtractRequest
from tasks.sources.registry import extractor
from tests.fakes.clock import FakeTime
from tests.fakes.google_api import refresh_token_connection
from tests.fakes.sink import MemorySink
from tests.models.bronze import CONVERSATIONS_PER_DAY, DAYS, NOW, ZONE, Record, append, window_of

ROOT = Path(__file__).parents[2]
# Early enough for a report that was corrected later.
SURVEYED_FROM = date(2026, 10, 22)
# Two readings of the roster, in two months: some agents have changed their team.
DROPPED_UNTIL = "2026-11-03T05:00:00Z"  # midnight in New York
ROSTER_READ_AT = ("2026-10-20T12:00:00Z", NOW)


def fill_contact_centre(warehouse: Path, folder: Path) -> None:
    """Loads the same days as Gladly's, of social profiles, mail, sheets and drops."""
    drops = DropsSettings(folder=folder / "drops", days=4)
    settings = SandboxSettings(
        clock=Clock(NOW),
        drops=drops,
        gladly=GladlySettings(conversations_per_day=CONVERSATIONS_PER_DAY),
        sprout_social=SproutSocialSettings(messages_per_day=4),
    )
    # The vendor has not delivered the third day's files yet.
    fill_drops(replace(settings, clock=Clock(DROPPED_UNTIL)))
    with serve(settings) as sandbox:
        for kind in ("sprout_social", "gmail", "google_sheets", "s3_files"):
            for dataset in pipeline_of(kind).datasets:
                if dataset.name == "agent_roster":
                    _load_roster(warehouse, sandbox, dataset)
                else:
                    _load(warehouse, sandbox, kind, dataset, drops=folder / "drops")


def spoil_contact_centre(warehouse: Path) -> None:
    """Adds what vendors do: scores, times and metrics that are none."""
    nonsense = {"response_id": "odd", "score": "great", "answered_at": "2026-02-30T00:00:00Z", "agent_email": " "}
    too_good = {"response_id": "too good", "score": "9", "answered_at": "2026-11-01T05:30:00Z", "channel": "CHAT"}
    append(warehouse, "csat_responses", [nonsense, too_good], kind="gmail", batch="spoilt", window=window_of(DAYS[0]))
    post = {"guid": "odd", "customer_profile_id": "0", "created_time": "soon", "metrics": '{"lifetime.likes": "many"}'}
    append(warehouse, "posts", [post], kind="sprout_social", batch="spoilt", window=window_of(DAYS[0]))


@cache
def pipeline_of(kind: str) -> PipelineSpec:
    """Returns the example pipeline of a kind of source."""
    pipelines = load_catalog(Project(ROOT)).pipelines
    (found,) = [one for one in pipelines if one.client == "warbyparker" and one.source.kind == kind]
    return found


def _load(warehouse: Path, sandbox: Sandbox, kind: str, dataset: DatasetSpec, *, drops: Path) -> None:
    # One batch of everything: how days replace each other is tested with Gladly's.
    start, end = window_of(SURVEYED_FROM if kind == "gmail" else DAYS[0])[0], window_of(DAYS[-1])[1]
    interval = Interval(start=start, end=end, timezone=ZONE.key, as_of=datetime.fromisoformat(NOW))
    for source_file, records in _extract(sandbox, kind, dataset, interval, drops):
        append(
            warehouse, dataset.name, records, kind=kind, batch=dataset.name, source_file=source_file,
            window=interval.bounds(),
        )  # fmt: skip


def _load_roster(warehouse: Path, sandbox: Sandbox, dataset: DatasetSpec) -> None:
    """Keeps the two readings as `historical` does: a version for each change, closed when the next one begins."""
    readings: list[dict[str, Record]] = []
    for read_at in ROSTER_READ_AT:
        sandbox.clock.set(read_at)
        ((_, records),) = _extract(
            sandbox, "google_sheets", dataset, Interval(start=None, end=None, as_of=datetime.fromisoformat(read_at))
        )
        readings.append({str(record["E-mail"]): record for record in records})
    first, second = readings
    since, until = map(datetime.fromisoformat, ROSTER_READ_AT)
    changed = [one for key, one in first.items() if second.get(key) != one]
    added = [one for key, one in second.items() if first.get(key) != one]
    kept = [one for key, one in first.items() if second.get(key) == one]
    for records, batch, history in (
        (changed, "roster-1", (since, until, False)),
        (kept, "roster-1", (since, None, True)),
        (added, "roster-2", (until, None, True)),
    ):
        append(warehouse, dataset.name, records, kind="google_sheets", batch=batch, history=history)


def _extract(
    sandbox: Sandbox, kind: str, dataset: DatasetSpec, interval: Interval, drops: Path = Path()
) -> Iterator[tuple[str, list[Record]]]:
    """Yields the files of an extraction with their rows as text."""
    sink = MemorySink()
    request = ExtractRequest(pipeline_of(kind).source, dataset, interval, kind)
    options = {} if kind == "s3_files" else {"clock": FakeTime(wall=time.time()).clock}
    extractor(kind)(request, _connection(sandbox, kind, drops), sink, **options)  # type: ignore[call-arg]
    for file in sorted(sink.files, key=lambda file: file.name):
        yield file.source_name, list(_read(bytes(file.data)))
    for existing in sink.existing:
        text = gzip.decompress((drops / existing.key).read_bytes()).decode()
        rows = csv.DictReader(io.StringIO(text.partition("\n")[2], newline=""), delimiter=";")
        yield existing.key, [{name: None if cell == "n/a" else cell for name, cell in row.items()} for row in rows]


def _connection(sandbox: Sandbox, kind: str, drops: Path) -> Any:
    if kind == "s3_files":
        return FolderConnection(kind="folder", path=str(drops))
    if kind == "sprout_social":
        given = {"kind": kind, "token": SPROUT_TOKEN, "base_url": sandbox.service_url(kind)}
        return SproutSocialConnection.model_validate(given)
    return refresh_token_connection(sandbox.url)


def _read(data: bytes) -> Iterator[Record]:
    text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode("utf-8-sig")
    if text.startswith("{"):
        yield from (_as_text(json.loads(line)) for line in text.splitlines())
    else:
        yield from csv.DictReader(io.StringIO(text, newline=""))


def _as_text(record: Mapping[str, Any]) -> Record:
    return {
        name: value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in record.items()
    }
