"""The schemas' files in, their rules out; the files are the only list of allowed fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

SCHEMAS = ("project", "dataset", "finetune", "manifest", "plan", "lock", "report")

JsonSchema = Mapping[str, Any]


def schema_path(name: str) -> Path:
    """The file of a schema: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parents[2]
    installed = package / "schemas" / f"{name}.json"
    return installed if installed.is_file() else package.parent / "schemas" / f"{name}.json"


@cache
def load_schema(name: str) -> JsonSchema:
    """One of `SCHEMAS`, parsed."""
    return cast(JsonSchema, json.loads(schema_path(name).read_text("utf-8")))


@cache
def cosmetic_fields() -> frozenset[str]:
    """The fields of a FineTune that buy no new training when they change."""
    properties = load_schema("finetune")["properties"]
    return frozenset(name for name, rule in properties.items() if rule.get("x-cosmetic"))


def follow(rule: JsonSchema, root: JsonSchema) -> JsonSchema:
    """A rule with its reference followed; what stands beside the reference wins."""
    while isinstance(reference := rule.get("$ref"), str):
        file, _, pointer = reference.partition("#")
        base = load_schema(file.removesuffix(".json")) if file else root
        # A rule that another schema borrows keeps its references to the schema that it is from.
        target = _at(pointer, base) or _at(pointer, load_schema("finetune")) or {}
        rule = {**target, **{key: value for key, value in rule.items() if key != "$ref"}}
    return rule


def _at(pointer: str, schema: JsonSchema) -> Any:
    target: Any = schema
    for step in pointer.strip("/").split("/"):
        target = target.get(step, {})
    return target
