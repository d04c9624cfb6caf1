"""A spec in, its identity out: what is left when spelling, order and defaults are taken away.

The digest decides whether money is spent. A change of its rules is a new version; jobs keep the
version that they were bought under.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

VERSION = "v1"
_VERSIONS = frozenset({VERSION})

JsonSchema = Mapping[str, Any]

_FILE_NAME = re.compile(
    r"ftctl\.(?P<project>[a-z0-9-]+)\.(?P<name>[a-z0-9-]+)\.(?P<sha256>[0-9a-f]{64})"
    r"(?:\.(?P<version>v[0-9]+)-(?P<digest>[0-9a-f]{64}))?\.jsonl"
)


def spec_digest(material: Mapping[str, Any]) -> str:
    """`v1:` and the SHA-256 of the canonical JSON of the material fields."""
    return f"{VERSION}:{hashlib.sha256(canonical_json(material).encode()).hexdigest()}"


def is_readable(digest: str) -> bool:
    """Whether this version of ftctl knows how the digest was made."""
    return digest.partition(":")[0] in _VERSIONS


def canonical_json(value: Any) -> str:
    """One text for equal values: sorted keys, no spaces, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def canonical(value: Any, rule: JsonSchema, root: JsonSchema) -> Any:
    """A checked value without what its schema says by default, whole numbers as integers.

    Defaults are dropped and not filled in: a field that a later schema adds, with a default, then
    leaves every digest as it was.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        items = [item for option in _rules(rule, root) if (item := option.get("items"))]
        return [canonical(entry, items[0] if items else {}, root) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key in sorted(value):
        options = tuple(_property_rules(key, rule, root))
        inner = canonical(value[key], {"allOf": list(options)}, root)
        if any("default" in option and option["default"] == inner for option in options):
            continue
        if inner == {} and options:  # a known field without content says nothing
            continue
        kept[key] = inner
    return kept


def _rules(rule: JsonSchema, root: JsonSchema) -> Iterator[JsonSchema]:
    """A rule and all that may apply beside it: references, alternatives, conditional parts."""
    yield rule
    nested = [*rule.get("allOf", ()), *rule.get("anyOf", ())]
    nested += [rule[branch] for branch in ("then", "else") if branch in rule]
    if reference := rule.get("$ref"):
        target: Any = root
        for step in str(reference).removeprefix("#/").split("/"):
            target = target[step]
        nested.append(target)
    for inner in nested:
        yield from _rules(inner, root)


def _property_rules(key: str, rule: JsonSchema, root: JsonSchema) -> Iterator[JsonSchema]:
    for option in _rules(rule, root):
        extra = option.get("additionalProperties")
        if key in option.get("properties", {}):
            yield from _rules(option["properties"][key], root)
        elif isinstance(extra, Mapping):
            yield from _rules(extra, root)


def file_name(project: str, name: str, sha256: str, digest: str | None = None) -> str:
    """What an upload is called: our mark and the content's hash; `name` is for people only.

    `digest` is added where the service keeps no metadata, so that a job is known by its file;
    `name` is then that of the fine-tune, and is read back.
    """
    job = f".{digest.replace(':', '-')}" if digest else ""
    return f"ftctl.{project}.{name}.{sha256}{job}.jsonl"


class FileName(NamedTuple):
    """What the name of a file of ours tells. `digest` is of the one job that it is for, if any."""

    project: str
    name: str  # of the dataset; with a digest, of the fine-tune
    sha256: str
    digest: str | None


def read_file_name(filename: str) -> FileName | None:
    """What the name tells; None for anybody else's file."""
    found = _FILE_NAME.fullmatch(filename)
    if not found:
        return None
    digest = f"{found['version']}:{found['digest']}" if found["digest"] else None
    return FileName(found["project"], found["name"], found["sha256"], digest)
