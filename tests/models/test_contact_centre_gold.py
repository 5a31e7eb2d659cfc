"""First-contact resolution, half hours, satisfaction, staffing and engagement, held against Python's own sums."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any

import duckdb
import pytest

from tests.models.bronze import DAYS, EARLIER, ZONE, query, read_bronze, table_of
from tests.models.contact_clock import local_day, read_time
from tests.models.contact_outcomes import count_half_hours, judge_conversations
from tests.models.gold_build import WITHOUT_UNIT_TESTS, Built

ENGAGED = (
    ("reactions", "likes", "likes_total"),
    ("comments_count", "comments_count_total"),
    ("shares_count", "shares_count_total"),
    ("post_link_clicks", "post_content_clicks"),
)


def test_conversations_are_resolved_at_first_contact_when_nothing_follows(built: Built) -> None:
    expected = judge_conversations(built.warehouse)
    found = query(
        built.warehouse,
        "SELECT conversation_id, outcome, repeat_count, reopen_count FROM gold.fct_conversation_resolutions",
    )
    assert {row[0]: row[1:] for row in found} == expected
    outcomes = {outcome for outcome, _, _ in expected.values()}
    assert outcomes >= {"not_inbound", "abandoned", "repeated", "pending", "resolved"}
    first_days = query(
        built.warehouse,
        "SELECT first_contact_date, outcome FROM gold.fct_conversation_resolutions WHERE outcome = 'resolved'",
    )
    assert {day for day, _ in first_days} == {EARLIER}


def test_the_share_resolved_is_of_those_with_a_verdict(built: Built) -> None:
    outcomes = Counter(outcome for outcome, _, _ in judge_conversations(built.warehouse).values())
    judged = outcomes["resolved"] + outcomes["repeated"] + outcomes["reopened"] + outcomes["abandoned"]
    ((conversations, found_judged, resolved, pending),) = query(
        built.warehouse,
        """
        SELECT sum(conversation_count), sum(judged_count), sum(resolved_count), sum(pending_count)
        FROM gold.agg_first_contact_resolution_daily
        """,
    )
    assert (found_judged, resolved, pending) == (judged, outcomes["resolved"], outcomes["pending"])
    assert conversations == judged + outcomes["pending"]
    shares = query(
        built.warehouse,
        """
        SELECT first_contact_resolution_share, resolved_count, judged_count
        FROM gold.agg_first_contact_resolution_daily
        """,
    )
    assert [share for share, _, _ in shares] == [
        pytest.approx(resolved / judged) if judged else None for _, resolved, judged in shares
    ]


def test_service_levels_of_half_hours_are_those_of_their_contacts(built: Built) -> None:
    found = query(
        built.warehouse,
        """
        SELECT interval_start_at, channel, offered_count, answered_count, within_service_level_count, abandoned_count,
               average_speed_of_answer_seconds
        FROM gold.agg_service_level_intervals
        """,
    )
    expected = {
        key: (*counts, pytest.approx(wait)) for key, (*counts, wait) in count_half_hours(built.warehouse).items()
    }
    assert {row[:2]: row[2:] for row in found} == expected
    assert all(row[2] > 0 for row in found)
    assert {row[0].minute for row in found} == {0, 30}


def test_satisfaction_is_counted_by_the_newest_file_of_each_answer(built: Built) -> None:
    files = query(
        built.warehouse,
        f"""
        SELECT response_id, score, answered_at, agent_email, channel
        FROM {table_of("csat_responses", "gmail")}
        ORDER BY _window_start, _source_file
        """,
    )
    newest = {response: rest for response, *rest in files}
    assert len(newest) < len(files)
    agents = {agent["email_address"]: agent["id"] for agent in read_bronze(built.warehouse, "agents")}
    expected: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for score, answered_at, email, channel in newest.values():
        at = read_time(answered_at)
        if at is not None and score in set("12345"):
            expected[local_day(at), channel, agents.get(email)].append(int(score))
    found = query(
        built.warehouse,
        "SELECT date_day, channel, agent_id, response_count, satisfied_count, average_score FROM gold.agg_csat_daily",
    )
    assert {row[:3]: row[3:] for row in found} == {
        key: (len(scores), sum(score > 3 for score in scores), pytest.approx(sum(scores) / len(scores)))
        for key, scores in expected.items()
    }
    assert any(agent is None for _, _, agent in expected)
    unscored = query(built.warehouse, "SELECT response_id FROM gold.fct_csat_responses WHERE score IS NULL")
    assert sorted(unscored) == [("odd",), ("too good",)]


def test_forecast_contacts_and_shifts_meet_in_the_half_hour(built: Built) -> None:
    channels = {"VOICE": "PHONE_CALL", "CHAT": "CHAT", "SMS": "SMS", "EMAIL": "EMAIL"}
    teams = {"PHONE_CALL": "Voice", "CHAT": "Messaging", "SMS": "Messaging", "EMAIL": "Mail"}
    newest: dict[tuple[datetime, str], tuple[int, float]] = {}
    for line in read_bronze(built.warehouse, "contact_forecast", kind="s3_files"):
        at = datetime.fromisoformat(str(line["interval_start"])).astimezone(UTC).replace(tzinfo=None)
        key = (at, channels[str(line["channel"])])
        newest[key] = max(newest.get(key, (0, 0.0)), (int(str(line["version"])), float(str(line["contacts"]))))
    half_hours = count_half_hours(built.warehouse)
    offered = {key: counts[0] for key, counts in half_hours.items() if key[1] in teams}
    shifts = [_shift(row) for row in read_bronze(built.warehouse, "staffing_plan", kind="s3_files")]
    found = query(
        built.warehouse,
        """
        SELECT interval_start_at, channel, forecast_contact_count, offered_count, scheduled_agent_count
        FROM gold.rpt_staffing_forecast_vs_actual
        """,
    )
    assert {row[:2]: row[2:] for row in found} == {
        (at, channel): (
            newest.get((at, channel), (0, None))[1],
            offered.get((at, channel), 0),
            sum(team == teams[channel] and start <= at < end for team, start, end in shifts),
        )
        for at, channel in {*newest, *offered}
    }
    assert max(row[4] for row in found) > 1
    hours = Counter(local_day(row[0].replace(tzinfo=UTC)) for row in found if row[1] == "CHAT" and row[2] is not None)
    # Clocks go back on the second day; the third day's files are not there yet.
    assert [hours[day] for day in DAYS] == [48, 50, 0]


def _shift(row: dict[str, str | None]) -> tuple[str, datetime, datetime]:
    day = date.fromisoformat(str(row["shift_date"]))
    start, end = (datetime.combine(day, time.fromisoformat(str(row[name])), ZONE) for name in ("start_", "end_"))
    end = end if end > start else end + timedelta(days=1)
    return str(row["team"]), *(one.astimezone(UTC).replace(tzinfo=None) for one in (start, end))  # type: ignore[return-value]


def test_agents_are_kept_with_and_without_a_roster_row(built: Built) -> None:
    found = query(
        built.warehouse,
        """
        SELECT agent_id, team_name, hired_date, handle_time_target_seconds, is_in_gladly, is_on_roster
        FROM gold.dim_agents
        """,
    )
    roster = query(
        built.warehouse,
        f"SELECT agent_id, team, hired_on FROM {table_of('agent_roster', 'google_sheets')} WHERE _is_current",
    )
    known = {row[0]: row[1:3] for row in found if row[0] is not None}
    assert known == {agent: (team, date.fromisoformat(hired)) for agent, team, hired in roster if agent is not None}
    assert [(row[1], row[2], *row[4:]) for row in sorted(found, key=repr) if row[0] is None] == [
        ("Mail", None, False, True),
        ("Voice", date(2020, 3, 2), False, True),
    ]
    targets = {"Voice": 330, "Messaging": 600, "Mail": 420}
    assert all(row[3] == targets[row[1]] for row in found)


def _metric(metrics: dict[str, Any], names: tuple[str, ...], prefix: str = "") -> int | None:
    return next((int(value) for name in names if (value := metrics.get(f"{prefix}{name}")) is not None), None)


def test_engagement_of_profiles_is_the_sum_of_what_each_network_measures(built: Built) -> None:
    expected = {}
    for row in read_bronze(built.warehouse, "profile_days", kind="sprout_social"):
        metrics = json.loads(str(row["metrics"]))
        shown = _metric(metrics, ("impressions", "views"))
        engaged = sum(_metric(metrics, names) or 0 for names in ENGAGED)
        key = (date.fromisoformat(str(row["reporting_period"])), row["customer_profile_id"])
        expected[key] = (shown, engaged, pytest.approx(engaged / shown) if shown else None)
    found = query(
        built.warehouse,
        """
        SELECT date_day, profile_id, impression_count, engagement_count, engagement_share
        FROM gold.agg_social_profiles_daily
        WHERE engagement_count IS NOT NULL
        """,
    )
    assert {row[:2]: row[2:] for row in found} == expected
    assert any(shown is None for shown, _, _ in expected.values())


def test_posts_count_on_the_local_day_on_which_they_were_published(built: Built) -> None:
    posts: Counter[tuple[Any, ...]] = Counter()
    for row in read_bronze(built.warehouse, "posts", kind="sprout_social"):
        at = read_time(row["created_time"])
        if at is None:
            continue
        key = (local_day(at), row["customer_profile_id"])
        metrics = json.loads(str(row["metrics"]))
        posts[*key, "posts"] += 1
        posts[*key, "engaged"] += sum(
            _metric(metrics, names, "lifetime.") or 0 for names in (("reactions", "likes"), *ENGAGED[1:])
        )
    found = query(
        built.warehouse, "SELECT date_day, profile_id, post_count, engagement_count FROM gold.fct_social_posts_daily"
    )
    assert {(*row[:2], name): row[place] for row in found for place, name in ((2, "posts"), (3, "engaged"))} == posts
    assert sum(row[2] for row in found) > 20


def test_a_week_sums_its_networks_and_the_middle_response(built: Built) -> None:
    profiles = read_bronze(built.warehouse, "profiles", kind="sprout_social")
    networks = {str(one["customer_profile_id"]): one["network_type"] for one in profiles}
    received, responses = Counter[tuple[Any, ...]](), defaultdict(list)
    messages = read_bronze(built.warehouse, "messages", kind="sprout_social")
    sent = [one for one in messages if json.loads(str(one["from_"]))["guid"] == one["profile_guid"]]
    for one in messages:
        at = read_time(one["created_time"])
        assert at is not None
        day = local_day(at)
        key = (day - timedelta(days=day.weekday()), networks[str(one["customer_profile_id"])])
        if one in sent:
            continue
        received[key] += 1
        answers = [
            answer
            for reply in sent
            if one["case_id"] is not None and reply["case_id"] == one["case_id"]
            if (answer := read_time(reply["created_time"])) and answer >= at
        ]
        if answers:
            responses[key].append((min(answers) - at).total_seconds())
    found = query(
        built.warehouse,
        """
        SELECT week_start_date, network_type, received_message_count, p50_response_seconds
        FROM gold.rpt_social_engagement_weekly
        """,
    )
    assert {row[:2]: row[2] for row in found if row[2]} == received
    assert {row[:2]: row[3] for row in found if row[3] is not None} == {
        key: pytest.approx(median(times)) for key, times in responses.items()
    }
    assert len(responses) > 1


def test_values_that_did_not_fit_are_counted_where_they_were(built: Built) -> None:
    found = query(
        built.warehouse,
        """
        SELECT table_name, column_name, unreadable_count
        FROM gold.rpt_unreadable_values
        WHERE unreadable_count > 0
        """,
    )
    assert sorted(found) == [
        ("agent_roster", "hired_on", 1),
        ("contact_timestamps", "timestamp", 1),
        ("conversations", "count_of_contacts", 1),
        ("conversations", "created_at", 1),
        ("csat_responses", "answered_at", 1),
        ("csat_responses", "score", 1),
        ("posts", "created_time", 1),
    ]


def test_one_source_alone_builds_what_is_downstream_of_it(spare: Built) -> None:
    with duckdb.connect(str(spare.warehouse)) as connection:
        connection.execute("DROP SCHEMA silver CASCADE; DROP SCHEMA gold CASCADE")
        others = """
            SELECT table_name
            FROM information_schema.tables
            WHERE table_schema = 'warbyparker_bronze' AND table_name NOT LIKE 's3_files%'
        """
        for (table,) in connection.execute(others).fetchall():
            connection.execute(f"DROP TABLE warbyparker_bronze.{table}")
    ended = spare.dbt.run("build", *WITHOUT_UNIT_TESTS, "--select", "source:warbyparker_s3_files+")
    assert ended.returncode == 0, ended.stdout[-3000:]
    ((half_hours, offered),) = query(
        spare.warehouse, "SELECT count(*), sum(offered_count) FROM gold.rpt_staffing_forecast_vs_actual"
    )
    assert half_hours == 4 * (48 + 50)
    assert offered == 0
