"""The ledger's rows as a table holds them: `penstock.loads` has a column for each fact, two for the target."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from penstock.artifacts import TableRef
from penstock.errors import ConfigurationError
from penstock.ledger import LoadRecord

RECORD_COLUMNS = tuple(
    column
    for field in LoadRecord.model_fields
    for column in (("target_schema", "target_table") if field == "target" else (field,))
)


def record_values(record: LoadRecord) -> list[Any]:
    """Returns a record's values in the order of `RECORD_COLUMNS`."""
    values = record.model_dump(mode="python")
    values |= {"target_schema": record.target.schema_name, "target_table": record.target.name}
    return [str(values[column]) if column == "run_kind" else values[column] for column in RECORD_COLUMNS]


def record_of(row: Sequence[Any]) -> LoadRecord:
    """Returns the record whose values, in the order of `RECORD_COLUMNS`, a row holds."""
    values = {name: in_utc(value) for name, value in zip(RECORD_COLUMNS, row, strict=True)}
    target = TableRef(schema_name=values.pop("target_schema"), name=values.pop("target_table"))
    return LoadRecord.model_validate({"target": target, **values})


def in_utc(value: Any) -> Any:
    """Returns an instant in UTC, whatever zone the driver gave it in; other values as they are."""
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def check_version(applied: int, known: int) -> None:
    """Checks that this Penstock knows the `penstock` schema that a warehouse has.

    Args:
        applied: Number of the last migration that was applied; 0 before the first.
        known: Number of the last migration that there is.

    Raises:
        ConfigurationError: the schema was made by a newer Penstock.
    """
    if applied > known:
        raise ConfigurationError(
            "the warehouse was upgraded by a newer Penstock",
            guidance="Upgrade Penstock here, too.",
            schema_version=applied,
            known_version=known,
        )
