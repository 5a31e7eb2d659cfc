"""Pydantic's errors in the words of the file: what is wrong, what was expected, what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from penstock.findings import nearest
from penstock.platform import BLOCK_PATTERN
from penstock.spec import NAME_PATTERN, TABLE_PATTERN
from tasks.definitions.schema_walk import Place, field_of, keys_of, tags_of, union_members
from tasks.definitions.tree import Items, Mapping, Node, Scalar

TOO_SHORT = "too short"

_SHOWN_CHARACTERS = 60

_PATTERNS = {
    NAME_PATTERN: "lower-case letters and digits, in words joined by one hyphen, as in `acme-daily`",
    BLOCK_PATTERN: "`<block type>/<block name>`, such as `penstock-gladly/warbyparker`",
    TABLE_PATTERN: "lower-case letters, digits and underscores, without a digit in front, as in `order_items`",
}

_TYPES = {
    "string_type": "text (numbers and dates in quotes)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "path_type": "the path of a file or folder",
    "datetime_type": "a time such as `2026-01-31T00:00:00Z`",
    "datetime_parsing": "a time such as `2026-01-31T00:00:00Z`",
    "datetime_from_date_parsing": "a time such as `2026-01-31T00:00:00Z`",
    "timezone_aware": "a time with its offset, such as `2026-01-31T00:00:00Z`",
    "time_type": "a time of day such as `06:30`",
    "time_parsing": "a time of day such as `06:30`",
}

_COMPARISONS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}

# Errors about a value itself. The others are about its type, and then only the type is shown: where a list or a number
# stands in a secret's place, nothing of it is.
_ABOUT_THE_VALUE = frozenset(
    {"literal_error", "union_tag_invalid", "string_pattern_mismatch", "value_error", "time_parsing", "timezone_aware"}
    | {"int_parsing", "float_parsing", "bool_parsing", "datetime_parsing", "datetime_from_date_parsing"}
    | {"int_from_float", *_COMPARISONS}
)


class Wording(NamedTuple):
    """The words for one error."""

    message: str
    seen: str | None = None
    expected: str | None = None
    suggestion: str | None = None


def word(error: ErrorDetails, place: Place) -> Wording:
    """Returns the words for an error at a place; no secret and nothing from the environment is among them."""
    kind = error["type"]
    key = str(place.path[-1]) if place.path else ""
    if kind == "missing":
        return Wording(f"`{key}` is missing", expected=_description(place))
    if kind == "extra_forbidden":
        known = list(keys_of(place.owner)) if place.owner else []
        return Wording(f"unknown key `{key}`", expected=_one_of(known), suggestion=nearest(key, known))
    if kind == "union_tag_not_found":
        return Wording(f"`{key}` lacks its `kind`", expected=f"kind: {_one_of(_known_tags(place))}")
    if kind == "union_tag_invalid":
        known = _known_tags(place)
        tag = _written_kind(place.node)
        return Wording("unknown kind", f"`{_short(tag)}`", _one_of(known), nearest(tag, known))
    return _about_value(error, place)


def seen(node: Node | None, *, is_value_shown: bool) -> str | None:
    """Returns what stands at a place: a value as it is written, or only what sort of thing it is."""
    if node is None:
        return None
    if not isinstance(node, Scalar):
        return "a list" if isinstance(node, Items) else "a mapping"
    if node.value is None:
        return "nothing"
    if is_value_shown:
        return f"`{_short(node.text)}`"
    if isinstance(node.value, bool):
        return "true or false"
    return "text" if isinstance(node.value, str) else "a number"


def _about_value(error: ErrorDetails, place: Place) -> Wording:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_pattern_mismatch" and "[key]" in error["loc"]:
        key, pattern = str(place.path[-1]), context["pattern"]
        return Wording(
            "a name is not written as it has to be", f"`{_short(key)}`", _pattern(pattern), _repaired(key, pattern)
        )
    shown = seen(place.node, is_value_shown=kind in _ABOUT_THE_VALUE and not place.is_secret)
    text = place.node.text if isinstance(place.node, Scalar) and not place.is_secret else ""
    if kind == "value_error":
        return Wording(_without_value(str(context["error"]), place.node), shown)
    if kind == "literal_error":
        known = literals_of(place.annotation)
        expected = _one_of(known) or f"`{context['expected']}`"
        return Wording("not one of the values allowed here", shown, expected, nearest(text, known))
    if kind == "string_pattern_mismatch":
        pattern = context["pattern"]
        return Wording("not written as it has to be", shown, _pattern(pattern), _repaired(text, pattern))
    if kind in _TYPES:
        return Wording("not the right sort of value", shown, _TYPES[kind])
    return _about_size(error, shown)


def _about_size(error: ErrorDetails, shown: str | None) -> Wording:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _COMPARISONS:
        name, words = _COMPARISONS[kind]
        return Wording("out of range", shown, f"{words} {context[name]:g}")
    if kind in {"too_short", "string_too_short"}:
        return Wording(TOO_SHORT, shown, f"at least {context.get('min_length')}")
    if kind in {"too_long", "string_too_long"}:
        return Wording("too long", shown, f"at most {context.get('max_length')}")
    return Wording(_lowered(error["msg"]), shown)


def literals_of(annotation: Any) -> list[str]:
    """Returns the fixed texts that a type allows."""
    return [
        value
        for member in union_members(annotation)
        if get_origin(member) is Literal
        for value in get_args(member)
        if isinstance(value, str)
    ]


def _known_tags(place: Place) -> list[str]:
    return [tag for member in union_members(place.annotation) for tag in sorted(tags_of(member))]


def _written_kind(node: Node | None) -> str:
    """Returns a mapping's `kind` or `engine` as it is written, for the value may have come from the environment."""
    entries = node.entries if isinstance(node, Mapping) else {}
    entry = entries.get("kind") or entries.get("engine")
    return entry.value.text if entry and isinstance(entry.value, Scalar) else ""


def _description(place: Place) -> str | None:
    owner: type[BaseModel] | None = place.owner
    field = field_of(owner, str(place.path[-1])) if owner else None
    if field is None:
        return None
    known = literals_of(field.annotation)
    return _one_of(known) or (field.description.rstrip(".") if field.description else None)


def _pattern(pattern: str) -> str:
    return _PATTERNS.get(pattern, f"text that matches {pattern}")


def _repaired(text: str, pattern: str) -> str | None:
    joint = {NAME_PATTERN: "-", TABLE_PATTERN: "_"}.get(pattern)
    if joint is None:
        return None
    words = "".join(character if character.isascii() and character.isalnum() else " " for character in text.lower())
    return joint.join(words.split()) or None


def _one_of(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _without_value(message: str, node: Node | None) -> str:
    """Returns one of our validators' messages with a value from the environment replaced by its reference."""
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value and node.value != node.text:
        return message.replace(node.value, node.text)
    return message


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
