"""What customers said in surveys after their conversations with the emulated Gladly, as a vendor mails it."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sandbox.gladly.timeline import HOUR, MINUTE, day_bounds, write_time
from sandbox.gladly.world import World
from sandbox.seeded import fraction, identifier

COLUMNS = ("response_id", "conversation_id", "agent_email", "channel", "score", "comment", "answered_at")
_ANSWER_SHARE = 0.35
# After midnight; the report is sent at six.
_COUNTED_UNTIL = 5 * HOUR
_SCORES = (1, 2, 3, 4, 5)
_SCORE_SHARES = (0.06, 0.12, 0.24, 0.5, 1.0)
_COMMENTS = (
    "",
    "",
    "Great, thank you!",
    'They said "tomorrow",\nand it came today.',
    "Très bien, merci",
    "Too slow; had to ask twice",
    "=2+2",
)
_LOST_SHARE = 0.03


class Response(NamedTuple):
    """One answered survey; of some the vendor has lost who served the customer."""

    response_id: str
    conversation_id: str
    agent_email: str
    channel: str
    score: int
    comment: str
    answered_at: str


def responses_of(world: World, day: date) -> list[Response]:
    """Returns the answers about the conversations that began on a local day; who answers later is not counted."""
    found = []
    start, end = day_bounds(day, world.zone)
    for conversation in world.conversations_created(start, end):
        draw = fraction(world.roster.seed, conversation.id, "csat")
        contact = conversation.contacts[0]
        agents = [event.agent for event in contact.events if event.agent is not None]
        within = draw / _ANSWER_SHARE
        answered_at = contact.ended_at + int((0.1 + within) * HOUR) + MINUTE
        if within >= 1 or answered_at >= end + _COUNTED_UNTIL or not agents:
            continue
        score = next(score for score, share in zip(_SCORES, _SCORE_SHARES, strict=True) if within < share)
        lost = fraction(conversation.id, "lost") < _LOST_SHARE
        found.append(
            Response(
                response_id=identifier(conversation.id, "response"),
                conversation_id=conversation.id,
                agent_email="" if lost else agents[-1].email,
                channel=contact.channel,
                score=score,
                comment=_COMMENTS[int(fraction(conversation.id, "comment") * len(_COMMENTS))],
                answered_at=write_time(answered_at),
            )
        )
    return found


def corrected(responses: Sequence[Response]) -> list[Response]:
    """Returns the answers that the vendor sends again some days later: some scores were typed wrong."""
    wrong = [response for response in responses if fraction(response.response_id, "wrong") < 0.2]  # noqa: PLR2004
    return [response._replace(score=max(1, response.score - 1)) for response in wrong]


def write_csv(responses: Sequence[Response]) -> bytes:
    """Returns answers as the vendor writes them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(responses)
    return text.getvalue().encode("utf-8")


def write_gzip(responses: Sequence[Response]) -> bytes:
    """Returns answers as a compressed file."""
    return gzip.compress(write_csv(responses), mtime=0)


def write_zip(responses: Sequence[Response], day: date) -> bytes:
    """Returns answers by channel in an archive, beside what a Mac and a careful sender add to one."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "README.txt", b"One file a channel.\r\n")
        for channel in sorted({response.channel for response in responses}):
            name = f"csat_{day}_{channel.lower()}.csv"
            _add(archive, f"csat/{name}", write_csv([one for one in responses if one.channel == channel]))
            _add(archive, f"__MACOSX/csat/._{name}", b"\x00\x05\x16\x07")
    return held.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # With a time of its own, the same answers would give another archive each time.
    archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
