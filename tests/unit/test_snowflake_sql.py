"""The SQL that production runs, also what no emulator runs, parses in Snowflake's dialect and says what it has to."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlglot
from pydantic import TypeAdapter
from sqlglot import exp

from penstock.artifacts import (
    Compression,
    CsvDialect,
    FileFormat,
    Interval,
    LoadPlan,
    StagedBatch,
    StagedColumn,
    StagedFile,
    TableRef,
)
from penstock.connections import ExternalStage, InternalStage, SnowflakeConnection
from penstock.errors import ConfigurationError
from penstock.strategy import LoadStrategy
from tasks.warehouses.columns import ColumnChange
from tasks.warehouses.snowflake import loading
from tasks.warehouses.snowflake.account_setup import setup_statements
from tasks.warehouses.snowflake.clustering import is_clustered_by
from tasks.warehouses.snowflake.copy_history import keep_copy_history
from tasks.warehouses.snowflake.file_formats import csv_format
from tasks.warehouses.snowflake.landing import reason_of, reject_failing
from tasks.warehouses.snowflake.load_state import LoadState, new_names
from tasks.warehouses.snowflake.preview import Recorder, preview_load
from tasks.warehouses.snowflake.quoting import identifier, literal
from tasks.warehouses.snowflake.reading_parquet import infer_schema
from tasks.warehouses.snowflake.stage_files import StagedNames, staged_names
from tasks.warehouses.snowflake.tables import TYPES, prepare_statements, unified_type
from tasks.warehouses.tables import CountedTable

DAY, NEXT = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
TARGET = TableRef(schema_name="acme_bronze", name="rest__orders")
INTERNAL = InternalStage(kind="internal")
EXTERNAL = ExternalStage(kind="external", storage_integration="lake_integration")
STRATEGIES: dict[str, dict[str, Any]] = {
    "full_refresh": {"kind": "full_refresh"},
    "append": {"kind": "append"},
    "partition": {"kind": "partition", "column": "day"},
    "incremental": {"kind": "incremental", "keys": ["id", "part"], "order_by": "day"},
    "incremental without order": {"kind": "incremental", "keys": ["id"]},
    "historical": {"kind": "historical", "keys": ["id"], "order_by": "day"},
    "historical that closes": {"kind": "historical", "keys": ["id"], "absent": "close"},
    "cdc, soft": {"kind": "cdc", "keys": ["id"], "order_by": "day", "delete_column": "op"},
    "cdc, hard": {"kind": "cdc", "keys": ["id"], "order_by": "day", "delete_column": "op", "deletes": "hard"},
}
NEW = CountedTable(TARGET, exists=False, types={}, row_count=0)
FILLED = CountedTable(TARGET, exists=True, types={"id": "VARCHAR"}, row_count=1)
COLUMNS = ("id", "part", "day", "op", "name")
UNPARSED = {"CREATE ROLE", "GRANT", "GRANT ROLE", "GRANT SELECT"}
"""What sqlglot 30 has no grammar for, or not for all of it."""


class Bucket:
    """As much of a store as an external stage asks."""

    def __init__(self, root: str = "s3://acme-lake/elt/") -> None:
        self._root = root

    def uri(self, key: str) -> str:
        return self._root + key


def plan(strategy: dict[str, Any], **more: Any) -> LoadPlan:
    return LoadPlan(
        client="acme",
        pipeline="acme-orders",
        source="rest",
        dataset="orders",
        target=TARGET,
        strategy=TypeAdapter(LoadStrategy).validate_python(strategy),
        interval=Interval(start=DAY, end=NEXT, as_of=NEXT),
        batch_id="batch-1",
        run_id="run-1",
        extracted_at=NEXT,
        **more,
    )


def file(key: str, file_format: FileFormat, **fields: Any) -> StagedFile:
    columns = None if file_format is FileFormat.JSONL else tuple(StagedColumn(name=n, source_name=n) for n in COLUMNS)
    defaults: dict[str, Any] = {
        "compression": Compression.NONE,
        "size_bytes": 1,
        "etag": "1",
        "columns": columns,
        "source_name": key,
    }
    return StagedFile(key=key, format=file_format, **{**defaults, **fields})


def load_of_every_format(stage: InternalStage | ExternalStage) -> list[str]:
    """Returns the statements of a load of CSV, JSON lines and Parquet into a table that gets a column."""
    sql, load_plan = Recorder(), plan(STRATEGIES["cdc, hard"], cluster_by=("day", "id"))
    files = (
        file("a.csv", FileFormat.CSV, header_rows=1, dialect=CsvDialect(escape="\\", delimiter="\t")),
        file("b.jsonl", FileFormat.JSONL, compression=Compression.GZIP),
        file("c'.parquet", FileFormat.PARQUET),
    )
    batch = StagedBatch(batch_id="batch-1", files=files)
    table = CountedTable(TARGET, exists=True, types={"id": "VARCHAR"}, row_count=1)
    with staged_names(sql, stage, StagedBatch(batch_id="batch-1", files=()), Bucket(), "folder") as empty:  # type: ignore[arg-type]
        names = {one.key: one.key for one in files}
        staged = StagedNames(empty.stage, names, names)
        state = LoadState(
            sql=sql,
            plan=load_plan,
            batch=batch,
            staged=staged,
            names=new_names("batch-1", DAY),
            table=table,
            loaded_at=DAY,
        )
        loading.survey(state)
        state.json_keys = {"id": "id", "name": 'user\'s "name"'}
        state.change = ColumnChange(written=COLUMNS, created=COLUMNS[1:], added=COLUMNS[1:])
        state.types = TYPES.of_table(table, dict.fromkeys(COLUMNS, "VARCHAR"), load_plan.strategy)
        with loading.own_objects(state):
            loading.land(state)
            reject_failing(state, loading._row_checks(state))
            loading.prepare(state)
            loading.record(state)
            keep_copy_history(state)
    return [*sql.statements, infer_schema(staged.stage, ["c'.parquet"])]


def connection(stage: InternalStage | ExternalStage, **changes: Any) -> SnowflakeConnection:
    compute = {"load": "loading", "load_large": "loading_l", "transform": "building", "reporting": "reporting"}
    settings = {"kind": "snowflake", "account": "acme", "user": "penstock", "database": "elt", "compute": compute}
    auth = {"kind": "oauth", "token": "a-token"}
    return SnowflakeConnection.model_validate({**settings, "auth": auth, "stage": stage, **changes})


def all_statements() -> list[str]:
    statements = [
        statement
        for strategy in STRATEGIES.values()
        for stage in (INTERNAL, EXTERNAL)
        for statement in preview_load(plan(strategy), COLUMNS, FILLED, stage)
        if not statement.endswith(" ...")  # the ledger's: a load's own are among those of every format
    ]
    for stage in (INTERNAL, EXTERNAL):
        statements += load_of_every_format(stage)
        statements += setup_statements(connection(stage), Bucket())  # type: ignore[arg-type]
    return statements


def test_every_statement_parses_in_snowflakes_dialect(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    statements = all_statements()
    unparsed = set()
    for statement in statements:
        tree = sqlglot.parse_one(statement, read="snowflake")
        if isinstance(tree, exp.Command):
            unparsed.add(" ".join(statement.split()[:2]).removesuffix(" USAGE").removesuffix(" USAGE,"))
    assert unparsed == UNPARSED
    assert len(statements) > 200


def test_no_ddl_comes_between_begin_and_commit() -> None:
    for strategy in STRATEGIES.values():
        statements = preview_load(plan(strategy), COLUMNS, FILLED, EXTERNAL)
        begin = statements.index("BEGIN")
        assert statements[-1] == "COMMIT"
        words = {re.sub(r"^(--.*\n)+", "", one).split()[0] for one in statements[begin + 1 : -1]}
        assert words <= {"INSERT", "UPDATE", "DELETE"}
        assert statements[begin + 1].startswith('UPDATE penstock."LOCK__ACME_BRONZE__REST__ORDERS"')


def test_a_table_is_clustered_before_the_transaction_and_by_columns_that_it_has() -> None:
    clustered = plan(STRATEGIES["append"], cluster_by=("day", "id"))
    for table in (NEW, FILLED):
        statements = preview_load(clustered, COLUMNS, table, EXTERNAL)
        ddl = statements.index('ALTER TABLE "ACME_BRONZE"."REST__ORDERS" CLUSTER BY ("DAY", "ID")')
        created = [number for number, one in enumerate(statements) if one.startswith("CREATE TABLE")]
        assert max(created, default=-1) < ddl < statements.index("BEGIN")
        actions = sqlglot.parse_one(statements[ddl], read="snowflake").args["actions"]
        assert [name.name for name in actions[0].find_all(exp.Identifier)] == ["DAY", "ID"]
    for columns, strategy in ((("id", "name"), clustered), (COLUMNS, plan(STRATEGIES["append"]))):
        assert not any("CLUSTER BY" in one for one in preview_load(strategy, columns, NEW, EXTERNAL))


@pytest.mark.parametrize(
    ("key", "is_same"),
    [
        ("LINEAR(DAY, ID)", True),
        ('LINEAR("DAY","ID")', True),
        ("(day, id)", True),
        ("LINEAR(ID, DAY)", False),
        ("LINEAR(DAY)", False),
        ("LINEAR(TO_DATE(DAY), ID)", False),
        (None, False),
    ],
)
def test_a_table_that_has_its_clustering_key_keeps_it(key: str | None, is_same: bool) -> None:
    assert is_clustered_by(("day", "id"), key) is is_same


def test_copy_names_its_files_and_columns_and_how_the_file_is_written() -> None:
    validated, landed = (
        one for one in preview_load(plan(STRATEGIES["append"]), ("id", "name"), NEW, EXTERNAL) if "COPY" in one
    )
    assert validated.endswith("VALIDATION_MODE = RETURN_ALL_ERRORS")
    for statement in (validated, landed):
        assert "FILES = ('<staged files>')" in statement
        assert "@penstock.penstock_lake/" in statement
        for option in (
            "TYPE = CSV",
            "COMPRESSION = NONE",
            "FIELD_DELIMITER = ','",
            "FIELD_OPTIONALLY_ENCLOSED_BY = '\"'",
            "SKIP_HEADER = 1",
            "EMPTY_FIELD_AS_NULL = TRUE",
            "NULL_IF = ()",
            "ERROR_ON_COLUMN_COUNT_MISMATCH = TRUE",
            "ESCAPE_UNENCLOSED_FIELD = NONE",
            "ENCODING = 'UTF8'",
        ):
            assert option in statement, option
    assert '("ID", "NAME", "PENSTOCK$FILE", "PENSTOCK$ROW")' in landed
    assert "SELECT $1, $2, METADATA$FILENAME, METADATA$FILE_ROW_NUMBER" in landed


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"compression": Compression.ZSTD}, ["COMPRESSION = ZSTD"]),
        ({"dialect": CsvDialect(delimiter="\t", escape="\\")}, ["FIELD_DELIMITER = '\t'", "ESCAPE = '\\\\'"]),
        ({"dialect": CsvDialect(quote="")}, ["FIELD_OPTIONALLY_ENCLOSED_BY = NONE"]),
        ({"dialect": CsvDialect(encoding="utf-16", new_line="\r")}, ["ENCODING = 'UTF16'", "RECORD_DELIMITER = '\r'"]),
        ({"header_rows": 2, "columns": (StagedColumn(name="a", source_name="a\r\nb\nc"),)}, ["SKIP_HEADER = 4"]),
    ],
)
def test_a_dialect_becomes_a_file_format(fields: dict[str, Any], options: list[str]) -> None:
    text = csv_format(file("a.csv", FileFormat.CSV, **fields))
    assert [option for option in options if option not in text] == []


def test_a_quote_that_snowflake_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="quoted like this"):
        csv_format(file("a.csv", FileFormat.CSV, dialect=CsvDialect(quote="|", delimiter=",")))


def test_an_external_stage_points_into_the_lakes_bucket_and_not_to_a_folder() -> None:
    (stage,) = (one for one in setup_statements(connection(EXTERNAL), Bucket()) if "CREATE STAGE" in one)  # type: ignore[arg-type]
    assert stage.endswith("URL = 's3://acme-lake/elt/' STORAGE_INTEGRATION = \"LAKE_INTEGRATION\"")
    batch = StagedBatch(batch_id="b", files=(file("stage/a.csv", FileFormat.CSV),))
    with staged_names(Recorder(), EXTERNAL, batch, Bucket(), "folder") as staged:  # type: ignore[arg-type]
        assert staged.of(batch.files) == ["stage/a.csv"]
        assert staged.paths == {"stage/a.csv": "elt/stage/a.csv"}
    with pytest.raises(ConfigurationError, match="cannot read this store"):
        setup_statements(connection(EXTERNAL), Bucket("file:///lake/"))  # type: ignore[arg-type]


def test_the_setup_may_run_again_and_grants_each_role_what_it_needs() -> None:
    statements = setup_statements(connection(EXTERNAL, role="elt_writer"), Bucket())  # type: ignore[arg-type]
    makes = [one for one in statements if one.startswith("CREATE")]
    assert [one for one in makes if "IF NOT EXISTS" not in one] == []
    assert {re.split(r" IF NOT EXISTS | ", one)[1] for one in makes} >= {"DATABASE", "WAREHOUSE", "ROLE", "STAGE"}
    assert sum("CREATE WAREHOUSE" in one and "AUTO_SUSPEND = 60" in one for one in makes) == 4
    granted = "\n".join(one for one in statements if one.startswith("GRANT"))
    for grant in (
        'GRANT USAGE, OPERATE ON WAREHOUSE "LOADING" TO ROLE "ELT_WRITER"',
        'GRANT USAGE, CREATE SCHEMA ON DATABASE "ELT" TO ROLE "ELT_WRITER"',
        'GRANT USAGE ON INTEGRATION "LAKE_INTEGRATION" TO ROLE "ELT_WRITER"',
        'GRANT SELECT ON FUTURE TABLES IN DATABASE "ELT" TO ROLE "ELT_TRANSFORMER"',
        'GRANT SELECT ON FUTURE VIEWS IN SCHEMA "ELT"."GOLD" TO ROLE "ELT_REPORTER"',
    ):
        assert grant in granted
    assert "a-token" not in "\n".join(statements)


def test_values_and_names_cannot_leave_their_quotes() -> None:
    assert literal("it's \\' done") == "'it''s \\\\'' done'"
    assert literal(DAY) == "'2026-03-01 00:00:00+00:00'::TIMESTAMP_TZ"
    assert identifier('a"b') == '"A""B"'
    assert sqlglot.parse_one(f"SELECT {literal(chr(92))} AS x", read="snowflake").find(exp.Literal).name == "\\"  # type: ignore[union-attr]


def test_types_widen_only_as_snowflake_alters_them() -> None:
    table = CountedTable(TARGET, exists=True, types={"id": "NUMBER(10, 0)", "name": "VARCHAR"}, row_count=1)
    assert unified_type("id", "NUMBER(10, 0)", "NUMBER(19, 0)", TARGET) == "NUMBER(19, 0)"
    assert prepare_statements(table, {"id": "NUMBER(19, 0)", "name": "VARCHAR", "size": "FLOAT"}) == [
        'ALTER TABLE "ACME_BRONZE"."REST__ORDERS" ADD COLUMN IF NOT EXISTS "SIZE" FLOAT',
        'ALTER TABLE "ACME_BRONZE"."REST__ORDERS" ALTER COLUMN "ID" SET DATA TYPE NUMBER(19, 0)',
    ]
    with pytest.raises(Exception, match="cannot widen"):
        unified_type("name", "VARCHAR", "FLOAT", TARGET)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            "Number of columns in file (1) does not match that of the corresponding table (2)",
            "fewer fields than columns",
        ),
        (
            "Number of columns in file (3) does not match that of the corresponding table (2)",
            "more fields than columns",
        ),
        (
            "Found character 'x' instead of field delimiter ','",
            "a quote that is not closed, or text behind one that is",
        ),
        ("Invalid UTF8 detected in string '0xFF'", "not in the file's encoding"),
        ("something new", "not in the file's dialect"),
    ],
)
def test_snowflakes_reasons_become_those_of_every_warehouse(error: str, reason: str) -> None:
    assert reason_of(error) == reason
