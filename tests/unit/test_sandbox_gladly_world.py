"""The simulated contact centre: what happens is decided by seed and time alone, and adds up."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from sandbox.gladly.contacts import ACCEPTED, ENDED, HOLD_ENDED, HOLD_STARTED, STARTED
from sandbox.gladly.conversations import CLOSED, CREATED, REOPENED
from sandbox.gladly.measures import find_stretches, measure
from sandbox.gladly.plans import RETURN_SPAN
from sandbox.gladly.settings import GLADLY_EU_ORG, GLADLY_ORG, GladlySettings
from sandbox.gladly.shifts import LOGGED_IN, LOGGED_OUT
from sandbox.gladly.timeline import DAY, HOUR, day_bounds, local_hours, write_time
from sandbox.gladly.world import World

NEW_YORK = ZoneInfo("America/New_York")
WEEK = [date(2026, 3, 2) + timedelta(days=offset) for offset in range(7)]
SETTINGS = GladlySettings(conversations_per_day=120)


def make_world(seed: int = 7, organization: str = GLADLY_ORG) -> World:
    return World(organization, seed=seed, settings=SETTINGS)


@cache
def busy_world() -> World:
    return make_world()


@cache
def week_of_conversations():
    start, end = day_bounds(WEEK[0], NEW_YORK)[0], day_bounds(WEEK[-1], NEW_YORK)[1]
    return list(busy_world().conversations_created(start, end))


def told(world: World, day: date) -> list[tuple[object, ...]]:
    start, end = day_bounds(day, NEW_YORK)
    return [(e.at, e.kind, e.contact.id, e.number) for e in world.contact_events(start, end)]


def test_two_worlds_of_one_seed_tell_the_same_day_whatever_else_was_asked_before():
    first, second = make_world(), make_world()
    told(second, date(2026, 3, 1))
    told(second, date(2026, 3, 5))
    assert told(first, WEEK[2]) == told(second, WEEK[2])


@pytest.mark.parametrize(("seed", "organization"), [(8, GLADLY_ORG), (7, GLADLY_EU_ORG)])
def test_another_seed_or_organisation_has_other_contacts(seed: int, organization: str):
    other = make_world(seed, organization)
    assert not {row[2] for row in told(other, WEEK[2])} & {row[2] for row in told(busy_world(), WEEK[2])}


def test_conversations_keep_within_the_time_their_plans_allow():
    for conversation in week_of_conversations():
        plan = conversation.plan
        times = [e.at for e in conversation.events] + [e.at for c in conversation.contacts for e in c.events]
        assert min(times) == plan.created
        first_life = [at for at in times if not plan.return_at or at < plan.return_at]
        assert max(first_life) <= plan.created + plan.span
        assert max(times) <= max(plan.return_at + RETURN_SPAN, plan.created + plan.span)


def test_contacts_begin_once_end_once_and_never_go_back_in_time():
    for conversation in week_of_conversations():
        for contact in conversation.contacts:
            kinds = [event.kind for event in contact.events]
            assert kinds[0] == STARTED
            assert kinds[-1] == ENDED
            assert kinds.count(STARTED) == kinds.count(ENDED) == 1
            assert kinds.count(HOLD_STARTED) == kinds.count(HOLD_ENDED)
            assert [e.at for e in contact.events] == sorted(e.at for e in contact.events)


def test_waits_and_agents_hands_add_up_to_the_whole_contact():
    checked = 0
    for conversation in week_of_conversations():
        for contact in conversation.contacts:
            times = measure(contact)
            if times.first_accepted_at is None:
                assert times.handle is None
                continue
            stretches = find_stretches(contact, contact.ended_at)
            gaps = sum(after.start - (before.end or 0) for before, after in pairwise(stretches))
            wait = times.first_accepted_at - contact.started_at
            assert wait + times.handle + gaps == contact.ended_at - contact.started_at
            assert 0 <= times.hold <= times.handle
            checked += 1
    assert checked > 700


def test_conversation_events_tell_their_assignments_before_each_event_in_order():
    for conversation in week_of_conversations():
        events = conversation.events
        assert events[0].kind == CREATED
        assert [e.at for e in events] == sorted(e.at for e in events)
        inbox = agent = None
        for event in events:
            assert (event.inbox, event.agent) == (inbox, agent)
            if event.new_inbox is not None:
                inbox, agent = event.new_inbox, event.new_agent
        kinds = Counter(e.kind for e in events)
        assert kinds[REOPENED] <= kinds[CLOSED]


def test_the_world_has_every_channel_abandonments_transfers_holds_and_open_conversations():
    conversations = week_of_conversations()
    contacts = [contact for conversation in conversations for contact in conversation.contacts]
    kinds = Counter(event.kind for contact in contacts for event in contact.events)
    assert {"PHONE_CALL", "EMAIL", "CHAT", "SMS", "VOICEMAIL", "FB_MESSENGER"} <= {c.channel for c in contacts}
    assert min(kinds[kind] for kind in ("OFFER_REJECTED", "TRANSFERRED", "HOLD_STARTED", "MESSAGE_SENT")) > 10
    abandoned = [c for c in contacts if c.channel == "PHONE_CALL" and not measure(c).first_accepted_at]
    calls = [c for c in contacts if c.channel == "PHONE_CALL" and not c.outbound]
    assert 0.04 < len(abandoned) / len(calls) < 0.16
    assert any(e.kind == REOPENED for c in conversations for e in c.events)
    assert any(all(e.kind != CLOSED for e in c.events) for c in conversations)


def test_mondays_are_busier_than_sundays_and_noon_is_busier_than_night():
    by_day = Counter(conversation.plan.day.weekday() for conversation in week_of_conversations())
    assert by_day[0] > 1.8 * by_day[6]
    hours = Counter(
        hour
        for c in week_of_conversations()
        for at, hour in local_hours(c.plan.day, NEW_YORK)
        if at <= c.created_at < at + HOUR
    )
    assert hours[11] > 10 * max(hours[3], 1)
    assert sum(hours.values()) == len(week_of_conversations())


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2025, 11, 2), 25), (date(2026, 3, 9), 24)])
def test_days_on_which_clocks_change_have_their_true_length_and_no_impossible_hour(day: date, hours: int):
    start, end = day_bounds(day, NEW_YORK)
    assert end - start == hours * HOUR
    shown = [hour for _, hour in local_hours(day, NEW_YORK)]
    assert len(shown) == hours
    assert (2 in shown) == (hours != 23)
    assert shown.count(1) == (2 if hours == 25 else 1)


def test_every_accepted_contact_is_taken_by_an_agent_who_is_logged_in():
    world = busy_world()
    start, end = day_bounds(WEEK[0], NEW_YORK)[0], day_bounds(WEEK[3], NEW_YORK)[1]
    spans: dict[str, list[tuple[int, int]]] = {}
    logged_in: dict[str, int] = {}
    for event in world.agent_events(start - DAY, end + DAY):
        if event.kind == LOGGED_IN:
            logged_in[event.agent.id] = event.at
        elif event.kind == LOGGED_OUT:
            spans.setdefault(event.agent.id, []).append((logged_in.pop(event.agent.id, 0), event.at))
    offered = [e for e in world.contact_events(start, end) if e.kind == ACCEPTED and e.initiator_agent]
    # An offer goes to somebody at work; who takes it a minute later may be at the very end of a shift.
    covered = [
        any(first <= e.at <= last + 5 * 60_000 for first, last in spans.get(e.initiator_agent.id, ())) for e in offered
    ]
    assert len(offered) > 300
    assert all(covered)


def test_agents_are_active_or_away_but_never_both_at_once():
    world = busy_world()
    start, end = day_bounds(WEEK[0], NEW_YORK)[0], day_bounds(WEEK[6], NEW_YORK)[1]
    last_end: dict[str, int] = {}
    for span in world.agent_durations(start, end):
        assert span.start < span.end
        assert last_end.get(span.agent.id, 0) <= span.start
        last_end[span.agent.id] = span.end
    assert len(last_end) == len(world.roster.agents)


def test_nothing_happened_before_the_organisation_opened():
    world = busy_world()
    opened = day_bounds(SETTINGS.opened_on, NEW_YORK)[0]
    assert list(world.contact_events(opened - 30 * DAY, opened)) == []
    assert list(world.contact_events(opened, opened + DAY))


def test_times_are_written_in_utc_with_milliseconds():
    assert write_time(1_000) == "1970-01-01T00:00:01.000Z"
    assert write_time(day_bounds(date(2026, 3, 8), NEW_YORK)[0] + 59_007) == "2026-03-08T05:00:59.007Z"
