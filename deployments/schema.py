"""The JSON Schemas of pipeline and platform files, by which editors complete, explain and check as one types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from penstock.pipeline import PIPELINES
from penstock.platform import PlatformSpec
from tasks.definitions.project import Project

JsonSchema = dict[str, Any]

_DIALECT = "http://json-schema.org/draft-07/schema#"
_DEFINITION = "#/$defs/{model}"
_REFERENCE: JsonSchema = {
    "type": "string",
    "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^{}]*)?\}",
    "description": "A reference to the environment.",
}


def schema_texts() -> dict[str, str]:
    """Returns both schemas as the text of their files, by the file's kind."""
    return {"pipeline": _text(pipeline_schema()), "platform": _text(platform_schema())}


def schema_path(project: Project, kind: str) -> Path:
    """Returns where a schema is written."""
    return project.root / "deployments" / f"{kind}.schema.json"


def write_schemas(project: Project) -> list[Path]:
    """Writes both schemas into `deployments/` and returns their paths."""
    written = []
    for kind, text in schema_texts().items():
        path = schema_path(project, kind)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def pipeline_schema() -> JsonSchema:
    """Returns the schema of pipeline files.

    What a dataset may say follows from `source.kind`. Only `pipeline` and its datasets are required: all else may come
    from the client's `_defaults.yaml`, which an editor does not see.
    """
    from pydantic.json_schema import models_json_schema

    _, document = models_json_schema([(model, "validation") for model in PIPELINES.values()], ref_template=_DEFINITION)
    definitions: JsonSchema = document["$defs"]
    by_kind = {kind: definitions.pop(model.__name__) for kind, model in PIPELINES.items()}
    shared = dict(next(iter(by_kind.values()))["properties"])
    sources = [schema["properties"]["source"] for schema in by_kind.values()]
    shared["source"] = {"description": sources[0]["description"], "anyOf": [_only_reference(one) for one in sources]}
    shared["datasets"] = {**shared["datasets"], "items": {"type": "object", "required": ["name"]}}
    shorthands = {name: one for schema in by_kind.values() for name, one in schema["properties"].items()}
    shorthands = {name: one for name, one in shorthands.items() if name not in shared}
    return {
        "$schema": _DIALECT,
        "title": "Penstock pipeline",
        "description": "One source of a client, its datasets, and how they run.",
        "type": "object",
        "properties": {**shared, **shorthands},
        "required": ["pipeline"],
        "anyOf": [{"required": [key]} for key in ("datasets", *shorthands)],
        "additionalProperties": False,
        "allOf": [_datasets_follow(kind, schema, shorthands) for kind, schema in by_kind.items()],
        "$defs": definitions,
    }


def platform_schema() -> JsonSchema:
    """Returns the schema of platform files, where a reference to the environment may stand for any single value."""
    document = PlatformSpec.model_json_schema(ref_template=_DEFINITION)
    with_references: JsonSchema = _allow_references(document)
    return {
        "$schema": _DIALECT,
        **with_references,
        "title": "Penstock platform",
        "description": "What the logical names of pipelines mean in one environment.",
    }


def _datasets_follow(kind: str, schema: JsonSchema, shorthands: JsonSchema) -> JsonSchema:
    source = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {
        "if": {"properties": {"source": source}, "required": ["source"]},
        "then": {
            "properties": {
                "datasets": {"items": schema["properties"]["datasets"]["items"]},
                **{name: False for name in shorthands if name not in schema["properties"]},
            }
        },
    }


def _only_reference(schema: JsonSchema) -> JsonSchema:
    return {"$ref": schema["$ref"]} if "$ref" in schema else schema


def _allow_references(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_allow_references(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    rewritten = {key: _allow_references(value) for key, value in schema.items()}
    is_checked_text = schema.get("type") == "string" and "pattern" in schema
    if is_checked_text or schema.get("type") in {"integer", "number", "boolean"}:
        outside = {key: rewritten.pop(key) for key in ("title", "description", "default") if key in rewritten}
        return {**outside, "anyOf": [rewritten, _REFERENCE]}
    return rewritten


def _text(schema: JsonSchema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
