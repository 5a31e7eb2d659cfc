"""Names of tables and batches, and keys in the object store."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from penstock.artifacts import Interval
from penstock.naming import BatchKeys, batch_id, bronze_table, key_safe, qualified_dataset

DAY = Interval(
    start=datetime(2026, 3, 19, 4, tzinfo=UTC),
    end=datetime(2026, 3, 20, 4, tzinfo=UTC),
    timezone="America/New_York",
    as_of=datetime(2026, 3, 20, 10, tzinfo=UTC),
)
FULL = Interval(start=None, end=None, timezone="Australia/Lord_Howe", as_of=datetime(2026, 3, 20, 20, tzinfo=UTC))
RUN = "5f9c2f0e-6a4f-4f5e-9d0b-3c1d7c9f0a11"


def _keys(**changed: Any) -> BatchKeys:
    usual = {"client": "warby-parker", "source": "s3_files", "dataset": "orders", "strategy": "append"}
    return BatchKeys(**{**usual, "interval": DAY, "batch_id": "20260320T100000Z-1f3a9c2e7b05", **changed})


@pytest.mark.parametrize(
    ("arguments", "table"),
    [
        ({}, "warby_parker_bronze.gladly__conversations"),
        ({"instance": "emea"}, "warby_parker_bronze.gladly__emea__conversations"),
        ({"table": "talks"}, "warby_parker_bronze.talks"),
        ({"table": "talks", "instance": "emea"}, "warby_parker_bronze.talks"),
    ],
)
def test_a_bronze_table_is_named_after_client_source_and_dataset(arguments: dict[str, str], table: str) -> None:
    assert str(bronze_table("warby-parker", "gladly", "conversations", **arguments)) == table


def test_a_client_that_begins_with_a_digit_has_a_valid_schema() -> None:
    assert bronze_table("3m", "rest", "orders").schema_name == "_3m_bronze"


def test_names_too_long_for_a_table_are_cut_and_stay_apart() -> None:
    one = bronze_table("c" * 63, "google_sheets", "d" * 60)
    other = bronze_table("c" * 63, "google_sheets", "d" * 61)
    assert one == bronze_table("c" * 63, "google_sheets", "d" * 60)
    assert one.name != other.name
    assert one.schema_name == "c" * 56 + "_bronze"
    assert (len(one.name), len(other.name)) == (63, 63)


def test_a_dataset_carries_its_instance() -> None:
    assert qualified_dataset("orders") == "orders"
    assert qualified_dataset("orders", "emea") == "emea__orders"


def test_a_batch_has_its_scheduled_time_and_twelve_digits_for_a_name() -> None:
    assert re.fullmatch(r"20260320T100000Z-[0-9a-f]{12}", batch_id(RUN, "orders-daily", "orders", DAY))
    assert re.fullmatch(r"20260320T200000Z-[0-9a-f]{12}", batch_id(RUN, "orders-daily", "orders", FULL))


def test_a_retry_names_its_batch_as_the_first_attempt_did_also_from_json_and_another_zone() -> None:
    again = Interval.model_validate_json(DAY.model_dump_json())
    elsewhere = DAY.model_copy(update={"as_of": DAY.as_of.astimezone()})
    first = batch_id(RUN, "orders-daily", "orders", DAY)
    assert batch_id(RUN, "orders-daily", "orders", again) == first
    assert batch_id(RUN, "orders-daily", "orders", elsewhere) == first


def test_a_batch_id_of_today_is_a_batch_id_of_tomorrow() -> None:
    assert batch_id(RUN, "orders-daily", "orders", DAY) == "20260320T100000Z-b4b1c79aab34"


def test_whatever_tells_batches_apart_gives_another_name() -> None:
    later = timedelta(hours=1)
    assert DAY.start
    assert DAY.end
    seen = [
        batch_id(RUN, "orders-daily", "orders", DAY),
        batch_id("another run", "orders-daily", "orders", DAY),
        batch_id(RUN, "refunds-daily", "orders", DAY),
        batch_id(RUN, "orders-daily", "refunds", DAY),
        batch_id(RUN, "orders-daily", "orders", DAY.model_copy(update={"start": DAY.start - later})),
        batch_id(RUN, "orders-daily", "orders", DAY.model_copy(update={"end": DAY.end + later})),
        batch_id(RUN, "orders-daily", "orders", DAY.model_copy(update={"as_of": DAY.as_of + later})),
        batch_id(RUN, "orders-daily", "orders", DAY.model_copy(update={"start": None, "end": None})),
        batch_id(RUN, "orders-dail", "yorders", DAY),
    ]
    assert len(set(seen)) == len(seen)


@given(st.lists(st.datetimes(datetime(1950, 1, 1), datetime(2990, 1, 1), timezones=st.just(UTC)), min_size=2))  # noqa: DTZ001
def test_batch_ids_sort_by_scheduled_time(moments: list[datetime]) -> None:
    seconds = sorted({moment.replace(microsecond=0) for moment in moments})
    ids = [batch_id(RUN, "p", "d", FULL.model_copy(update={"as_of": second})) for second in seconds]
    assert sorted(ids) == ids


def test_keys_say_whose_data_of_which_day_they_hold() -> None:
    keys = _keys()
    below = "warby-parker/s3_files/orders/append/2026/03/19/20260320T100000Z-1f3a9c2e7b05/"
    assert keys.ingest_prefix == f"ingest/{below}"
    assert keys.stage_prefix == f"stage/{below}"
    assert keys.artifacts_prefix == f"artifacts/{below}"
    assert keys.prefix("exports") == f"exports/{below}"
    assert keys.manifest_key == f"ingest/{below}_manifest.json"
    assert keys.stage_manifest_key == f"stage/{below}_manifest.json"
    assert keys.ingest_key("page-00001.jsonl") == f"ingest/{below}page-00001.jsonl"
    assert keys.stage_key("a b.csv").startswith(f"stage/{below}a-b--")
    assert keys.ingest_prefix.startswith(keys.day_prefix("ingest"))


@pytest.mark.parametrize(
    ("zone", "folder"), [("UTC", "2026/03/19"), ("America/Los_Angeles", "2026/03/18"), ("Asia/Kathmandu", "2026/03/19")]
)
def test_the_date_of_a_key_is_the_local_day_on_which_the_interval_begins(zone: str, folder: str) -> None:
    interval = DAY.model_copy(update={"timezone": zone})
    assert f"/append/{folder}/" in _keys(interval=interval).ingest_prefix


def test_the_date_of_a_full_extraction_is_its_local_day() -> None:
    assert "/2026/03/21/" in _keys(interval=FULL).ingest_prefix


def test_keys_of_an_instance_have_a_folder_of_their_own() -> None:
    assert "/s3_files/emea__orders/append/" in _keys(dataset=qualified_dataset("orders", "emea")).stage_prefix


@pytest.mark.parametrize(
    "changed",
    [
        {"client": "../other"},
        {"client": "a/b"},
        {"dataset": ".."},
        {"dataset": "a/b"},
        {"dataset": ""},
        {"strategy": "a/b"},
        {"source": "../x"},
        {"batch_id": ".."},
        {"batch_id": "a/b"},
        {"batch_id": "_manifest"},
    ],
)
def test_no_part_of_a_key_can_leave_its_folder(changed: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        _keys(**changed)


@pytest.mark.parametrize("name", ["a.csv", "page-00001.jsonl", "x.tar.gz", "orders_2026-03-19.parquet", "part=1.csv"])
def test_a_safe_file_name_is_kept(name: str) -> None:
    assert key_safe(name) == name


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("Orders 1.CSV.gz", r"orders-1--H\.csv\.gz"),
        ("drops/2026/ü.csv", r"drops-2026-u--H\.csv"),
        ("../../etc/passwd", r"etc-passwd--H"),
        ("C:\\data\\x.csv", r"c-data-x--H\.csv"),
        ("_manifest.json", r"manifest--H\.json"),
        (".hidden", r"file--H\.hidden"),
        ("😀", r"file--H"),
        ("", r"file--H"),
        ("..", r"file--H"),
        ("x" * 300 + ".parquet", r"x{80}--H\.parquet"),
        ("a--b.csv", r"a-b--H\.csv"),
        ("ends.", r"ends--H"),
        ("\udcff.csv", r"file--H\.csv"),
    ],
)
def test_any_other_file_name_is_tidied_and_told_apart_by_a_hash(name: str, pattern: str) -> None:
    assert re.fullmatch(pattern.replace("H", "[0-9a-f]{10}"), key_safe(name))


file_names = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="aA.-_/ ", max_size=8),
    st.sampled_from(["a.csv", "A.csv", "a/b.csv", "a-b.csv", "a b.csv", "_manifest.json"]),
)


@given(file_names)
def test_a_key_has_no_hostile_character_whatever_the_file_is_called(name: str) -> None:
    safe = key_safe(name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9_=.-]{0,127}", safe)
    assert ".." not in safe
    assert PurePosixPath(safe).name == safe
    assert _keys().ingest_key(name) != _keys().manifest_key


@given(st.lists(file_names, unique=True))
def test_two_files_never_share_a_key_not_even_where_case_is_ignored(names: list[str]) -> None:
    assert len({key_safe(name).casefold() for name in names}) == len(names)
