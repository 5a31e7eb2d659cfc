"""Mailboxes: what arrives in them day by day, decided by seed, address and day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from random import Random

from sandbox.gladly.timeline import DAY, HOUR, MINUTE, SECOND, days_between, local_date, local_moment
from sandbox.gladly.world import World
from sandbox.google.mail import letters
from sandbox.google.mail.letters import Letter
from sandbox.google.settings import OPERATIONS_MAILBOX, GoogleSettings
from sandbox.seeded import random_stream, seed_number

_CACHED_DAYS = 400
_WEEKEND = 5
_QUIET_SHARE = 0.4


@dataclass(frozen=True)
class Mail:
    """One message; `letter` makes its text and files when somebody asks for them.

    Args:
        at: When it arrived, milliseconds of UTC.
        labels: Ids of its labels.
    """

    id: str
    thread_id: str
    at: int
    labels: tuple[str, ...]
    letter: Letter

    @property
    def headers(self) -> list[dict[str, str]]:
        """The headers of the whole message, as `payload.headers` has them."""
        moment = datetime.fromtimestamp(self.at / SECOND, UTC)
        own = {
            "Delivered-To": self.letter.recipient,
            "Date": self.letter.broken_date or format_datetime(moment),
            "Message-ID": f"<{self.id}@mail.example.com>",
            "From": self.letter.sender,
            "To": self.letter.recipient,
            "Cc": self.letter.copied,
            "Subject": self.letter.subject,
        }
        return [{"name": name, "value": value} for name, value in own.items() if value]


class MailboxWorld:
    """One mailbox.

    Args:
        address: Whose it is.
        seed: Decides all of it.
        settings: How busy it is.
        contact_centre: The Gladly organisation that surveys and letters are about.
    """

    def __init__(self, address: str, *, seed: int, settings: GoogleSettings, contact_centre: World) -> None:
        self.address = address
        self._seed = seed
        self._settings = settings
        self._centre = contact_centre
        self._of_day = lru_cache(maxsize=_CACHED_DAYS)(self._arrivals)

    def arrived(self, start: int, end: int) -> Iterator[Mail]:
        """Yields the messages of `[start, end)`, newest first."""
        opened_at = local_moment(self._settings.opened_on, 0, self._centre.zone)
        start = max(start, opened_at)
        if start >= end:
            return
        first, last = local_date(start, self._centre.zone), local_date(end - 1, self._centre.zone)
        for day in reversed(list(days_between(first, last))):
            yield from (mail for mail in reversed(self._of_day(day)) if start <= mail.at < end)

    def find(self, mail_id: str, now: int) -> Mail | None:
        """Returns a message that has arrived, by its id: it begins with the time in hexadecimal digits."""
        try:
            at = int(mail_id[:11], 16)
        except ValueError:
            return None
        return next((mail for mail in self.arrived(at, min(at + 1, now + 1)) if mail.id == mail_id), None)

    def count(self, now: int) -> int:
        """Returns how many messages have arrived."""
        return sum(1 for _ in self.arrived(0, now + 1))

    def _arrivals(self, day: date) -> list[Mail]:
        stream = random_stream(self._seed, self.address, day, "mail")
        is_operations = self.address == OPERATIONS_MAILBOX
        make = self._operations if is_operations else self._support
        return sorted((self._mail(at, letter) for at, letter in make(day, stream)), key=lambda mail: (mail.at, mail.id))

    def _mail(self, at: int, letter: Letter) -> Mail:
        mail_id = f"{at:011x}{seed_number(self._seed, self.address, at, letter.subject) % 16**5:05x}"
        return Mail(mail_id, letter.thread or mail_id, at, letter.labels, letter)

    def _operations(self, day: date, stream: Random) -> Iterator[tuple[int, Letter]]:
        yesterday = day - timedelta(days=1)
        at = self._at(day, 6, stream, minutes=10)
        yield at, letters.survey_report(self._centre, yesterday, self.address)
        if letters.was_corrected(self._seed, day):
            yield (
                self._at(day, 11, stream),
                letters.corrected_report(self._centre, day - timedelta(days=2), self.address),
            )
        if day.weekday() == 0:
            yield self._at(day, 9, stream), letters.workforce_plan(self._centre, day, self.address)
        for number in range(4):
            yield self._at(day, 8 + 3 * number, stream), letters.notice(day, number, self.address)

    def _support(self, day: date, stream: Random) -> Iterator[tuple[int, Letter]]:
        share = _QUIET_SHARE if day.weekday() >= _WEEKEND else 1.0
        for number in range(round(self._settings.letters_per_day * share)):
            at = local_moment(day, 0, self._centre.zone) + int(stream.random() * (DAY - HOUR))
            yield at, letters.customer_letter(self._centre, day, number, self.address)

    def _at(self, day: date, hour: int, stream: Random, *, minutes: int = 50) -> int:
        return local_moment(day, hour, self._centre.zone) + int(stream.random() * minutes * MINUTE)
