"""A document and a JSON Schema in, every problem with its place and a cure out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from ftctl.errors import Diagnostic, Span
from ftctl.manifest.decoding import shorten
from ftctl.manifest.schema.cures import cure_for, home_of, nearest_key
from ftctl.manifest.schema.schema_files import JsonSchema, follow, load_schema
from ftctl.manifest.schema.value_words import describe, show_value
from ftctl.text.format import plural

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

    from ftctl.manifest import Document, Where


def check_document(document: Document, name: str) -> tuple[Diagnostic, ...]:
    """Every way in which a document departs from a schema; traps are passed over."""
    found: dict[tuple[Span, str, str], Diagnostic] = {}
    for fault in _validator(name).iter_errors(document.value):
        for problem in _problems(document, fault, load_schema(name)):
            # Two rules may find one fault, such as a property's own and that of its method.
            told = found.setdefault((problem.span, problem.code, problem.message), problem)
            if told.hint is None:
                found[problem.span, problem.code, problem.message] = problem
    return tuple(found.values())


@cache
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 45 ms that `--version` need not pay
    from referencing import Registry, Resource  # noqa: PLC0415

    registry: Registry[Any] = Registry().with_resources(
        (f"{other}.json", Resource.from_contents(load_schema(other)))
        for other in ("dataset", "finetune")
    )
    # The schema's own references are local, so that it needs a name to be found under.
    root = {**load_schema(name), "$id": f"{name}.json"}
    return Draft202012Validator(root, registry=registry)


def _problems(document: Document, fault: ValidationError, root: JsonSchema) -> Iterator[Diagnostic]:
    where: Where = tuple(fault.absolute_path)
    if where in document.trapped:
        return
    if "propertyNames" in fault.schema_path:
        if (*where, fault.instance) not in document.trapped:
            yield _bad_key(document, where, fault)
        return
    match fault.validator:
        case "additionalProperties":
            yield from _unknown_keys(document, where, fault, root)
        case "required":
            yield from _missing_keys(document, where, fault, root)
        case "anyOf" if branch := _branch(fault):
            for inner in branch:
                yield from _problems(document, inner, root)
        case "not":
            yield Diagnostic(
                "misplaced-key",
                f"'{where[-1]}' has no meaning here",
                document.key_place(where),
                cast(JsonSchema, fault.schema).get("description"),
            )
        case _:
            yield _wrong_value(document, where, fault, root)


def _branch(fault: ValidationError) -> list[ValidationError]:
    """The faults of the alternative that was meant: of the one for mappings, at a mapping."""
    if not isinstance(fault.instance, dict):
        return []
    inner = list(fault.context or ())
    by_branch: dict[Any, list[ValidationError]] = {}
    for other in inner:
        by_branch.setdefault(other.schema_path[0], []).append(other)
    for faults in by_branch.values():
        if not any(other.validator == "type" and not other.path for other in faults):
            return faults
    return []


def _unknown_keys(
    document: Document, where: Where, fault: ValidationError, root: JsonSchema
) -> Iterator[Diagnostic]:
    rule = cast(JsonSchema, fault.schema)
    present = cast("dict[str, Any]", fault.instance)
    allowed = list(rule.get("properties", ()))
    for key in present:
        if key not in allowed and (*where, key) not in document.trapped:
            near = nearest_key(key, present, allowed)
            yield Diagnostic(
                "unknown-key",
                f"unknown key '{shorten(key)}'",
                document.key_place((*where, key)),
                (f"did you mean '{near}'?" if near else home_of(key, rule, root))
                or f"known here: {', '.join(sorted(allowed))}",
            )


def _missing_keys(
    document: Document, where: Where, fault: ValidationError, root: JsonSchema
) -> Iterator[Diagnostic]:
    rule = cast(JsonSchema, fault.schema)
    present = cast("dict[str, Any]", fault.instance)
    properties = {**(root.get("properties", {}) if not where else {}), **rule.get("properties", {})}
    misspelt = {nearest_key(key, present, properties) for key in present if key not in properties}
    for key in rule["required"]:
        # jsonschema makes one fault of each missing key, and names it in the message only.
        if f"{key!r} is a required" in fault.message and key not in misspelt:
            known = follow(properties.get(key, {}), root)
            own = root.get("properties", {}).get(key, {}) if not where else {}
            why = f": {rule['x-why']}" if "x-why" in rule else ""
            yield Diagnostic(
                "missing-key",
                f"'{key}' is missing{why}",
                document.place(where),
                f"add '{key}: {known['const']}'"
                if "const" in known
                else known.get("description") or own.get("description"),
            )


def _bad_key(document: Document, where: Where, fault: ValidationError) -> Diagnostic:
    key = str(fault.instance)
    return Diagnostic(
        "bad-key",
        f"'{shorten(key)}' cannot be a key here",
        document.key_place((*where, key)),
        cast(JsonSchema, fault.schema).get("description"),
    )


def _wrong_value(
    document: Document, where: Where, fault: ValidationError, root: JsonSchema
) -> Diagnostic:
    rule = follow(cast(JsonSchema, fault.schema), root)
    subject = f"'{_field(where)}' is " if where else "the document is "
    expected = describe(rule, root)
    needed = (*root.get("required", ()), *root.get("then", {}).get("required", ()))
    must_be = len(where) == 1 and where[0] in needed
    return Diagnostic(
        "wrong-value",
        f"{subject}{_shown(fault, rule)}; expected {expected}",
        document.place(where),
        cure_for(fault.instance, rule, root, must_be=must_be) or _description(rule, expected),
    )


def _shown(fault: ValidationError, rule: JsonSchema) -> str:
    """The value, or what of it breaks the rule."""
    value: Any = fault.instance
    match fault.validator:
        case _ if rule.get("x-secret") and value not in (None, ""):
            return "not a variable's name"
        case "minItems" | "maxItems":
            return f"a list of {plural(len(value), 'entry', 'entries')}"
        case "minProperties" | "maxProperties":
            return f"a mapping of {plural(len(value), 'key')}"
    return show_value(value)


def _description(rule: JsonSchema, expected: str) -> str | None:
    """What the field means, unless that only says again what was expected."""
    text = cast("str | None", rule.get("description"))
    return text if text and _plain_words(expected) not in _plain_words(text) else None


def _plain_words(text: str) -> str:
    """The text without what a sentence and its summary may differ in."""
    text = re.sub(r"[',.:;]|\bor\b|\(.*?\)", " ", text.lower())
    return f" {' '.join(text.split())} "


def _field(where: Where) -> str:
    """The last named step of the way, with the indexes behind it: `tags[2]`."""
    names = [index for index, step in enumerate(where) if isinstance(step, str)]
    if not names:
        return "".join(f"[{step}]" for step in where)
    return str(where[names[-1]]) + "".join(f"[{step}]" for step in where[names[-1] + 1 :])
