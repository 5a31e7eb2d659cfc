"""Gmail's search: words that must all be found, operators, `OR`, `-` and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sandbox.gladly.timeline import SECOND
from sandbox.google.mail.letters import LABELS
from sandbox.google.mail.mailbox import Mail

_TOKEN = re.compile(r'-?[a-z_]+:"[^"]*"|-?"[^"]*"|[()]|[^\s()]+', re.IGNORECASE)
_PACIFIC = ZoneInfo("America/Los_Angeles")

Test = Callable[[Mail], bool]


@dataclass
class Query:
    """A search that was read: what a message must be, and the times that it can lie in (milliseconds of UTC)."""

    matches: Test
    start: int
    end: int


def read_query(text: str, *, now: int, slack_seconds: int = 0) -> Query:
    """Reads a query.

    Args:
        text: As in `q`.
        now: Nothing has arrived after it.
        slack_seconds: How much wider than asked the search finds.
    """
    query = Query(lambda _mail: True, 0, now + 1)
    tokens = _TOKEN.findall(text)
    query.matches = _all_of(tokens, query, slack_seconds * SECOND)
    return query


def _all_of(tokens: list[str], query: Query, slack: int) -> Test:
    """Reads terms up to a closing parenthesis or the end; `OR` binds those beside it alone, as in Gmail."""
    tests: list[Test] = []
    while tokens and tokens[0] != ")":
        test = _term(tokens, query, slack)
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            test = _either(test, _term(tokens, query, slack))
        tests.append(test)
    return lambda mail: all(test(mail) for test in tests)


def _either(one: Test, other: Test) -> Test:
    return lambda mail: one(mail) or other(mail)


def _term(tokens: list[str], query: Query, slack: int) -> Test:
    token = tokens.pop(0)
    if token == "(":  # noqa: S105 - a parenthesis
        inner = _all_of(tokens, query, slack)
        if tokens:
            tokens.pop(0)
        return inner
    if token.startswith("-") and len(token) > 1:
        without = _word(token[1:], query, slack)
        return lambda mail: not without(mail)
    return _word(token, query, slack)


def _word(token: str, query: Query, slack: int) -> Test:
    name, colon, value = token.partition(":")
    value = value.strip('"')
    if not colon or name.lower() not in {*_OPERATORS, "after", "before"}:
        words = token.strip('"').lower()
        return lambda mail: words in f"{mail.letter.subject} {mail.letter.sender} {mail.letter.snippet}".lower()
    if name.lower() == "after":
        # Whole seconds, its own included; `before` excludes its own.
        start = _moment(value) - slack
        query.start = max(query.start, start)
        return lambda mail: mail.at // SECOND * SECOND >= start
    if name.lower() == "before":
        end = _moment(value) + slack
        query.end = min(query.end, end)
        return lambda mail: mail.at // SECOND * SECOND < end
    return lambda mail: _OPERATORS[name.lower()](mail, value.lower())


def _moment(value: str) -> int:
    """Returns a moment of a search: epoch seconds, or a date at midnight in Pacific time."""
    if value.isdigit():
        return int(value) * SECOND
    day = datetime.strptime(value.replace("-", "/"), "%Y/%m/%d").replace(tzinfo=_PACIFIC)
    return int(day.timestamp()) * SECOND


def _has(mail: Mail, value: str) -> bool:
    return value == "attachment" and bool(mail.letter.files)


def _filename(mail: Mail, value: str) -> bool:
    return any(name.lower() == value or name.lower().endswith(f".{value}") for name in mail.letter.files)


def _label(mail: Mail, value: str) -> bool:
    return any(re.sub(r"[/ ]", "-", LABELS[label]).lower() == re.sub(r"[/ ]", "-", value) for label in mail.labels)


_OPERATORS: dict[str, Callable[[Mail, str], bool]] = {
    "from": lambda mail, value: value in mail.letter.sender.lower(),
    "to": lambda mail, value: value in mail.letter.recipient.lower(),
    "subject": lambda mail, value: value in mail.letter.subject.lower(),
    "has": _has,
    "filename": _filename,
    "label": _label,
    "in": _label,
}
