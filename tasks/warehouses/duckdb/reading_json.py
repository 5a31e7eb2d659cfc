"""Reads staged JSON lines: one text column for each key that any record of the batch has.

A survey finds the keys of all records, the lines that are no JSON objects, and whether a number is written in a way
that DuckDB would rewrite; then one query takes the values out of each line. A text value comes without its quotes and
escapes, an object or array as JSON text without spaces, `null` as NULL, and a number as it is written: 1.10 stays 1.10.

DuckDB reads numbers into doubles, so lines with such numbers go through a regular expression first that makes strings
of them, and the values that come out of those lines through one that takes the quotes away again.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from penstock.artifacts import StagedFile
from penstock.naming import standardise_columns
from tasks.warehouses.columns import MAXIMUM_COLUMNS
from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.duckdb.reading import TEXT, Column, Reading, RowRange, named_by_file
from tasks.warehouses.duckdb.reading_csv import line_reader, rejects_options
from tasks.warehouses.duckdb.staged_paths import StagedPaths
from tasks.warehouses.duckdb.templates import statement
from tasks.warehouses.quoting import literal, literals

SHAPES = "penstock_json_shapes"

# Numbers that a double would not give back as they are written: an exponent, a zero at the end, seventeen characters
# or more, very small ones, and minus zero. A number stands behind `:`, `[` or `,`; a match inside a string costs time.
_REWRITTEN_NUMBER = r"[:,\[]\s*-?(?:\d+(?:\.\d+)?[eE]|\d+\.\d+0[,\]}\s]|[\d.]{17}|0\.0000)|[:,\[]\s*-0[,\]}\s]"
# What stands before a number, strings passed over whole; then the number, or the end of the line.
_NUMBER = r'((?:[^"0-9-]|"(?:[^"\\]|\\.)*")*)(-?[0-9][-+0-9.eE]*|$)'

# A line almost always begins with its brace; trimming all of them would take longer than reading them.
_HAS_BRACE = "CASE WHEN starts_with(line, '{') THEN true ELSE ltrim(line, ' \t') LIKE '{%' END"
_IS_FILLED = "CASE WHEN starts_with(line, '{') THEN true ELSE trim(line, ' \t') <> '' END"
_IS_OBJECT = f"(json_valid(line) AND {_HAS_BRACE})"
_CONDITIONS = {"has_brace": _HAS_BRACE, "is_filled": _IS_FILLED, "rewritten": literal(_REWRITTEN_NUMBER)}


def read_json_files(sql: Sql, files: Sequence[StagedFile], paths: StagedPaths, rejects_limit: int) -> Reading:
    """Returns the query that reads JSON lines files of one compression.

    Args:
        sql: The open warehouse, which surveys the files.
        files: The files, in the batch's order.
        paths: Where they are.
        rejects_limit: How many rejected lines DuckDB keeps for each file.
    """
    file_paths = tuple(paths.of(file) for file in files)
    survey = line_reader(file_paths, files[0].compression, "utf-8", ", strict_mode=false, ignore_errors=true")
    sql.run(statement("json", "survey", {"shapes": SHAPES, "lines": survey, **_CONDITIONS}))
    line_count, rewritten, bad = sql.rows(
        "SELECT coalesce(sum(line_count), 0), coalesce(sum(rewritten), 0), count(*) FILTER (keys IS NULL) "
        f"FROM {SHAPES}"
    )[0]
    keys = _ordered_keys(sql, files[0], file_paths)
    marker = f"#{sha256(file_paths[0].encode()).hexdigest()[:12]}#" if rewritten else None
    landing = line_reader(
        file_paths, files[0].compression, "utf-8", f", strict_mode=false, {rejects_options(rejects_limit)}"
    )
    wanted = _IS_OBJECT if bad else _IS_FILLED
    relation, source_file = named_by_file(landing, files, file_paths)
    line = _line(marker, is_usual=2 * rewritten > line_count)
    pointers = literals(_pointer(key) for key in keys)
    values = f"json_extract_string({line}, [{pointers}])" if keys else "NULL"
    relation = f"(SELECT {values} AS v, {source_file} AS source_file FROM {relation} WHERE {wanted})"
    return Reading(
        files=tuple(files),
        paths=file_paths,
        columns=_columns(keys, marker),
        relation=relation,
        source_file="source_file",
        expected=RowRange(line_count, line_count),
        has_bad_lines=bool(bad),
    )


def bad_lines_query(file: StagedFile, path: str) -> str:
    """Returns a query of the lines of one file that are no JSON objects: (line number, reason, line)."""
    reader = line_reader([path], file.compression, "utf-8", ", strict_mode=false, ignore_errors=true, parallel=false")
    numbered = f"SELECT row_number() OVER () AS number, line FROM {reader}"
    reason = "CASE WHEN json_valid(line) THEN 'not a JSON object' ELSE 'not valid JSON' END AS reason"
    return f"SELECT number, {reason}, line FROM ({numbered}) WHERE {_IS_FILLED} AND NOT {_IS_OBJECT} ORDER BY number"


def _ordered_keys(sql: Sql, first: StagedFile, file_paths: Sequence[str]) -> list[str]:
    """Returns all keys: the first record's in its order, then the others by name."""
    # One more than a table can have says that there are too many; maps could bring millions.
    every = f"SELECT DISTINCT unnest(keys) FROM {SHAPES} LIMIT {MAXIMUM_COLUMNS + 1}"
    found = {key for (key,) in sql.rows(every)}
    reader = line_reader(
        file_paths, first.compression, "utf-8", ", strict_mode=false, ignore_errors=true, parallel=false"
    )
    sql.run("SET preserve_insertion_order = true")  # without it, LIMIT gives whichever record was read first
    start = sql.rows(f"SELECT json_keys(line) FROM {reader} WHERE {_IS_OBJECT} LIMIT 1")
    sql.run("SET preserve_insertion_order = false")
    ordered = dict.fromkeys(start[0][0] if start else ())
    return [*(key for key in ordered if key in found), *sorted(found.difference(ordered))]


def _columns(keys: Sequence[str], marker: str | None) -> tuple[Column, ...]:
    """Returns the keys' columns; what a key is called depends on which keys there are, not on their order."""
    # Sorted, because an empty key is called after its position.
    names = {column.source_name: column.name for column in standardise_columns(sorted(keys))}
    return tuple(Column(names[key], TEXT, _value(number, marker)) for number, key in enumerate(keys, start=1))


def _pointer(key: str) -> str:
    """Returns a top-level key as a JSON pointer (RFC 6901)."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _line(marker: str | None, *, is_usual: bool) -> str:
    """Returns a line whose numbers are strings behind a marker, where its numbers would be rewritten.

    Args:
        marker: What tells such strings apart; None where no line needs it.
        is_usual: Whether most lines need it; then none is searched first.
    """
    if marker is None:
        return "line"
    as_text = literal(rf'\1"{marker}\2"')
    # The match at the line's end leaves a marker without a number behind the object.
    rest = literal(f'"{marker}"')
    marked = f"replace(regexp_replace(line, {literal(_NUMBER)}, {as_text}, 'g'), {rest}, '')"
    if is_usual:
        return marked
    return f"CASE WHEN regexp_matches(line, {literal(_REWRITTEN_NUMBER)}) THEN {marked} ELSE line END"


def _value(number: int, marker: str | None) -> str:
    value = f"v[{number}]"
    if marker is None:
        return value
    mark, quoted = literal(marker), literal(rf'"{marker}([-+0-9.eE]+)"')
    nested = rf"WHEN contains({value}, {mark}) THEN regexp_replace({value}, {quoted}, '\1', 'g')"
    return f"CASE WHEN starts_with({value}, {mark}) THEN substr({value}, {len(marker) + 1}) {nested} ELSE {value} END"
