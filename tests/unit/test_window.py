"""Windows as a person writes them: what is accepted, and what the messages say otherwise."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from penstock.errors import ConfigurationError
from penstock.window import DURATION_PATTERN, CalendarDuration, TimeWindow, parse_duration

WINDOW: TypeAdapter[Any] = TypeAdapter(TimeWindow)
SMALLEST: list[dict[str, Any]] = [
    {"kind": "daily"},
    {"kind": "intraday_relative", "lookback": "1h"},
    {"kind": "intraday_absolute", "start_time": "06:00", "end_time": "12:30"},
    {"kind": "since_last", "initial": "2026-01-01T00:00:00Z"},
    {"kind": "interval", "start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"},
    {"kind": "full"},
]


def _refusal(written: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        WINDOW.validate_python(written)
    return "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in caught.value.errors())


@pytest.mark.parametrize("written", SMALLEST, ids=lambda written: written["kind"])
def test_every_kind_of_window_is_read_and_written_back(written: dict[str, Any]) -> None:
    window = WINDOW.validate_python(written)
    assert window.kind == written["kind"]
    assert window.timezone == "UTC"
    assert WINDOW.validate_json(WINDOW.dump_json(window)) == window


@pytest.mark.parametrize("written", SMALLEST, ids=lambda written: written["kind"])
def test_an_unknown_key_is_an_error_that_names_it(written: dict[str, Any]) -> None:
    assert "time_zone" in _refusal({**written, "time_zone": "UTC"})


def test_the_kind_has_no_default_so_a_form_must_ask_for_it() -> None:
    assert "discriminator" in _refusal({"timezone": "UTC"})


@pytest.mark.parametrize(
    ("text", "days", "minutes"),
    [
        ("90m", 0, 90),
        ("6h", 0, 360),
        ("1d", 1, 0),
        ("2w", 14, 0),
        ("1w2d", 9, 0),
        ("1d12h30m", 1, 750),
        ("0m", 0, 0),
        ("007d", 7, 0),
    ],
)
def test_a_duration_means_calendar_days_and_elapsed_minutes(text: str, days: int, minutes: int) -> None:
    assert parse_duration(text) == CalendarDuration(days=days, minutes=minutes)


@given(st.tuples(*[st.integers(0, 999)] * 4))
def test_a_duration_is_the_sum_of_its_parts(counts: tuple[int, int, int, int]) -> None:
    weeks, days, hours, minutes = counts
    text = f"{weeks}w{days}d{hours}h{minutes}m"
    assert parse_duration(text) == (7 * weeks + days, 60 * hours + minutes)


NO_DURATIONS = [
    "",
    "1",
    "d",
    "1 d",
    "1D",
    "-1d",
    "1.5h",
    "30m1h",
    "1d1d",
    "1y",
    "1s",
    "\N{ARABIC-INDIC DIGIT ONE}d",
    "1d\n",
    "99999d",
    "1e3m",
]


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="such as 2w, 1d, 6h, 90m"):
        parse_duration(text)
    assert "such as 2w, 1d, 6h, 90m" in _refusal({"kind": "intraday_relative", "lookback": text})
    assert "whole days or weeks" in _refusal({"kind": "daily", "lag": text})


@given(st.text(alphabet="0123456789wdhm", max_size=8))
def test_the_pattern_in_the_schema_accepts_what_the_type_accepts(text: str) -> None:
    accepted = len(text) >= 2 and re.search(DURATION_PATTERN, text) is not None
    try:
        WINDOW.validate_python({"kind": "since_last", "initial": "2026-01-01T00:00:00Z", "lookback": text})
    except ValidationError:
        assert not accepted
    else:
        assert accepted


def test_every_window_has_a_title_a_description_and_checkable_durations_for_the_form() -> None:
    definitions = WINDOW.json_schema()["$defs"]
    assert len(definitions) == len(SMALLEST)
    for definition in definitions.values():
        assert definition["title"]
        assert definition["description"]
        assert "kind" in definition["required"]
    lookback = definitions["IntradayRelativeWindow"]["properties"]["lookback"]
    assert (lookback["pattern"], lookback["minLength"]) == (DURATION_PATTERN, 2)
    assert definitions["DailyWindow"]["properties"]["lag"]["pattern"].startswith("^[1-9]")


@pytest.mark.parametrize("lag", ["0d", "6h", "1d12h"])
def test_a_daily_window_lags_whole_days_and_at_least_one(lag: str) -> None:
    assert "whole days or weeks" in _refusal({"kind": "daily", "lag": lag})


@pytest.mark.parametrize("lag", ["6h", "90m"])
def test_a_fixed_local_time_lags_whole_days(lag: str) -> None:
    assert "whole days or weeks" in _refusal({**SMALLEST[2], "lag": lag})
    assert WINDOW.validate_python({**SMALLEST[2], "lag": "0d"}).lag == "0d"


@pytest.mark.parametrize(("lookback", "lag"), [("1h", "1h"), ("30m", "1h"), ("1d", "24h"), ("0m", "0m")])
def test_a_lookback_that_does_not_exceed_the_lag_is_refused(lookback: str, lag: str) -> None:
    message = _refusal({"kind": "intraday_relative", "lookback": lookback, "lag": lag})
    assert f"`lookback` ({lookback}) must be more than `lag` ({lag})" in message


def test_a_window_shorter_than_its_alignment_is_refused() -> None:
    message = _refusal({"kind": "intraday_relative", "lookback": "20m", "lag": "10m", "align": 15})
    assert "10 minutes, less than `align` (15)" in message
    assert (
        WINDOW.validate_python({"kind": "intraday_relative", "lookback": "25m", "lag": "10m", "align": 15}).align == 15
    )


def test_an_interval_must_end_after_it_starts() -> None:
    same = {"kind": "interval", "start": "2026-01-01T01:00:00+01:00", "end": "2026-01-01T00:00:00Z"}
    assert "`end` must be after `start`" in _refusal(same)


def test_an_interval_inside_a_repeated_hour_is_compared_by_instants() -> None:
    zone = ZoneInfo("America/New_York")
    first = datetime(2026, 11, 1, 1, 45, tzinfo=zone)
    second = datetime(2026, 11, 1, 1, 15, fold=1, tzinfo=zone)
    window = WINDOW.validate_python({"kind": "interval", "start": first, "end": second})
    assert window.end.astimezone(UTC) - window.start.astimezone(UTC) == timedelta(minutes=30)
    assert "must be after" in _refusal({"kind": "interval", "start": second, "end": first})


@pytest.mark.parametrize("key", ["start", "end"])
def test_an_interval_without_a_zone_is_refused(key: str) -> None:
    assert f"{key}: Input should have timezone info" in _refusal({**SMALLEST[4], key: "2026-01-01T12:00:00"})


def test_a_first_load_without_a_zone_is_refused() -> None:
    assert "timezone info" in _refusal({"kind": "since_last", "initial": "2026-01-01T00:00:00"})


@pytest.mark.parametrize("initial", ["0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"])
def test_a_year_at_the_end_of_the_calendar_is_refused(initial: str) -> None:
    assert "between 1900 and 8999" in _refusal({"kind": "since_last", "initial": initial})


@pytest.mark.parametrize("initial", [20260101, "20260101", 1767225600.0, " 1767225600 "])
def test_a_number_is_not_read_as_an_epoch(initial: object) -> None:
    assert "put a time in quotes" in _refusal({"kind": "since_last", "initial": initial})


def test_a_time_of_day_that_yaml_made_a_number_is_refused() -> None:
    written = yaml.safe_load("{kind: intraday_absolute, start_time: 10:15, end_time: '12:30'}")
    assert written["start_time"] == 615
    assert "start_time: Value error, it came as a number; put a time in quotes" in _refusal(written)


def test_a_time_of_day_with_an_offset_is_refused() -> None:
    assert "has no offset" in _refusal({**SMALLEST[2], "start_time": "06:00Z"})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("America/NewYork", "did you mean America/New_York?"),
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("localtime", "is not an IANA time zone"),
        ("../../etc/passwd", "is not an IANA time zone"),
        ("Factory", "is not an IANA time zone"),
        ("+02:00", "such as America/New_York"),
        ("", "such as America/New_York"),
    ],
)
def test_a_zone_that_is_not_the_same_on_every_machine_is_refused(name: str, hint: str) -> None:
    assert hint in _refusal({"kind": "daily", "timezone": name})


@pytest.mark.parametrize("days", [0, -1, 3661])
def test_a_daily_window_counts_between_one_day_and_ten_years(days: int) -> None:
    assert "days" in _refusal({"kind": "daily", "days": days})
