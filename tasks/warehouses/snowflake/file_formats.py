"""COPY statements: what Snowflake is told about staged files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penstock.artifacts import Compression, CsvDialect, FileFormat, StagedFile
from penstock.errors import ConfigurationError
from tasks.warehouses.snowflake.quoting import identifier, identifiers, literal, literals

FILES_PER_STATEMENT = 1000
"""What a FILES list may name."""

FILE, ROW = "penstock$file", "penstock$row"
"""Columns of landing tables that say where a row came from; no column of a dataset has a `$`."""

_COMPRESSIONS = {Compression.NONE: "NONE", Compression.GZIP: "GZIP", Compression.ZSTD: "ZSTD"}
_ENCODINGS = {"utf-8": "UTF8", "utf-16": "UTF16", "latin-1": "ISO88591"}
_BREAK = re.compile(r"\r\n|\r|\n")


def layout(file: StagedFile) -> tuple[object, ...]:
    """Returns what files share that one COPY can read together."""
    if file.format is FileFormat.JSONL:
        return file.format, file.compression
    return file.format, file.compression, file.dialect, file.header_rows, file.columns


def csv_format(file: StagedFile) -> str:
    """Returns the file format of a CSV file.

    Raises:
        ConfigurationError: the dialect quotes with what Snowflake does not know as a quote.
    """
    dialect = file.dialect or CsvDialect()
    if dialect.quote not in {"", '"', "'"}:
        raise ConfigurationError(
            "Snowflake reads no CSV that is quoted like this",
            guidance="Have the files quoted with \" or ', or not at all.",
            key=file.key,
            quote=dialect.quote,
        )
    return _file_format(
        {
            "TYPE": "CSV",
            "COMPRESSION": _COMPRESSIONS[file.compression],
            **({"RECORD_DELIMITER": literal("\r")} if dialect.new_line == "\r" else {}),
            "FIELD_DELIMITER": literal(dialect.delimiter),
            "SKIP_HEADER": str(_header_lines(file)),
            "SKIP_BLANK_LINES": "FALSE" if len(file.columns or ()) == 1 else "TRUE",
            "FIELD_OPTIONALLY_ENCLOSED_BY": literal(dialect.quote) if dialect.quote else "NONE",
            "ESCAPE": literal(dialect.escape) if dialect.quote and dialect.escape != dialect.quote else "NONE",
            "ESCAPE_UNENCLOSED_FIELD": "NONE",
            "TRIM_SPACE": "FALSE",
            "NULL_IF": f"({literals(dialect.null_texts)})",
            "EMPTY_FIELD_AS_NULL": "TRUE",
            "ERROR_ON_COLUMN_COUNT_MISMATCH": "TRUE",
            "ENCODING": literal(_ENCODINGS[dialect.encoding]),
        }
    )


def line_format(compression: Compression) -> str:
    """Returns the file format that reads a text file line by line, each line one value."""
    return _file_format(
        {
            "TYPE": "CSV",
            "COMPRESSION": _COMPRESSIONS[compression],
            "FIELD_DELIMITER": "NONE",
            "SKIP_BLANK_LINES": "FALSE",
            "FIELD_OPTIONALLY_ENCLOSED_BY": "NONE",
            "ESCAPE_UNENCLOSED_FIELD": "NONE",
            "NULL_IF": "()",
            "EMPTY_FIELD_AS_NULL": "TRUE",
            "ENCODING": "'UTF8'",
        }
    )


def parquet_format() -> str:
    """Returns the file format of Parquet files."""
    return _file_format({"TYPE": "PARQUET", "USE_VECTORIZED_SCANNER": "TRUE"})


def copy_rows(
    landing: str, columns: Sequence[str], values: Sequence[str], *, stage: str, files: Sequence[str], file_format: str
) -> str:
    """Returns a COPY that lands values of files, each row with its file and its number in it.

    Args:
        landing: The landing table.
        columns: Its columns that are filled.
        values: What fills them: `$1` and so on.
        stage: The stage, as SQL.
        files: Their names in the stage.
        file_format: The file format, as SQL.
    """
    return (
        f"COPY INTO {landing} ({identifiers([*columns, FILE, ROW])})\n"
        f"FROM (SELECT {', '.join([*values, 'METADATA$FILENAME', 'METADATA$FILE_ROW_NUMBER'])} FROM {stage})\n"
        f"FILES = ({literals(files)})\n{file_format}\nON_ERROR = CONTINUE"
    )


def validate_rows(landing: str, columns: Sequence[str], *, stage: str, files: Sequence[str], file_format: str) -> str:
    """Returns a COPY that lands nothing and tells which records of files cannot be read.

    A COPY that selects from the files takes rows with too few or too many fields without a word; this one does not.
    """
    return (
        f"COPY INTO {landing} ({identifiers(columns)})\nFROM {stage}\nFILES = ({literals(files)})\n{file_format}\n"
        "VALIDATION_MODE = RETURN_ALL_ERRORS"
    )


def parquet_value(source_name: str, of_type: str) -> str:
    """Returns the expression of a Parquet column."""
    return f"$1:{_path_name(source_name)}::{of_type}"


def _path_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text_columns(names: Sequence[str]) -> str:
    """Returns the definitions of text columns, and of those that say where a row came from."""
    return typed_columns(dict.fromkeys(names, "VARCHAR"))


def typed_columns(types: dict[str, str]) -> str:
    """Returns the definitions of columns, and of those that say where a row came from."""
    definitions = [f"{identifier(name)} {of_type}" for name, of_type in types.items()]
    return ", ".join([*definitions, f"{identifier(FILE)} VARCHAR", f"{identifier(ROW)} NUMBER(38, 0)"])


def _header_lines(file: StagedFile) -> int:
    """Returns how many lines stand above the data: SKIP_HEADER counts lines, also those inside quotes."""
    if not file.header_rows:
        return 0
    return file.header_rows + sum(len(_BREAK.findall(column.source_name)) for column in file.columns or ())


def _file_format(options: dict[str, str]) -> str:
    return f"FILE_FORMAT = ({' '.join(f'{name} = {value}' for name, value in options.items())})"
