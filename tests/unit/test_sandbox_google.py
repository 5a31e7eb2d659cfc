"""The emulated Google's own machinery: the mail search, field masks, ranges, and mailboxes that never change."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sandbox.gladly.settings import GLADLY_ORG, GladlySettings
from sandbox.gladly.world import World
from sandbox.google.mail.mailbox import Mail, MailboxWorld
from sandbox.google.mail.search import read_query
from sandbox.google.mail.surveys import corrected, responses_of
from sandbox.google.problems import GoogleProblemError
from sandbox.google.settings import MAILBOXES, OPERATIONS_MAILBOX, SUPPORT_MAILBOX, GoogleSettings
from sandbox.google.sheets.field_mask import apply_mask
from sandbox.google.sheets.odd_book import odd_book
from sandbox.google.sheets.ranges import read_range

START, END = 1_773_619_200_000, 1_774_224_000_000
NOW = 1_774_300_000_000
WORLD = World(GLADLY_ORG, seed=7, settings=GladlySettings(conversations_per_day=60))


def _mailbox(address: str = OPERATIONS_MAILBOX, seed: int = 7) -> MailboxWorld:
    return MailboxWorld(address, seed=seed, settings=GoogleSettings(), contact_centre=WORLD)


def _found(query: str, address: str = OPERATIONS_MAILBOX) -> list[Mail]:
    read = read_query(query, now=NOW)
    return [
        mail for mail in _mailbox(address).arrived(max(START, read.start), min(END, read.end)) if read.matches(mail)
    ]


@pytest.mark.parametrize("address", MAILBOXES)
def test_a_mailbox_is_the_same_each_time_and_another_seed_is_another_one(address: str) -> None:
    mails = list(_mailbox(address).arrived(START, END))
    assert [mail.at for mail in mails] == sorted((mail.at for mail in mails), reverse=True)
    assert len({mail.id for mail in mails}) == len(mails) > 30
    again = list(_mailbox(address).arrived(START, END))
    assert [(mail.id, mail.headers) for mail in again] == [(mail.id, mail.headers) for mail in mails]
    assert [mail.letter.content() for mail in again[:5]] == [mail.letter.content() for mail in mails[:5]]
    assert {mail.id for mail in _mailbox(address, seed=8).arrived(START, END)}.isdisjoint(mail.id for mail in mails)


def test_a_message_is_found_by_its_id_once_it_has_arrived() -> None:
    mail = next(_mailbox().arrived(START, END))
    found = _mailbox().find(mail.id, NOW)
    assert found is not None
    assert found.id == mail.id
    assert _mailbox().find(mail.id, mail.at - 1) is None
    assert _mailbox().find("no-such-id", NOW) is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("from:reports", 7),
        ("from:reports has:attachment filename:csv", 5),
        ("filename:zip OR filename:gz", 2),
        ("(from:billing OR from:planning) has:attachment", 8),
        ('subject:"csat survey" -filename:csv', 2),
        ("label:reports-csat from:reports", 7),
        ("after:2026/03/19 from:reports", 4),
        ("after:1773990000 before:1774076400 from:reports", 1),
        ("nobody wrote this", 0),
    ],
)
def test_the_search_understands_what_people_write(query: str, expected: int) -> None:
    assert len(_found(query)) == expected


def test_letters_of_customers_answer_in_threads_and_some_have_no_subject() -> None:
    letters = list(_mailbox(SUPPORT_MAILBOX).arrived(START, END))
    assert any(mail.thread_id != mail.id for mail in letters)
    assert any(not mail.letter.subject for mail in letters)
    assert {"frame.png"} == {name for mail in letters for name in mail.letter.files}


def test_surveys_are_of_conversations_and_agents_that_gladly_has_and_some_are_corrected() -> None:
    responses = [one for day in range(9, 15) for one in responses_of(WORLD, date(2026, 3, day))]
    agents = {agent.email for agent in WORLD.roster.agents}
    ids = {one.id for one in WORLD.conversations_created(1_772_800_000_000, 1_773_700_000_000)}
    assert {one.agent_email for one in responses} - {""} <= agents
    assert "" in {one.agent_email for one in responses}
    assert {one.conversation_id for one in responses} <= ids
    assert len({one.response_id for one in responses}) == len(responses) > 50
    wrong = corrected(responses)
    assert 0 < len(wrong) < len(responses) / 2
    assert {one.response_id for one in wrong} <= {one.response_id for one in responses}


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("a", {"a": {"b": 1, "c": [{"d": 2, "e": 3}]}}),
        ("a.b", {"a": {"b": 1}}),
        ("a(b,c(d)),f", {"a": {"b": 1, "c": [{"d": 2}]}, "f": 4}),
        ("a/c/e,f", {"a": {"c": [{"e": 3}]}, "f": 4}),
        ("nothing", {}),
        ("*", {"a": {"b": 1, "c": [{"d": 2, "e": 3}]}, "f": 4}),
    ],
)
def test_a_field_mask_keeps_what_it_names(mask: str, expected: Any) -> None:
    assert apply_mask({"a": {"b": 1, "c": [{"d": 2, "e": 3}]}, "f": 4}, mask) == expected


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Titled", "Titled!A1:Z1000"),
        ("'ABC123'", "'ABC123'!A1:Z1000"),
        ("'It''s \"odd\"'!B2:C", "'It''s \"odd\"'!B2:C40"),
        ("Titled!A:B", "Titled!A1:B1000"),
        ("Titled!B3", "Titled!B3:B3"),
        ("Totals", "Titled!B3:D5"),
    ],
)
def test_ranges_mean_what_google_says(text: str, written: str) -> None:
    assert read_range(text, odd_book()).written() == written


@pytest.mark.parametrize("text", ["Nowhere!A1", "Titled!1A", "ABC123", "'Titled", "Titled!A2000"])
def test_ranges_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(GoogleProblemError) as caught:
        read_range(text, odd_book())
    assert caught.value.code == 400
