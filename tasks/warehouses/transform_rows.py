"""The rows of `penstock.transforms`, as columns and values."""

from __future__ import annotations

from typing import Any

from penstock.transforms import TransformRecord

TRANSFORM_COLUMNS = tuple(TransformRecord.model_fields)


def transform_values(record: TransformRecord) -> list[Any]:
    """Returns a record's values in the order of `TRANSFORM_COLUMNS`."""
    values = record.model_dump(mode="python")
    return [values[column] for column in TRANSFORM_COLUMNS]
