"""Export jobs: JSON-lines files that Gladly writes by itself, found by when each job was last updated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from penstock.artifacts import FileFormat, Interval
from penstock.errors import ConfigurationError
from penstock.sources.gladly import ExportFile
from tasks.sources.contract import ExtractSink
from tasks.sources.http.client import HttpClient
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.http.request import HttpRequest
from tasks.sources.streams import JsonLines

if TYPE_CHECKING:
    import httpx

KEPT = timedelta(days=14)
"""Gladly forgets jobs older than this, with their files."""

_JOBS = "/export/jobs"


class ExportJob(msgspec.Struct, rename="camel"):
    """A job as the list shows it."""

    id: str
    status: str
    updated_at: datetime
    files: list[str] = []


def write_exports(client: HttpClient, wanted: ExportFile, interval: Interval, sink: ExtractSink) -> None:
    """Writes one file of every job that was completed in the interval; a full interval means all that are kept.

    Raises:
        ConfigurationError: The interval begins before the oldest job that Gladly keeps.
    """
    check_horizon(interval)
    name = f"{wanted}.jsonl"
    jobs = sorted(_jobs_within(client, interval), key=lambda job: (job.updated_at, job.id))
    for job in jobs:
        if job.status == "FAILED":
            sink.warn(f"export job {job.id} failed at {job.updated_at.isoformat()}: its records are not in this load")
        elif job.status == "COMPLETED" and name not in job.files:
            sink.warn(f"export job {job.id} has no {name}")
        elif job.status == "COMPLETED":
            _write_file(client, job, name, sink)
    if not any(job.status == "COMPLETED" for job in jobs):
        sink.warn("no export job was completed in the window")


def check_horizon(interval: Interval) -> None:
    """Checks that Gladly still has what an interval asks for, as of the time that the run is for.

    Raises:
        ConfigurationError: It begins too long ago.
    """
    if interval.start is not None and interval.start < interval.as_of - KEPT:
        raise ConfigurationError(
            "the window begins before the oldest export job that Gladly keeps",
            guidance="Ask for a window within the 14 days before the run; older jobs and their files are gone.",
            start=interval.start,
            as_of=interval.as_of,
        )


def _jobs_within(client: HttpClient, interval: Interval) -> Iterator[ExportJob]:
    """Yields the jobs updated in `[start, end)`; the API's own bounds are both inclusive."""
    parameters = {}
    if not interval.is_full:
        start, end = interval.bounds()
        parameters = {"startAt": _write_time(start), "endAt": _write_time(end)}
    request = HttpRequest(_JOBS, _JOBS, parameters=parameters)
    for job in client.fetch(request, _read_jobs):
        if interval.is_full or (interval.bounds()[0] <= job.updated_at < interval.bounds()[1]):
            yield job


def _read_jobs(response: httpx.Response) -> list[ExportJob]:
    try:
        return msgspec.json.decode(response.read(), type=list[ExportJob])
    except msgspec.MsgspecError:
        raise UnreadableBodyError("the answer is not a list of export jobs", guidance="Run again later.") from None


def _write_file(client: HttpClient, job: ExportJob, name: str, sink: ExtractSink) -> None:
    request = HttpRequest(
        f"{_JOBS}/{job.id}/files/{name}", f"{_JOBS}/{{id}}/files/{name}", accept="application/x-ndjson"
    )
    client.fetch(request, lambda response: _stream(response, job, name, sink))


def _stream(response: httpx.Response, job: ExportJob, name: str, sink: ExtractSink) -> None:
    lines = JsonLines()
    # Files are read in the order of their names: a record of a later job is the newer one.
    file_name = f"{job.updated_at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{job.id}-{name}"
    with sink.open_file(file_name, format=FileFormat.JSONL, source_name=f"{job.id}/{name}") as file:
        for data in response.iter_bytes():
            file.write(data, lines.feed(data))
        file.write(b"", lines.finish())


def _write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
