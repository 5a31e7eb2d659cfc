"""A staffing plan, as people keep it in a workbook: titles, a total, codes with leading zeros, a hidden sheet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, time
from typing import Any

from sandbox.gladly.roster import Agent, Roster
from sandbox.gladly.shifts import PlannedShift
from sandbox.seeded import random_stream

_HEADER = ("Employee No", "Agent", "E-Mail", "Team", "Shift Date", "Start", "End", "Break (min)", "Paid Hours", "Note")
_NOTES = (None, None, None, None, "Training, 1 h", 'Swapped with "night"', "On call\nafter midnight")
_DAY_HOURS = 24
_FIRST_EMPLOYEE = 417


def staffing_workbook(roster: Roster, day: date, shifts: Sequence[PlannedShift]) -> bytes:
    """Returns the plan of one local day as XLSX."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "Plan"
    sheet.append(["Staffing plan", None, day])
    sheet.append([])
    sheet.append(_HEADER)
    rows = [_row(roster, day, shift) for shift in shifts]
    for row in rows:
        sheet.append(row)
        last = sheet.max_row
        sheet.cell(last, 1).number_format = "00000"
        sheet.cell(last, 5).number_format = "yyyy-mm-dd"
    sheet.append(
        ["Total", None, None, None, None, None, None, sum(row[7] for row in rows), sum(row[8] for row in rows)]
    )
    lists = book.create_sheet("Lists")
    lists.append([team.name for team in roster.teams])
    lists.sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _row(roster: Roster, day: date, shift: PlannedShift) -> list[Any]:
    agent: Agent = shift.agent
    stream = random_stream(roster.seed, roster.organization, "staffing", agent.number, day)
    minutes = (30, 45, 60)[stream.randrange(3)]
    hours = shift.last_hour - shift.first_hour - minutes / 60
    note = _NOTES[stream.randrange(len(_NOTES))]
    clock = [time(hour % _DAY_HOURS) for hour in (shift.first_hour, shift.last_hour)]
    team = roster.teams[agent.team].name
    return [_FIRST_EMPLOYEE + agent.number, agent.name, agent.email, team, day, *clock, minutes, hours, note]
