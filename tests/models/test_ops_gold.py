"""Operational performance over eleven weeks of the sandbox's incidents and objectives, held against its own answers."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from deployments.dbt_sources import dbt_files
from penstock.artifacts import Interval
from penstock.pipeline import PipelineSpec, expand
from sandbox.server import Sandbox
from tasks.definitions.project import Project
from tasks.definitions.reading import read_pipeline
from tests.models.bronze import query
from tests.models.dbt_process import PROJECT, DbtProcess
from tests.models.gold_build import WITHOUT_UNIT_TESTS, Built
from tests.models.incident_clock import (
    Timed,
    count_reopened,
    hash_services,
    key_of,
    services_of,
    sum_weeks,
    time_incident,
)
from tests.models.objective_clock import ObjectiveDay, attained, datadog_days, nobl9_days
from tests.models.ops_bronze import FIRST, INCIDENTS, LATER, NOW, load_pipeline, operations, read_dataset, read_orbit

ROOT = PROJECT.parent
LINE = "  - {name: mobile, connection: orbit-mobile-incidents}\n"
FOURTH = LINE.replace("mobile", "east")
FACTS = """
    SELECT workspace, incident_id, reference, status_category, temperature, reported_date, time_to_detect_seconds,
           time_to_respond_seconds, time_to_resolve_seconds, round(impact_minutes, 6), negative_span_count,
           reopen_count, exclusion_reason, resolved_at IS NOT NULL, is_counted = (exclusion_reason IS NULL),
           is_reopened = (reopen_count > 0)
    FROM gold.fct_ops__incidents
"""


class Truth(NamedTuple):
    """Of each incident, by workspace and id: its page, its times, and its services."""

    pages: Mapping[tuple[str, str], Mapping[str, Any]]
    incidents: Mapping[tuple[str, str], Timed]
    services: Mapping[tuple[str, str], set[str]]
    catalog: Mapping[str, str]
    listed: Mapping[tuple[str, str], str]


class Grown(NamedTuple):
    """A warehouse three days and one workspace later, built once more, and what was there before."""

    warehouse: Path
    before: Path
    truth: Truth
    emptied: str


def learn(sandbox: Sandbox, pipeline: PipelineSpec, at: Any) -> Truth:
    """Asks every workspace for everything, as of a moment; services by the newest name that was ever read."""
    truth = Truth({}, {}, {}, {}, {})
    for moment in (FIRST, at):
        sandbox.clock.set(moment)
        read = {
            (one.spec.name, one.instance): read_dataset(
                sandbox, pipeline.source, one, Interval(start=None, end=None, as_of=moment)
            )
            for one in expand(pipeline)
            if one.spec.name in {"incidents", "incident_updates", "catalog_entries", "catalog_types"}
        }
        listed = {
            (workspace, entry["id"]): entry["name"]
            for (name, workspace), entries in read.items()
            if name == "catalog_entries"
            for entry in entries
            if entry["attribute_values"]
        }
        truth.catalog.update({entry: name for (_, entry), name in listed.items()})
        truth.listed.clear()
        truth.listed.update(listed)
    for workspace in {instance for _, instance in read}:
        reopened = count_reopened(read["incident_updates", workspace])
        for page in read["incidents", workspace]:
            key = (workspace, page["id"])
            truth.pages[key] = page
            truth.incidents[key] = time_incident(workspace, page, reopened[page["id"]])
            truth.services[key] = services_of(workspace, page, truth.catalog)
    return truth


@pytest.fixture(scope="module")
def truth() -> Truth:
    with operations() as sandbox:
        return learn(sandbox, read_orbit(INCIDENTS), NOW)


@pytest.fixture(scope="module")
def grown(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """Adds a line to the pipeline file and nothing else, and runs the pipeline and dbt as they run every hour."""
    folder = tmp_path_factory.mktemp("grown")
    clients = shutil.copytree(ROOT / "deployments" / "clients", folder / "deployments" / "clients")
    changed = clients / "orbit" / f"{INCIDENTS}.yaml"
    text = changed.read_text(encoding="utf-8")
    assert LINE in text
    changed.write_text(text.replace(LINE, LINE + FOURTH), encoding="utf-8")
    project = shutil.copytree(PROJECT, folder / "dbt")
    for path, compiled in dbt_files(map(read_pipeline, Project(folder).pipeline_paths()), ()).items():
        (project / path).write_text(compiled, encoding="utf-8")

    warehouse = Path(shutil.copy(built.warehouse, folder / "warehouse.duckdb"))
    pipeline = read_pipeline(changed)
    with operations(LATER) as sandbox:
        load_pipeline(warehouse, folder / "lake", sandbox, read_orbit(INCIDENTS), since=NOW)
        load_pipeline(warehouse, folder / "lake", sandbox, pipeline, instance="east")
        found = learn(sandbox, pipeline, LATER)
    emptied = _take_services_away(warehouse)
    dbt = DbtProcess(folder, warehouse, project=project)
    ended = dbt.run("build", "--select", "source:orbit_incident_io+", *WITHOUT_UNIT_TESTS)
    assert ended.returncode == 0, ended.stdout[-4000:]
    return Grown(warehouse, built.warehouse, found, emptied)


def _take_services_away(warehouse: Path) -> str:
    """Leaves an old incident without services, as if somebody had edited it, and returns its id."""
    table = "orbit_bronze.incident_io__platform__incidents"
    with duckdb.connect(str(warehouse)) as connection:
        chosen = "contains(custom_field_entries, 'external_id') AND updated_at < '2026-03'"
        ((incident,),) = connection.execute(f"SELECT max(id) FROM {table} WHERE {chosen}").fetchall()
        connection.execute(f"UPDATE {table} SET custom_field_entries = '[]' WHERE id = ?", [incident])
    return str(incident)


def _expected(key: tuple[str, str], one: Timed) -> tuple[object, ...]:
    minutes = None if one.impact_minutes is None else round(one.impact_minutes, 6)
    times = (one.detect, one.respond, one.resolve, minutes)
    counts = (one.negatives, one.reopened, one.excluded, one.is_resolved, True, True)
    return (*key, one.reference, one.category, one.temperature, one.reported_on, *times, *counts)


def _is_near(found: Sequence[Any], expected: Sequence[Any], tolerance: float) -> bool:
    """Returns whether the numbers agree; nothing agrees with nothing alone."""
    return all(
        one is None if other is None else one is not None and abs(one - other) <= tolerance
        for one, other in zip(found, expected, strict=True)
    )


def _sets(warehouse: Path) -> dict[tuple[str, str], tuple[set[str], str]]:
    rows = query(
        warehouse,
        """
        SELECT workspace, incident_id, list(service_name), any_value(services_hash), count(DISTINCT services_hash),
               sum(service_share), max(service_count)
        FROM gold.bridge_ops__incident_service
        JOIN gold.fct_ops__incidents USING (incident_key)
        JOIN gold.dim_ops__services USING (service_key)
        GROUP BY ALL
        """,
    )
    for *_, names, _, hashes, shares, count in rows:
        assert (hashes, round(shares, 6), count) == (1, 1, len(names))
    return {(row[0], row[1]): (set(row[2]), row[3]) for row in rows}


def test_every_incidents_times_agree_with_its_own_page(built: Built, truth: Truth) -> None:
    found = {(row[0], row[1]): row for row in query(built.warehouse, FACTS)}
    assert found == {key: _expected(key, one) for key, one in truth.incidents.items()}


def test_the_pages_hold_what_makes_incidents_hard(truth: Truth) -> None:
    incidents = truth.incidents.values()
    assert {one.excluded for one in incidents} == {None, "test", "tutorial", "declined", "merged", "canceled"}
    assert {one.temperature for one in incidents} == {None, "hot", "warm", "cold"}
    assert sum(one.reopened > 0 for one in incidents) > 5
    assert sum(one.negatives > 0 for one in incidents) > 5
    assert {one.respond for one in incidents if one.workspace == "mobile"} == {None}
    assert sum(page["mode"] == "retrospective" for page in truth.pages.values()) > 5
    # People corrected times days after the first load, of incidents that were over before it.
    late = [
        page
        for page in truth.pages.values()
        if page["created_at"] < "2026-04-02" and page["updated_at"] > "2026-04-05T06"
    ]
    assert late
    for zone_changes_at in ("2026-03-08T07", "2026-03-29T01", "2026-04-04T16"):
        assert any(_spans(page, zone_changes_at) for page in truth.pages.values())


def _spans(page: Mapping[str, Any], moment: str) -> bool:
    times = [entry["value"]["value"] for entry in page["incident_timestamp_values"] if entry.get("value")]
    return min(times) < moment < max(times)


def test_times_agree_with_the_durations_that_workspaces_keep_themselves(built: Built, truth: Truth) -> None:
    columns = {"Time to detect": 6, "Time to identify": 6, "Time to resolve": 8}
    found = {(row[0], row[1]): row for row in query(built.warehouse, FACTS)}
    compared: Counter[str] = Counter()
    for key, page in truth.pages.items():
        for metric in page["duration_metrics"]:
            name = metric["duration_metric"]["name"]
            if name in columns and "value_seconds" in metric:
                # Gold cuts both ends to seconds, the API their difference.
                assert found[key][columns[name]] == pytest.approx(metric["value_seconds"], abs=1)
                compared[name] += 1
    assert min(compared[name] for name in columns) > 100


def test_the_bridge_has_each_incidents_services_and_the_hash_of_their_set(built: Built, truth: Truth) -> None:
    expected = {key: (services, hash_services(services)) for key, services in truth.services.items()}
    assert _sets(built.warehouse) == expected
    assert {len(services) for services, _ in expected.values()} >= {1, 2, 3}


def test_services_are_those_of_catalogues_and_incidents(built: Built, truth: Truth) -> None:
    found = query(
        built.warehouse,
        "SELECT service_name, service_key, is_listed, workspace_count, catalog_entry_count FROM gold.dim_ops__services",
    )
    known = {name.lower() for name in truth.catalog.values()}
    used = {name for services in truth.services.values() for name in services}
    measured = {one.service for one in [*datadog_days().values(), *nobl9_days().values()]}
    listed = Counter(name.lower() for name in truth.listed.values())
    places = {
        name: len({workspace for (workspace, _), one in truth.listed.items() if one.lower() == name}) for name in listed
    }
    names = known | used | {"(none)"}
    assert measured < names
    assert sorted(found) == sorted(
        (name, key_of(name), name in listed, places.get(name, 0), listed[name]) for name in names
    )
    # Some were deleted or have another name by now, and one was imported twice in each of three workspaces.
    by_name = {row[0]: row for row in found}
    assert any(not row[2] for name, row in by_name.items() if name in used - {"(none)"})
    assert by_name["checkout"][3:] == (3, 6)


def test_weeks_sum_what_counts_and_count_what_does_not(built: Built, truth: Truth) -> None:
    found = query(
        built.warehouse,
        """
        SELECT week_date, workspace, temperature, incident_count, excluded_count, reopened_count, unresolved_count,
               negative_span_count, round(impact_minutes, 6), round(average_time_to_resolve_seconds, 6),
               round(p50_time_to_resolve_seconds, 6), round(p90_time_to_resolve_seconds, 6)
        FROM gold.agg_ops__incidents_weekly
        """,
    )
    expected = sum_weeks(truth.incidents.values())
    assert {row[:3] for row in found} == set(expected)
    for row in found:
        assert _is_near(row[3:], expected[row[:3]], 1e-6), row[:3]


def test_each_day_of_an_objective_is_what_was_measured(built: Built) -> None:
    found = query(
        built.warehouse,
        """
        SELECT slo_id, date_day, service_name, target_share, sli_share, good_count, total_count,
               error_budget_remaining_share, is_corrected, is_met, measured_over
        FROM gold.fct_ops__slo_daily
        JOIN gold.dim_ops__services USING (service_key)
        """,
    )
    expected = {**datadog_days(), **nobl9_days()}
    assert {(row[0], row[1]) for row in found} == set(expected)
    for row in found:
        one = expected[row[0], row[1]]
        # Datadog rounds its percent to four places, and a budget is that by a hundredth and less.
        assert _is_near(row[3:8], (one.target, one.share, one.good, one.total, one.budget), 2e-3), row
        assert _is_near(row[4:5], (one.share,), 1e-6), row
        assert (row[2], *row[8:]) == (one.service, one.is_corrected, one.is_met, "rolling" if "/" in row[0] else "day")
    assert {one.is_met for one in expected.values()} == {None, True, False}
    assert any(one.is_corrected for one in expected.values())


def test_a_month_attains_by_events_by_days_or_by_the_last_reading(built: Built) -> None:
    found = query(
        built.warehouse,
        """
        SELECT slo_id, month_date, sli_share, is_met, measured_day_count, met_day_count, corrected_day_count
        FROM gold.rpt_ops__slo_attainment
        """,
    )
    days: list[ObjectiveDay] = [*datadog_days().values()]
    expected = attained(days, is_rolling=False) | attained([*nobl9_days().values()], is_rolling=True)
    assert {row[:2] for row in found} == set(expected)
    for row in found:
        share, *verdict = expected[row[:2]]
        assert _is_near(row[2:3], (share,), 2e-6), row
        assert list(row[3:]) == verdict
    assert len({row[1] for row in found}) == 2


def test_a_fourth_workspace_is_a_line_in_the_pipeline_file_and_no_sql(grown: Grown) -> None:
    found = {(row[0], row[1]): row for row in query(grown.warehouse, FACTS) if row[0] == "east"}
    assert found == {key: _expected(key, one) for key, one in grown.truth.incidents.items() if key[0] == "east"}
    # All of them are older than what the other workspaces had loaded last, and are there all the same.
    assert len(found) > 100
    assert {row[4] for row in found.values()} == {None, "hot", "warm"}


def test_workspaces_and_monitors_that_were_never_loaded_are_left_out(spare: Built) -> None:
    with duckdb.connect(str(spare.warehouse)) as connection:
        connection.execute("DROP SCHEMA silver CASCADE; DROP SCHEMA gold CASCADE")
        others = """
            SELECT table_name
            FROM information_schema.tables
            WHERE table_schema = 'orbit_bronze' AND regexp_matches(table_name, '^(incident_io__mobile|nobl9)__')
        """
        for (table,) in connection.execute(others).fetchall():
            connection.execute(f"DROP TABLE orbit_bronze.{table}")
    loaded = ["source:orbit_incident_io+", "source:orbit_datadog_slo+"]
    ended = spare.dbt.run("build", *WITHOUT_UNIT_TESTS, "--select", *loaded)
    assert ended.returncode == 0, ended.stdout[-3000:]
    workspaces = "SELECT DISTINCT workspace FROM gold.fct_ops__incidents ORDER BY workspace"
    assert query(spare.warehouse, workspaces) == [("payments",), ("platform",)]
    assert query(spare.warehouse, "SELECT DISTINCT provider FROM gold.fct_ops__slo_daily") == [("datadog",)]


def test_a_later_run_restates_what_was_changed_since(truth: Truth, grown: Grown) -> None:
    found = {(row[0], row[1]): row for row in query(grown.warehouse, FACTS)}
    expected = {key: _expected(key, one) for key, one in grown.truth.incidents.items()}
    assert found == expected
    known = set(truth.incidents)
    changed = [key for key in known if _expected(key, truth.incidents[key]) != expected[key]]
    assert len(changed) > 5
    assert len(expected) > len(known)


def test_rows_of_the_bridge_change_only_with_the_set(grown: Grown) -> None:
    select = "SELECT * FROM gold.bridge_ops__incident_service"
    before, after = query(grown.before, select), query(grown.warehouse, select)
    ((emptied,),) = query(
        grown.warehouse, "SELECT incident_key FROM gold.fct_ops__incidents WHERE incident_id = ?", [grown.emptied]
    )
    was, sets = _sets(grown.before), _sets(grown.warehouse)
    changed = {key_of(*key) for key in was if was[key] != sets[key]}
    assert emptied in changed
    assert sets["platform", grown.emptied][0] == {"(none)"}
    assert {row for row in before if row[1] not in changed} <= set(after)
    expected = {
        key: hash_services(services) for key, services in grown.truth.services.items() if key[1] != grown.emptied
    }
    assert {key: one[1] for key, one in sets.items() if key[1] != grown.emptied} == expected


def test_nobody_who_worked_on_an_incident_is_named_in_silver_or_gold(built: Built, truth: Truth) -> None:
    people = {page["creator"]["user"]["email"] for page in truth.pages.values()}
    assert len(people) > 10
    tables = query(
        built.warehouse,
        """
        SELECT table_schema || '.' || table_name
        FROM information_schema.tables
        WHERE table_schema IN ('silver', 'gold') AND regexp_matches(table_name, 'orbit|ops_|incident')
        """,
    )
    assert len(tables) > 15
    for (table,) in tables:
        named = f"SELECT count(*) FROM {table} AS t, unnest(?) AS p(person) WHERE contains(t::TEXT, person)"
        assert query(built.warehouse, named, [sorted(people)]) == [(0,)], table
