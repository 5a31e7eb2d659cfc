"""Bronze column names: valid everywhere, unique, and the same again tomorrow."""

from __future__ import annotations

import random
import re
import unicodedata

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.artifacts import METADATA_COLUMNS
from penstock.naming import STRATEGY_COLUMNS, standardise_column, standardise_columns
from penstock.reserved_words import RESERVED_WORDS

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
HOSTILE = [
    "",
    "  ",
    "Order",
    "order_",
    "Order 2",
    "2nd Order",
    "_2nd_order",
    "\ufeffID",
    "ID",
    "Id.",
    "_batch_id",
    "_Batch_ID_2",
    "_valid_from",
    "\N{LATIN SMALL LETTER DOTLESS I}İiI",
    "Straße",
    "strasse",
    "😀",
    "😀😀",
    "名前",
    "x" * 300,
    "x" * 301,
    "x" * 63,
    "a\nb",
    "a\x00b",
    'say "hi"',
    "column_1",
    "Column 7",
    "__",
    "\u200b",
    "\ud800",
]
names = st.one_of(
    st.text(max_size=12),
    st.sampled_from(HOSTILE),
    st.sampled_from(sorted(RESERVED_WORDS)),
    st.sampled_from([*METADATA_COLUMNS, *STRATEGY_COLUMNS]),
    st.text(alphabet="aAbB_12 .é", max_size=70),
    st.from_regex(r"\A[ab](_2){0,3}\Z"),
)
headers = st.lists(names, max_size=25)


def _names(header: list[str], max_length: int = 63) -> list[str]:
    return [column.name for column in standardise_columns(header, max_length=max_length)]


@pytest.mark.parametrize(
    ("source_name", "name"),
    [
        ("Conversation ID", "conversation_id"),
        ("conversationId", "conversation_id"),
        ("ConversationID", "conversation_id"),
        ("userIDs", "user_ids"),
        ("HTTPServerName", "http_server_name"),
        ("CSAT", "csat"),
        ("2FA Enabled", "_2fa_enabled"),
        ("Address2Line", "address2_line"),
        ("P50Latency", "p50_latency"),
        ("already_snake_case", "already_snake_case"),
        ("SCREAMING_SNAKE", "screaming_snake"),
        ("meta.next-cursor/url", "meta_next_cursor_url"),
        ("  Handle   Time (sec) ", "handle_time_sec"),
        ("% Answered", "percent_answered"),
        ("Order #", "order_number"),
        ("Terms & Conditions", "terms_and_conditions"),
        ("Customer's Name", "customers_name"),
        ("Größe", "grosse"),
        ("Ærøskøbing", "aeroskobing"),
        ("ILIK \u0131l\u0131k İLİK", "ilik_ilik_ilik"),
        ("Ｆｕｌｌ Ｗｉｄｔｈ①", "full_width1"),  # noqa: RUF001
        ("_id", "_id"),
        ("__v", "_v"),
        ("\ufeffid", "id"),
        ("order", "order_"),
        ("USER", "user_"),
        ("account", "account"),
        ("xmin", "xmin_"),
    ],
)
def test_a_column_is_named_in_snake_case(source_name: str, name: str) -> None:
    assert standardise_column(source_name) == name
    assert _names([source_name]) == [name]


def test_composed_and_decomposed_letters_give_one_name() -> None:
    composed, decomposed = (unicodedata.normalize(form, "Prénom 名が") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert standardise_column(composed) == standardise_column(decomposed)
    only_kana = [unicodedata.normalize(form, "が") for form in ("NFC", "NFD")]
    assert len({standardise_column(name) for name in only_kana}) == 1


def test_a_name_of_another_script_is_stable_wherever_it_stands() -> None:
    assert _names(["名前", "住所"]) == list(reversed(_names(["住所", "名前"])))
    assert re.fullmatch(r"column_[0-9a-f]{8}", standardise_column("名前"))


def test_a_blank_name_is_its_position() -> None:
    assert _names(["id", "", " \t", "\ufeff"]) == ["id", "column_2", "column_3", "column_4"]


def test_a_blank_name_yields_to_a_column_that_is_really_called_so() -> None:
    assert _names(["Column 2", ""]) == ["column_2", "column_2_2"]


def test_repeated_names_are_numbered_exact_ones_first_then_by_source_name() -> None:
    assert _names(["a", "A", "a ", "a"]) == ["a", "a_3", "a_4", "a_2"]
    assert _names(["order", "Order", "ORDER_"]) == ["order_3", "order_2", "order_"]
    assert _names(["fullName", "Full Name"]) == ["full_name_2", "full_name"]
    assert _names(["fullName", "full_name", "Full Name"]) == ["full_name_3", "full_name", "full_name_2"]


def test_names_that_only_collide_after_numbering_are_numbered_too() -> None:
    assert _names(["a", "a", "a_2", "a_2_2", "a"]) == ["a", "a_3", "a_2", "a_2_2", "a_4"]
    assert _names(["a", "a_2", "a"]) == ["a", "a_2", "a_3"]


@pytest.mark.parametrize("taken", [*METADATA_COLUMNS, *STRATEGY_COLUMNS])
def test_a_source_cannot_take_the_name_of_a_column_that_penstock_adds(taken: str) -> None:
    assert _names([taken, taken.upper()]) == [f"{taken}_2", f"{taken}_3"]


def test_a_long_name_is_cut_and_told_apart_by_a_hash_of_the_whole() -> None:
    one, other = _names(["x" * 300, "x" * 301])
    assert (len(one), len(other)) == (63, 63)
    assert one[:55] == other[:55] == "x" * 54 + "_"
    assert one != other
    assert _names(["y", "x" * 300])[1] == one
    assert len(standardise_column("x" * 300, max_length=255)) == 255
    assert standardise_column("x" * 255, max_length=255) == "x" * 255


def test_repeated_long_names_stay_within_the_limit() -> None:
    seen = _names(["x" * 63] * 12)
    assert len(set(seen)) == 12
    assert {len(name) for name in seen} == {63}
    assert seen[-1].endswith("_12")


def test_the_source_names_are_kept_as_they_are_and_in_their_order() -> None:
    assert [column.source_name for column in standardise_columns(HOSTILE[:-1])] == HOSTILE[:-1]


@given(headers)
@example(HOSTILE)
def test_names_are_unique_valid_identifiers_that_need_no_quotes(header: list[str]) -> None:
    seen = _names(header)
    assert len(seen) == len(header)
    assert len(set(seen)) == len(seen)
    assert all(IDENTIFIER.fullmatch(name) and len(name) <= 63 for name in seen)
    assert not set(seen) & {*METADATA_COLUMNS, *STRATEGY_COLUMNS, *RESERVED_WORDS}


@given(headers, st.sampled_from([63, 255]))
@example(HOSTILE, 63)
def test_names_that_are_standard_already_stay(header: list[str], max_length: int) -> None:
    once = _names(header, max_length)
    assert _names(once, max_length) == once
    assert all(standardise_column(standardise_column(name)) == standardise_column(name) for name in header)


@given(st.lists(names.filter(lambda name: standardise_column(name) != "column_"), max_size=12), st.randoms())
@example(["fullName", "Full Name", "full_name", "FULL NAME"], random.Random(1))  # noqa: S311 - test data
def test_columns_that_change_places_keep_their_names(header: list[str], chance: random.Random) -> None:
    elsewhere = chance.sample(header, len(header))
    one, other = (
        sorted((column.source_name, column.name) for column in standardise_columns(order))
        for order in (header, elsewhere)
    )
    assert one == other


@given(headers, st.lists(st.sampled_from(["zz", "Zz 1", "z z"]), unique=True))
def test_columns_added_at_the_end_rename_nothing_that_they_do_not_collide_with(
    header: list[str], added: list[str]
) -> None:
    assert _names(header + added)[: len(header)] == _names(header)


@given(names)
def test_a_name_alone_is_named_as_it_is_in_a_header(name: str) -> None:
    alone = standardise_column(name)
    expected = {f"{alone}_2" if alone in {*METADATA_COLUMNS, *STRATEGY_COLUMNS} else alone}
    blank = {"column_1"} if alone == standardise_column("") else set()
    assert _names([name])[0] in expected | blank


def test_ten_thousand_equal_names_take_no_more_than_a_moment() -> None:
    assert _names(["id"] * 10_000)[-1] == "id_10000"


def test_every_word_that_duckdb_refuses_without_quotes_is_reserved() -> None:
    connection = duckdb.connect()
    keywords = [row[0] for row in connection.execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()]
    refused = {word for word in keywords if not _parses(connection, word)}
    assert "order" in refused
    assert refused <= RESERVED_WORDS


def _parses(connection: duckdb.DuckDBPyConnection, word: str) -> bool:
    try:
        connection.execute(f'SELECT {word} FROM (SELECT 1 AS "{word}") WHERE {word} = 1')
    except duckdb.Error:
        return False
    return True


def test_a_table_of_hostile_names_can_be_made_and_read_without_quotes() -> None:
    seen = _names([*HOSTILE, *sorted(RESERVED_WORDS)])
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE t ({', '.join(f'{name} TEXT' for name in seen)})")
    connection.execute(f"INSERT INTO t VALUES ({', '.join('?' for _ in seen)})", seen)
    assert connection.execute(f"SELECT {', '.join(seen)} FROM t").fetchone() == tuple(seen)
