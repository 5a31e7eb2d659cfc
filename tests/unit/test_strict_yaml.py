from __future__ import annotations

from pathlib import Path

import pytest

from tasks.definitions.problems import Problem
from tasks.definitions.strict_yaml import MAXIMUM_DEPTH, parse_yaml, read_yaml
from tasks.definitions.tree import Mapping, plain

HERE = Path("file.yaml")


def values(text: str) -> object:
    tree, problems = parse_yaml(text, HERE)
    assert problems == []
    assert tree is not None
    return plain(tree)


def only_problem(text: str) -> Problem:
    _, problems = parse_yaml(text, HERE)
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:30", "10:30"),
        ("09:00", "09:00"),
        ("no", "no"),
        ("on", "on"),
        ("NO", "NO"),
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z"),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("+7", 7),
        ("007", 7),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("'7'", "7"),
        ('"true"', "true"),
        ("!!str 7", "7"),
        ("9" * 30, 10**30 - 1),
        ("9" * 5000, "9" * 5000),
        ("1e999", "1e999"),
        ("1.", 1.0),
        ("1.2.3", "1.2.3"),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(text: str, expected: object) -> None:
    assert values(f"key: {text}\n") == {"key": expected}


def test_values_know_where_they_stand() -> None:
    tree, _ = parse_yaml("a: 1\nlist:\n  - x\n  - deep: {inner: y}\n", HERE)
    assert isinstance(tree, Mapping)
    items = tree.entries["list"].value.items  # type: ignore[union-attr]
    assert (items[0].mark.line, items[0].mark.column) == (3, 5)
    deep = items[1].entries["deep"]
    assert (deep.key_mark.line, deep.key_mark.column) == (4, 5)
    assert deep.value.entries["inner"].key_mark == (HERE, 4, 12)


def test_every_duplicate_key_is_reported_with_both_lines_and_its_path() -> None:
    tree, problems = parse_yaml("a: 1\nb:\n  - {x: 1, x: 2}\na: 2\na: 3\n", HERE)
    assert [(one.line, one.column, one.key) for one in problems] == [(3, 12, "b[0].x"), (4, 1, "a"), (5, 1, "a")]
    assert "line 1" in problems[1].guidance
    assert tree is not None
    assert plain(tree)["a"] == 1  # type: ignore[index, call-overload]


def test_every_line_that_a_tab_indents_is_reported() -> None:
    _, problems = parse_yaml("a:\n\tb: 1\n  \tc: 2\nd: a\tb\n", HERE)
    assert [one.line for one in problems] == [2, 3]
    assert "tab" in problems[0].message
    assert values("d: a\tb\n") == {"d": "a\tb"}


def test_anchors_aliases_and_merge_keys_work_and_own_keys_win() -> None:
    text = (
        "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nx: {<<: *base, b: 9}\ny: {<<: [*base, *more]}\nz: *more\n"
    )
    found = values(text)
    assert found["x"] == {"a": 1, "b": 9}  # type: ignore[index, call-overload]
    assert found["y"] == {"a": 1, "b": 2, "c": 4}  # type: ignore[index, call-overload]
    assert found["z"] == {"b": 3, "c": 4}  # type: ignore[index, call-overload]


def test_an_unknown_anchor_names_the_known_ones() -> None:
    problem = only_problem("a: &daily {x: 1}\nb: *dayly\n")
    assert (problem.line, problem.column) == (2, 4)
    assert "&dayly" in problem.message
    assert "&daily" in problem.guidance


def test_an_anchor_that_holds_itself_is_refused() -> None:
    assert "&x" in only_problem("a: &x [*x]").message


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    lines = ["a0: &a0 [1]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert "100,000" in only_problem("\n".join(lines)).message


@pytest.mark.parametrize("bracket", ["[", "{", "- "])
def test_endless_nesting_is_refused_instead_of_ending_the_process(bracket: str) -> None:
    problem = only_problem(f"a: {bracket * 100_000}" if bracket != "- " else bracket * 100_000)
    assert str(MAXIMUM_DEPTH) in problem.message


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a: 1\nb: !!python/object/apply:os.system ['true']\n", 2, "tag"),
        ("a: !secret x\n", 1, "tag"),
        ("a: !!int '5'\n", 1, "tag"),
        ("a: 1\n---\nb: 2\n", 2, "one document"),
        ("? [a, b]\n: 1\n", 1, "key"),
        ("a: 1\nb: 'open\n", 3, "not YAML"),
        ("a: b: c\n", 1, "not YAML"),
        ("a: @x\n", 1, "not YAML"),
        ("ä: é\nb: \x07\n", 2, "character"),
        ("- a\n- b\n", 1, "not a mapping"),
        ("just text\n", 1, "not a mapping"),
        ("", 1, "not a mapping"),
        ("# only a comment\n", 1, "not a mapping"),
        ("a: {<<: 5}\n", 1, "merged"),
    ],
)
def test_hostile_text_is_one_problem_with_its_line(text: str, line: int, word: str) -> None:
    problem = only_problem(text)
    assert problem.line == line
    assert word in problem.message


def test_a_file_that_is_not_utf8_says_so_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("a: 1\nb: é\n".encode("latin-1"))
    tree, problems = read_yaml(path)
    assert tree is None
    assert [(one.path, one.line) for one in problems] == [(path, 2)]
    assert "UTF-8" in problems[0].message


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: two\r\n")
    tree, problems = read_yaml(path)
    assert problems == []
    assert tree is not None
    assert plain(tree) == {"a": 1, "b": "two"}


def test_a_file_that_cannot_be_read_or_is_too_large_is_a_problem(tmp_path: Path) -> None:
    _, missing = read_yaml(tmp_path / "none.yaml")
    assert "cannot be read" in missing[0].message
    large = tmp_path / "large.yaml"
    large.write_text("# " + "x" * 2_000_001)
    _, problems = read_yaml(large)
    assert "2,000,000" in problems[0].message
