"""A spec in, its identity out: what is left when spelling, order and defaults are taken away.

The digest decides whether money is spent. A change of its rules is a new version; jobs keep the
version that they were bought under.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

VERSION = "v1"
_VERSIONS = frozenset({VERSION})
_WHOLE = re.compile(r"v1:[0-9a-f]{64}|v(?!1:)[1-9][0-9]{0,3}:[A-Za-z0-9:_-]{1,256}")

JsonSchema = Mapping[str, Any]

_FILE_NAME = re.compile(
    r"ftctl\.(?P<project>[a-z0-9-]+)\.(?P<name>[a-z0-9-]+)\.(?P<sha256>[0-9a-f]{64})"
    r"(?:\.(?P<version>v[0-9]+)-(?P<digest>[0-9a-f]{64})"
    r"(?P<run>(?:\.env-[a-z0-9_-]+)?(?:\.(?:after|over)-[0-9a-f]{12})?))?\.jsonl"
)
_RUN = re.compile(
    r"(?:\.env-(?P<environment>[a-z0-9_-]+))?(?:\.(?P<kind>after|over)-(?P<job>[0-9a-f]{12}))?"
)


def spec_digest(material: Mapping[str, Any]) -> str:
    """`v1:` and the SHA-256 of the canonical JSON of the material fields."""
    return f"{VERSION}:{hashlib.sha256(canonical_json(material).encode()).hexdigest()}"


def is_whole(digest: str) -> bool:
    """Whether a text can be a digest that somebody's ftctl has written: services cut texts.

    How long those of later versions are is not known here.
    """
    return _WHOLE.fullmatch(digest) is not None


def is_readable(digest: str) -> bool:
    """Whether this version of ftctl knows how the digest was made."""
    return digest.partition(":")[0] in _VERSIONS


def canonical_json(value: Any) -> str:
    """One text for equal values: sorted keys, no spaces, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def canonical(value: Any, rule: JsonSchema, root: JsonSchema) -> Any:
    """A checked value without what its schema says by default, whole numbers as integers."""
    return Shape((rule,), root).canonical(value)


class Shape:
    """All the rules that apply to one place in a document, looked up once for all documents."""

    def __init__(self, rules: Iterable[JsonSchema], root: JsonSchema) -> None:
        options = (option for rule in rules for option in _rules(rule, root))
        self._rules = tuple({id(option): option for option in options}.values())
        self.defaults = [option["default"] for option in self._rules if "default" in option]
        self.is_known = bool(self._rules)
        self._root = root
        self._known = frozenset(key for rule in self._rules for key in rule.get("properties", ()))
        self._below: dict[str | None, Shape] = {}
        self._items: Shape | None = None

    def canonical(self, value: Any) -> Any:
        """See the function. Defaults are dropped and not filled in: a field that a later schema
        adds, with a default, then leaves every digest as it was.
        """
        match value:
            case float() if value.is_integer():
                return int(value)
            case list():
                return [self._item().canonical(entry) for entry in value]
            case dict():
                return self._fields(value)
        return value

    def _fields(self, value: dict[str, Any]) -> dict[str, Any]:
        kept = {}
        for key in sorted(value):
            below = self._property(key)
            inner = below.canonical(value[key])
            if inner in below.defaults:
                continue
            if inner == {} and below.is_known:  # a known field without content says nothing
                continue
            kept[key] = inner
        return kept

    def _property(self, key: str) -> Shape:
        name = key if key in self._known else None  # all that no rule names are alike
        if name not in self._below:
            self._below[name] = Shape(self._property_rules(key), self._root)
        return self._below[name]

    def _property_rules(self, key: str) -> Iterator[JsonSchema]:
        for rule in self._rules:
            extra = rule.get("additionalProperties")
            if key in rule.get("properties", {}):
                yield rule["properties"][key]
            elif isinstance(extra, Mapping):
                yield extra

    def _item(self) -> Shape:
        if self._items is None:
            items = [rule["items"] for rule in self._rules if rule.get("items")]
            self._items = Shape(items[:1], self._root)
        return self._items


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


class Run(NamedTuple):
    """Which purchase of a digest a file was uploaded for, as its name tells."""

    environment: str | None = None
    follows: str | None = None  # `job_hash` of the newest job of the digest when it was bought
    replaces: bool = False  # whether it was bought to replace that one

    def __str__(self) -> str:
        """The end of a file's name; nothing of a first purchase without an environment."""
        environment = f".env-{self.environment}" if self.environment else ""
        kind = "over" if self.replaces else "after"
        return environment + (f".{kind}-{self.follows}" if self.follows else "")


def read_run(text: str) -> Run:
    """What the end of a file's name tells; the first purchase where it tells nothing."""
    parts = _RUN.fullmatch(text)
    if not parts:
        return Run()
    return Run(parts["environment"], parts["job"], parts["kind"] == "over")


def job_hash(job: str) -> str:
    """What stands for a job's id in the name of a file: ids of services may be long and odd."""
    return hashlib.sha256(job.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def file_name(
    project: str, name: str, sha256: str, digest: str | None = None, run: str = ""
) -> str:
    """What an upload is called: our tag and the content's hash; `name` is for people only.

    `digest`, and the text of a `Run`, are added where the service keeps no metadata, so that a
    job is known by its file; `name` is then that of the fine-tune, and is read back.
    """
    job = f".{digest.replace(':', '-')}{run}" if digest else ""
    return f"ftctl.{project}.{name}.{sha256}{job}.jsonl"


class FileName(NamedTuple):
    """What the name of a file of ours tells. `digest` is of the one job that it is for, if any."""

    project: str
    name: str  # of the dataset; with a digest, of the fine-tune
    sha256: str
    digest: str | None
    run: str = ""


def read_file_name(filename: str) -> FileName | None:
    """What the name tells; None for anybody else's file."""
    parts = _FILE_NAME.fullmatch(filename)
    if not parts:
        return None
    digest = f"{parts['version']}:{parts['digest']}" if parts["digest"] else None
    return FileName(parts["project"], parts["name"], parts["sha256"], digest, parts["run"] or "")
