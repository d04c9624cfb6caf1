"""A document and a JSON Schema in, every problem with its place and a cure out.

The files in `schemas/` are the only list of allowed fields; their descriptions double as hints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ftctl.errors import Diagnostic, Span, redact
from ftctl.scalars import plainly, read_scalar

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

    from ftctl.manifest import Document, Where

SCHEMAS = ("project", "dataset", "finetune", "manifest", "plan")

JsonSchema = Mapping[str, Any]

_LONGEST_SHOWN = 60  # characters of a value in a message
_LONGEST_KEY = 80  # what is longer is no near miss of anything


def schema_path(name: str) -> Path:
    """The file of a schema: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parent
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
            near = _nearest_key(key, present, allowed)
            yield Diagnostic(
                "unknown-key",
                f"unknown key '{_short(key)}'",
                document.key_place((*where, key)),
                (f"did you mean '{near}'?" if near else _home_of(key, rule, root))
                or f"known here: {', '.join(sorted(allowed))}",
            )


def _nearest_key(key: str, present: Collection[str], allowed: Collection[str]) -> str | None:
    """The allowed key that was most likely meant; one that is not taken yet comes first."""
    word = key[:_LONGEST_KEY].lower().replace("-", "_")
    free = [name for name in allowed if name not in present]
    for candidates in (free, allowed):
        if near := get_close_matches(word, candidates, 1, 0.7):
            return near[0]
    parts = word.split("_")
    return next((name for name in free if _within(parts, name.split("_"))), None)


def _within(some: list[str], others: list[str]) -> bool:
    """Whether one name is the other with words left out at an end: `model` of `base_model`."""
    short, long = sorted((some, others), key=len)
    return len(short[0]) > 1 and short in (long[: len(short)], long[-len(short) :])


def _home_of(key: str, here: JsonSchema, root: JsonSchema) -> str | None:
    """Where else in the schema a key is at home."""
    settings = "hyperparameters"
    inside_settings = str(here.get("title", "")).startswith(settings)
    homes = [("the top level of the document", root), *root.get("properties", {}).items()]
    homes += [(str(rule.get("title", "")), rule) for rule in root.get("$defs", {}).values()]
    names = [name for name, rule in homes if name and key in rule.get("properties", {})]
    # Among hyperparameters, what matters is the method that takes the key; elsewhere it does not.
    names = [name for name in names if not inside_settings or name != settings]
    return f"'{key}' belongs to {min(names, key=lambda name: name != settings)}" if names else None


def _missing_keys(
    document: Document, where: Where, fault: ValidationError, root: JsonSchema
) -> Iterator[Diagnostic]:
    rule = cast(JsonSchema, fault.schema)
    present = cast("dict[str, Any]", fault.instance)
    properties = {**(root.get("properties", {}) if not where else {}), **rule.get("properties", {})}
    misspelt = {_nearest_key(key, present, properties) for key in present if key not in properties}
    for key in rule["required"]:
        # jsonschema makes one fault of each missing key, and names it in the message only.
        if f"{key!r} is a required" in fault.message and key not in misspelt:
            known = _resolve(properties.get(key, {}), root)
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
        f"'{_short(key)}' cannot be a key here",
        document.key_place((*where, key)),
        cast(JsonSchema, fault.schema).get("description"),
    )


def _wrong_value(
    document: Document, where: Where, fault: ValidationError, root: JsonSchema
) -> Diagnostic:
    rule = _resolve(cast(JsonSchema, fault.schema), root)
    subject = f"'{_field(where)}' is " if where else "the document is "
    expected = describe(rule, root)
    must_be = len(where) == 1 and where[0] in root.get("required", ())
    return Diagnostic(
        "wrong-value",
        f"{subject}{_shown(fault, rule)}; expected {expected}",
        document.place(where),
        _cure(fault.instance, rule, root, must_be=must_be) or _description(rule, expected),
    )


def _shown(fault: ValidationError, rule: JsonSchema) -> str:
    """The value, or what of it breaks the rule."""
    value: Any = fault.instance
    match fault.validator:
        case _ if rule.get("x-secret") and value not in (None, ""):
            return "not a variable's name"
        case "minItems" | "maxItems":
            return f"a list of {_counted(len(value), 'entry', 'entries')}"
        case "minProperties" | "maxProperties":
            return f"a mapping of {_counted(len(value), 'key', 'keys')}"
    return show_value(value)


def _counted(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {many}"


def _description(rule: JsonSchema, expected: str) -> str | None:
    """What the field means, unless that only says again what was expected."""
    text = cast("str | None", rule.get("description"))
    return text if text and _plain_words(expected) not in _plain_words(text) else None


def _plain_words(text: str) -> str:
    """The text without what a sentence and its summary may differ in."""
    text = re.sub(r"[',.:;]|\bor\b|\(.*?\)", " ", text.lower())
    return f" {' '.join(text.split())} "


def _cure(value: Any, rule: JsonSchema, root: JsonSchema, *, must_be: bool) -> str | None:
    """What to write instead, when that can be told from what was written."""
    if value is None:
        return "give it a value" if must_be else "give it a value, or take the line out"
    if rule.get("x-secret"):
        return "put the key into an environment variable, and that variable's name here"
    choices = _choices(rule, root)
    # A constant is all that the message expects: no need to say it twice.
    word = value[:_LONGEST_KEY].lower() if isinstance(value, str) and "const" not in rule else ""
    near = get_close_matches(word, choices, 1, 0.6)
    near += [choice for choice in choices if len(choice) > 1 and word.startswith(choice)]
    if near:
        return f"did you mean '{near[0]}'?"
    if isinstance(value, str) and redact(value) != value:
        return None
    for candidate, hint in _candidates(value):
        # Text instead of other text helps only where the form of the text is at fault.
        reworded = isinstance(value, str) and isinstance(candidate, str)
        if (not reworded or _has_pattern(rule, root)) and _fits(candidate, rule, root):
            return hint
    return None


def _has_pattern(rule: JsonSchema, root: JsonSchema) -> bool:
    rule = _resolve(rule, root)
    return "pattern" in rule or any(_has_pattern(option, root) for option in rule.get("anyOf", ()))


def _choices(rule: JsonSchema, root: JsonSchema) -> list[str]:
    rule = _resolve(rule, root)
    inner = [choice for option in rule.get("anyOf", ()) for choice in _choices(option, root)]
    return [*rule.get("enum", ()), *([rule["const"]] if "const" in rule else ()), *inner]


def _candidates(value: Any) -> Iterator[tuple[Any, str]]:
    """What somebody may have meant who wrote this, each with the words to say so."""
    match value:
        case bool():
            text = show_value(value)
            yield text, f'write "{text}" in quotes if the word is meant'
        case int() | float():
            yield str(value), f'write "{_short(str(value))}" in quotes'
        case str():
            number = read_scalar(value[:_LONGEST_KEY])
            if isinstance(number, int | float):
                yield number, f"write {show_value(number)} without quotes"
            if "/" in value or value.endswith(".jsonl"):
                yield {"source": value}, f"write {{source: {_short(value)}}} for a file"
            if "." in value or "/" in value:
                yield f"https://{value}", f"write https://{_short(value)}"
            slug = re.sub(r"[^a-z0-9]+", "-", value[:200].lower()).strip("-")
            if 0 < len(slug) <= _LONGEST_SHOWN:
                yield slug, f"did you mean '{slug}'?"


def _fits(candidate: Any, rule: JsonSchema, root: JsonSchema) -> bool:
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(_inlined(rule, root)).is_valid(candidate)


def _inlined(rule: JsonSchema, root: JsonSchema) -> dict[str, Any]:
    """A rule without references. Conditions are left out: they only narrow what it allows."""
    rule = _resolve(rule, root)
    inlined = {
        key: part for key, part in rule.items() if key not in ("allOf", "if", "then", "else")
    }
    if "anyOf" in rule:
        inlined["anyOf"] = [_inlined(option, root) for option in rule["anyOf"]]
    for key in ("properties", "additionalProperties", "propertyNames"):
        if key == "properties" and key in rule:
            inlined[key] = {name: _inlined(part, root) for name, part in rule[key].items()}
        elif isinstance(rule.get(key), dict):
            inlined[key] = _inlined(rule[key], root)
    return inlined


def _field(where: Where) -> str:
    """The last named step of the way, with the indexes behind it: `tags[2]`."""
    names = [index for index, step in enumerate(where) if isinstance(step, str)]
    if not names:
        return "".join(f"[{step}]" for step in where)
    return str(where[names[-1]]) + "".join(f"[{step}]" for step in where[names[-1] + 1 :])


def _resolve(rule: JsonSchema, root: JsonSchema) -> JsonSchema:
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


def describe(rule: JsonSchema, root: JsonSchema) -> str:
    """What a rule allows, in words that complete 'expected …'."""
    return _one_of(list(_options(rule, root)))


def _options(rule: JsonSchema, root: JsonSchema) -> Iterator[str]:
    rule = _resolve(rule, root)
    if "x-expected" in rule:
        yield str(rule["x-expected"])
    elif "anyOf" in rule:
        for option in rule["anyOf"]:
            yield from _options(option, root)
    elif "const" in rule or "enum" in rule:
        yield from (f"'{choice}'" for choice in rule.get("enum", [rule.get("const")]))
    else:
        yield _typed(rule)


def _typed(rule: JsonSchema) -> str:
    match rule.get("type"):
        case list(types):
            return _one_of([_typed({**rule, "type": one}) for one in types])
        case "integer":
            return f"a whole number{_bounds(rule)}"
        case "number":
            return f"a number{_bounds(rule)}"
        case "boolean":
            return "true or false"
        case "array":
            return "a list" + _sized(rule, "minItems", "maxItems", "entries")
        case "object":
            return "a mapping" + _sized(rule, "minProperties", "maxProperties", "keys")
        case "string" if "pattern" in rule and "description" in rule:
            text = str(rule["description"]).rstrip(".")
            return text[0].lower() + text[1:]
        case "string":
            return "text" + _sized(rule, "minLength", "maxLength", "characters")
    return str(rule.get("title", "another value"))


def _one_of(options: list[str]) -> str:
    options = list(dict.fromkeys(options))
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} or {options[-1]}"


def _bounds(rule: JsonSchema) -> str:
    low, high, above = (
        plainly(bound) if isinstance(bound := rule.get(key), float) else bound
        for key in ("minimum", "maximum", "exclusiveMinimum")
    )
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if above is not None:
        return f" above {above}" + (f", at most {high}" if high is not None else "")
    return f" from {low}" if low is not None else ""


def _sized(rule: JsonSchema, low_key: str, high_key: str, unit: str) -> str:
    low, high = rule.get(low_key), rule.get(high_key)
    if high is not None and low == high:
        return f" of {low} {unit}"
    if high is not None:
        return f" of {low} to {high} {unit}" if low else f" of at most {high} {unit}"
    if low == 1:
        return " that is not empty"
    return f" of at least {low} {unit}" if low else ""


def show_value(value: Any) -> str:
    """A value as a message may show it: short, and without anything that looks like a key."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _short(str(value))
        case str():
            length = f" ({len(value):,} characters)" if len(value) > _LONGEST_SHOWN else ""
            return f"'{_short(value)}'{length}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _short(text: str, longest: int = _LONGEST_SHOWN) -> str:
    text = redact(text)
    if not text.isprintable():
        text = text.encode("unicode_escape", "backslashreplace").decode("ascii")
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
