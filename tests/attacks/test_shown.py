"""What is approved is what is shown: every leaf of a spec, and of a plan under its digest."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from html.parser import HTMLParser
from typing import Any

import click
import pytest
from conftest import FINETUNE, Shell, chat_rows, small_project
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from plain_server import World

from ftctl.catalog.request import job_request, row_of
from ftctl.catalog.services import SERVICES
from ftctl.cli.apply import apply_command
from ftctl.cli.plan import plan_command
from ftctl.domain.desired import Dataset, Parent, ServiceInfo
from ftctl.domain.digest import Shape
from ftctl.domain.plan import (
    NO_OPTIONS,
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Estimate,
    FieldChange,
    FileRef,
    Later,
    ParentModel,
    Plan,
    StartJob,
    Upload,
)
from ftctl.domain.plan_document import (
    _read,
    plan_digest,
    plan_document,
    plan_json,
    read_approval,
)
from ftctl.domain.review import Review
from ftctl.errors import FtctlError
from ftctl.manifest.schema import load_schema
from ftctl.project.resolve import _NOT_IN_SPEC
from ftctl.reports.html import plan_html
from ftctl.reports.markdown import plan_markdown
from ftctl.reports.text import plan_text
from ftctl.text.escape import one_line
from ftctl.text.invisible import hidden_in
from ftctl.text.literal import literal, text_identity, way_words
from ftctl.text.lookalike import plain_form

OPENAI = ServiceInfo("openai", "https://api.example/v1")
SHA, OTHER_SHA = "a" * 64, "b" * 64
SCHEMA = load_schema("finetune")
often = settings(max_examples=60, deadline=None, derandomize=True, database=None)

Spec = Mapping[str, Any]
Form = Callable[[Review], str]


class _Page(HTMLParser):
    """The words of a page, and its tags."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" not in self.inside:
            self.texts.append(data)


def words_of_page(page: str) -> str:
    """What a reader of a page sees: blanks flow together."""
    return re.sub(r"\s+", " ", "".join(_Page(page).texts)).replace("\u200b", "")


def rendered(text: str) -> str:
    """Markdown as a forge makes a page of it."""
    return str(MarkdownIt("commonmark").enable("table").render(text))


FORMS: Mapping[str, Form] = {
    "text": lambda review: plan_text(review, "ftctl apply"),
    "markdown": lambda review: words_of_page(rendered(plan_markdown(review, most=10**7))),
    "html": lambda review: words_of_page(plan_html(review)),
    "json": lambda review: plan_json(plan_document(review)),
}


def start(spec: Spec, service: ServiceInfo = OPENAI, **fields: Any) -> StartJob:
    rows = FileRef("rows", "ftctl.demo.jsonl", SHA, "file-1", "data/rows.jsonl", 12)
    request = job_request(spec, row_of(service.type))
    given = {"base_model": "gpt-4.1", "training": rows, "validation": None, "request": request}
    return StartJob("tone", f"v1:{SHA}", spec, **{**given, **fields})


def later(spec: Spec, service: ServiceInfo = OPENAI, **fields: Any) -> Later:
    rows = Dataset("rows", "data/rows.jsonl", SHA, 12, 345, "chat")
    request = job_request(spec, row_of(service.type))
    return Later(Parent("base-tone", "last"), spec, request, rows, None, 2)


def review_of(spec: Spec, service: ServiceInfo = OPENAI, action: Action = Action.CREATE) -> Review:
    """A review of a plan that trains one fine-tune, now or later."""
    waits = action is Action.DEFER
    change = Change(
        "tone", action, "because",
        () if waits else (start(spec, service),), digest=f"v1:{SHA}",
        later=later(spec, service) if waits else None,
    )  # fmt: skip
    plan = Plan("demo", service, (change,))
    return Review(plan, plan_digest(plan))


# Every leaf of a manifest, from its schema.

# What is in no request, and where it is shown instead.
ELSEWHERE = {
    "apiVersion": "the language of the manifest",
    "kind": "the language of the manifest",
    "description": "sent nowhere",
    "name": "the name of the change",
    "adopt": "the reason of the change, and its job: nothing is bought for it",
    "training": "by path, rows and content",
    "validation": "by path, rows and content",
    "base_model": "the first words of what is trained",
    "keep": "see below",
}
_NUMBERS = iter(range(10**9))


def examples(rule: Mapping[str, Any], key: str) -> Iterator[Any]:
    """Values of a rule, with all that it may hold between them; none where it says nothing."""
    rule = {**rule, **_referred(rule)}
    if alternatives := [*rule.get("anyOf", ()), *rule.get("oneOf", ())]:
        for alternative in alternatives:
            yield from examples(alternative, key)
    elif "const" in rule:
        yield rule["const"]
    elif "enum" in rule:
        yield from rule["enum"]
    else:
        kind = rule.get("type", "object")
        yield from _of_kind(kind[0] if isinstance(kind, list) else kind, rule, key)


def _referred(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in rule:
        return {}
    found: Any = SCHEMA
    for step in rule["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return {**found, **_referred(found)}


def _of_kind(kind: str, rule: Mapping[str, Any], key: str) -> Iterator[Any]:
    number = next(_NUMBERS)
    match kind:
        case "string":
            yield f"{key.replace('_', '-')}-{number}"
        case "integer":
            yield max(rule.get("minimum", 0), min(rule.get("maximum", 999), 7)) + 0
        case "number":
            yield min(rule.get("maximum", 0.5), 0.5)
        case "boolean":
            yield True
        case "array":
            entries = list(examples(rule.get("items", {"type": "string"}), key))
            yield (entries * 2)[: max(rule.get("minItems", 1), len(entries))]
        case "object":
            yield from _objects(rule, key)


def _objects(rule: Mapping[str, Any], key: str) -> Iterator[Any]:
    """Mappings that have every property between them."""
    properties = rule.get("properties", {})
    choices = {name: list(examples(inner, name)) for name, inner in properties.items()}
    more = rule.get("additionalProperties")
    if isinstance(more, Mapping):
        choices["own key"] = list(examples(more, key))
    if not choices:
        yield {"anything": {"deep": [1, {"er": f"{key}-{next(_NUMBERS)}"}], "off": None}, "n": 0.25}
        return
    for turn in range(max(map(len, choices.values()))):
        yield {name: values[turn % len(values)] for name, values in choices.items() if values}


def graders() -> Iterator[Any]:
    """A grader of each type, with all that it may hold."""
    names = [
        name for name in SCHEMA["$defs"] if name.endswith("-grader") and name != "single-grader"
    ]
    single: dict[str, Any] = {}
    for name in names:
        if name != "multi-grader":
            made = list(_objects(SCHEMA["$defs"][name], name))
            single[name] = made[0]
            if made[0]["type"] in SCHEMA["$defs"]["grader"]["properties"]["type"]["enum"]:
                yield from made
    rule = SCHEMA["$defs"]["multi-grader"]
    made = next(
        _objects({**rule, "properties": {**rule["properties"], "graders": {"const": {}}}}, "")
    )
    yield {**made, "graders": {name.replace("-", "_"): one for name, one in single.items()
                               if name != "lambda-grader"}}  # fmt: skip


def hyperparameters() -> Iterator[tuple[str, Any]]:
    for name in SCHEMA["$defs"]:
        if name.endswith("-hyperparameters") and name != "any-hyperparameters":
            method = name.removesuffix("-hyperparameters")
            for made in _objects(SCHEMA["$defs"][name], name):
                yield method, made


def manifests() -> Iterator[dict[str, Any]]:
    """Manifests that have every leaf of the schema between them."""
    for method, made in hyperparameters():
        yield {"method": method, "hyperparameters": made}
    for grader in graders():
        yield {"method": "reinforcement", "grader": grader}
    for key, rule in SCHEMA["properties"].items():
        if key not in (*ELSEWHERE, "method", "hyperparameters", "grader"):
            for made in examples(rule, key):
                yield {key: made}


def leaves_of(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every scalar and every empty thing, with the way to it: found in another way than shown."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves_of(inner, (*way, key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves_of(inner, (*way, index))
    else:
        yield way, value


@dataclass(frozen=True)
class Leaf:
    """One leaf of one manifest."""

    spec: str  # as JSON
    way: tuple[Any, ...]
    value: Any

    @property
    def id(self) -> str:
        return f"{'.'.join(map(str, self.way))}={self.value!s:.30}"


def every_leaf() -> list[Leaf]:
    shape = Shape((SCHEMA,), SCHEMA)
    found: dict[tuple[Any, ...], Leaf] = {}
    for manifest in manifests():
        spec = shape.canonical({"base_model": "gpt-4.1", **manifest})
        spec["training"] = SHA
        for way, value in leaves_of(spec):
            leaf = Leaf(json.dumps(spec), way, value)
            unique = (way, json.dumps(value) if not isinstance(value, str) else "")
            found.setdefault(unique, leaf)
    return list(found.values())


EVERY_LEAF = every_leaf()


@cache
def forms_of(spec: str, action: Action) -> Mapping[str, str]:
    return {name: form(review_of(json.loads(spec), action=action)) for name, form in FORMS.items()}


def test_the_leaves_are_those_of_the_schema() -> None:
    shown = {leaf.way[0] for leaf in EVERY_LEAF} | ELSEWHERE.keys()

    assert shown == SCHEMA["properties"].keys()
    assert {"apiVersion", "kind", "name", "description", "adopt", "keep"} == _NOT_IN_SPEC
    for manifest in manifests():
        whole = {"apiVersion": "ftctl/v1", "kind": "FineTune", "name": "tone", "base_model": "m",
                 "training": "rows", "validation": "rows",
                 "grader": {"type": "python", "name": "g", "source": "s"}, **manifest}  # fmt: skip
        if whole.get("method") != "reinforcement":
            del whole["grader"]
        faults = [fault.message for fault in Draft202012Validator(SCHEMA).iter_errors(whole)]
        assert faults == [], manifest


@pytest.mark.parametrize("action", [Action.CREATE, Action.DEFER], ids=["now", "later"])
@pytest.mark.parametrize("leaf", EVERY_LEAF, ids=lambda leaf: leaf.id)
def test_every_leaf_of_a_spec_is_shown_in_every_form(leaf: Leaf, action: Action) -> None:
    forms = forms_of(leaf.spec, action)

    step = leaf.way[-1] if isinstance(leaf.way[-1], str) else leaf.way[-2]
    value = leaf.value if isinstance(leaf.value, str) else json.dumps(leaf.value)
    for name, text in forms.items():
        if name == "json":
            assert leaf.value == _at(json.loads(text), leaf.way, action)
        elif leaf.way == ("training",):
            assert f"data/rows.jsonl, 12 rows, sha256:{leaf.value}" in text, name
        elif leaf.way == ("base_model",) and action is Action.DEFER:
            assert "base-tone" in text, name
        elif leaf.way in (("base_model",), ("method",)):
            assert re.search(rf"(^|[ ,]){re.escape(value)}(,|\n|$| )", text), name
        else:
            assert re.search(
                rf'(^|[ ,.{{\["]){re.escape(step)}"?:? \[?[^\n]*?{re.escape(value)}', text
            ), name  # fmt: skip


def _at(document: Any, way: tuple[Any, ...], action: Action) -> Any:
    change = document["changes"][0]
    found = (change["later"] if action is Action.DEFER else change["steps"][0])["spec"]
    for step in way:
        found = found[step]
    return found


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_what_is_asked_beside_the_spec_is_shown(form: str) -> None:
    rows = FileRef("rows", "f.jsonl", SHA, None, "data/rows one.jsonl", 480)
    held = FileRef("held", "g.jsonl", OTHER_SHA, None, "data/held.jsonl", 1)
    spec = {"base_model": {"digest": f"v1:{OTHER_SHA}", "checkpoint": 12}, "training": SHA}
    base = ParentModel("ftjob-7", "ft:gpt-4.1:acme::m7", 12, "base-tone")
    step = start(spec, training=rows, validation=held, base_model=base, keep=1)
    plan = Plan("demo", OPENAI, (Change("tone", Action.REPLACE, "changed", (step,)),))

    text = FORMS[form](Review(plan, plan_digest(plan)))

    for words in (
        f'"data/rows one.jsonl", 480 rows, sha256:{SHA}',
        f"data/held.jsonl, 1 row, sha256:{OTHER_SHA}",
        "ft:gpt-4.1:acme::m7 at 12",
        f"base-tone, ftjob-7, v1:{OTHER_SHA}",
        "keep: 1",
    ):
        assert words in text


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_replacement_shows_what_changed_and_the_whole_new_spec(form: str) -> None:
    fields = (
        FieldChange("hyperparameters.n_epochs", "3", "4", cosmetic=False),
        FieldChange("suffix", "a", "b", cosmetic=True),
    )
    spec = {"hyperparameters": {"n_epochs": 4, "batch_size": 8}, "suffix": "b", "seed": 3}
    reason = "hyperparameters.n_epochs 3 → 4"
    change = Change("tone", Action.REPLACE, reason, (start(spec),), fields, digest=f"v1:{SHA}")
    plan = Plan("demo", OPENAI, (change,))

    text = FORMS[form](Review(plan, plan_digest(plan)))

    assert reason in text
    assert re.search("suffix `?a`? (→|b)|suffix ?a ?b", text)
    assert "supervised, n_epochs 4, batch_size 8, seed 3, suffix b" in text


# Long texts.

PROGRAM = "".join(f"line_{number} = {number * 7919}\n" for number in range(200))


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_long_text_stands_by_size_hash_and_first_lines(form: str) -> None:
    review = review_of({"grader": {"type": "python", "name": "g", "source": PROGRAM}})

    text = FORMS[form](review)

    assert f"grader.source: {text_identity(PROGRAM)}" in text
    assert re.search(r"1 \| line_0 = 0\s+2 \| line_1 = 7919", text)
    assert ("200 | line_199" in text) is (form != "text")
    if form == "text":
        assert "characters more: --format html and json have them" in text


@pytest.mark.parametrize("length", [1, 199, 200, 201, 512, 700, 800, 801, 5_000])
def test_a_text_is_shown_whole_or_by_its_hash(length: int) -> None:
    value = "x" * (length - 1) + "y"
    spec = {"extra": {"note": value}}

    for name, form in FORMS.items():
        text = form(review_of(spec)).replace("\n", "")
        whole = re.sub(r" *(\d+)? *\| ", "", text)
        assert value in whole or (name == "text" and length > 800 and text_identity(value) in text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x" * 300 + "a", "x" * 300 + "b"),
        ("x" * 300, "x" * 301),
        (PROGRAM, PROGRAM + "\n"),
        (PROGRAM, PROGRAM.replace("\n", "\r\n")),
        (PROGRAM, PROGRAM.replace("line_150", "1ine_150")),
        (PROGRAM, PROGRAM.replace(" = ", "\t=\t")),
        ("a\n\u202eb\n", "a\n\\u202eb\n"),
        ("a\nb\n" + " " * 90 + "evil()", "a\nb\n" + " " * 91 + "evil()"),
    ],
    ids=["last", "longer", "line end", "windows", "far", "tabs", "spelt out", "far right"],
)
def test_two_long_texts_never_read_the_same(one: str, other: str) -> None:
    for name in ("text", "markdown", "html"):
        texts = [
            undigested(FORMS[name](review_of({"grader": {"source": value}})))
            for value in (one, other)
        ]
        assert texts[0] != texts[1], name


def test_what_stands_far_to_the_right_is_brought_back() -> None:
    review = review_of({"grader": {"source": "x = 1" + " " * 5_000 + "; import os\n"}})

    for text in (plan_markdown(review), plan_html(review), plan_text(review, None)):
        assert max(map(len, re.findall(r"\|[^\n|]*", text))) < 400
    assert "; import os" in plan_html(review)


# Leaves that are meant to mislead.

HOSTILE = {
    "a tag": "<script>alert(1)</script>",
    "an image": "<img src=x onerror=alert(1)>",
    "an end of code": "</code></li></ul><h1>Approve",
    "an end of details": "</details>\n\n# Nothing to pay",
    "an entity": "&lt;b&gt;&#60;",
    "a comment": "<!-- ftctl plan: other -->",
    "an end of a comment": "--> <b>",
    "a mark for code": "``` `` ` code",
    "a link": "[docs](https://evil.example)",
    "a picture": "![x](https://evil.example/x.png)",
    "an address": "https://evil.example/?a=b",
    "a mention": "@acme/admins",
    "a reference": "acme/app#1, !2, GH-3",
    "emphasis": "**not** _this_ ~~that~~",
    "a table": "a | b | c",
    "a heading": "# Plan: 0 to create",
    "a formula": "$x$ and $4.10",
    "a quick action": "/close",
    "a command of GitHub's": "::add-mask::x",
    "a command on a line of its own": "a\n::set-output name=x::y",
    "a group": "##[group]x",
    "a group of Azure's": "##vso[task.setvariable variable=x]y",
    "a colour": "\x1b[31mred\x1b[0m",
    "an erased line": "\x1b[2K\rPlan: 0",
    "a title": "\x1b]0;title\x07",
    "a carriage return": "first\rsecond",
    "a backspace": "abc\b\b\bxyz",
    "a bell": "\x07",
    "a zero byte": "a\0b",
    "a line end": "owner\n    seed 8",
    "a line end of Unicode": "a\u2028b\u2029c\x85d",
    "a vertical tab": "a\x0bb\x0cc",
    "turned around": "\u202egnp.exe\u202c",
    "isolated": "\u2066x\u2069 \u2067y",
    "a mark of direction": "a\u200fb\u061cc",
    "no width": "ad\u200bmin",
    "a joiner": "ad\u200dmin",
    "a soft hyphen": "ad\xadmin",
    "a word joiner": "ad\u2060min",
    "a mark of byte order": "\ufeffadmin",
    "tags": "a\U000e0061\U000e0062",
    "a variation": "a\ufe0f",
    "a filler": "a\u3164b\u115fc",
    "a blank of braille": "a\u2800b",
    "a blank that does not break": "a\xa0b",
    "a blank of another width": "a\u2003b\u3000c",
    "two blanks": "a  b",
    "blanks at the ends": " a ",
    "a tab": "a\tb",
    "nothing": "",
    "a quote": 'a", "seed": 8',
    "a backslash": "a\\u0062\\",
    "another field": "a, seed 8, suffix evil",
    "the end of the list": "a)\n- train gpt-5",
    "words of ours": "3 instead of 50",
    "unset": "unset",
    "null": "null",
    "true": "true",
    "a number": "3",
    "a number with an exponent": "1e3",
    "not a number": "NaN",
    "a list": '["a"]',
    "a mapping": '{"a": 1}',
    "redacted": "[redacted]",
    "Cyrillic for Latin": "\u0430\u0441m\u0435",
    "all Cyrillic": "\u0441\u043e\u0440\u0435",
    "Greek for Latin": "\u03bfwner",
    "composed otherwise": "cafe\u0301",
    "piled up": "a" + "\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308",
    "emoji": "\U0001f469\u200d\U0001f680 \U0001f3f4",
    "private use": "a\ue000b",
    "no character": "a\ufffe\uffffb",
    "many": "x" * 500,
    "many lines": "\n" * 50 + "evil",
    "many blanks": " " * 400 + "evil",
}
CALM = review_of({"metadata": {"owner": "cx"}})


def undigested(text: str) -> str:
    """A form of a plan without its digest, which would tell any two plans apart."""
    return re.sub(r"(--approve|for --approve:|\"digest\":) \S+", "", text)


def looked_at(text: str) -> str:
    """What of a text tells two apart at a glance: what nobody sees is no difference."""
    text = "".join(c for index, c in enumerate(text) if index not in set(hidden_in(text)))
    return re.sub(r"\s+", " ", plain_form(text.replace("\N{LATIN SMALL LETTER DOTLESS I}", "")))


@pytest.mark.parametrize("place", ["metadata", "extra", "wandb", "grader", "key"])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_leaf_is_shown_and_has_no_power(hostile: str, place: str) -> None:
    value = HOSTILE[hostile]
    spec = {
        "metadata": {"metadata": {"owner": value}},
        "extra": {"extra": {"a": [{"owner": value}]}},
        "wandb": {"integrations": {"wandb": {"project": "p", "entity": value}}},
        "grader": {"grader": {"type": "string_check", "input": value}},
        "key": {"metadata": {value: "cx"}},
    }[place]
    review = review_of(spec)

    text, comment, page = plan_text(review, "ftctl apply"), plan_markdown(review), plan_html(review)
    document = plan_json(plan_document(review))

    assert json.loads(document)["changes"][0]["steps"][0]["spec"] == spec
    for whole in (text, comment, page, document):
        assert not re.search(r"^\s*::", whole, re.MULTILINE)
        assert not re.search(r"##\w*\[", whole)
        assert not set(hidden_in(whole)) or "\u200d" in value
        assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", whole)
    tags = set(_Page(page).tags)
    assert tags <= {*_Page(plan_html(CALM)).tags, "details", "summary", "pre"}
    assert set(_Page(rendered(comment)).tags) <= {
        "details", "summary", "h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td",
        "code", "pre",
    }  # fmt: skip
    shown = text_identity(value) if place != "key" and len(literal(value)) > 300 else ""
    seen = [text, words_of_page(rendered(comment)), words_of_page(page)]
    for one in seen:
        assert (
            literal(value) in one
            or way_words((value,)) in one
            or shown in one
            or ("characters in" in one and text_identity(value) in one)
        )


ALIKE = [
    ("a b", "a  b"), ("a b", "a\tb"), ("a b", "a\xa0b"), ("a b", "a\u2003b"), ("a b", "a\u3000b"),
    ("a b", "a \u200bb"), ("ab", "a\u200bb"), ("ab", "a\u200db"), ("ab", "a\u2060b"),
    ("ab", "a\xadb"), ("ab", "ab\ufe0f"), ("ab", "ab\U000e0061"), ("ab", "a\u202eb"),
    ("ab", " ab"), ("ab", "ab "), ("ab", "ab\n"), ("a b", "a\nb"), ("a b", "a\rb"), ("ab", "a\0b"),
    ("ab", "a\x1b[0mb"), ("ab", "a\x7fb"), ("a b", "a\u2028b"), ("a b", "a\u2800b"),
    ("a b", "a\u3164b"), ("\xe9", "e\u0301"), ("acme", "\u0430cme"), ("acme", "a\u0441m\u0435"),
    ("cope", "\u0441\u043e\u0440\u0435"), ("owner", "\u03bfwner"), (3, "3"), (3, 3.5), (0.5, "0.5"),
    (True, "true"), (None, "null"), (None, "unset"), (True, 1), (False, 0), ([], "[]"), ({}, "{}"),
    (["a"], '["a"]'), (["a", "b"], ["a, b"]), (["a", "b"], ["ab"]), ({"a": 1}, '{"a": 1}'),
    ([1], ["1"]), ("", " "), ("", None), ("a\\u0062", "ab"),
    ('a"b', "a\\u0022b"), ("##[x]", "# #[x]"),
    ("##[x]", "#\u200b#[x]"), ("a<!--", "a\\u003c!--"), ("NaN", "nan"), ("1e3", 1000.0),
    ("::a", ": a"), ("a, b c", "a,b c"), (["a", {"b": 1}], ["a", {"b": "1"}]),
    ("acme", "\U0001d68acme"), ("acme-ml", "acme\u2011ml"), ("git", "\u0261it"),
    ("fine", "\ufb01ne"), ("a", "\u0430"), ("x", "x\u0301\u0302\u0303\u0304\u0305\u0306"),
    ("\u041c\u043e\u0441\u043a\u0432\u0430 a", "\u041c\u043e\u0441\u043a\u0432\u0430 \U0001d41a"),
    ("[redacted]", "redacted"), ("x" * 201, "x" * 202), ("\u4e2d", "\u4e2d\ufe00"),
]  # fmt: skip


@pytest.mark.parametrize("pair", ALIKE, ids=lambda pair: ascii(pair)[:50])
def test_two_values_that_differ_read_differently(pair: tuple[Any, Any]) -> None:
    for form in ("text", "markdown", "html"):
        one, other = (
            looked_at(undigested(FORMS[form](review_of({"extra": {"k": value}})))) for value in pair
        )
        assert one != other, form


SPECS_ALIKE: list[tuple[Spec, Spec]] = [
    ({"metadata": {"a": "b, c d"}}, {"metadata": {"a": "b", "c": "d"}}),
    ({"metadata": {"a": "b"}}, {"extra": {"a": "b"}}),
    ({"metadata": {"a b": "c"}}, {"metadata": {"a": "b c"}}),
    ({"extra": {"a.b": 1}}, {"extra": {"a": {"b": 1}}}),
    ({"extra": {"a": {"b": {}}}}, {"extra": {"a": {}}}),
    ({"extra": {"a": ["x" * 130]}}, {"extra": {"a[0]": "x" * 130}}),
    ({"extra": {"a": ["x" * 130]}}, {"extra": {"a": {"0": "x" * 130}}}),
    ({"seed": 7}, {"extra": {"seed": 7}}),
    ({"suffix": "a"}, {"metadata": {"suffix": "a"}}),
    ({"hyperparameters": {"n_epochs": 3}}, {"hyperparameters": {"n_epochs": "3"}}),
    (
        {"hyperparameters": {"n_epochs": 3}},
        {"extra": {"method": {"supervised": {"hyperparameters": {"n_epochs": 3}}}}},
    ),
    (
        {"hyperparameters": {"n_epochs": 3}, "extra": {"method": {"type": "dpo"}}},
        {"hyperparameters": {"n_epochs": 4}, "extra": {"method": {"type": "dpo"}}},
    ),
    (
        {"hyperparameters": {"n_epochs": 3}, "extra": {"method": 7}},
        {"hyperparameters": {"n_epochs": 4}, "extra": {"method": 7}},
    ),
    (
        {"hyperparameters": {"n_epochs": 3},
         "extra": {"method": {"supervised": {"hyperparameters": 1}}}},
        {"hyperparameters": {"n_epochs": 4},
         "extra": {"method": {"supervised": {"hyperparameters": 1}}}},
    ),
    ({"method": "dpo"}, {"extra": {"method": {"type": "dpo"}}}),
    ({"integrations": {"wandb": {"project": "p", "tags": ["a", "b"]}}},
     {"integrations": {"wandb": {"project": "p", "tags": ["a,b"]}}}),
    ({"integrations": {"wandb": {"project": "p", "entity": "e"}}},
     {"integrations": {"wandb": {"project": "p", "name": "e"}}}),
    ({"grader": {"type": "a", "name": "b"}}, {"grader": {"type": "a", "input": "b"}}),
    ({"something-new": {"a": 1}}, {"something-new": {"a": 2}}),
]  # fmt: skip


@pytest.mark.parametrize("service", ["openai", "nebius", "compatible"])
@pytest.mark.parametrize("pair", SPECS_ALIKE, ids=lambda pair: ascii(pair)[:60])
def test_two_specs_that_differ_read_differently(pair: tuple[Spec, Spec], service: str) -> None:
    where = ServiceInfo(service, "https://api.example/v1")
    for action in (Action.CREATE, Action.DEFER):
        for form in ("text", "markdown", "html"):
            texts = {
                looked_at(undigested(FORMS[form](review_of(spec, where, action)))) for spec in pair
            }
            assert len(texts) == 2, form


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12) | st.sampled_from(sorted(HOSTILE.values())),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "extra": st.dictionaries(st.text(max_size=6), VALUES, min_size=1, max_size=3),
        "metadata": st.dictionaries(
            st.text(min_size=1, max_size=6), st.text(max_size=12), max_size=3
        ),
        "hyperparameters": st.dictionaries(
            st.sampled_from(["n_epochs", "batch_size"]),
            st.integers(1, 3),
            min_size=1,
            max_size=2,
        ),
        "suffix": st.from_regex(r"[a-z]{1,3}", fullmatch=True),
        "seed": st.integers(0, 3),
    },
)


def same(value: Any) -> str:
    """One text for values that JSON and YAML take for the same."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole else value


@given(SPECS, SPECS)
@often
def test_no_two_specs_read_the_same(one: Spec, other: Spec) -> None:
    one, other = _plain(one), _plain(other)
    assume(same(one) != same(other))

    for form in ("text", "markdown", "html"):
        texts = [undigested(FORMS[form](review_of(spec))) for spec in (one, other)]
        assert texts[0] != texts[1]


@given(VALUES)
@often
def test_words_for_a_value_stay_as_they_are_on_a_line(value: Any) -> None:
    words = literal(value)

    assert one_line(words) == words
    assert words.isprintable()
    if not (isinstance(value, str) and words == value):
        assert json.loads(words) == value


@given(VALUES, VALUES)
@often
def test_no_two_values_have_the_same_words(one: Any, other: Any) -> None:
    one, other = _plain(one), _plain(other)
    assume(same(one) != same(other))

    assert literal(one) != literal(other)


HONEST = [
    "M\xfcller", "\u041c\u043e\u0441\u043a\u0432\u0430 \u0441 \u0410\u043d\u043d\u043e\u0439",
    "\u65e5\u672c\u8a9e", "\ud55c\uad6d\uc5b4", "k\u0131rm\u0131z\u0131", "\u0141\xf3d\u017a",
    "2024\u20132025", "na\xefve caf\xe9", "\xbd cup", "Acme\u2122",
    "\u03a9\u03bc\u03ad\u03b3\u03b1",
    "Customer Experience", "a sentence, with signs; (and more) = 100 %", "#1 at @acme",
]  # fmt: skip


@pytest.mark.parametrize("text", HONEST)
def test_honest_text_is_shown_as_it_is_written(text: str) -> None:
    assert literal(text) == f'"{text}"'


@pytest.mark.parametrize(
    "text",
    ["cx", "customer-experience", "gpt-4.1-mini-2025-04-14", "ft:gpt-4.1:acme::m1", "2025-05-08",
     "team/app", "anna@acme.example", "s3://bucket/train.jsonl", "v1.2", "a_b", "12ab", "0x1f"],
)  # fmt: skip
def test_a_plain_name_needs_no_quotes(text: str) -> None:
    assert literal(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "true", "NULL", "unset", "None", "yes", "off", "3", "-3", "1e3", "1_000", "inf", "nan",
     ".5", "-a", "a-", "a.", "a:", "a,b", "a b", "[a]", "{a}", "'a'", 'a"b', "a=b", "*", "x" * 201],
)  # fmt: skip
def test_what_could_be_read_otherwise_stands_in_quotes(text: str) -> None:
    assert literal(text) == json.dumps(text)


# What `extra` makes of the request.


@pytest.mark.parametrize("service", sorted(SERVICES))
@pytest.mark.parametrize("leaf", ["spec", "merged", "reference"])
def test_the_plan_has_the_finished_request(service: str, leaf: str) -> None:
    spec = {
        "hyperparameters": {"n_epochs": 3}, "seed": 7, "suffix": "a", "metadata": {"owner": "cx"},
        "extra": {"trainingType": "GlobalStandard", "vault": {"key": {"env": "VAULT_KEY"}},
                  "method": {"supervised": {"hyperparameters": {"n_epochs": 50}}},
                  "hyperparameters": {"n_epochs": 50}},
    }  # fmt: skip
    review = review_of(spec, ServiceInfo(service, "https://api.example/v1"))

    step = plan_document(review)["changes"][0]["steps"][0]

    match leaf:
        case "spec":
            assert step["spec"] == spec
            assert step["request"]["metadata"] == {"owner": "cx"}
        case "merged":
            assert step["request"]["trainingType"] == "GlobalStandard"
            assert 3 not in [value for _way, value in leaves_of(step["request"])]
        case "reference":
            assert step["request"]["vault"] == {"key": {"env": "VAULT_KEY"}}


def test_what_is_sent_is_the_request_that_was_shown(remote: Shell, world: World) -> None:
    manifest = FINETUNE + WANDB + "extra: {trainingType: x, hyperparameters: {n_epochs: 50}}\n"
    (remote.folder / "finetunes" / "tone.yaml").write_text(manifest, "utf-8")
    plan = remote.ok("plan", "--format", "json").json
    shown = plan["changes"][0]["steps"][1]

    remote.ok("apply", "--auto-approve")

    (sent,) = [body for body in world.bodies if "training_file" in body]
    ours = {key for key in sent["metadata"] if key.startswith("ftctl_")}
    assert sent.pop("model") == shown["base_model"]
    assert sent.pop("training_file")
    assert {**sent, "metadata": {k: v for k, v in sent["metadata"].items() if k not in ours}} == (
        shown["request"]
    )


# The digest.


def whole_plan() -> Plan:
    """A plan with every kind of step and change."""
    spec = {
        "base_model": {"digest": f"v1:{OTHER_SHA}", "checkpoint": "best"}, "training": SHA,
        "validation": OTHER_SHA, "hyperparameters": {"n_epochs": 3}, "seed": 7, "suffix": "warm",
        "metadata": {"owner": "cx"}, "extra": {"trainingType": "x", "deep": [{"er": None}]},
        "integrations": {"wandb": {"project": "p", "entity": "acme", "tags": ["ci"]}},
        "grader": {"type": "python", "source": "def grade(): pass"},
    }  # fmt: skip
    base = ParentModel("ftjob-1", "ft:model", "best", "base-tone")
    held = FileRef("held", "h.jsonl", OTHER_SHA, None, "data/held.jsonl", 3)
    first = start(spec, base_model=base, validation=held, replaces="ftjob-9", follows="ftjob-8",
                  keep=1)  # fmt: skip
    steps = (
        Upload("rows", "data/rows.jsonl", SHA, 345, "ftctl.demo.jsonl"), first,
        CancelJob("ftjob-2", "superseded"), DeleteModel("ft:old"), DeleteFile("file-2", "r.jsonl"),
    )  # fmt: skip
    waits = replace(later(spec), validation=Dataset("held", "h.jsonl", OTHER_SHA, 3, 9, "chat"))
    cost = Estimate(None, None, "not known")
    changes = (
        Change("tone", Action.REPLACE, "seed 1 → 7", steps,
               (FieldChange("seed", "1", "7", cosmetic=False),), digest=f"v1:{SHA}", job="ftjob-1",
               model="ft:old", cost=cost),
        Change("child", Action.DEFER, "waits for tone", digest=f"v1:{OTHER_SHA}", follows="ftjob-7",
               later=waits),
        Change("calm", Action.NO_OP, "up to date as ft:m", digest=f"v1:{SHA}", job="ftjob-3",
               model="ft:m"),
        Change("lost", Action.ATTENTION, "ftjob-4 is not seen", digest=f"v1:{SHA}", job="ftjob-4",
               would_cost=cost),
        Change("unused files", Action.DELETE, "nothing uses them", (DeleteFile("file-5", "x"),),
               kind="Files"),
    )  # fmt: skip
    options = {**NO_OPTIONS, "select": ["tone", "child"], "replace": ["tone=ftjob-9"],
               "environment": "prod"}  # fmt: skip
    return Plan("demo", OPENAI, changes, ("a warning",), options=options)


def whole_document() -> dict[str, Any]:
    plan = whole_plan()
    review = Review(plan, plan_digest(plan), options=plan.options)
    document: dict[str, Any] = json.loads(plan_json(plan_document(review)))
    document["service"] |= {"organization": "org-a", "project": "proj_a"}
    return document


DOCUMENT = whole_document()
# What a digest leaves out, and why two plans that differ in it do the same.
NOT_APPROVED = {
    r"format_version": "how the document is written",
    r"ftctl_version": "who wrote it; the requests are in it",
    r"digest": "it is the digest",
    r"commit|base": "where the manifests come from; what they ask for is in it",
    r"offline": "such a plan cannot be applied at all",
    r"complete|summary\..*|cost|cost\..*": "counted from the changes",
    r"warnings.*|policy.*|data.*": "words beside the plan; the policy is asked again by an apply",
    r"changes\.\d+\.(reason|job|model|housekeeping|waiting)":
        "why, what stands there now, and what kind of change it is",
    r"changes\.\d+\.beside.*": "what a plan knew besides: it may only stop a purchase",
    r"changes\.\d+\.(fields.*|cost.*|estimate.*|would_cost.*)": "words and prices",
    r"changes\.\d+\.steps\.\d+\.(training|validation)\.(dataset|filename|file|path|rows|origin.*)":
        "where the rows are; their content is in it",
    r"changes\.\d+\.later\.(training|validation)\.(dataset|path|rows|origin.*)": "the same",
    r"changes\.0\.steps\.0\.(?!step$).*": "an upload: what is sent already is not approved"
        " again, and its content is that of a training",
    r"changes\.[23]\.(?!action$).*": "nothing is done",
}  # fmt: skip


def _named(way: tuple[Any, ...]) -> str:
    return ".".join(map(str, way))


def _otherwise(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            hexadecimal = re.fullmatch(r"(v1:|sha256:)?[0-9a-f]{64}", value)
            return value[:-1] + ("0" if value[-1:] != "0" else "1") if hexadecimal else f"{value}x"
        case None:
            return "x"
        case list():
            return ["x"]
    return {"x": 1}


@pytest.mark.parametrize("way", [way for way, _ in leaves_of(DOCUMENT)], ids=_named)
def test_every_leaf_of_a_plan_is_under_its_digest(way: tuple[Any, ...]) -> None:
    document = copy.deepcopy(DOCUMENT)
    place: Any = document
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = _otherwise(place[way[-1]])
    left_out = any(re.fullmatch(pattern, _named(way)) for pattern in NOT_APPROVED)

    digests = [_digest_of(one) for one in (DOCUMENT, document)]

    assert (digests[0] == digests[1]) is left_out


def _digest_of(document: Mapping[str, Any]) -> str | None:
    """What the digest of a document must be for it to be accepted; None where it is no plan."""
    whole = {**document, "offline": False, "digest": "sha256:" + "0" * 64, "format_version": "1.4"}
    try:
        return _read(whole).digest
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def test_a_document_whose_leaf_was_changed_is_refused() -> None:
    plan = whole_plan()
    document = json.loads(plan_json(plan_document(Review(plan, plan_digest(plan)))))
    document["options"] = dict(plan.options)
    assert read_approval(document, "plan.json").digest == plan_digest(plan)
    document["changes"][1]["later"]["spec"]["integrations"]["wandb"]["entity"] = "evil"

    with pytest.raises(FtctlError, match="was changed after ftctl wrote it"):
        read_approval(document, "plan.json")


# What of the command line is in the document's options, and why the rest is not.
OPTIONS = {"select", "replace", "prune", "retry_failed", "force_destroy"}
SETTLED = {
    "exclude": "settled: select names who is left",
    "changed": "settled: select names who is meant",
    "allow": "asked for again by an apply: it changes what may be done, and not what is",
    "allow_address": "where a key may go is asked of whoever applies",
    "allow_command": "which programs may run is asked of whoever applies",
    "base": "whose settings count: they show in service, steps and options",
    "env": "it is the document's environment",
    "environment": "it is the document's environment",
    "folder": "where the project is",
    "directory": "where the project is",
    "form": "how it is printed",
    "commit": "how it is printed",
    "approved_by": "how it is printed",
    "reports": "what is written beside it",
    "out": "where it is written",
    "offline": "such a plan cannot be applied",
    "observed": "such a plan cannot be applied",
    "record": "what is written beside it",
    "detailed_exitcode": "how it ends",
    "show_text": "what is shown of rows",
    "verbose": "what is told",
    "no_color": "how it is printed",
    "planfile": "it is the plan",
    "auto_approve": "who approves",
    "approve": "who approves",
    "wait": "what is deferred is under the digest, whether it is waited for or not",
    "timeout": "how long it is waited for",
    "parallelism": "how many at once",
    "help": "what is told",
    "version": "what is told",
}


@pytest.mark.parametrize("command", [plan_command, apply_command], ids=["plan", "apply"])
def test_every_option_that_shapes_a_plan_is_under_its_digest(command: click.Command) -> None:
    names = {parameter.name for parameter in command.params}

    assert names >= OPTIONS
    assert names - OPTIONS - SETTLED.keys() == set()
    assert NO_OPTIONS.keys() == OPTIONS | {"environment"}


# What a comment has no room for.


def crowd(count: int, **spec: Any) -> Review:
    changes = tuple(
        Change(f"tone-{n:04}", Action.CREATE, "not found", (start({"seed": n, **spec}),))
        for n in range(count)
    )
    plan = Plan("demo", OPENAI, changes)
    return Review(plan, plan_digest(plan))


@pytest.mark.parametrize("count", [1, 20, 200, 1_000])
def test_a_comment_says_where_it_is_approved_what_it_leaves_out(count: int) -> None:
    comment = plan_markdown(crowd(count))

    shown = len(re.findall(r"<summary><code>tone-", comment))
    foot = comment.rpartition("</details>")[2]
    assert len(comment) <= 60_000
    if shown == count:
        assert foot.count("Approve exactly this:") == 1
    else:
        assert "Approve exactly this:" not in comment
        assert f"{count - shown:,} of {count:,} details" in foot
        assert "When that is read, approve exactly this plan:" in foot
        rows = len(re.findall(r"^\| `\+` \|", comment, re.MULTILINE))
        assert rows == count or f"{count - rows:,} changes" in foot
    assert "--approve sha256:" in foot


def test_a_comment_without_room_keeps_hashes_and_says_that_lines_are_left_out() -> None:
    long = "x = 1\n" * 9_000
    comment = plan_markdown(crowd(2, grader={"type": "python", "source": long}))

    assert len(comment) <= 60_000
    assert comment.count(text_identity(long)) == 2
    assert "**Not all that is approved stands here**: the long texts of" in comment


def test_a_page_leaves_nothing_out() -> None:
    page = plan_html(crowd(300, metadata={"owner": "cx"}))

    assert page.count("owner cx") == 300


# From the command line.

WANDB = """\
suffix: warm
integrations: {wandb: {project: tone, entity: ENTITY, name: "v 3", tags: [ci]}}
metadata: {owner: cx}
"""
CHILD = """\
---
apiVersion: ftctl/v1
kind: FineTune
name: child
base_model: {finetune: tone}
training: {source: ../data/train.jsonl}
hyperparameters: {n_epochs: 2}
"""


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_a_plan_shows_where_a_training_reports_to(
    form: str, shell: Shell, write_project: Callable[[Mapping[str, str]], Any]
) -> None:
    write_project(small_project(FINETUNE + WANDB.replace("ENTITY", "acme") + CHILD + WANDB))

    out = shell.ok("plan", "--format", form).out

    for entity in ("acme", "ENTITY"):
        assert re.search(rf'entity"?:? "?{entity}', out)
    assert out.count("owner") >= 2


@pytest.mark.parametrize("change", ["ENTITY", "warm", "owner", "project: tone", "ci", "v 3"])
def test_what_waits_is_not_bought_otherwise_than_it_was_approved(
    change: str, shell: Shell, write_project: Callable[[Mapping[str, str]], Any]
) -> None:
    write_project(small_project(FINETUNE + CHILD + WANDB))
    shell.ok("plan", "--out", "plan.json")
    other = WANDB.replace(change, change[:-1] + "x")
    write_project(small_project(FINETUNE + CHILD + other))

    result = shell("apply", "plan.json", "--wait")

    assert result.status == 5
    assert "child: spec and request of its training changed" in result.err
    assert "file-" not in shell.ok("status", "--format", "json").out


def test_what_waits_is_bought_as_it_was_approved(
    shell: Shell, write_project: Callable[[Mapping[str, str]], Any]
) -> None:
    write_project(small_project(FINETUNE + CHILD + WANDB))
    shell.ok("plan", "--out", "plan.json")

    shell.ok("apply", "plan.json", "--wait")

    assert "unchanged" in shell.ok("plan").out


def test_rows_that_are_there_already_are_shown_as_well(
    shell: Shell, write_project: Callable[[Mapping[str, str]], Any]
) -> None:
    write_project(small_project())
    shell.ok("apply", "--auto-approve", "--wait")
    write_project(small_project(FINETUNE + "seed: 4\n"))

    out = shell.ok("plan").out

    assert "upload" not in out
    assert re.search(r"training: data/train\.jsonl, 12 rows, sha256:[0-9a-f]{64}\n", out)
    assert chat_rows(12).count("\n") == 12
