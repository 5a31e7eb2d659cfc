"""Bulk loads into bronze under the ledger; free of Prefect."""
