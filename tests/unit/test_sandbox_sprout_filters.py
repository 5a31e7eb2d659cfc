from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.sprout_social.filters import Filters
from sandbox.sprout_social.problems import RefusedError
from sandbox.sprout_social.queries import pick_fields

FIELDS = ("customer_profile_id", "created_time", "reporting_period", "internal.tags.id", "text", "status")


def test_three_dots_leave_the_end_out_and_two_do_not() -> None:
    end = datetime(2026, 2, 1, tzinfo=UTC)
    without = Filters(["created_time.in(2026-01-01T00:00:00...2026-02-01T00:00:00)"], FIELDS).range("created_time")
    including = Filters(["created_time.in(2026-01-01T00:00:00..2026-02-01T00:00:00)"], FIELDS).range("created_time")
    assert without is not None
    assert including is not None
    assert (without.holds(end), including.holds(end)) == (False, True)
    assert without.holds(datetime(2026, 1, 1, tzinfo=UTC))


def test_times_without_an_offset_are_of_the_bodys_zone() -> None:
    filters = Filters(["created_time.in(2026-01-01T00:00:00...2026-01-02T00:00:00)"], FIELDS, "America/New_York")
    found = filters.range("created_time")
    assert found is not None
    assert found.first == datetime(2026, 1, 1, 5, tzinfo=UTC)


def test_conditions_look_into_arrays_and_all_of_them_must_hold() -> None:
    row = {"internal": {"tags": [{"id": 5}, {"id": 7}]}, "text": "Hello", "status": None}
    for texts, holds in [
        (["internal.tags.id.eq(5)"], True),
        (["internal.tags.id.eq(6, 7)", "text.match(hell)"], True),
        (["internal.tags.id.eq(5)", "text.match(bye)"], False),
        (["internal.tags.id.neq(5)"], False),
        (["status.exists(true)"], False),
        (["status.exists(false)"], True),
    ]:
        assert Filters(texts, FIELDS).rest()(row) is holds, texts


@pytest.mark.parametrize(
    "texts",
    [
        None,
        [],
        ["created_time"],
        ["created_time.since(2026-01-01)"],
        ["nonsense.eq(1)"],
        ["created_time.in(2026-01-01)"],
        ["created_time.in(soon...later)"],
        [5],
    ],
)
def test_what_cannot_be_read_is_a_400(texts: object) -> None:
    with pytest.raises(RefusedError) as caught:
        Filters(texts, FIELDS).range("created_time")
    assert caught.value.status == 400


def test_ids_are_required_and_limited() -> None:
    assert Filters(["customer_profile_id.eq(1, 2)"], FIELDS).ids("customer_profile_id", most=2) == {1, 2}
    for texts in (["status.eq(OPEN)"], ["customer_profile_id.eq(1, 2, 3)"], ["customer_profile_id.eq(a)"]):
        with pytest.raises(RefusedError):
            Filters(texts, FIELDS).ids("customer_profile_id", most=2)


def test_dotted_fields_come_nested_and_without_fields_only_the_guid_does() -> None:
    record = {"guid": "1", "text": None, "internal": {"tags": [{"id": 5, "x": 1}], "sent_by": {"id": 7, "email": "e"}}}
    assert pick_fields(record, None) == {"guid": "1"}
    assert pick_fields(record, ["text", "internal.tags.id", "internal.sent_by.id"]) == {
        "text": None,
        "internal": {"tags": [{"id": 5}], "sent_by": {"id": 7}},
    }
