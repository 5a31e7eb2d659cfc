"""Every complaint about a pipeline file names file, line and key, what was seen and expected, and what was meant."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from penstock.errors import ConfigurationError
from tasks.definitions.problems import DefinitionProblems, Problem
from tasks.definitions.reading import inspect_pipeline, read_pipeline

GOOD = """\
version: 1
pipeline: acme-daily
client: acme
source: {kind: gladly, connection: acme-gladly}
window: {kind: daily, timezone: America/New_York, lag: 1d}
load_strategy: {kind: append}
datasets:
  - {name: contacts, report: ContactTimestampsReport}
transform: {select: auto}
schedules: [{cron: "0 6 * * *", timezone: America/New_York}]
tags: [daily]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    client = tmp_path / "acme"
    client.mkdir()
    return client


def problems(folder: Path, text: str) -> list[Problem]:
    path = folder / "acme-daily.yaml"
    path.write_text(text)
    found = inspect_pipeline(path).problems
    assert all(one.path in (path, folder / "_defaults.yaml") for one in found)
    return sorted(found, key=lambda one: (one.line, one.column))


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_a_good_file_is_read(folder: Path) -> None:
    assert problems(folder, GOOD) == []
    assert read_pipeline(folder / "acme-daily.yaml").pipeline == "acme-daily"


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "key", "suggestion"),
    [
        ("tags:", "tag:", 11, 1, "tag", "tags"),
        ("load_strategy:", "loadStrategy:", 6, 1, "loadStrategy", "load_strategy"),
        ("timezone: America/New_York, lag", "timezon: America/New_York, lag", 5, 23, "window.timezon", "timezone"),
        ("report: Contact", "repport: Contact", 8, 22, "datasets[0].repport", "report"),
        ("connection:", "conection:", 4, 24, "source.conection", "connection"),
        ('{cron: "0', '{active: no, cro: "0', 10, 26, "schedules[0].cro", "cron"),
        ("{select: auto}", "{selects: auto}", 9, 13, "transform.selects", "select"),
    ],
)
def test_an_unknown_key_is_reported_where_it_stands_with_the_nearest_known_one(
    folder: Path, old: str, new: str, line: int, column: int, key: str, suggestion: str
) -> None:
    found = [one for one in problems(folder, changed(old, new)) if "unknown key" in one.message]
    assert [(one.line, one.column, one.key, one.suggestion) for one in found] == [(line, column, key, suggestion)]
    assert f"`{suggestion}`" in (found[0].expected or "")
    assert f"did you mean `{suggestion}`?" in str(found[0])


@pytest.mark.parametrize(
    ("old", "new", "key", "seen", "expected", "suggestion"),
    [
        ("version: 1", "version: 2", "version", "`2`", "`1`", None),
        (
            "pipeline: acme-daily",
            "pipeline: Acme_Daily",
            "pipeline",
            "`Acme_Daily`",
            "lower-case letters",
            "acme-daily",
        ),
        ("kind: daily", "kind: dayly", "window", "`dayly`", "`daily`, `intraday_relative`", "daily"),
        ("kind: append", "kind: upsert", "load_strategy", "`upsert`", "`incremental`", None),
        ("kind: append", "kind: Append", "load_strategy", "`Append`", "`append`", "append"),
        ("{select: auto}", "{select: atuo}", "transform.select", "`atuo`", "`auto`, `none` or a list", "auto"),
        ("{select: auto}", "{select: [5]}", "transform.select[0]", "a number", "text", None),
        ("{select: auto}", "{select: {a: 1}}", "transform.select", "a mapping", "`auto`, `none` or a list", None),
        ("tags: [daily]", "tags: daily", "tags", "text", "a list", None),
        ("[{cron", "[5, {cron", "schedules[0]", "a number", "a mapping", None),
        ("report: ContactTimestampsReport", "report: 5", "datasets[0].report", "a number", "text", None),
        ("lag: 1d", "lag: 1d, days: many", "window.days", "`many`", "a whole number", None),
        ("lag: 1d", "lag: 1d, days: 0", "window.days", "`0`", "at least 1", None),
        ("lag: 1d", "lag: 1d, days: null", "window.days", "nothing", "a whole number", None),
        ('{cron: "', '{active: perhaps, cron: "', "schedules[0].active", "`perhaps`", "`true` or `false`", None),
        ("report: Cont", "export: custmers #", "datasets[0].export", "`custmers`", "`customers`", "customers"),
    ],
)
def test_a_wrong_value_says_what_was_seen_what_was_expected_and_what_was_meant(
    folder: Path, old: str, new: str, key: str, seen: str, expected: str, suggestion: str | None
) -> None:
    text = changed(old, new).replace("#", "}\n  #") if "#" in new else changed(old, new)
    found = problems(folder, text)
    assert [one.key for one in found] == [key], found
    assert found[0].seen == seen
    assert expected in (found[0].expected or "")
    assert found[0].suggestion == suggestion


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("version: 1\n", "", 1, "`version` is missing"),
        ("client: acme\n", "", 1, "`client` is missing"),
        ("source: {kind: gladly, connection: acme-gladly}\n", "", 1, "`source` is missing"),
        ("{kind: gladly, connection: acme-gladly}", "{kind: gladly}", 4, "`connection` is missing"),
        ("{kind: gladly, connection: acme-gladly}", "{connection: acme-gladly}", 4, "`source` lacks its `kind`"),
        ("kind: daily, ", "", 5, "`window` lacks its `kind`"),
        ("name: contacts, ", "", 8, "`name` is missing"),
        ("{kind: append}", "{kind: incremental}", 6, "`keys` is missing"),
    ],
)
def test_what_is_missing_is_reported_at_what_it_is_missing_from(
    folder: Path, old: str, new: str, line: int, message: str
) -> None:
    assert [(one.line, one.message) for one in problems(folder, changed(old, new))] == [(line, message)]


def test_a_union_complains_about_the_chosen_variant_only(folder: Path) -> None:
    found = problems(folder, changed("lag: 1d", "lag: 1d, lookback: 3d, start: 2026-01-01"))
    assert [(one.key, one.message) for one in found] == [
        ("window.lookback", "unknown key `lookback`"),
        ("window.start", "unknown key `start`"),
    ]
    assert all("align" not in (one.expected or "") for one in found)


def test_all_problems_of_a_file_are_found_at_once(folder: Path) -> None:
    text = (
        GOOD.replace("version: 1", "version: 2")
        .replace("kind: daily", "kind: dayly")
        .replace("report: Contact", "repport: Contact")
        .replace('"0 6 * * *", timezone: America/New_York', '"0 6 * *", timezone: Mars/One')
        .replace("tags: [daily]", "tag: [daily]")
    )
    found = problems(folder, text)
    assert [(one.line, one.key) for one in found] == [
        (1, "version"),
        (5, "window"),
        (8, "datasets[0].repport"),
        (10, "schedules[0].cron"),
        (10, "schedules[0].timezone"),
        (11, "tag"),
    ]


def test_an_unknown_key_does_not_hide_what_the_rest_of_the_file_means(folder: Path) -> None:
    found = problems(folder, changed("lag: 1d", "lag: 1d, days: 7").replace("tags:", "tgas:"))
    assert [one.key for one in found] == ["load_strategy", "tgas"]
    assert "overlap" in found[0].message


def test_duplicate_keys_and_wrong_values_are_reported_together(folder: Path) -> None:
    found = problems(folder, GOOD + "tags: [again]\nversionn: 3\n")
    assert [(one.line, one.key) for one in found] == [(12, "tags"), (13, "versionn")]


def test_a_cron_expression_is_explained(folder: Path) -> None:
    (found,) = problems(folder, changed("0 6 * * *", "0 25 * * *"))
    assert (found.line, found.column, found.key) == (10, 14, "schedules[0].cron")
    assert "bad hour" in found.message


def test_an_unknown_kind_of_source_is_reported_with_everything_else(folder: Path) -> None:
    found = problems(folder, changed("kind: gladly", "kind: gladdly").replace("tags:", "tgas:"))
    assert [(one.line, one.column, one.key, one.suggestion) for one in found] == [
        (4, 10, "source.kind", "gladly"),
        (11, 1, "tgas", "tags"),
    ]


def test_a_dataset_that_names_two_things_says_which(folder: Path) -> None:
    (found,) = problems(folder, changed("report: Contact", "collection: agents, report: Contact"))
    assert (found.line, found.key) == (8, "datasets[0]")
    assert all(word in found.message for word in ("report", "export", "collection"))


def test_a_strategy_of_the_pipeline_that_does_not_fit_is_reported_where_it_stands(folder: Path) -> None:
    (found,) = problems(folder, changed("{kind: append}", "{kind: incremental, keys: [id, _loaded_at]}"))
    assert (found.line, found.column, found.key) == (6, 47, "load_strategy.keys[1]")


def test_a_dataset_without_window_is_reported_with_both_places_to_put_it(folder: Path) -> None:
    text = GOOD.replace("window: {kind: daily, timezone: America/New_York, lag: 1d}\n", "")
    (found,) = problems(folder, text)
    assert (found.line, found.key) == (1, "window")
    assert "top of the pipeline" in str(found)
    assert "in each dataset" in str(found)


def test_reading_a_bad_file_raises_every_problem_and_survives_another_process(folder: Path) -> None:
    problems(folder, changed("kind: daily", "kind: dayly").replace("tags:", "tgas:"))
    with pytest.raises(DefinitionProblems) as caught:
        read_pipeline(folder / "acme-daily.yaml")
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert isinstance(error, ConfigurationError)
    assert [one.key for one in error.problems] == ["window", "tgas"]
    assert (error.errors, error.files) == (2, 1)
    assert f"{folder / 'acme-daily.yaml'}:5:1: window: unknown kind; seen `dayly`" in str(error)


def test_a_warning_does_not_stop_a_file_from_being_read(folder: Path) -> None:
    (found,) = problems(folder, changed("report: ContactTimestampsReport", "report: ContactTimestampReport"))
    assert not found.is_error
    assert found.suggestion == "ContactTimestampsReport"
    assert read_pipeline(folder / "acme-daily.yaml").client == "acme"


def test_what_a_client_shares_lies_underneath_its_pipelines(folder: Path) -> None:
    (folder / "_defaults.yaml").write_text(
        "version: 1\nclient: acme\nwindow: {kind: daily, timezone: Europe/Berlin, lag: 3d}\ntags: [shared, other]\n"
    )
    text = (
        GOOD.replace("version: 1\n", "")
        .replace("client: acme\n", "")
        .replace(", timezone: America/New_York, lag", ", lag")
    )
    assert problems(folder, text) == []
    spec = read_pipeline(folder / "acme-daily.yaml")
    assert spec.window is not None
    assert (spec.window.timezone, spec.window.lag) == ("Europe/Berlin", "1d")  # type: ignore[union-attr]
    assert spec.tags == ("daily",)


def test_a_default_of_another_kind_is_replaced_and_not_mixed_in(folder: Path) -> None:
    (folder / "_defaults.yaml").write_text("load_strategy: {kind: incremental, keys: [id], order_by: updated_at}\n")
    assert problems(folder, GOOD) == []


def test_a_problem_in_the_defaults_points_at_the_defaults(folder: Path) -> None:
    (folder / "_defaults.yaml").write_text("# shared\nversion: 1\nwindow: {lagg: 1d}\nclint: acme\n")
    found = problems(folder, GOOD)
    assert [(one.path.name, one.line, one.column, one.suggestion) for one in found] == [
        ("_defaults.yaml", 3, 10, "lag"),
        ("_defaults.yaml", 4, 1, "client"),
    ]


def test_defaults_that_are_no_yaml_are_reported_with_the_rest(folder: Path) -> None:
    (folder / "_defaults.yaml").write_text("a: 'open\n")
    found = problems(folder, changed("tags:", "tgas:"))
    assert sorted((one.path.name, one.line) for one in found) == [("_defaults.yaml", 2), ("acme-daily.yaml", 11)]
