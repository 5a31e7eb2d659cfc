"""What fakesnow 0.12 translates wrongly or not at all, written so that it does; production SQL is untouched."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

_IGNORED_OPTIONS = re.compile(r"\s+DATA_RETENTION_TIME_IN_DAYS = \d+|(?<=INCREMENT = 1) ORDER\b")

_NEXT_VALUE = re.compile(r"\b(\w+\.\w+)\.NEXTVAL\b")


def rewrite(command: str) -> str:
    """Returns a statement that fakesnow runs with the effect that Snowflake documents for the given one."""
    command = _IGNORED_OPTIONS.sub("", command)
    command = command.replace("TRY_TO_TIMESTAMP_TZ(", "PENSTOCK_TRY_INSTANT(")
    command = _NEXT_VALUE.sub(r"NEXTVAL('\1')", command)
    tree = sqlglot.parse_one(command, read="snowflake")
    if isinstance(tree, exp.Command | exp.Put):
        return command
    return tree.transform(_rewritten).sql(dialect="snowflake")


def merge_for_duckdb(command: str) -> str:
    """Returns a MERGE as DuckDB's own, with the source named where inserted values name no table.

    fakesnow 0.12 looks such columns up in both tables, where dbt's have the same names, and keeps what is to be done in
    a table of its own, of which its catalogue cannot be told within a transaction.
    """
    merge = sqlglot.parse_one(command, read="snowflake")
    assert isinstance(merge, exp.Merge), command
    source = merge.args["using"].alias_or_name
    for when in merge.find_all(exp.When):
        if isinstance(when.args["then"], exp.Insert):
            for column in when.args["then"].expression.find_all(exp.Column):
                column.set("table", column.args.get("table") or exp.to_identifier(source))
    return merge.sql(dialect="duckdb")


def _rewritten(node: exp.Expression) -> exp.Expression:
    match node:
        case exp.RegexpLike() | exp.RegexpFullMatch():
            flag = [node.args["flag"]] if node.args.get("flag") else []
            return exp.Anonymous(this="REGEXP_FULL_MATCH", expressions=[node.this, node.expression, *flag])
        case exp.RegexpReplace():
            parts = [node.this, node.expression, node.args["replacement"], exp.Literal.string("g")]
            return exp.Anonymous(this="REGEXP_REPLACE_ALL_OF", expressions=parts)
        case exp.ParseJSON() if node.expression is not None:
            node.set("expression", None)
            return node
        case exp.Cast() if isinstance(node.this, exp.GetExtract) or _is_call(node.this, "GET"):
            value, key = (
                (node.this.this, node.this.expression)
                if isinstance(node.this, exp.GetExtract)
                else node.this.expressions
            )
            pointer = "/" + key.name.replace("~", "~0").replace("/", "~1")
            return exp.Anonymous(this="JSON_EXTRACT_STRING", expressions=[value, exp.Literal.string(pointer)])
        case exp.Anonymous() if _is_call(node, "IS_OBJECT"):
            kind = exp.Anonymous(this="JSON_TYPE", expressions=node.expressions)
            return exp.EQ(this=kind, expression=exp.Literal.string("OBJECT"))
        case _:
            return node


def _is_call(node: exp.Expression, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() == name
