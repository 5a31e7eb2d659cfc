"""Snowflake as the warehouse: COPY into transient landing tables, then set SQL in one transaction with the ledger.

Names are stored in upper case, as Snowflake stores what is written without quotes: people and dbt models write
`acme_bronze.rest__orders` and `order_id` on every warehouse, and find the same columns. Rows of `query` come with
lower-case names for the same reason.
"""
