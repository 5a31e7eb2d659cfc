"""What dbt sends that fakesnow 0.12 cannot run: temporary tables and views in a schema, comments on columns."""

from __future__ import annotations

import re

_TEMPORARY = re.compile(r"(\s*CREATE\s+(?:OR\s+REPLACE\s+)?)TEMPORARY\s+(?=(?:TABLE|VIEW)\s+[^\s(]*\.)", re.IGNORECASE)
_COLUMN_COMMENTS = re.compile(
    r"\s*ALTER\s+TABLE\s+(?P<table>\S+)\s+ALTER\s+(?P<columns>\"\w+\"\s+COMMENT\s+\$\$.*\$\$)\s*(?:/\*.*\*/)?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_COLUMN_COMMENT = re.compile(r"(\"\w+\")\s+COMMENT\s+\$\$(.*?)\$\$\s*(?:,\s*|$)", re.IGNORECASE | re.DOTALL)


def without_temporary(command: str) -> str:
    """Returns a CREATE whose temporary table or view is a plain one, where a schema is named.

    DuckDB keeps temporary ones outside of every schema. So it is seen by all sessions and lasts until it is dropped,
    which dbt does; with Snowflake it would be its session's own and end with it.
    """
    return _TEMPORARY.sub(r"\1", command, count=1)


def column_comments(command: str) -> list[str]:
    """Returns a statement for each column where one comments on several; else none."""
    found = _COLUMN_COMMENTS.fullmatch(command)
    if not found:
        return []
    comments = _COLUMN_COMMENT.findall(found["columns"])
    left = _COLUMN_COMMENT.sub("", found["columns"])
    assert not left, f"not a comment: {left}"
    quoted = [(column, comment.replace("'", "''")) for column, comment in comments]
    return [f"COMMENT ON COLUMN {found['table']}.{column} IS '{comment}'" for column, comment in quoted]
