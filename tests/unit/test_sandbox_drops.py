"""The emulated drops: the same for the same seed, and like what a planning tool delivers."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from penstock.sources.tabular import TabularFiles
from sandbox.clock import Clock
from sandbox.drops.filling import fill_drops
from sandbox.drops.forecast import forecast_file
from sandbox.drops.settings import DropsSettings
from sandbox.settings import SandboxSettings
from tasks.sources.tabular.converting import convert

NEW_YORK = ZoneInfo("America/New_York")


def settings(folder: Path, at: str, days: int = 3) -> SandboxSettings:
    return SandboxSettings(clock=Clock(at), drops=DropsSettings(folder=folder, days=days))


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_days_files_come_just_after_it_and_later_days_are_added(tmp_path: Path) -> None:
    assert fill_drops(settings(tmp_path, "2026-03-20T04:00:00Z", days=1)) == 0
    made = fill_drops(settings(tmp_path, "2026-03-20T12:00:00Z", days=1))
    assert {name for name in written(tmp_path) if "corrected" not in name} == {
        "forecast/2026-03-19/contacts.csv.gz", "staffing/2026-03-19/plan-20260319.xlsx",
    }  # fmt: skip
    delivered = (tmp_path / "staffing/2026-03-19/plan-20260319.xlsx").stat().st_mtime
    assert datetime.fromtimestamp(delivered, UTC) == datetime(2026, 3, 20, 4, 5, tzinfo=UTC)
    assert fill_drops(settings(tmp_path, "2026-03-20T12:00:00Z", days=1)) == 0
    assert fill_drops(settings(tmp_path, "2026-03-21T12:00:00Z", days=2)) >= 2
    assert len(written(tmp_path)) >= made + 2


def test_the_same_seed_gives_the_same_forecast_and_clock_changes_have_their_own_length() -> None:
    def rows(day: date) -> list[dict[str, str]]:
        text = gzip.decompress(forecast_file(7, day, NEW_YORK, version=1)).decode()
        return list(csv.DictReader(io.StringIO(text.split("\r\n", 1)[1]), delimiter=";"))

    day = date(2026, 3, 19)
    assert forecast_file(7, day, NEW_YORK, version=1) == forecast_file(7, day, NEW_YORK, version=1)
    assert forecast_file(7, day, NEW_YORK, version=1) != forecast_file(8, day, NEW_YORK, version=1)
    assert [len(rows(one)) for one in (day, date(2026, 3, 8), date(2026, 11, 1))] == [48 * 4, 46 * 4, 50 * 4]
    assert "n/a" in {row["AHT (s)"] for row in rows(day)}


def test_the_staffing_plan_is_read_as_it_is_shown(tmp_path: Path) -> None:
    fill_drops(settings(tmp_path, "2026-03-20T12:00:00Z", days=1))
    spec = TabularFiles.model_validate({"sheet": {"name": "Plan", "skip_rows": 2, "footer_rows": 1}})
    with (tmp_path / "staffing/2026-03-19/plan-20260319.xlsx").open("rb") as file:
        [blocks] = [list(one.blocks) for one in convert(file, "plan.xlsx", spec)]
    rows = list(csv.DictReader(io.StringIO(b"".join(block.data for block in blocks).decode(), newline="")))
    assert len(rows) == sum(block.row_count or 0 for block in blocks)
    assert 15 < len(rows) <= 26
    assert all(row["Employee No"].startswith("004") and len(row["Employee No"]) == 5 for row in rows)
    assert {row["Shift Date"] for row in rows} == {"2026-03-19"}
    assert "Total" not in {row["Employee No"] for row in rows}
    assert rows[0]["Start"].count(":") == 2
