"""What people and systems write: reports with files, notices with pictures, letters of customers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.gladly.roster import Customer
from sandbox.gladly.world import World
from sandbox.google.mail import surveys
from sandbox.google.mail.mime import MimePart, attachment
from sandbox.google.mail.workbook import write_workbook
from sandbox.seeded import fraction, seed_number

SURVEY_LABEL = "Label_7"
LABELS = {"INBOX": "INBOX", "UNREAD": "UNREAD", "SPAM": "SPAM", "TRASH": "TRASH", "STARRED": "STARRED"} | {
    SURVEY_LABEL: "Reports/CSAT",
    "Label_8": "Reports/Workforce",
}
"""Names of the labels that every mailbox has, by id."""

_SURVEYS = "CSAT Reports <reports@surveys.example.net>"
_SATURDAY, _SUNDAY = 5, 6
_CORRECTED_SHARE = 0.2
_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
_PDF = b"%PDF-1.7\n" + b"%" * 6_000 + b"\n%%EOF\n"
_SUBJECTS = (
    "Where is my order?",
    "Réclamation: commande perdue",
    "Re: glasses — wrong lenses",
    "",
    "返品について",
    "Danke!",
)


@dataclass(frozen=True)
class Letter:
    """What is sent, before it has a time.

    Args:
        content: Makes the MIME tree.
        files: Names of the attached files, which the search looks at.
        thread: Id of the thread that it answers in; its own if empty.
        broken_date: What stands in `Date` instead of the time.
    """

    sender: str
    recipient: str
    subject: str
    content: Callable[[], MimePart]
    snippet: str = ""
    copied: str = ""
    labels: tuple[str, ...] = ("INBOX",)
    files: tuple[str, ...] = ()
    thread: str = ""
    broken_date: str = ""


def was_corrected(seed: int, day: date) -> bool:
    """Returns whether the survey vendor sends a correction on a day."""
    return fraction(seed, day, "correction") < _CORRECTED_SHARE


def survey_report(world: World, day: date, recipient: str) -> Letter:
    """Returns the report on a day: plain on weekdays, gzip about Saturdays, an archive about Sundays."""
    name, kind = f"csat_{day}.csv", "text/csv"
    if day.weekday() == _SATURDAY:
        name, kind = f"{name}.gz", "application/gzip"
    elif day.weekday() == _SUNDAY:
        name, kind = f"csat_{day}.zip", "application/zip"

    def content() -> MimePart:
        responses = surveys.responses_of(world, day)
        if kind == "application/zip":
            data = surveys.write_zip(responses, day)
        else:
            data = surveys.write_gzip(responses) if kind == "application/gzip" else surveys.write_csv(responses)
        return _mixed(f"{len(responses)} answers.", attachment(name, kind, data))

    subject = f"CSAT survey results {day}"
    return Letter(_SURVEYS, recipient, subject, content, labels=("INBOX", "UNREAD", SURVEY_LABEL), files=(name,))


def corrected_report(world: World, day: date, recipient: str) -> Letter:
    """Returns the correction of a day's report, forwarded by a colleague: the file lies two levels deep."""
    name = f"csat_{day}_corrected.csv"

    def content() -> MimePart:
        changed = surveys.corrected(surveys.responses_of(world, day))
        original = _mixed("Corrected answers.", attachment(name, "text/csv", surveys.write_csv(changed)))
        return MimePart("multipart/mixed", parts=(_text("See below."), MimePart("message/rfc822", parts=(original,))))

    sender = f"{world.roster.agents[0].name} <{world.roster.agents[0].email}>"
    # An encoded word, as a server leaves one that it does not understand.
    subject = f"=?utf-8?Q?Fwd=3A_CSAT_=E2=80=93_corrected?= {day}"
    labels = ("INBOX", SURVEY_LABEL)
    return Letter(sender, recipient, subject, content, copied="lead@example.com", labels=labels, files=(name,))


def workforce_plan(world: World, day: date, recipient: str) -> Letter:
    """Returns the planners' workbook for a week."""
    name = f"Workforce plan {day:%G-W%V}.xlsx"

    def content() -> MimePart:
        days = [day + timedelta(days=offset) for offset in range(5)]
        rows: list[list[str | float]] = [
            [team.name, f"{one}", 4 + seed_number(world.roster.seed, team.id, one) % 6]
            for one in days
            for team in world.roster.teams
        ]
        workbook = write_workbook("Plan", [["Team", "Day", "Planned agents"], *rows])
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return _mixed("The plan for the week.", attachment(name, kind, workbook))

    labels = ("INBOX", "Label_8")
    return Letter(
        "planning@example.com", recipient, f"Workforce plan {day:%G-W%V}", content, labels=labels, files=(name,)
    )


def notice(day: date, number: int, recipient: str) -> Letter:
    """Returns one of a day's notices: a newsletter with pictures, an invoice, an invitation, or unasked-for mail."""
    make = (_newsletter, _invoice, _invitation, _spam)[number]
    return make(day, recipient)


def customer_letter(world: World, day: date, number: int, recipient: str) -> Letter:
    """Returns what a customer of the contact centre writes; some answer in a thread, some send a picture."""
    draw = seed_number(world.roster.seed, day, number, "letter")
    customer = world.roster.customer(draw % world.roster.customer_count)
    subject = _SUBJECTS[draw % len(_SUBJECTS)]
    text = f"Hello,\nit is about order {draw % 90_000 + 10_000}.\n{customer.name}"
    picture = attachment("frame.png", "image/png", _PICTURE) if draw % 5 == 0 else None

    def content() -> MimePart:
        return _mixed(text, picture) if picture else _alternative(text)

    return Letter(
        _address_of(customer, draw),
        recipient,
        subject,
        content,
        snippet=text.split("\n")[1],
        labels=("INBOX", "UNREAD") if draw % 3 else ("INBOX",),
        files=("frame.png",) if picture else (),
        thread=f"{seed_number(customer.id, 'thread'):016x}" if draw % 4 == 0 else "",
        broken_date="Someday, 45 Foo 2026" if draw % 11 == 0 else "",
    )


def _newsletter(day: date, recipient: str) -> Letter:
    def content() -> MimePart:
        logo = MimePart(
            "image/png", _PICTURE, "logo.png", (("Content-ID", "<logo>"), ("Content-Disposition", "inline"))
        )
        related = MimePart("multipart/related", parts=(_text("<img src=cid:logo>", "text/html"), logo))
        return MimePart("multipart/alternative", parts=(_text("News."), related))

    # A charset that does not exist.
    subject = f"=?x-martian?Q?News_of_{day}?="
    return Letter("News <news@example.org>", recipient, subject, content, snippet="News.")


def _invoice(day: date, recipient: str) -> Letter:
    name = f"invoice-{day}.pdf"
    return Letter(
        '"Billing, Ltd." <billing@example.net>',
        recipient,
        f"Invoice {day}",
        lambda: _mixed("Please pay.", attachment(name, "application/pdf", _PDF)),
        files=(name,),
    )


def _invitation(day: date, recipient: str) -> Letter:
    event = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:{day:%Y%m%d}T150000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

    def content() -> MimePart:
        return MimePart("multipart/mixed", parts=(_text("Stand-up."), MimePart("text/calendar", event.encode())))

    return Letter("calendar@example.com", recipient, "Invitation: stand-up", content, copied="all@example.com")


def _spam(day: date, recipient: str) -> Letter:
    subject = f"You have won {day:%d}"
    return Letter("win@example.invalid", recipient, subject, lambda: _text("Click."), labels=("SPAM",))


def _address_of(customer: Customer, draw: int) -> str:
    return customer.email if draw % 7 == 0 else f'"{customer.name}" <{customer.email}>'


def _text(text: str, mime_type: str = "text/plain") -> MimePart:
    return MimePart(mime_type, text.encode("utf-8"), headers=(("Content-Type", f"{mime_type}; charset=UTF-8"),))


def _alternative(text: str) -> MimePart:
    return MimePart("multipart/alternative", parts=(_text(text), _text(f"<p>{text}</p>", "text/html")))


def _mixed(text: str, file: MimePart) -> MimePart:
    return MimePart("multipart/mixed", parts=(_alternative(text), file))
