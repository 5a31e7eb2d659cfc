"""Lands the files of a batch: COPY into a transient table, what it rejected, and a view of the rows with metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from penstock.artifacts import FileFormat, StagedFile
from penstock.strategy import Cdc, Historical
from tasks.warehouses.columns import needed_columns
from tasks.warehouses.guards import RejectedRow, RowCheck, check_counts, check_rejected
from tasks.warehouses.snowflake import reading_json, reading_parquet
from tasks.warehouses.snowflake.file_formats import (
    FILES_PER_STATEMENT,
    copy_rows,
    csv_format,
    layout,
    typed_columns,
    validate_rows,
)
from tasks.warehouses.snowflake.load_state import LoadState, Reject
from tasks.warehouses.snowflake.ordering import instant
from tasks.warehouses.snowflake.quoting import identifier, literal, literals
from tasks.warehouses.snowflake.templates import statement

_COLUMN_COUNT = re.compile(r"in file \((\d+)\) does not match that of the corresponding table \((\d+)\)")
_REASONS = (
    (re.compile(r"End of record reached while expected", re.IGNORECASE), "fewer fields than columns"),
    (re.compile(r"UTF-?8|encoding|character conversion", re.IGNORECASE), "not in the file's encoding"),
    (
        re.compile(r"instead of|enclosed|closing quote|unterminated|End of file", re.IGNORECASE),
        "a quote that is not closed, or text behind one that is",
    ),
    (re.compile(r"too (?:long|large)|max(?:imum)? (?:size|LOB)", re.IGNORECASE), "longer than a value may be"),
)


def create_landing(state: LoadState) -> None:
    """Makes the landing table with all of the target's own columns; those that no file brings stay NULL."""
    types = {name: state.types[name] for name in state.own_columns}
    values = {"landing": state.names.landing, "columns": typed_columns(types)}
    state.sql.run(statement("rows", "create_landing", values))


def land_files(state: LoadState) -> None:
    """Reads the files into the landing table, and reconciles what landed with what they hold.

    Raises:
        DataError: more rows were rejected than may be, or rows are missing.
    """
    parsed = 0
    for file_format, files in _groups(state):
        if file_format is FileFormat.CSV:
            parsed += _land_csv(state, files)
        elif file_format is FileFormat.PARQUET:
            parsed += reading_parquet.land(state, files)
    parsed += reading_json.land(state)
    check_rejected(state.plan, state.counts.rejected, first_reject(state))
    counts = state.counts
    check_counts(state.plan, staged=parsed, landed=counts.landed, rejected=counts.rejected)
    check_counts(state.plan, staged=state.batch.row_count, landed=counts.landed, rejected=counts.rejected)


def create_rows(state: LoadState) -> None:
    """Makes the view of the landed rows: own columns, metadata, what the strategy computes, and their place."""
    metadata = {"_source_file": "f.source_name", **state.metadata}
    values = {
        "rows": state.names.rows,
        "landing": state.names.landing,
        "own": ", ".join(f"l.{identifier(name)}" for name in state.own_columns) or "NULL AS penstock_none",
        "metadata": ", ".join(f"{value} AS {identifier(name)}" for name, value in metadata.items()),
        "computed": _computed(state) if knows_columns(state) else "",
        "files": state.file_values,
    }
    state.sql.run(statement("rows", "create_rows", values))


def knows_columns(state: LoadState) -> bool:
    """Returns whether the table has the columns that the strategy reads; before the first record it may have none."""
    return set(needed_columns(state.plan.strategy)) <= set(state.types)


def reject_failing(state: LoadState, checks: Sequence[RowCheck]) -> None:
    """Moves landed rows that fail a check out of the landing table; the first check that rejects gives the reason.

    Args:
        state: The load.
        checks: Conditions over the dataset's own columns.

    Raises:
        GuardError: more rows were rejected than may be.
    """
    sql, rows = state.sql, state.names.rows
    some = " OR ".join(f"({check.condition})" for check in checks)
    if not checks or not sql.count(statement("rows", "count_failing", {"rows": rows, "condition": some})):
        return
    fields = ", ".join(f"{literal(name)}, {identifier(name)}" for name in state.own_columns)
    raw_text = f"TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL({fields}))"
    for check in checks:
        values = {"rows": rows, "landing": state.names.landing, "condition": check.condition, "raw_text": raw_text}
        failing = statement("rows", "failing", values | {"reason": literal(check.reason)})
        found, count = sql.first_rows(failing, state.plan.guards.maximum_rejected + 1)
        state.rejects += [Reject(0, row["_source_file"], None, check.reason, row["raw_text"]) for row in found]
        state.counts.rejected += count
        state.counts.landed -= count
        if count:
            sql.run(statement("rows", "delete_failing", values))
    check_rejected(state.plan, state.counts.rejected, first_reject(state), is_guard=True)


def first_reject(state: LoadState) -> RejectedRow | None:
    """Returns the first rejected row, by file and line."""
    if not state.rejects:
        return None
    first = min(state.rejects, key=lambda reject: (reject.number, reject.line is None, reject.line or 0))
    return RejectedRow(first.source_file, first.line, first.reason)


def _groups(state: LoadState) -> Iterator[tuple[FileFormat, list[StagedFile]]]:
    """Yields files that one COPY reads together."""
    files = sorted(state.files, key=lambda file: repr(layout(file)))
    for _, group in groupby(files, key=layout):
        together = list(group)
        for start in range(0, len(together), FILES_PER_STATEMENT):
            yield together[0].format, together[start : start + FILES_PER_STATEMENT]


def _land_csv(state: LoadState, files: Sequence[StagedFile]) -> int:
    """Lands CSV files of one layout and returns how many records they hold."""
    file_format, columns = csv_format(files[0]), files[0].columns or ()
    where: dict[str, Any] = {"stage": state.staged.stage, "files": state.staged.of(files), "file_format": file_format}
    names = [f"c{number}" for number in range(len(columns))]
    bad = _validate(state, names, where, files)
    written = [(column.name, f"${number}") for number, column in enumerate(columns, start=1)]
    kept = [(name, value) for name, value in written if name in state.change.written]
    copy = copy_rows(state.names.landing, [name for name, _ in kept], [value for _, value in kept], **where)
    results, _ = state.sql.first_rows(copy, len(files))
    loaded = sum(int(result.get("rows_loaded") or 0) for result in results)
    parsed = sum(int(result.get("rows_parsed") or 0) for result in results)
    state.counts.rejected += len(bad)
    state.counts.landed += loaded - (_delete_rejected(state, bad) if bad else 0)
    return max(parsed, loaded)


def _validate(
    state: LoadState, columns: Sequence[str], where: dict[str, Any], files: Sequence[StagedFile]
) -> list[tuple[str, int]]:
    """Notes the records that cannot be read, and returns their (path, number); raises where they are too many."""
    lines = f"{state.names.landing}_checked"
    state.sql.run(
        statement(
            "rows", "create_landing", {"landing": lines, "columns": typed_columns(dict.fromkeys(columns, "VARCHAR"))}
        )
    )
    try:
        limit = 10 * (state.plan.guards.maximum_rejected + 1)
        errors, count = state.sql.first_rows(validate_rows(lines, columns, **where), min(limit, 100_000))
    finally:
        state.sql.run(f"DROP TABLE IF EXISTS {lines}")
    by_record: dict[tuple[str, int], tuple[StagedFile, dict[str, Any]]] = {}
    for error in errors:
        file = file_of(state, str(error["file"]), files)
        by_record.setdefault((state.staged.paths[file.key], int(error["row_number"])), (file, error))
    for file, error in by_record.values():
        raw = str(error["rejected_record"] or "").rstrip("\r\n")
        number = state.files.index(file)
        state.rejects.append(Reject(number, file.source_name, _line(error), reason_of(str(error["error"])), raw))
    rejected = state.counts.rejected + (len(by_record) if count <= len(errors) else count)
    check_rejected(state.plan, rejected, first_reject(state))
    return list(by_record)


def _line(error: dict[str, Any]) -> int | None:
    line = error.get("row_start_line") or error.get("line")
    return int(line) if line else None


def _delete_rejected(state: LoadState, bad: Sequence[tuple[str, int]]) -> int:
    rejected = ", ".join(f"({literals(record)})" for record in bad)
    values = {"landing": state.names.landing, "rejected": rejected}
    return state.sql.run(statement("rows", "delete_rejected", values))


def file_of(state: LoadState, name: str, files: Sequence[StagedFile]) -> StagedFile:
    """Returns the file that Snowflake names by a path that may begin above or below the stage."""
    for file in files:
        if name.endswith(state.staged.names[file.key]) or state.staged.paths[file.key].endswith(name):
            return file
    return files[0]


def reason_of(error: str) -> str:
    """Returns why a record was rejected, in the words of every warehouse."""
    counts = _COLUMN_COUNT.search(error)
    if counts:
        return "fewer fields than columns" if int(counts[1]) < int(counts[2]) else "more fields than columns"
    return next((reason for pattern, reason in _REASONS if pattern.search(error)), "not in the file's dialect")


def _computed(state: LoadState) -> str:
    """Returns what a strategy computes beside the batch's columns, as the end of a select list."""
    strategy = state.plan.strategy
    if isinstance(strategy, Historical):
        extracted = literal(state.plan.extracted_at)
        begins = instant(f"l.{identifier(strategy.order_by)}") if strategy.order_by else extracted
        return f", {begins} AS _valid_from"
    if isinstance(strategy, Cdc):
        marker = f"CAST(l.{identifier(strategy.delete_column)} AS VARCHAR)"
        return f", COALESCE({marker} IN ({literals(strategy.delete_values)}), FALSE) AS _is_deleted"
    return ""
