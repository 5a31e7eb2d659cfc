"""Writes the drops that a world has had until now; a file that is there is left as it is."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox.drops.forecast import forecast_file, is_corrected
from sandbox.drops.staffing import staffing_workbook
from sandbox.gladly.roster import Roster
from sandbox.gladly.shifts import Shifts
from sandbox.settings import SandboxSettings

_DELIVERED = time(0, 5)
_CORRECTED = time(0, 10)


def fill_drops(settings: SandboxSettings) -> int:
    """Writes what was delivered until the world's present time, each file with the time of its delivery.

    A day's files come just after it, so that a run by hand finds yesterday's at almost any hour; some days have a
    corrected forecast, too.

    Returns:
        How many files were written.
    """
    drops = settings.drops
    if drops.folder is None:
        return 0
    zone, now = ZoneInfo(settings.gladly.organizations[drops.organization]), settings.clock.now()
    roster = Roster(settings.seed, drops.organization)
    shifts = Shifts(roster, zone)
    today = now.astimezone(zone).date()
    written = 0
    for day in (today - timedelta(days=number) for number in range(drops.days, 0, -1)):
        for name, at, content in _files(settings.seed, day, roster, shifts, zone):
            delivered_at = datetime.combine(day + timedelta(days=1), at, zone).astimezone(UTC)
            if delivered_at <= now:
                written += _write(drops.folder / name, content, delivered_at)
    return written


def _files(seed: int, day: date, roster: Roster, shifts: Shifts, zone: ZoneInfo) -> list[tuple[str, time, bytes]]:
    plan = staffing_workbook(roster, day, shifts.planned(day))
    files = [
        (f"forecast/{day}/contacts.csv.gz", _DELIVERED, forecast_file(seed, day, zone, version=1)),
        (f"staffing/{day}/plan-{day:%Y%m%d}.xlsx", _DELIVERED, plan),
    ]
    if is_corrected(seed, day):
        files.append(
            (f"forecast/{day}/contacts-corrected.csv.gz", _CORRECTED, forecast_file(seed, day, zone, version=2))
        )
    return files


def _write(path: Path, content: bytes, delivered_at: datetime) -> int:
    if path.exists():
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    os.utime(partial, (delivered_at.timestamp(), delivered_at.timestamp()))
    partial.rename(path)
    return 1
