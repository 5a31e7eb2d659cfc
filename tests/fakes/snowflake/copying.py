"""COPY INTO for fakesnow, which knows few of its options: staged files are read in Python and inserted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlglot
from fakesnow.transforms import stage
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

from tests.fakes.snowflake.csv_records import Record, read_records

_PARQUET = re.compile(r'\$1:"((?:[^"]|"")*)"::(\w+(?:\([\d, ]*\))?)')
_VALIDATED = (
    "error", "file", "line", "character", "byte_offset", "category", "code", "sql_state", "column_name", "row_number",
    "row_start_line", "rejected_record",
)  # fmt: skip


def run_copy(cursor: Any, command: str) -> None:
    """Runs a COPY and leaves its answer in the cursor."""
    copy = sqlglot.parse_one(command, read="snowflake")
    assert isinstance(copy, exp.Copy)
    parameters = {parameter.this.name.upper(): parameter for parameter in copy.args["params"]}
    options = _options(parameters["FILE_FORMAT"])
    names = [literal.name for literal in parameters["FILES"].find_all(exp.Literal)]
    folder, prefix = _folder(cursor, command)
    table, columns = _target(copy)
    files = [(name, prefix + name, folder / name) for name in names]
    for _, _, path in files:
        if not path.is_file():
            raise ProgrammingError(msg=f"Remote file '{path.name}' was not found.", errno=91016, sqlstate="22000")
    if "VALIDATION_MODE" in parameters:
        answer = [error for _, named, path in files for error in _validated(named, path, options, len(columns))]
        _answer(cursor, _VALIDATED, answer)
        return
    results = []
    for _, named, path in files:
        rows, parsed, error = _rows(cursor, command, copy, options, named, path)
        _insert(cursor, table, columns, rows)
        seen = parsed - len(rows)
        status = "PARTIALLY_LOADED" if seen else "LOADED"
        results.append((named, status, parsed, len(rows), parsed, seen, error))
    _answer(
        cursor, ("file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen", "first_error"), results
    )


def _options(parameter: exp.Expression) -> dict[str, Any]:
    text = parameter.sql(dialect="snowflake")
    options: dict[str, Any] = {"SKIP_HEADER": 0, "ESCAPE": "NONE", "FIELD_OPTIONALLY_ENCLOSED_BY": "NONE"}
    for found in parameter.expressions:
        value = found.args.get("value")
        if found.this.name.upper() == "NULL_IF":
            options["NULL_IF"] = [literal.this for literal in found.find_all(exp.Literal)]
        elif isinstance(value, exp.Boolean):
            options[found.this.name.upper()] = bool(value.this)
        else:
            options[found.this.name.upper()] = value.name if value is not None else ""
    assert options.get("TYPE"), text
    return options


def _target(copy: exp.Copy) -> tuple[str, list[str]]:
    schema = copy.this
    assert isinstance(schema, exp.Schema), "COPY without a column list"
    return schema.this.sql(dialect="duckdb"), [column.name for column in schema.expressions]


def _folder(cursor: Any, command: str) -> tuple[Path, str]:
    found = re.search(r"FROM @([\w.]+)/(\S*?)[\s)]", command)
    assert found, command
    name, path = found[1], found[2]
    catalog, schema, stage_name = stage.parts_from_var(name.upper(), cursor._conn.database, cursor._conn.schema)
    return Path(stage.internal_dir(f"{catalog}.{schema}.{stage_name}", path)), path


def _validated(named: str, path: Path, options: dict[str, Any], columns: int) -> list[tuple[Any, ...]]:
    errors = []
    for record in read_records(path, options):
        error = record.error
        if error is None and len(record.fields) != columns:
            error = (
                f"Number of columns in file ({len(record.fields)}) does not match that of the corresponding table "
                f"({columns}), use file format option error_on_column_count_mismatch=false to ignore this error"
            )
        if error is not None:
            raw = record.raw.encode(errors="replace").decode()
            errors.append(
                (error, named, record.line, 1, 0, "parsing", 100080, "22000", None, record.number, record.line, raw)
            )
    return errors


def _rows(
    cursor: Any, command: str, copy: exp.Copy, options: dict[str, Any], named: str, path: Path
) -> tuple[list[tuple[Any, ...]], int, str | None]:
    if options["TYPE"] == "PARQUET":
        return _parquet_rows(cursor, command, named, path)
    select = copy.args["files"][0].find(exp.Select)
    assert select is not None
    wanted = [projection.sql(dialect="snowflake").upper() for projection in select.expressions]
    records = list(read_records(path, options))
    good = [record for record in records if record.error is None]
    first = next((record.error for record in records if record.error), None)
    return [tuple(_value(name, record, named) for name in wanted) for record in good], len(records), first


def _value(name: str, record: Record, named: str) -> Any:
    if name == "METADATA$FILENAME":
        return named
    if name == "METADATA$FILE_ROW_NUMBER":
        return record.number
    position = int(name.removeprefix("$")) - 1
    return record.fields[position] if position < len(record.fields) else None


def _parquet_rows(cursor: Any, command: str, named: str, path: Path) -> tuple[list[tuple[Any, ...]], int, str | None]:
    columns = []
    for name, of_type in _PARQUET.findall(command):
        duck_type = exp.DataType.build(of_type, dialect="snowflake").sql(dialect="duckdb")
        columns.append(f'CAST("{name}" AS {duck_type})')
    query = f"SELECT {', '.join(columns)} FROM read_parquet('{path}')"
    with cursor._duck_conn.cursor() as reader:
        rows = reader.execute(query).fetchall()
    return [(*row, named, number) for number, row in enumerate(rows, start=1)], len(rows), None


def _insert(cursor: Any, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    arrays = [pa.array(values) for values in zip(*rows, strict=True)]
    landed = pa.Table.from_arrays(arrays, names=[f"c{number}" for number in range(len(arrays))])
    cursor._duck_conn.register("penstock_landed", landed)
    names = ", ".join(f'"{name}"' for name in columns)
    cursor._duck_conn.execute(f"INSERT INTO {table} ({names}) SELECT * FROM penstock_landed")
    cursor._duck_conn.unregister("penstock_landed")


def _answer(cursor: Any, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    columns = ", ".join(f'"{name}"' for name in names)
    literals = ["(" + ", ".join(exp.convert(value).sql(dialect="duckdb") for value in row) + ")" for row in rows]
    nothing = "(" + ", ".join("NULL" for _ in names) + ")"
    values = ", ".join(literals or [nothing])
    limit = "" if rows else " LIMIT 0"
    answer = f"SELECT * FROM (VALUES {values}) AS t({columns}){limit}"
    cursor._execute(sqlglot.parse_one(answer, read="duckdb"))
