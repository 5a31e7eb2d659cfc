"""The vocabulary of Penstock: frozen types and pure functions. Imports no Prefect and does no I/O."""

__version__ = "0.1.0"
