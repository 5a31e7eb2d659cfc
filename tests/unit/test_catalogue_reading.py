from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deployments.catalogue.reading import in_words, tell_age
from penstock.freshness import Freshness

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAILY = Freshness(timedelta(hours=36), timedelta(hours=60))


@pytest.mark.parametrize(
    ("age", "freshness", "expected"),
    [
        (timedelta(hours=36), DAILY, "fresh"),
        (timedelta(hours=37), DAILY, "late"),
        (timedelta(hours=61), DAILY, "overdue"),
        (timedelta(days=400), Freshness(timedelta(hours=1), None), "late"),
        (timedelta(days=400), None, "loaded"),
        (None, DAILY, "never loaded"),
        (None, None, "never loaded"),
    ],
)
def test_a_loads_age_is_told_by_its_limits(age: timedelta | None, freshness: Freshness | None, expected: str) -> None:
    assert tell_age(NOW - age if age is not None else None, freshness, NOW) == expected


def test_spans_are_told_in_whole_hours_or_in_minutes() -> None:
    assert [in_words(timedelta(minutes=one)) for one in (60, 75, 2160)] == ["1 h", "75 min", "36 h"]
