"""Load strategies as a person writes them."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from penstock.strategy import WHOLE_SNAPSHOT_KINDS, LoadStrategy

STRATEGY: TypeAdapter[Any] = TypeAdapter(LoadStrategy)
SMALLEST: list[dict[str, Any]] = [
    {"kind": "full_refresh"},
    {"kind": "append"},
    {"kind": "partition", "column": "created_at"},
    {"kind": "incremental", "keys": ["id"]},
    {"kind": "historical", "keys": ["id"]},
    {"kind": "cdc", "keys": ["id"], "order_by": "lsn", "delete_column": "op"},
]


def _all_kinds() -> set[str]:
    union = typing.get_args(LoadStrategy)[0]
    return {typing.get_args(member.model_fields["kind"].annotation)[0] for member in typing.get_args(union)}


def test_every_kind_of_strategy_is_read_and_written_back() -> None:
    for written in SMALLEST:
        strategy = STRATEGY.validate_python(written)
        assert strategy.kind == written["kind"]
        assert STRATEGY.validate_json(STRATEGY.dump_json(strategy)) == strategy
    assert {written["kind"] for written in SMALLEST} == _all_kinds()


def test_only_strategies_that_exist_replace_the_whole_table() -> None:
    assert {"full_refresh"} == WHOLE_SNAPSHOT_KINDS
    assert _all_kinds() >= WHOLE_SNAPSHOT_KINDS


@pytest.mark.parametrize("written", SMALLEST, ids=lambda written: written["kind"])
def test_an_unknown_key_is_an_error_that_names_it(written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="key_columns"):
        STRATEGY.validate_python({**written, "key_columns": ["id"]})


@pytest.mark.parametrize("written", SMALLEST, ids=lambda written: written["kind"])
def test_a_strategy_does_not_change_after_it_was_read(written: dict[str, Any]) -> None:
    strategy = STRATEGY.validate_python(written)
    with pytest.raises(ValidationError, match="frozen"):
        strategy.kind = "append"


@pytest.mark.parametrize(
    ("kind", "needs"),
    [
        ("partition", {"column"}),
        ("incremental", {"keys"}),
        ("historical", {"keys"}),
        ("cdc", {"keys", "order_by", "delete_column"}),
    ],
)
def test_a_strategy_says_what_it_needs(kind: str, needs: set[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        STRATEGY.validate_python({"kind": kind})
    assert {error["loc"][-1] for error in caught.value.errors()} == needs


@pytest.mark.parametrize("kind", ["incremental", "historical", "cdc"])
def test_keys_are_not_an_empty_list(kind: str) -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        STRATEGY.validate_python({"kind": kind, "keys": []})


def test_the_kind_has_no_default_so_a_form_must_ask_for_it() -> None:
    with pytest.raises(ValidationError, match="discriminator"):
        STRATEGY.validate_python({"keys": ["id"]})
    with pytest.raises(ValidationError, match="merge"):
        STRATEGY.validate_python({"kind": "merge", "keys": ["id"]})


def test_every_strategy_has_a_title_and_a_description_for_the_form() -> None:
    for definition in STRATEGY.json_schema()["$defs"].values():
        assert definition["title"]
        assert definition["description"]
        assert "kind" in definition["required"]
        assert definition["additionalProperties"] is False
