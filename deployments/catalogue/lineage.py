"""Which columns of which tables a model's columns come from, read off its compiled SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Relation = tuple[str, str]
"""A table's schema and name in lower case, as each warehouse has them alike."""


class ColumnRef(NamedTuple):
    """A column of a table."""

    relation: Relation
    column: str


class ModelSql(NamedTuple):
    """A model's table, and the SQL that makes it."""

    relation: Relation
    sql: str


ColumnParents = Mapping[str, frozenset[ColumnRef]]
"""What each column of a model is made of, in the model's order; a column `*` stands for columns that nobody named."""


def read_lineage(
    models: Iterable[ModelSql], dialect: str, known: Mapping[Relation, Sequence[str]]
) -> dict[Relation, ColumnParents]:
    """Returns what the columns of each model come from, one step up; a model whose SQL cannot be read is left out.

    A column comes from what its expression names; what only filters or joins rows is no origin.

    Args:
        models: The models, each after those it reads.
        dialect: sqlglot's name of the warehouse's SQL.
        known: Columns of other tables, by which `select *` is resolved.
    """
    from sqlglot.errors import SqlglotError

    columns = {relation: list(names) for relation, names in known.items()}
    found: dict[Relation, ColumnParents] = {}
    for model in models:
        try:
            found[model.relation] = column_parents(model.sql, dialect, columns)
        except SqlglotError:
            continue
        columns[model.relation] = list(found[model.relation])
    return found


def column_parents(query: Any, dialect: str, columns: Mapping[Relation, Sequence[str]]) -> ColumnParents:
    """Returns what each column of a query comes from.

    Args:
        query: SQL, or what sqlglot has parsed it to.
        dialect: sqlglot's name of the SQL.
        columns: Those of the tables that it reads, as far as they are known.

    Raises:
        SqlglotError: the SQL cannot be read.
    """
    from sqlglot import exp, maybe_parse
    from sqlglot.lineage import lineage

    parsed = maybe_parse(query, dialect=dialect).copy()
    for table in parsed.find_all(exp.Table):
        table.set("catalog", None)  # one database a project; sqlglot wants all tables named to the same depth
    schema = _schema(columns, dialect)
    nodes = lineage(None, parsed, schema, dialect=dialect)
    return {name.lower(): frozenset(_leaves(node)) for name, node in nodes.items()}


def origins(relation: Relation, column: str, parents: Mapping[Relation, ColumnParents]) -> frozenset[ColumnRef]:
    """Returns the columns at the beginning of a column's line: those of tables that no model makes."""
    found: set[ColumnRef] = set()
    seen: set[ColumnRef] = set()
    waiting = [ColumnRef(relation, column)]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        above = parents.get(one.relation)
        if above is None:
            found.add(one)
        else:
            waiting.extend(above.get(one.column, ()))
    return frozenset(found)


def _leaves(node: Any) -> Iterator[ColumnRef]:
    from sqlglot import exp

    for one in node.walk():
        if not one.downstream and isinstance(one.expression, exp.Table):
            relation = one.expression.db.lower(), one.expression.name.lower()
            yield ColumnRef(relation, exp.to_identifier(one.name.rpartition(".")[2].strip('"')).name.lower())


def _schema(columns: Mapping[Relation, Sequence[str]], dialect: str) -> Any:
    from sqlglot.schema import MappingSchema

    tree: dict[str, dict[str, dict[str, str]]] = {}
    for (schema, table), names in columns.items():
        tree.setdefault(schema, {})[table] = dict.fromkeys(names, "text")
    return MappingSchema(tree, dialect=dialect)
