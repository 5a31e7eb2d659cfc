"""Reads staged JSON lines: one text column for each key that any record of the batch has.

Lines land as text; set SQL finds the lines that are no JSON objects and the keys of all others, and then takes the
values out of each line. A text value comes without its quotes and escapes, an object or array as JSON text, `null` as
NULL. A VARIANT would rewrite numbers (1.10 to 1.1), so in lines that have such numbers they become strings behind a
marker first, and the values that come out lose the marker again. What a VARIANT does rewrite: the keys of a nested
object come in alphabetical order, and of a key that a record lists twice the last value stays.
"""

from __future__ import annotations

import json
from itertools import groupby

from penstock.artifacts import FileFormat, StagedFile
from penstock.naming import standardise_columns
from tasks.warehouses.snowflake.file_formats import FILE, FILES_PER_STATEMENT, ROW, copy_rows, line_format, text_columns
from tasks.warehouses.snowflake.load_state import LoadState, Reject
from tasks.warehouses.snowflake.quoting import identifier, identifiers, literal
from tasks.warehouses.snowflake.templates import statement

_LINE = "line"
_IS_FILLED = r"l.line IS NOT NULL AND TRIM(l.line, ' \t\r') <> ''"
_IS_OBJECT = "COALESCE(IS_OBJECT(TRY_PARSE_JSON(l.line, 'd')), FALSE)"

# Numbers that a VARIANT may not give back as they are written: an exponent, a zero at the end, seventeen characters or
# more, very small ones, and minus zero. A number stands behind `:`, `[` or `,`; a match inside a string costs time.
_REWRITTEN = r".*[:,\[]\s*(-?(\d+(\.\d+)?[eE]|\d+\.\d*0[,\]}\s]|[\d.]{17}|0\.0000)|-0[,\]}\s]).*"
# What stands before a number, strings passed over whole; then the number, or the end of the line.
_NUMBER = r'(([^"0-9-]|"([^"\\]|\\.)*")*)(-?[0-9][-+0-9.eE]*|$)'
_MARKER = "#penstock#5f3b1c9e#"


def land_lines(state: LoadState) -> None:
    """Lands the lines of JSON files, and finds their keys."""
    files = state.files_of(FileFormat.JSONL)
    if not files:
        return
    state.sql.run(statement("rows", "create_landing", {"landing": state.names.lines, "columns": text_columns([_LINE])}))
    for compression, group in groupby(sorted(files, key=_compression), key=lambda file: file.compression):
        together = list(group)
        for start in range(0, len(together), FILES_PER_STATEMENT):
            names = state.staged.of(together[start : start + FILES_PER_STATEMENT])
            copy = copy_rows(
                state.names.lines,
                [_LINE],
                ["$1"],
                stage=state.staged.stage,
                files=names,
                file_format=line_format(compression),
            )
            state.sql.run(copy)
    keys = _ordered_keys(state)
    names_of = {column.source_name: column.name for column in standardise_columns(sorted(keys))}
    state.json_keys = {names_of[key]: key for key in keys}


def land(state: LoadState) -> int:
    """Moves the values of the lines into the landing table, and returns how many lines hold something."""
    if not state.files_of(FileFormat.JSONL):
        return 0
    sql, values = state.sql, _values(state)
    filled = sql.count(statement("json", "count_filled", values))
    bad, count = sql.first_rows(statement("json", "bad_lines", values), state.plan.guards.maximum_rejected + 1)
    numbers = {state.staged.paths[file.key]: number for number, file in enumerate(state.files)}
    for line in bad:
        number = numbers[line["path"]]
        source = state.files[number].source_name
        state.rejects.append(Reject(number, source, int(line["line_number"]), line["reason"], line["line"]))
    state.counts.rejected += count
    brought = {name: key for name, key in state.json_keys.items() if name in state.change.written}
    values["columns"] = identifiers([*brought, FILE, ROW])
    values["values"] = ", ".join(
        [*(_value(key) for key in brought.values()), f"j.{identifier(FILE)}", f"j.{identifier(ROW)}"]
    )
    state.counts.landed += sql.run(statement("json", "land", values))
    return filled


def _values(state: LoadState) -> dict[str, str]:
    number = literal(_NUMBER)
    as_text = literal(rf'\1"{_MARKER}\4"')
    # The match at the line's end leaves a marker without a number behind the object.
    marked = f"REPLACE(REGEXP_REPLACE(l.line, {number}, {as_text}), {literal(chr(34) + _MARKER + chr(34))}, '')"
    return {
        "landing": state.names.landing,
        "lines": state.names.lines,
        "files": _numbered_paths(state),
        "is_filled": _IS_FILLED,
        "is_object": _IS_OBJECT,
        "marked": f"CASE WHEN REGEXP_LIKE(l.line, {literal(_REWRITTEN)}, 's') THEN {marked} ELSE l.line END",
    }


def _numbered_paths(state: LoadState) -> str:
    return ", ".join(f"({literal(state.staged.paths[file.key])}, {number})" for number, file in enumerate(state.files))


def _ordered_keys(state: LoadState) -> list[str]:
    """Returns all records' keys: the first record's in its order, then the others in alphabetical order."""
    values = _values(state)
    keys = {row[0] for row in state.sql.rows(statement("json", "keys", values))}
    first = state.sql.rows(statement("json", "first_line", values))
    leading = [key for key in (json.loads(first[0][0], strict=False) if first else {}) if key in keys]
    return [*leading, *sorted(keys - set(leading))]


def _value(key: str) -> str:
    value = f"CAST(GET(j.v, {literal(key)}) AS VARCHAR)"
    mark, quoted = literal(_MARKER), literal(rf'"{_MARKER}([-+0-9.eE]+)"')
    plain = f"SUBSTR({value}, {len(_MARKER) + 1})"
    nested = f"REGEXP_REPLACE({value}, {quoted}, {literal(chr(92) + '1')})"
    is_marked, has_marked = f"STARTSWITH({value}, {mark})", f"CONTAINS({value}, {mark})"
    return f"CASE WHEN {is_marked} THEN {plain} WHEN {has_marked} THEN {nested} ELSE {value} END"


def _compression(file: StagedFile) -> str:
    return str(file.compression)
