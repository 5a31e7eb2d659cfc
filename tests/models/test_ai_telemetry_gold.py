"""Gold of seven AI tools over three weeks of the sandbox, held against a computation of its own."""

from __future__ import annotations

import shutil
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from deployments.compile_file import write_files
from sandbox.ai_tools.people import engineers_of
from sandbox.settings import SandboxSettings
from tasks.definitions.project import Project
from tests.models.ai_bronze import FIRST_DAY, ROOT, RUNS, SETTINGS, SUNDAY, write_table
from tests.models.ai_usage import NOBODY, Key, Metrics, expected_days, hash_of, percentile, weekly_tokens
from tests.models.bronze import METADATA, query
from tests.models.dbt_process import DbtProcess
from tests.models.gold_build import WITHOUT_UNIT_TESTS, Built

# A share of a bill is cut to a hundred-millionth of a dollar, once for each of the bills of a day.
CUT = Decimal("0.00000005")
LOADED_LATER = "2026-03-19 14:30:00+00"


def read_days(warehouse: Path) -> dict[Key, Metrics]:
    """Returns gold's daily metrics in the words of the computation."""
    found = query(
        warehouse,
        """
        SELECT tool, engineer_id, date_day, request_count, accepted_suggestion_count, accepted_line_count,
               reported_tokens, estimated_tokens, cost_usd
        FROM gold.fct_ai_telemetry__tool_daily_metrics
        """,
    )
    days = {Key(*row[:3]): Metrics(*row[3:]) for row in found}
    assert len(days) == len(found)
    return days


def test_every_count_and_token_of_every_day_is_what_people_did(built: Built) -> None:
    days, expected = read_days(built.warehouse), expected_days()
    assert days.keys() == expected.keys()
    names = ("requests", "suggestions", "lines", "reported", "estimated", "tokens")
    differing = {
        (key, name): (getattr(days[key], name), getattr(expected[key], name))
        for key in days
        for name in names
        if getattr(days[key], name) != getattr(expected[key], name)
    }
    assert differing == {}
    assert {key.tool for key in days if key.day == SUNDAY} == {"anthropic", "copilot", "litellm"}
    assert len({key.tool for key in days}) == 8


def test_every_cost_is_in_dollars_and_a_bill_is_shared_by_tokens(built: Built) -> None:
    days, expected = read_days(built.warehouse), expected_days()
    for key, metrics in expected.items():
        cut = CUT if key.tool in {"anthropic", "openai"} else 0
        found = days[key].dollars
        assert (found is None) == (metrics.dollars is None), key
        assert metrics.dollars is None or abs(found - metrics.dollars) <= cut, (key, found, metrics.dollars)
    assert {key.tool for key, metrics in days.items() if metrics.dollars is None} >= {"copilot", "sourcegraph"}


def test_shared_costs_add_up_to_the_bills(built: Built) -> None:
    bills = """
        SELECT 'anthropic', sum(TRY_CAST(amount AS DECIMAL(24, 10))) / 100
        FROM orbit_bronze.anthropic__costs
        WHERE workspace_id IS DISTINCT FROM 'wrkspc_claude_code'
        UNION ALL
        SELECT 'openai', sum(CAST(amount ->> '$.value' AS DECIMAL(24, 10)))
        FROM orbit_bronze.openai__costs
    """
    shared: dict[str, Decimal] = defaultdict(Decimal)
    for key, metrics in read_days(built.warehouse).items():
        shared[key.tool] += metrics.dollars or 0
    for tool, dollars in query(built.warehouse, bills):
        assert float(shared[tool]) == pytest.approx(float(dollars), abs=1e-5), tool


def test_corrections_that_come_late_are_in_it(built: Built) -> None:
    days, uncorrected = read_days(built.warehouse), expected_days(is_corrected=False)
    late = {
        key: metrics
        for key, metrics in days.items()
        if metrics.requests != getattr(uncorrected.get(key), "requests", None)
    }
    assert len({key.tool for key in late}) >= 5
    assert {key.day for key in late} >= {RUNS[0].at.date()}
    assert (min(key.day for key in days), max(key.day for key in days)) == (
        FIRST_DAY,
        RUNS[-1].at.date() - timedelta(days=1),
    )


def test_weeks_and_their_percentiles_are_those_of_the_people_in_them(built: Built) -> None:
    found = query(
        built.warehouse,
        """
        SELECT week_start_date, engineer_id, tokens, engineer_count, p50_tokens, p75_tokens, p95_tokens
        FROM gold.fct_ai_telemetry__weekly_eng_ai_tokens
        """,
    )
    expected = {}
    for week, people in weekly_tokens(expected_days()).items():
        percentiles = [percentile(people.values(), share) for share in (0.5, 0.75, 0.95)]
        expected |= {(week, person): (tokens, len(people), percentiles) for person, tokens in people.items()}
    assert {row[:2]: row[2:4] for row in found} == {key: value[:2] for key, value in expected.items()}
    for row in found:
        assert list(row[4:]) == pytest.approx(expected[row[:2]][2], rel=1e-12), row
    assert len({week for week, _ in expected}) == 4


def test_months_sum_what_tools_cost(built: Built) -> None:
    found = query(
        built.warehouse,
        """
        SELECT month_start_date, tool, engineer_count, tokens, cost_usd, unattributed_cost_usd
        FROM gold.rpt_ai_telemetry__cost_monthly
        """,
    )
    months: dict[tuple[date, str], list[tuple[Key, Metrics]]] = defaultdict(list)
    for key, metrics in read_days(built.warehouse).items():
        months[key.day.replace(day=1), key.tool].append((key, metrics))
    assert {row[:2]: row[2:] for row in found} == {
        month: (
            len({key.engineer for key, _ in rows} - {NOBODY}),
            sum(metrics.tokens or 0 for _, metrics in rows),
            _sum_of(metrics.dollars for _, metrics in rows),
            _sum_of(metrics.dollars for key, metrics in rows if key.engineer == NOBODY),
        )
        for month, rows in months.items()
    }
    assert len(found) == 16


def test_one_person_has_one_id_in_all_tools(built: Built) -> None:
    people = {
        hash_of(engineer.email): engineer for engineer in engineers_of(SandboxSettings().seed, SETTINGS.engineers)
    }
    found = query(built.warehouse, "SELECT engineer_id, is_known, tool_count FROM gold.dim_ai_telemetry__engineers")
    assert {engineer for engineer, *_ in found} == {*people, hash_of("ghost-user"), NOBODY}
    assert {engineer for engineer, is_known, _ in found if not is_known} == {NOBODY}
    assert {engineer: count for engineer, _, count in found if engineer in people} == {
        key: len(engineer.tools) for key, engineer in people.items()
    }


def test_no_address_login_or_key_reaches_silver_or_gold(built: Built) -> None:
    people = engineers_of(SandboxSettings().seed, SETTINGS.engineers)
    words = [word for one in people for word in (one.email, one.login, one.handle, one.name)]
    tables = query(
        built.warehouse,
        """
        SELECT table_schema || '.' || table_name
        FROM information_schema.tables
        WHERE table_schema IN ('silver', 'gold')
          AND (table_name LIKE '%orbit%' OR table_name LIKE '%\\_ai\\_%' ESCAPE '\\')
        """,
    )
    assert len(tables) > 30
    for (table,) in tables:
        leaks = query(
            built.warehouse,
            f"SELECT count(*) FROM {table} AS t, unnest(?) AS n(word) WHERE contains(t::TEXT, word)",
            [words],
        )
        assert leaks == [(0,)], table


def test_a_window_loaded_again_leaves_what_a_full_build_would(spare: Built) -> None:
    before = read_days(spare.warehouse)
    gone, changed = sorted(key for key in before if key.tool == "litellm" and key.engineer != NOBODY)[:2]
    with duckdb.connect(str(spare.warehouse)) as connection:
        of_day = """
            TRY_CAST(start_time AS TIMESTAMPTZ)::DATE = ?
            AND sha256((SELECT user_email FROM orbit_bronze.litellm__users AS u WHERE u.user_id = user_) || 'local') = ?
        """
        connection.execute(f"DELETE FROM orbit_bronze.litellm__spend_logs WHERE {of_day}", [gone.day, gone.engineer])
        connection.execute(
            f"""
            UPDATE orbit_bronze.litellm__spend_logs
            SET spend = '0.5', total_tokens = '7', status = 'success', _loaded_at = '{LOADED_LATER}'
            WHERE {of_day}
            """,
            [changed.day, changed.engineer],
        )
    ended = spare.dbt.run("build", *WITHOUT_UNIT_TESTS, "--select", "source:orbit_litellm.spend_logs+")
    assert ended.returncode == 0, ended.stdout[-4000:]
    after = read_days(spare.warehouse)
    requests = before[changed].requests or 0
    assert before.keys() - after.keys() == {gone}
    assert after[changed] == Metrics(requests=requests, reported=7 * requests, dollars=Decimal("0.5") * requests)
    assert {key: value for key, value in after.items() if key != changed} == {
        key: value for key, value in before.items() if key not in {gone, changed}
    }


def test_tools_that_were_never_loaded_are_left_out_until_they_are(built: Built, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(f"ATTACH '{built.warehouse}' AS whole (READ_ONLY)")
        connection.execute("CREATE SCHEMA orbit_bronze")
        for table in ("copilot__users", "cursor__daily_usage", "cursor__usage_events"):
            connection.execute(f"CREATE TABLE orbit_bronze.{table} AS FROM whole.orbit_bronze.{table}")
    dbt = DbtProcess(tmp_path, warehouse)
    expected = {key: metrics for key, metrics in expected_days().items() if key.tool in {"copilot", "cursor"}}
    for loaded, tools in (("copilot.users+", {"copilot"}), ("cursor+", {"copilot", "cursor"})):
        ended = dbt.run("build", *WITHOUT_UNIT_TESTS, "--select", f"source:orbit_{loaded}")
        assert ended.returncode == 0, ended.stdout[-4000:]
        days = read_days(warehouse)
        assert {key.tool for key in days} == tools
    # Nobody's address was known at first; who uses Cursor as well is one person since.
    people = engineers_of(SandboxSettings().seed, SETTINGS.engineers)
    known = {hash_of(one.login): hash_of(one.email) for one in people if "cursor" not in one.tools}
    logins = {email: login for login, email in known.items()}
    assert days == {
        (key._replace(engineer=logins.get(key.engineer, key.engineer)) if key.tool == "copilot" else key): metrics
        for key, metrics in expected.items()
    }


QUILL = """
version: 1
pipeline: orbit-quill-daily
source: {kind: rest, connection: orbit-quill}
datasets:
  - name: usage
    path: /usage
    bucket: {kind: row, time: day}
    window_parameters: {start: from, end: to, format: iso, timezone: UTC}
"""
FEED = (
    "    feeds: {model: ai_tool_daily, tool: quill, day: day, engineer: email, "
    "requests: calls, tokens: used, cost: price, cost_unit: cents}\n"
)


def test_an_eighth_tool_is_one_line_in_a_pipeline_file(spare: Built, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    for folder in ("dbt", "deployments/clients", "deployments/platforms"):
        ignored = shutil.ignore_patterns("target", "logs")
        shutil.copytree(ROOT / folder, project.root / folder, ignore=ignored)
    local = project.platforms / "local.yaml"
    local.write_text(
        local.read_text().replace(
            "connections:\n", "connections:\n  orbit-quill: {kind: rest, base_url: http://127.0.0.1:1}\n"
        )
    )
    for path in project.platform_paths():
        if path != local:
            path.unlink()
    pipeline = project.clients / "orbit" / "orbit-quill-daily.yaml"
    pipeline.write_text(QUILL)
    write_files(project, "local", project.root / "prefect.yaml")
    written = _sql_of(project)
    pipeline.write_text(QUILL + FEED)
    write_files(project, "local", project.root / "prefect.yaml")
    changed = {path for path, text in _sql_of(project).items() if written[path] != text}
    assert {path.name for path in changed} == {"feeds.sql"}

    before = read_days(spare.warehouse)
    somebody = next(key.engineer for key in before if key.tool == "cursor")
    (ann, *_) = (
        one for one in engineers_of(SandboxSettings().seed, SETTINGS.engineers) if hash_of(one.email) == somebody
    )
    _load_quill(
        spare.warehouse,
        [
            {"day": "2026-03-09", "email": ann.email, "calls": "2", "used": "300", "price": "12.5"},
            {"day": "2026-03-09T23:59:59Z", "email": ann.email.upper(), "calls": "1", "used": None, "price": "0.5"},
            {"day": "2026-03-10", "email": None, "calls": "1", "used": "4", "price": "free"},
        ],
    )
    dbt = DbtProcess(tmp_path, spare.warehouse, project=project.root / "dbt")
    ended = dbt.run("build", *WITHOUT_UNIT_TESTS, "--select", "source:orbit_rest+")
    assert ended.returncode == 0, ended.stdout[-4000:]
    after = read_days(spare.warehouse)
    assert {key: metrics for key, metrics in after.items() if key.tool != "quill"} == before
    assert {key[1:]: metrics for key, metrics in after.items() if key.tool == "quill"} == {
        (somebody, date(2026, 3, 9)): Metrics(requests=3, reported=300, dollars=Decimal("0.13")),
        (NOBODY, date(2026, 3, 10)): Metrics(requests=1, reported=4),
    }


def _load_quill(warehouse: Path, rows: list[dict[str, Any]]) -> None:
    metadata = {name: "x" if kind == "VARCHAR" else LOADED_LATER for name, kind in METADATA.items()}
    with duckdb.connect(str(warehouse)) as connection:
        write_table(connection, "rest__usage", [{**row, **metadata} for row in rows])


def _sql_of(project: Project) -> dict[Path, str]:
    return {path: path.read_text() for path in sorted((project.root / "dbt").rglob("*.sql"))}


def _sum_of(parts: Any) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if known else None
