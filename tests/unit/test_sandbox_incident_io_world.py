"""The emulated workspaces: the same for the same seed, growing with the clock, and as untidy as real ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from sandbox.incident_io.linked import alerts_of, follow_ups_of, updates_of
from sandbox.incident_io.lives import LONGEST_LIFE, Life
from sandbox.incident_io.records import write_incident
from sandbox.incident_io.settings import MOBILE, PAYMENTS, PLATFORM, Workspace
from sandbox.incident_io.world import World

OPENED = date(2025, 10, 1)
NOW = datetime(2026, 4, 20, tzinfo=UTC)
WORKSPACES = [PLATFORM, PAYMENTS, MOBILE]


def _world(workspace: Workspace, seed: int = 7) -> World:
    return World(workspace, seed=seed, opened_on=OPENED)


def _lives(workspace: Workspace) -> list[Life]:
    return list(_world(workspace).lives(NOW))


@pytest.mark.parametrize("workspace", WORKSPACES, ids=lambda one: one.name)
def test_a_seed_decides_every_incident_and_another_seed_others(workspace: Workspace) -> None:
    assert _lives(workspace) == _lives(workspace)
    assert list(_world(workspace, seed=8).lives(NOW)) != _lives(workspace)


@pytest.mark.parametrize("workspace", WORKSPACES, ids=lambda one: one.name)
def test_incidents_are_numbered_without_gap_and_their_ids_are_in_order_of_time(workspace: Workspace) -> None:
    world, lives = _world(workspace), _lives(workspace)
    assert [life.number for life in lives] == list(range(1, len(lives) + 1))
    ids = [world.incident_id(life) for life in lives]
    assert ids == sorted(set(ids))
    assert {len(one) for one in ids} == {26}
    assert all(one.created <= other.created for one, other in pairwise(lives))


@pytest.mark.parametrize("workspace", WORKSPACES, ids=lambda one: one.name)
def test_nothing_happens_before_the_declaration_or_after_the_longest_life(workspace: Workspace) -> None:
    for life in _lives(workspace):
        times = [change.at for change in life.changes]
        assert times == sorted(times)
        assert times[0] == life.created
        assert times[-1] - life.created < LONGEST_LIFE


def test_what_changed_since_a_moment_is_found_without_looking_at_everything() -> None:
    world, since = _world(PLATFORM), NOW - timedelta(days=2)
    every = [life for life in world.lives(NOW) if life.updated_at(NOW) >= since]
    found = [life for life in world.lives(NOW, since) if life.updated_at(NOW) >= since]
    assert found == every
    assert len(list(world.lives(NOW, since))) < len(list(world.lives(NOW))) / 2


def test_an_incident_never_knows_what_is_still_to_come() -> None:
    world = _world(PLATFORM)
    for life in _lives(PLATFORM)[:60]:
        for change in life.changes:
            before, after = (life.state(change.at - timedelta(microseconds=one)) for one in (1, 0))
            assert after.updated_at == change.at
            assert before.updated_at is None or before.updated_at < change.at
            shown = write_incident(world, life, change.at)
            assert datetime.fromisoformat(shown["updated_at"]) <= change.at


@pytest.mark.parametrize("workspace", WORKSPACES, ids=lambda one: one.name)
def test_the_data_has_all_that_makes_incidents_hard(workspace: Workspace) -> None:
    world, lives = _world(workspace), _lives(workspace)
    states = [life.state(NOW) for life in lives]
    assert {state.stage for state in states} >= {"closed", "declined", "merged", "canceled"}
    assert {life.mode for life in lives} == {"standard", "retrospective", "test", "tutorial"}
    stages = [[change.stage for change in life.changes] for life in lives]
    assert any(one.count("review") == 2 for one in stages)
    assert any("paused" in one for one in stages)
    assert any(change.at - life.changes[0].at > timedelta(days=7) for life in lives for change in life.changes)
    assert any("fixed" not in state.stamps and state.stage == "closed" for state in states)
    assert any(
        state.stamps["impact"] < life.created - timedelta(days=1) for life, state in zip(lives, states, strict=True)
    )
    assert any(state.stamps.get("resolved", NOW) < state.stamps["reported"] for state in states)
    assert any(state.fields["summary"] is None for state in states)
    assert any(write_incident(world, life, life.created)["severity"] is None for life in lives)
    assert any(not state.fields["services"] for state in states)


@pytest.mark.parametrize(
    ("workspace", "midnight", "hours"),
    [
        (PLATFORM, datetime(2026, 3, 8, 5, tzinfo=UTC), 23),
        (PAYMENTS, datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        (MOBILE, datetime(2026, 4, 4, 13, tzinfo=UTC), 25),
    ],
    ids=["platform", "payments", "mobile"],
)
def test_in_every_night_in_which_clocks_change_an_incident_lasts_over_the_change(
    workspace: Workspace, midnight: datetime, hours: int
) -> None:
    first = min(
        (life for life in _lives(workspace) if midnight <= life.created < midnight + timedelta(hours=hours)),
        key=lambda life: life.created,
    )
    over = next(change.at for change in first.changes if change.stage == "review")
    zone = _world(workspace).zone
    assert first.created - midnight < timedelta(hours=1)
    assert over - first.created < timedelta(days=1)
    assert first.created.astimezone(zone).utcoffset() != over.astimezone(zone).utcoffset()


def test_each_workspace_keeps_moments_of_its_own() -> None:
    kept = {
        one.name: [
            stamp["incident_timestamp"]["name"]
            for stamp in write_incident(_world(one), _lives(one)[5], NOW)["incident_timestamp_values"]
        ]
        for one in WORKSPACES
    }
    assert "Impact start" in kept["platform"]
    assert "Identified at" not in kept["platform"]
    assert kept["payments"] == ["Reported at", "Identified at", "Fixed at", "Resolved at"]
    assert kept["mobile"] == ["Impact start", "Reported at", "Resolved at"]


def test_services_come_twice_and_go_while_incidents_still_name_them() -> None:
    catalogue = _world(PLATFORM).catalogue
    service_type = catalogue.types[0]["id"]
    early, late = (catalogue.entries(service_type, moment) or [] for moment in (datetime(2025, 10, 2, tzinfo=UTC), NOW))
    assert len(late) == len(early) - 1
    (gone,) = {one["id"] for one in early} - {one["id"] for one in late}
    number = next(one.number for one in catalogue.services if one.id == gone)
    assert catalogue.reference(number, NOW)["id"] == gone
    assert any(number in life.services for life in _lives(PLATFORM))
    names = [one["name"].lower() for one in late]
    assert len(names) > len(set(names))
    assert any("archived_at" in one for one in late)
    assert {one["id"]: one["name"] for one in early} != {one["id"]: one["name"] for one in late}
    assert None in {one["external_id"] for one in late}


def test_what_hangs_on_an_incident_was_written_by_now() -> None:
    world = _world(PAYMENTS)
    for life in _lives(PAYMENTS):
        incident = world.incident_id(life)
        for record in [*updates_of(world, life, NOW), *follow_ups_of(world, life, NOW)]:
            assert record["incident_id"] == incident
            assert datetime.fromisoformat(record["created_at"]) <= NOW
        assert {alert["status"] for alert in alerts_of(world, life, NOW)} <= {"firing", "resolved"}
    merged = [
        update
        for life in _lives(PAYMENTS)
        for update in updates_of(world, life, NOW)
        if "merged_into_incident_id" in update
    ]
    assert merged
    known = {world.incident_id(life) for life in _lives(PAYMENTS)} | {None}
    assert {update["merged_into_incident_id"] for update in merged} <= known
