"""A PostgreSQL database as the warehouse: COPY in, set SQL, and one transaction with the ledger."""
