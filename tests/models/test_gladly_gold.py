"""Silver and gold over three days of the sandbox's Gladly, held against a computation of its own."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest

from tests.models.bronze import DAYS, EARLIER, query, read_bronze, replace_window
from tests.models.contact_clock import ContactClock, agents_daily, clock_contacts, local_day, read_time
from tests.models.gold_build import GOLD_KEYS, WITHOUT_UNIT_TESTS, Built, build_gold

SOURCE = "source:warbyparker_gladly"


@pytest.fixture(scope="module")
def clocks(built: Built) -> dict[str, ContactClock]:
    return clock_contacts(read_bronze(built.warehouse, "contact_timestamps"))


def test_every_node_is_built_and_only_what_cannot_be_read_warns(built: Built) -> None:
    warned = {name.split(".")[2] for name, status in built.statuses.items() if status == "warn"}
    assert {name for name in built.statuses if name.startswith("unit_test.")} == set(built.dbt.manifest()["unit_tests"])
    assert set(built.statuses.values()) == {"success", "pass", "warn", "no-op"}
    assert warned == {
        "assert_orders_are_of_known_customers",
        "not_null_stg_orbit_anthropic__costs_amount_cents",
        "not_null_stg_orbit_litellm__requests_usage_date",
        "not_null_stg_warbyparker_gladly__contact_events_occurred_at",
        "not_null_stg_warbyparker_gladly__conversations_created_at",
        "not_null_stg_warbyparker_gmail__csat_responses_answered_at",
        "not_null_stg_warbyparker_gmail__csat_responses_score",
        "not_null_stg_warbyparker_google_sheets__agent_roster_hired_date",
        "not_null_stg_warbyparker_sprout_social__posts_published_at",
        "accepted_values_rpt_unreadable_values_unreadable_count__False__0",
        # The first day's file is about conversations of the day before.
        "relationships_fct_csat_responses_conversation_id__conversation_id__ref_fct_conversations_",
    }


def test_a_second_build_changes_no_row_of_gold(built: Built) -> None:
    assert all(built.first[table] for table in GOLD_KEYS)
    assert built.second == built.first


def test_models_land_in_silver_and_gold_and_nowhere_else(built: Built) -> None:
    found = query(built.warehouse, "SELECT DISTINCT table_schema FROM information_schema.tables")
    loaded = {"warbyparker_bronze", "mercato_bronze", "orbit_bronze", "penstock"}
    assert {schema for (schema,) in found} == {*loaded, "silver", "gold"}


def test_wait_handle_and_hold_agree_with_a_walk_through_the_events(
    built: Built, clocks: dict[str, ContactClock]
) -> None:
    found = query(
        built.warehouse,
        """
        SELECT contact_id, wait_seconds, transfer_wait_seconds, handle_seconds, hold_seconds, stint_count,
               transfer_count, is_answered, is_abandoned
        FROM gold.fct_contacts
        """,
    )
    assert {row[0]: row[1:] for row in found} == {contact: _expected(clock) for contact, clock in clocks.items()}
    assert any(held and transferred for _, _, _, _, held, _, transferred, *_ in found)


def test_agents_daily_sums_what_each_agent_took(built: Built, clocks: dict[str, ContactClock]) -> None:
    found = query(
        built.warehouse,
        """
        SELECT date_day, agent_id, stint_count, contact_count, handle_seconds, hold_seconds
        FROM gold.agg_agents_daily
        """,
    )
    expected = agents_daily(clocks)
    assert {row[:2]: row[2:] for row in found} == expected
    assert sum(row[4] for row in found) == sum(
        stint.handled for clock in clocks.values() for stint in clock.stints if stint.is_over
    )


def test_channels_daily_counts_contacts_on_their_local_day(built: Built, clocks: dict[str, ContactClock]) -> None:
    found = query(
        built.warehouse,
        """
        SELECT date_day, channel, contact_count, inbound_count, answered_count, abandoned_count, answered_wait_seconds,
               handle_seconds
        FROM gold.agg_channels_daily
        """,
    )
    expected: Counter[tuple[object, ...]] = Counter()
    for clock in clocks.values():
        if clock.started_at is None:
            continue
        key = (local_day(clock.started_at), clock.channel)
        _, _, handled, _, _, _, is_answered, is_abandoned = _expected(clock)
        expected[*key, "contacts"] += 1
        expected[*key, "inbound"] += clock.direction == "INBOUND"
        expected[*key, "answered"] += is_answered
        expected[*key, "abandoned"] += is_abandoned
        expected[*key, "waited"] += clock.waited if is_answered else 0
        expected[*key, "handled"] += handled or 0
    names = ("contacts", "inbound", "answered", "abandoned", "waited", "handled")
    assert {(*row[:2], name): value for row in found for name, value in zip(names, row[2:], strict=True)} == expected
    assert {row[0] for row in found} == {EARLIER, *DAYS}


def test_the_service_level_is_the_share_taken_in_time(built: Built, clocks: dict[str, ContactClock]) -> None:
    calls = [
        clock
        for clock in clocks.values()
        if clock.channel == "PHONE_CALL" and clock.direction == "INBOUND" and clock.started_at is not None
    ]
    for day in DAYS:
        judged = [clock for clock in calls if local_day(clock.started_at) == day and clock.ended_at is not None]
        in_time = sum(1 for clock in judged if clock.stints and clock.waited <= 30)
        ((share, target),) = query(
            built.warehouse,
            """
            SELECT service_level_share, target_seconds
            FROM gold.rpt_service_level_daily
            WHERE date_day = ? AND channel = 'PHONE_CALL'
            """,
            [day],
        )
        assert target == 30
        assert share == pytest.approx(in_time / len(judged))


def test_times_from_events_agree_with_the_sources_own_export(built: Built) -> None:
    timed = {
        row[0]: row[1:]
        for row in query(
            built.warehouse,
            """
            SELECT contact_id, wait_seconds, handle_seconds, hold_seconds
            FROM gold.fct_contacts
            WHERE direction = 'INBOUND' AND is_answered AND ended_at IS NOT NULL
            """,
        )
    }
    compared = 0
    for contact in read_bronze(built.warehouse, "contacts"):
        if contact["contact_id"] in timed and contact["ended_at"]:
            exported = [float(contact[f"{kind}_time_in_seconds"] or 0) for kind in ("wait", "handle", "hold")]
            # Each span is cut to whole seconds; a contact has a handful of them.
            assert timed[contact["contact_id"]] == pytest.approx(exported, abs=5)
            compared += 1
    assert compared == len(timed) > 100


def test_no_name_or_address_of_a_person_reaches_silver_or_gold(built: Built) -> None:
    agents = read_bronze(built.warehouse, "agents")
    names = [value for agent in agents for value in (agent["name"], agent["email_address"])]
    hashed = query(built.warehouse, "SELECT agent_name_hash, agent_email_hash FROM gold.dim_agents WHERE is_in_gladly")
    assert len({value for row in hashed for value in row}) == len(set(names))
    roster = read_bronze(built.warehouse, "agent_roster", kind="google_sheets")
    messages = read_bronze(built.warehouse, "messages", kind="sprout_social")
    mail = read_bronze(built.warehouse, "messages", kind="gmail")
    names += [str(row[column]).strip() for row in roster for column in ("name", "e_mail")]
    names += [row["text"] for row in messages] + [row["subject"] for row in mail if row["subject"]]
    tables = query(
        built.warehouse,
        """
        SELECT table_schema || '.' || table_name
        FROM information_schema.tables
        WHERE table_schema IN ('silver', 'gold')
        """,
    )
    for (table,) in tables:
        leaks = query(
            built.warehouse,
            f"SELECT count(*) FROM {table} AS t, unnest(?) AS n(word) WHERE contains(t::TEXT, word)",
            [names],
        )
        assert leaks == [(0,)], table


def test_silver_reads_the_same_times_in_every_session_zone(built: Built) -> None:
    select = "SELECT event_id, occurred_at FROM silver.stg_warbyparker_gladly__contact_events ORDER BY event_id"
    with duckdb.connect(str(built.warehouse), read_only=True) as connection:
        answers = []
        for zone in ("UTC", "Asia/Tokyo", "America/New_York"):
            connection.execute(f"SET TimeZone = '{zone}'")
            answers.append(connection.execute(select).fetchall())
    assert answers[0] == answers[1] == answers[2]


def test_a_window_loaded_again_leaves_what_a_full_build_would(spare: Built) -> None:
    kept = read_bronze(spare.warehouse, "contact_timestamps", day=DAYS[1])[7:]
    late = {**kept[0], "timestamp": "2026-11-01T05:30:00.001Z", "event_type": "CONTACT/MESSAGE_SENT"}
    replace_window(spare.warehouse, "contact_timestamps", [*kept, late], day=DAYS[1], batch=f"again-{DAYS[1]}")
    gold = build_gold(spare.dbt, spare.warehouse, *WITHOUT_UNIT_TESTS, "--select", f"{SOURCE}.contact_timestamps+")
    events = read_bronze(spare.warehouse, "contact_timestamps")
    distinct = {tuple(event.values()) for event in events if read_time(event["timestamp"])}
    assert len(gold["fct_contact_events"]) == len(distinct)
    batches = query(spare.warehouse, "SELECT batch_id, count(*) FROM gold.fct_contact_events GROUP BY ALL")
    assert dict(batches).keys() == {
        f"contact_timestamps-{EARLIER}",
        f"contact_timestamps-{DAYS[0]}",
        f"again-{DAYS[1]}",
        f"contact_timestamps-{DAYS[2]}",
    }
    clocks = clock_contacts(events)
    expected = {contact: _expected(clock) for contact, clock in clocks.items()}
    found = query(
        spare.warehouse,
        """
        SELECT contact_id, wait_seconds, transfer_wait_seconds, handle_seconds, hold_seconds, stint_count,
               transfer_count, is_answered, is_abandoned
        FROM gold.fct_contacts
        WHERE contact_id IN (SELECT contact_id FROM gold.fct_contact_events)
        """,
    )
    assert {row[0]: row[1:] for row in found} == expected


def _expected(clock: ContactClock) -> tuple[object, ...]:
    """Returns a contact's row of gold; times are known once they are final and the start was seen."""
    is_taken = bool(clock.stints)
    is_final = clock.started_at is not None and clock.ended_at is not None
    is_answered = clock.direction == "INBOUND" and is_taken
    waits = clock.started_by not in {None, "AGENT"} and (is_taken or is_final)
    return (
        clock.waited if waits else None,
        clock.waited_again if is_final and is_taken else None,
        clock.handled if is_final and is_taken else None,
        clock.held if is_final and is_taken else None,
        len(clock.stints),
        clock.transfers,
        is_answered,
        clock.direction == "INBOUND" and clock.ended_at is not None and not is_taken and not clock.is_fulfilled,
    )
