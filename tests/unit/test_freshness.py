from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from penstock.freshness import Freshness, FreshnessSpec, decide_freshness, derive_freshness
from penstock.schedule import ScheduleSpec, widest_gap_of

DAILY = ScheduleSpec(cron="0 6 * * *", timezone="America/New_York")


def hours(warn: float, error: float | None) -> Freshness:
    return Freshness(timedelta(hours=warn), None if error is None else timedelta(hours=error))


@pytest.mark.parametrize(
    ("crons", "expected"),
    [
        (("0 6 * * *",), hours(36, 60)),
        (("0 * * * *",), hours(2, 3)),
        (("*/15 * * * *",), hours(1.25, 2.25)),
        (("0 6 * * MON-FRI",), hours(108, 180)),
        (("0 6 * * MON",), hours(252, 420)),
        (("0 6 * * *", "0 18 * * *"), hours(18, 30)),
    ],
)
def test_half_a_gap_between_runs_and_an_hour_at_least_is_left_for_a_late_run(
    crons: tuple[str, ...], expected: Freshness
) -> None:
    assert derive_freshness([ScheduleSpec(cron=cron) for cron in crons]) == expected


def test_what_nobody_schedules_nobody_waits_for() -> None:
    assert derive_freshness([]) is None
    assert derive_freshness([ScheduleSpec(cron="0 6 * * *", active=False)]) is None


def test_what_a_file_says_wins_over_its_schedules() -> None:
    said = FreshnessSpec(warn_after="1d12h", error_after="2d")
    assert decide_freshness(said, [DAILY]) == hours(36, 48)
    assert decide_freshness(FreshnessSpec(warn_after="90m"), []) == hours(1.5, None)
    assert decide_freshness("none", [DAILY]) is None
    assert decide_freshness(None, [DAILY]) == hours(36, 60)


def test_an_error_before_its_warning_is_refused() -> None:
    with pytest.raises(ValidationError, match="`error_after` comes before `warn_after`"):
        FreshnessSpec(warn_after="2d", error_after="47h")


@pytest.mark.parametrize(
    ("schedules", "gap"),
    [
        # 06:00 in New York is 11:00 in UTC while clocks show standard time.
        ((DAILY, ScheduleSpec(cron="0 11 * * *")), timedelta(days=1)),
        ((DAILY, ScheduleSpec(cron="0 17 * * *")), timedelta(hours=18)),
        ((DAILY, ScheduleSpec(cron="*/5 * * * *")), timedelta(minutes=5)),
        ((ScheduleSpec(cron="0 6 * * MON-FRI"), ScheduleSpec(cron="0 12 * * SAT")), timedelta(hours=42)),
        ((ScheduleSpec(cron="0 6 1 1 *"), ScheduleSpec(cron="0 6 1 7 *")), timedelta(days=184)),
        ((DAILY, ScheduleSpec(cron="0 17 * * *", active=False)), timedelta(days=1)),
    ],
)
def test_the_widest_gap_is_that_of_all_schedules_together(schedules: tuple[ScheduleSpec, ...], gap: timedelta) -> None:
    assert widest_gap_of(schedules) == gap
