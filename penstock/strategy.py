"""Load strategies: what a load does to the bronze table. Each is safe to repeat for the same interval."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field

from penstock.spec import SHOWN_EMPTY, PlainUnion, Spec

Columns = Annotated[tuple[str, ...], Field(min_length=1)]


class KeyedSpec(Spec):
    """A strategy with keys: `keys` in files and forms, `key_columns` in Python.

    An attribute named `keys` would make `dict(strategy)`, which Prefect calls on parameters, take it for a mapping.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class FullRefresh(Spec):
    """The table holds exactly the newest batch, replaced atomically."""

    model_config = ConfigDict(title="Full refresh")

    kind: Literal["full_refresh"]
    replaces: Literal["table"] = Field(
        default="table", description="The whole table: rows that this batch does not have are gone afterwards."
    )


class Append(Spec):
    """This interval's rows are replaced; all others are kept."""

    model_config = ConfigDict(title="Append")

    kind: Literal["append"]


class Partition(Spec):
    """Rows whose `column` lies in the interval are replaced."""

    model_config = ConfigDict(title="Partition")

    kind: Literal["partition"]
    column: str = Field(
        json_schema_extra=SHOWN_EMPTY,
        description="Bronze column that holds each row's time, as ISO 8601 (without an offset: in the window's zone).",
    )


class Incremental(KeyedSpec):
    """Upsert on `keys`; the last row by `order_by` wins, within the batch too."""

    model_config = ConfigDict(title="Incremental")

    kind: Literal["incremental"]
    key_columns: Columns = Field(alias="keys", description="Columns that identify a row.")
    order_by: str | None = Field(
        default=None, description="Column that says which of two versions is newer; without it, the last read wins."
    )


class Historical(KeyedSpec):
    """Slowly changing dimension, type 2: `_valid_from`, `_valid_to`, `_is_current`."""

    model_config = ConfigDict(title="Historical (SCD 2)")

    kind: Literal["historical"]
    key_columns: Columns = Field(alias="keys", description="Columns that identify an entity.")
    order_by: str | None = Field(
        default=None, description="Column that says since when a version holds; without it, the extraction's time."
    )
    absent: Literal["keep", "close"] = Field(
        default="keep", description="`close` ends the history of keys that a full extract no longer has."
    )


class Cdc(KeyedSpec):
    """Changes (insert, update, delete) applied in `order_by` order."""

    model_config = ConfigDict(title="Change data capture")

    kind: Literal["cdc"]
    key_columns: Columns = Field(alias="keys", description="Columns that identify a row.")
    order_by: str = Field(description="Column that orders the changes of one key.")
    delete_column: str = Field(description="Column that says whether a change is a delete (an op column or a marker).")
    delete_values: Columns = Field(
        default=("d", "D", "delete", "DELETE", "true", "TRUE", "True", "t", "1"),
        description="Values of `delete_column` that mean a delete.",
    )
    deletes: Literal["soft", "hard"] = Field(
        default="soft", description="`soft` marks deleted rows in `_is_deleted`; `hard` removes them."
    )


LoadStrategy = Annotated[
    Append | FullRefresh | Partition | Incremental | Historical | Cdc, Field(discriminator="kind"), PlainUnion()
]

STRATEGY_KINDS: tuple[str, ...] = tuple(
    get_args(one.model_fields["kind"].annotation)[0] for one in get_args(get_args(LoadStrategy)[0])
)
"""The `kind` of every strategy."""

WHOLE_SNAPSHOT_KINDS = frozenset({"full_refresh"})
"""Strategies that replace the whole table, so that an empty or shrunken batch would destroy data."""
