"""The sandbox's clock: fixed, moved, or running."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from penstock.errors import ConfigurationError
from sandbox.clock import Clock, parse_moment, to_milliseconds

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


def test_a_fixed_clock_stands_still_until_it_is_moved():
    clock = Clock("2026-03-20T12:00:00Z")
    assert clock.now() == clock.now() == NOON
    clock.advance(days=1, hours=-2, seconds=30)
    assert clock.now() == NOON + timedelta(hours=22, seconds=30)
    clock.set("2026-03-20T08:00:00-04:00")
    assert clock.now() == NOON
    assert clock.stands_still


def test_a_running_clock_can_be_shifted_and_set_right_again():
    clock = Clock()
    assert not clock.stands_still
    before = datetime.now(tz=UTC)
    assert abs(clock.now() - before) < timedelta(seconds=5)
    clock.advance(timedelta(days=3))
    assert timedelta(days=3) <= clock.now() - before < timedelta(days=3, seconds=5)
    clock.follow_real_time()
    assert clock.now() - before < timedelta(seconds=5)


@pytest.mark.parametrize("moment", ["yesterday", "2026-03-20T12:00:00", datetime(2026, 3, 20)])  # noqa: DTZ001
def test_a_moment_without_a_place_in_time_is_refused(moment: datetime | str):
    with pytest.raises(ConfigurationError, match="2026-03-20T12:00:00Z"):
        parse_moment(moment)


def test_milliseconds_count_from_the_epoch():
    assert to_milliseconds(datetime(1970, 1, 1, 0, 0, 1, 5000, tzinfo=UTC)) == 1005
