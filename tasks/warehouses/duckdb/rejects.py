"""Rows that did not land: collected in a temporary table, judged, and kept with the load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.artifacts import FileFormat, StagedFile
from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.duckdb.csv_records import physical_lines, unclosed_record
from tasks.warehouses.duckdb.load_state import REJECTED, LoadState
from tasks.warehouses.duckdb.reading import MAXIMUM_LINE_BYTES, REJECT_ERRORS, REJECT_SCANS, Reading
from tasks.warehouses.duckdb.reading_csv import dialect_of, has_plain_header
from tasks.warehouses.duckdb.reading_json import bad_lines_query
from tasks.warehouses.duckdb.templates import statement
from tasks.warehouses.guards import RejectedRow, RowCheck
from tasks.warehouses.quoting import identifier, literal, literals

_REASONS = {
    "MISSING COLUMNS": "fewer fields than columns",
    "TOO MANY COLUMNS": "more fields than columns",
    "UNQUOTED VALUE": "a quote that is not closed, or text behind one that is",
    "LINE SIZE OVER MAXIMUM": f"longer than {MAXIMUM_LINE_BYTES:,} bytes",
    "INVALID ENCODING": "not in the file's encoding",
    "INVALID STATE": "not in the file's dialect",
}


def create_rejected(sql: Sql) -> None:
    """Makes the temporary table of rejected rows."""
    sql.run(
        f"CREATE OR REPLACE TEMP TABLE {REJECTED} "
        "(source_file VARCHAR, line BIGINT, reason VARCHAR, raw_text VARCHAR, file_number INTEGER DEFAULT 0)"
    )


def collect_unread(state: LoadState) -> int:
    """Collects what the readers left out, and returns how many lines of JSON the survey had not counted either."""
    _collect_bad_lines(state)
    keeps_errors = any(file.format is not FileFormat.PARQUET for _, _, file, _ in _read_files(state))
    if keeps_errors and state.sql.count(f"SELECT count(*) FROM {REJECT_ERRORS}"):
        return _collect_reader_errors(state)
    return 0


def collect_unclosed(state: LoadState) -> int:
    """Collects last records whose quote is never closed, which a reader by one thread drops; returns how many."""
    found = 0
    for number, file in _quoted_files(state):
        with state.paths.open(file) as stream:
            record = unclosed_record(stream, dialect_of(file))
        if record is not None:
            line, raw = record
            values = [file.source_name, line, _REASONS["UNQUOTED VALUE"], raw.decode(errors="replace"), number]
            state.sql.run(f"INSERT INTO {REJECTED} VALUES (?, ?, ?, ?, ?)", values)
            found += 1
    return found


def collect_failing(state: LoadState, relation: str, scope: str, checks: Sequence[RowCheck]) -> int:
    """Moves landed rows that fail a check out of a relation, and returns how many.

    Args:
        state: The load.
        relation: The table that holds them.
        scope: Which of its rows this load has landed, as a condition.
        checks: What rejects a row; the first that does gives the reason.
    """
    values = {"relation": relation, "scope": scope}
    if not checks:
        return 0
    some = " OR ".join(check.condition for check in checks)
    if not state.sql.count(statement("replace", "count_failing", values | {"condition": some})):
        return 0
    fields = ", ".join(f"{literal(name)}: {identifier(name)}" for name in state.own_columns)
    moved = 0
    for check in checks:
        of_check = values | {"condition": check.condition, "reason": literal(check.reason), "fields": fields}
        state.sql.run(statement("replace", "keep_failing", of_check))
        moved += state.sql.run(statement("replace", "delete_failing", of_check))
    return moved


def count_rejected(sql: Sql) -> int:
    """Returns how many rows were rejected so far."""
    return sql.count(f"SELECT count(*) FROM {REJECTED}")


def first_rejected(sql: Sql) -> RejectedRow | None:
    """Returns the first rejected row, by file and line."""
    rows = sql.rows(f"SELECT source_file, line, reason FROM {REJECTED} ORDER BY file_number, line NULLS LAST LIMIT 1")
    return RejectedRow(*rows[0]) if rows else None


def write_rejects(state: LoadState) -> None:
    """Keeps the rejected rows."""
    target, values = state.plan.target, state.plan.batch_id
    state.sql.run(
        f"INSERT INTO penstock.rejects SELECT ?, ?, ?, source_file, line, reason, raw_text, ? FROM {REJECTED}",
        [values, target.schema_name, target.name, state.loaded_at],
    )


def _read_files(state: LoadState) -> Iterator[tuple[int, Reading, StagedFile, str]]:
    """Yields (number in the batch, reading, file, path) of all files that were read."""
    number = 0
    for reading in state.readings:
        for file, path in zip(reading.files, reading.paths, strict=True):
            yield number, reading, file, path
            number += 1


def _collect_bad_lines(state: LoadState) -> None:
    for number, reading, file, path in _read_files(state):
        if reading.has_bad_lines:
            state.sql.run(
                f"INSERT INTO {REJECTED} SELECT ?, number, reason, line, ? FROM ({bad_lines_query(file, path)})",
                [file.source_name, number],
            )


def _collect_reader_errors(state: LoadState) -> int:
    """Collects what DuckDB's reader rejected, one row for each record; its first error is the reason."""
    names = ", ".join(
        f"({literals((path, file.source_name, number, file.format is FileFormat.JSONL))})"
        for number, _, file, path in _read_files(state)
    )
    reasons = " ".join(f"WHEN {literal(kind)} THEN {literal(reason)}" for kind, reason in _REASONS.items())
    state.sql.run(
        "CREATE OR REPLACE TEMP TABLE reader_errors AS "
        "SELECT n.source_name, e.line, e.csv_line, n.file_number, n.is_json, "
        f"CASE CAST(e.error_type AS VARCHAR) {reasons} ELSE lower(CAST(e.error_type AS VARCHAR)) END AS reason "
        f"FROM (SELECT DISTINCT ON (scan_id, file_id, line_byte_position) * FROM {REJECT_ERRORS} "
        "ORDER BY scan_id, file_id, line_byte_position, byte_position) AS e "
        f"JOIN {REJECT_SCANS} AS s USING (scan_id, file_id) "
        f"JOIN (VALUES {names}) AS n(path, source_name, file_number, is_json) ON s.file_path = n.path"
    )
    _find_physical_lines(state)
    state.sql.run(f"INSERT INTO {REJECTED} SELECT source_name, line, reason, csv_line, file_number FROM reader_errors")
    return state.sql.count("SELECT count(*) FILTER (is_json) FROM reader_errors")


def _find_physical_lines(state: LoadState) -> None:
    """Turns record numbers into line numbers, where records take several lines."""
    for number, file in _quoted_files(state):
        query = "SELECT DISTINCT line FROM reader_errors WHERE file_number = ? ORDER BY line DESC"
        found = [line for (line,) in state.sql.rows(query, [number])]
        # DuckDB counts a header that was put in the place of the file's own as one record.
        shift = file.header_rows - 1 if has_plain_header(file) else 0
        with state.paths.open(file) as stream:
            lines = physical_lines(stream, dialect_of(file), {line + shift for line in found}) if found else {}
        update = "UPDATE reader_errors SET line = ? WHERE file_number = ? AND line = ?"
        state.sql.run_many(update, [(lines[line + shift], number, line) for line in found if line + shift in lines])


def _quoted_files(state: LoadState) -> Iterator[tuple[int, StagedFile]]:
    """Yields the files that may have line breaks inside quotes, with their numbers."""
    for number, reading, file, _ in _read_files(state):
        if reading.expected is None:
            yield number, file
