"""What pipeline files say is about people leaves staging as a hash, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from deployments.catalogue.lineage import ColumnRef, column_parents
from tests.models.bronze import query
from tests.models.gold_build import Built

CASES = [
    ("select id, sha256(lower(trim(email)) || 'salt') as email_hash from b.t", set()),
    ("select case when trim(email) is not null then sha256(email || 's') end as email_hash from b.t", set()),
    ("select id, email from b.t", {"email"}),
    ("with s as (select * from b.t) select id, lower(email) as contact from s", {"contact"}),
    ("select md5(email) as email_key from b.t", {"email_key"}),
    ("select case when id > 0 then sha256(email) else email end as email_hash from b.t", {"email_hash"}),
    ("select * from b.t", {"email"}),
]


def exposed(sql: str, dialect: str, people: set[ColumnRef], known: dict[tuple[str, str], list[str]]) -> set[str]:
    """Returns the columns of a query that come from columns about people, other than by a salted hash's function."""
    hidden = sqlglot.parse_one(sql, dialect=dialect).transform(_without_hashes)
    return {name for name, above in column_parents(hidden, dialect, known).items() if name == "*" or above & people}


def _without_hashes(node: exp.Expression) -> exp.Expression:
    """Puts a text in place of `hash_pii`: a SHA-256, or a CASE whose only results are such."""
    if isinstance(node, exp.SHA2 | exp.SHA2Digest):
        return exp.Literal.string("hashed")
    if isinstance(node, exp.Case) and node.args.get("default") is None:
        results = [branch.args["true"] for branch in node.args["ifs"]]
        if all(isinstance(result, exp.SHA2 | exp.SHA2Digest) for result in results):
            return exp.Literal.string("hashed")
    return node


@pytest.mark.parametrize(("sql", "expected"), CASES)
def test_the_check_sees_what_is_exposed(sql: str, expected: set[str]) -> None:
    people = {ColumnRef(("b", "t"), "email")}
    assert exposed(sql, "duckdb", people, {("b", "t"): ["id", "email"]}) == expected


def test_no_column_about_people_leaves_staging_unhashed(built: Built) -> None:
    manifest = built.dbt.manifest()
    bronze = _bronze_columns(built.warehouse)
    governed = {
        unique_id: [name for name, column in source["columns"].items() if "pii" in column["tags"]]
        for unique_id, source in manifest["sources"].items()
    }
    checked = 0
    for node, sql in _staging(manifest, built.dbt.target):
        read = [manifest["sources"][one] for one in node["depends_on"]["nodes"] if governed.get(one)]
        for source in read:
            table = (source["schema"], source["identifier"])
            columns = governed[source["unique_id"]]
            assert set(columns) <= set(bronze[table]), "the pipeline file names columns that bronze does not have"
            people = {ColumnRef(table, one) for one in columns}
            assert exposed(sql, "duckdb", people, bronze) == set(), node["name"]
            checked += 1
    assert checked > 0


def _bronze_columns(warehouse: Path) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    sql = (
        "SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE table_schema LIKE '%bronze'"
    )
    for schema, table, column in query(warehouse, sql):
        found.setdefault((str(schema), str(table)), []).append(str(column))
    return found


def _staging(manifest: dict[str, Any], target: Path) -> Iterator[tuple[dict[str, Any], str]]:
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["name"].startswith("stg_"):
            path = target / "compiled" / "penstock" / node["original_file_path"]
            yield node, path.read_text(encoding="utf-8")
