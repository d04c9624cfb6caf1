"""The public specification as a value: its operations, its schemas, what they compare with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

SPEC = Path(__file__).parents[3] / "shared" / "data" / "openapi" / "openai-fine-tuning.json"
MISSING = f"the public specification is not at {SPEC}"

Rules = Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path, such as `GET /files/{file_id}`, and its rules."""

    name: str
    rules: Rules

    @property
    def id(self) -> str:
        """The specification's own name for it."""
        return str(self.rules.get("operationId"))

    def pattern(self) -> re.Pattern[str]:
        """The percent-encoded paths of this operation; a model's name may hold slashes."""
        path = re.sub(r"\{\w*model\w*\}", ".+", self.name.partition(" ")[2])
        return re.compile(re.sub(r"\{\w+\}", "[^/]+", path))

    @property
    def parameters(self) -> Mapping[str, Rules]:
        """The schema of each query parameter."""
        listed = self.rules.get("parameters", ())
        return {one["name"]: one["schema"] for one in listed if one["in"] == "query"}

    @property
    def bodies(self) -> Mapping[str, Rules]:
        """The schema of the request's body by content type; none where it has no body."""
        content = self.rules.get("requestBody", {}).get("content", {})
        return {kind: part["schema"] for kind, part in content.items()}

    def answers(self, status: int) -> Mapping[str, Rules] | None:
        """The schema by content type of an answer with this status; None if it has no such."""
        responses = self.rules.get("responses", {})
        for name in (str(status), f"{status // 100}XX"):
            content = responses.get(name, {}).get("content", {})
            if content:
                return {kind: part["schema"] for kind, part in content.items()}
        return None


OUTSIDE = Operation("", {})
"""What the specification does not have."""


class Specification:
    """The public document, and what can be asked of it."""

    def __init__(self, document: Rules) -> None:
        self.document = document
        self.operations = tuple(
            Operation(f"{method.upper()} {path}", rules)
            for path, methods in document["paths"].items()
            for method, rules in methods.items()
        )
        self.error = document["components"]["schemas"]["ErrorResponse"]
        self._patterns = [(one, one.pattern()) for one in self.operations]
        resource = DRAFT202012.create_resource(document)
        self._registry: Registry[Any] = Registry().with_resource("urn:spec", resource)
        self._validators: dict[int, Draft202012Validator] = {}

    def operation(self, method: str, path: str) -> Operation:
        """What a request asks for."""
        below = path.removeprefix("/v1")
        for one, pattern in self._patterns:
            if one.name.startswith(f"{method} ") and pattern.fullmatch(below):
                return one
        return OUTSIDE

    def errors(self, schema: Rules, value: object) -> list[ValidationError]:
        """Where the value does not fit a schema that stands in the document."""
        validator = self._validators.get(id(schema))
        if validator is None:
            validator = Draft202012Validator(_absolute(schema), registry=self._registry)
            self._validators[id(schema)] = validator
        return list(validator.iter_errors(value))

    def resolve(self, schema: Rules) -> Rules:
        """The schema that is meant, where this one only refers to it."""
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def types(self, schema: Rules) -> set[str]:
        """The JSON types that a parameter may have."""
        schema = self.resolve(schema)
        own = schema.get("type", [])
        options = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        listed = {own} if isinstance(own, str) else set(own)
        return listed.union(*(self.types(one) for one in options))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word that a rule names: the properties and the choices."""
        return frozenset(_words(self.document))

    @cached_property
    def bounds(self) -> list[float]:
        """Every number that a rule compares with."""
        return sorted({0, *_bounds(self.document)})


@cache
def load_specification() -> Specification:
    """The public specification; only where its file is."""
    return Specification(json.loads(SPEC.read_text("utf-8")))


def _absolute(schema: Any) -> Any:
    match schema:
        case {"$ref": str(target)}:
            return {"$ref": f"urn:spec{target}"}
        case dict():
            return {name: _absolute(part) for name, part in schema.items()}
        case list():
            return [_absolute(part) for part in schema]
    return schema


def _words(rule: Any) -> Iterator[str]:
    if isinstance(rule, dict):
        yield from rule.get("properties", ())
        choices = rule.get("enum", ())
        yield from (one for one in choices if isinstance(one, str))
    for part in _inside(rule):
        yield from _words(part)


_COMPARED = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COUNTED = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")


def _bounds(rule: Any) -> Iterator[float]:
    if isinstance(rule, dict):
        found = (rule.get(name) for name in (*_COMPARED, *_COUNTED))
        yield from (one for one in found if isinstance(one, int | float))
    for part in _inside(rule):
        yield from _bounds(part)


def _inside(rule: Any) -> Iterable[Any]:
    if isinstance(rule, dict):
        return rule.values()
    return rule if isinstance(rule, list) else ()
