"""The agent roster that planners keep by hand: agents, targets and the FTE plan of the emulated contact centre.

Agents are those of Gladly, joined by their e-mail address; the sheet also has one who left and one who is to come.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sandbox.gladly.roster import Agent, Roster
from sandbox.google.settings import ROSTER_SPREADSHEET
from sandbox.google.sheets.book import Book, Cell, Merge, Sheet, Value, day_cell, money_cell, percent_cell, row
from sandbox.seeded import fraction, seed_number

_ROLES = ("Advisor", "Advisor", "Advisor", "Senior advisor", "Team lead")
_HIRED_FROM = date(2019, 1, 7)
_TARGETS = ((0.8, 20, 330, 420), (0.85, 45, 600, 780), (0.9, 14_400, 420, 600))
_MOVES_EVERY = 7
_WEEKS = 13
_LEFT_ON = date(2026, 1, 30)

Row = tuple[Cell, ...]


def roster_book(roster: Roster, today: date) -> Book:
    """Returns the workbook as it is on a day: teams and hours change with the months."""
    quarter = (today.month - 1) // 3 + 1
    return Book(
        ROSTER_SPREADSHEET,
        "Agent roster",
        (
            Sheet(0, "Agents", tuple(_agents(roster, today)), row_count=200, column_count=12, frozen_rows=1),
            Sheet(
                11,
                "Targets",
                tuple(_targets(roster)),
                row_count=50,
                column_count=8,
                frozen_rows=2,
                merges=(Merge((0, 2), (0, 1)), Merge((0, 1), (1, 3)), Merge((0, 1), (3, 5))),
            ),
            Sheet(12, f"FTE {today.year}-Q{quarter}", tuple(_plan(roster, today.year, quarter)), row_count=500),
            Sheet(13, f"FTE {today.year - 1}-Q4", tuple(_plan(roster, today.year - 1, 4)), row_count=500),
            Sheet(14, "FTE draft", (row("Week starting", "Team", "Planned FTE", "Actual FTE"),), hidden=True),
            Sheet(15, "Chart", sheet_type="OBJECT", row_count=0, column_count=0),
        ),
        named_ranges={"TargetsByTeam": (11, 1, 2 + len(roster.teams), 0, 5)},
    )


def _agents(roster: Roster, today: date) -> Iterator[Row]:
    yield row("Agent ID", "Name", "E-mail", "Team", "Role", "Hired on", "FTE", "Hourly cost", "Active", "Notes")
    for agent in roster.agents:
        yield _agent(roster, agent, today)
    left = f"agent90@{roster.organization}.example.com"
    notes = f"left {_LEFT_ON:%d.%m.%Y}"
    is_active = today <= _LEFT_ON
    yield row(
        None, "Gone, Gail", left, "Voice", "Advisor", day_cell(date(2020, 3, 2)), 1, money_cell(19.5), is_active, notes
    )
    yield row(
        None, "To be hired", f"tba@{roster.organization}.example.com", "Mail", "Advisor", "spring", None, None, False
    )


def _agent(roster: Roster, agent: Agent, today: date) -> Row:
    months = today.year * 12 + today.month
    # Each month some help out in another team, and hours are agreed anew each quarter.
    helps_out = (agent.number + months) % _MOVES_EVERY == 0
    team = roster.teams[(agent.team + helps_out) % len(roster.teams)].name
    is_part_time = fraction(roster.seed, agent.id, months // 3, "fte") < 0.25  # noqa: PLR2004
    hired_on = _HIRED_FROM + timedelta(weeks=seed_number(roster.seed, agent.id, "hired") % 340)
    notes: Value = f"helps {team}\nuntil month's end" if helps_out else None
    return row(
        agent.id,
        agent.name,
        # As somebody typed it.
        agent.email.upper() if agent.number == 3 else f" {agent.email} " if agent.number == 4 else agent.email,  # noqa: PLR2004
        team,
        _ROLES[agent.number % len(_ROLES)],
        day_cell(hired_on),
        0.5 if is_part_time else 1,
        money_cell(18 + seed_number(agent.id, "cost") % 1_400 / 100),
        True,
        notes,
    )


def _targets(roster: Roster) -> Iterator[Row]:
    yield row("Team", "Service level", None, "Handle time", None)
    yield row(None, "Target", "Within seconds", "Target seconds", "Ceiling seconds")
    for team, (share, within, target, ceiling) in zip(roster.teams, _TARGETS, strict=True):
        yield row(team.name, percent_cell(share), within, target, ceiling)


def _plan(roster: Roster, year: int, quarter: int) -> Iterator[Row]:
    yield row("Week starting", "Team", "Planned FTE", "Actual FTE", "Gap")
    first = date(year, 3 * quarter - 2, 1)
    monday = first + timedelta(days=-first.weekday() % 7)
    number = 1
    for week in range(_WEEKS):
        day = monday + timedelta(weeks=week)
        for team in roster.teams:
            number += 1
            planned = 7 + seed_number(roster.seed, team.id, day) % 5 / 2
            actual = round(planned - fraction(roster.seed, team.id, day, "gap") * 2, 2)
            gap = Cell(round(planned - actual, 2), formula=f"=C{number}-D{number}")
            yield row(day_cell(day), team.name, planned, actual, gap)
    yield ()
    yield row("Total", None, Cell("#REF!", formula="=SUM(Z1:Z9)"))
