from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from penstock.schedule import ScheduleSpec, changes_clocks, widest_day_gap, widest_gap


@pytest.mark.parametrize(
    "cron",
    [
        "0 6 * * *",
        "*/15 * * * *",
        "0 6 * * MON-FRI",
        "0 6 1,15 * *",
        "30 2 * jan,jul 0",
        "0  6 * *   7",
        "5-50/5 0 * * *",
    ],
)
def test_a_cron_expression_of_five_fields_is_accepted(cron: str) -> None:
    assert ScheduleSpec(cron=cron).cron == " ".join(cron.split())


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 6 * *", "4 fields"),
        ("0 0 6 * * *", "6 fields"),
        ("", "0 fields"),
        ("@daily", "1 fields"),
        ("0 25 * * *", "bad hour"),
        ("60 6 * * *", "bad minute"),
        ("0 6 31 2 *", "bad day-of-month"),
        ("0 6 * * xyz", "bad day-of-week"),
        ("0 6 L * *", "`L` is not a cron field"),
        ("0 6 * * 5#3", "`5#3` is not a cron field"),
        ("R R * * *", "`R` is not a cron field"),
        ("0 6 * * 5-1", "bad day-of-week"),
    ],
)
def test_what_either_cronsim_or_prefect_would_refuse_is_refused_with_the_reason(cron: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ScheduleSpec(cron=cron)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("cron", "gap", "days"),
    [
        ("0 6 * * *", timedelta(days=1), 1),
        ("0 6 * * 1-5", timedelta(days=3), 3),
        ("*/15 * * * *", timedelta(minutes=15), 1),
        ("0 9-17 * * *", timedelta(hours=16), 1),
        ("0 6 1 * *", timedelta(days=31), 31),
        ("0 6,18 * * 1", timedelta(days=6, hours=12), 7),
    ],
)
def test_the_widest_gap_is_the_longest_time_without_a_run(cron: str, gap: timedelta, days: int) -> None:
    schedule = ScheduleSpec(cron=cron)
    assert widest_gap(schedule) == gap
    assert widest_day_gap([schedule]) == days


def test_schedules_fill_each_others_gaps_and_a_stopped_one_fills_none() -> None:
    weekdays, weekend = ScheduleSpec(cron="0 6 * * 1-5"), ScheduleSpec(cron="0 9 * * 6,0")
    assert widest_day_gap([weekdays, weekend]) == 1
    assert widest_day_gap([weekdays, weekend.model_copy(update={"active": False})]) == 3
    assert widest_day_gap([]) is None


def test_zones_with_daylight_saving_are_told_from_those_without() -> None:
    assert [changes_clocks(zone) for zone in ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe")] == [True] * 3
    assert [changes_clocks(zone) for zone in ("UTC", "Asia/Tokyo", "America/Phoenix", "Asia/Kolkata")] == [False] * 4
