"""The base of every type that a person writes or that crosses tasks."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, StringConstraints
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
TABLE_PATTERN = r"^[a-z_][a-z0-9_]*$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=63)]
"""A client, pipeline or connection: lower case letters and digits, words joined by one hyphen."""

TableName = Annotated[str, StringConstraints(pattern=TABLE_PATTERN, max_length=63)]
"""A dataset, table or schema: lower case letters, digits and underscores."""


class Spec(BaseModel):
    """What a person wrote: unknown keys are errors, and nothing changes after it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Gives constants their value as the default of forms and editors; they stay required.

        Prefect's form (3.8) does not send a constant otherwise, and then finds no variant of the union that fits.
        """
        schema = handler(core_schema)
        for name, field in handler.resolve_ref_schema(schema).get("properties", {}).items():
            if name == "kind" and "const" in field:
                field.setdefault("default", field["const"])
        return schema


class Artifact(BaseModel):
    """What was decided or what happened: small, JSON-able, and passed between tasks instead of data."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def snake(name: str) -> str:
    """Returns a hyphenated name as an SQL identifier (`warby-parker` -> `warby_parker`)."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


SHOWN_EMPTY: JsonDict = {"default": None}
"""For a required field: a form begins with it empty instead of leaving it out.

Prefect's form (3.8) tells the members of a union by the names of the fields that the value at hand has.
"""


class PlainUnion:
    """Writes a tagged union as `anyOf` into JSON Schemas: what it allows is the same, for each `kind` is a constant.

    Pydantic writes `oneOf` with a `discriminator`, of which Prefect's form (3.8) shows nothing at all; of `anyOf` it
    shows one tab a member, also where the union may be null.
    """

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": handler(core_schema)["oneOf"]}
