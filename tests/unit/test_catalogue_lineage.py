from __future__ import annotations

import pytest

from deployments.catalogue.lineage import ColumnRef, ModelSql, column_parents, origins, read_lineage

STAGING = ModelSql(
    ("silver", "stg_orders"),
    """
    with source as (select * from {quote}db{quote}.{quote}bronze{quote}.{quote}orders{quote}),
    orders as (
        select
            id as order_id,
            case when trim(buyer) <> '' then lower(buyer) end as buyer_key,
            row_number() over (partition by id order by loaded_at) as place
        from source
        where region = 'north'
    )
    select * from orders
    """,
)
GOLD = ModelSql(
    ("gold", "fct_orders"),
    """
    with orders as (select * from {quote}db{quote}.{quote}silver{quote}.{quote}stg_orders{quote}),
    united as (select order_id, buyer_key from orders union all select order_id, null as buyer_key from orders)
    select united.*, count(*) as line_count, 1 as one from united group by order_id, buyer_key
    """,
)
KNOWN = {("bronze", "orders"): ["id", "buyer", "region", "loaded_at"]}


def written(model: ModelSql, dialect: str) -> ModelSql:
    sql = model.sql.replace("{quote}", '"')
    return ModelSql(model.relation, sql.upper().replace("''", "''") if dialect == "snowflake" else sql)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake"])
def test_columns_are_followed_through_stars_unions_and_models_to_bronze(dialect: str) -> None:
    parents = read_lineage([written(STAGING, dialect), written(GOLD, dialect)], dialect, KNOWN)
    bronze = ("bronze", "orders")
    assert parents[STAGING.relation] == {
        "order_id": {ColumnRef(bronze, "id")},
        "buyer_key": {ColumnRef(bronze, "buyer")},
        "place": {ColumnRef(bronze, "id"), ColumnRef(bronze, "loaded_at")},
    }
    assert parents[GOLD.relation] == {
        "order_id": {ColumnRef(STAGING.relation, "order_id")},
        "buyer_key": {ColumnRef(STAGING.relation, "buyer_key")},
        "line_count": frozenset(),
        "one": frozenset(),
    }
    assert origins(GOLD.relation, "buyer_key", parents) == {ColumnRef(bronze, "buyer")}
    assert origins(bronze, "id", parents) == {ColumnRef(bronze, "id")}


def test_a_model_that_cannot_be_read_is_left_out_and_the_others_are_not() -> None:
    odd = ModelSql(("silver", "odd"), "select from where ((")
    parents = read_lineage([odd, written(STAGING, "duckdb")], "duckdb", KNOWN)
    assert set(parents) == {STAGING.relation}


def test_a_star_over_a_table_whose_columns_nobody_knows_stays_a_star() -> None:
    assert set(column_parents("select * from bronze.things", "duckdb", {})) == {"*"}
