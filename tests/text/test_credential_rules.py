"""gitleaks' rules, read for Python: all of them, each finds what it is for, and none takes long."""

from __future__ import annotations

import hashlib
import importlib.util
import random
import re
import string
import time
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from conftest import ROOT

from ftctl.data.quality.secret_search import may_hold_secret, secrets_in
from ftctl.errors import redact
from ftctl.text.credential_forms import (
    FORMS,
    IN_ADDRESS,
    IN_HEADERS,
    JWT,
    PRIVATE_KEY,
    ROW_FORMS,
    SHORT_FORMS,
    CredentialForm,
    compiled,
    rules,
)
from ftctl.text.credential_rules import RULES

LIST = ROOT / "ftctl" / "text" / "gitleaks.toml"
NAMES = [rule[0] for rule in RULES]


@cache
def generator() -> Any:
    spec = importlib.util.spec_from_file_location(
        "made_rules", ROOT / "release" / "credential_rules.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_module_is_what_the_list_makes() -> None:
    made = (ROOT / "ftctl" / "text" / "credential_rules.py").read_text("utf-8")

    assert generator().module() == made


def test_the_list_is_the_one_that_the_notice_names() -> None:
    notice = (ROOT / "ftctl" / "text" / "NOTICE.md").read_text("utf-8")

    assert hashlib.sha256(LIST.read_bytes()).hexdigest() in notice
    assert "Copyright (c) 2019 Zachary Rice" in notice


def test_every_rule_is_taken_or_left_out_with_a_reason() -> None:
    listed = [rule["id"] for rule in tomllib.loads(LIST.read_text("utf-8"))["rules"]]
    left_out: Mapping[str, str] = generator().LEFT_OUT

    assert sorted([*NAMES, *left_out]) == sorted(listed)
    assert all(left_out.values())


@pytest.mark.parametrize(
    ("go", "python"),
    [
        ("(?i)ab|c", "(?i:ab)|(?i:c)"),
        ("a(?i)b", "a(?i:b)"),
        ("(a(?i)b|c)d", "(a(?i:b)|(?i:c))d"),
        ("(?i:a(?-i:B))", "(?i:a(?-i:B))"),
        (r"a$", r"a\Z"),
        (r"a\z", r"a\Z"),
        (r"\$[$)(?i)]", r"\$[$)(?i)]"),
        (r"[[:alnum:]]{2}[]a][^]b]", r"[A-Za-z0-9]{2}[]a][^]b]"),
        (r"(?P<alg>x)\(", r"(x)\("),
        (r"(?s:.)", r"(?s:.)"),
    ],
)
def test_an_expression_of_gos_is_one_of_pythons(go: str, python: str) -> None:
    assert generator().python_of(go) == python
    assert re.compile(python, re.ASCII)


# What a pattern matches, by chance: letters and digits where it leaves a choice.
_ALNUM = string.ascii_letters + string.digits


def sample(pattern: str, chance: random.Random) -> str:
    """A text that the pattern matches."""
    parser = re._parser.parse(pattern, re.ASCII)  # type: ignore[attr-defined]
    return "".join(_sampled(parser, chance))


def _sampled(parsed: Any, chance: random.Random) -> list[str]:
    made: list[str] = []
    for operation, value in parsed:
        match str(operation):
            case "LITERAL":
                made.append(chr(value))
            case "ANY":
                made.append(".")
            case "IN":
                made.append(chance.choice(_choice(value)))
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, _most, inner = value
                for _ in range(least):
                    made += _sampled(inner, chance)
            case "SUBPATTERN":
                made += _sampled(value[3], chance)
            case "BRANCH":
                made += _sampled(chance.choice(value[1]), chance)
            case _:  # where something ends or begins: nothing is written there
                pass
    return made


def _ranges(inside: Sequence[Any]) -> list[Any]:
    return [value for operation, value in inside if str(operation) == "RANGE"]


def _choice(inside: Sequence[Any]) -> str:
    signs = {chr(value) for operation, value in inside if str(operation) == "LITERAL"}
    for first, last in _ranges(inside):
        signs |= {chr(number) for number in range(first, last + 1)}
    for operation, value in inside:
        if str(operation) == "CATEGORY":
            signs |= set(string.digits if "DIGIT" in str(value) else _ALNUM)
    return "".join(sorted(signs & set(_ALNUM) or signs or {" "}))


# Of these, what matches a rule's least is no secret yet.
_WRITTEN = {
    "slack-bot-token": "xoxb-4081726354-9182736450-Rt7kQmZ2xW9pLs4bVn8cYd3f",
    "slack-config-access-token": f"xoxe.xoxb-1-{'M0K1QZ7X2P' * 17}",
    "slack-config-refresh-token": f"xoxe-1-{'M0K1QZ7X2P' * 14}ABCDEF",
    "slack-legacy-workspace-token": "xoxa-2-4f9Kq2LmX7wZ1bVt90QeRtYu",
    "slack-legacy-token": "xoxs-4081726354-9182736450-5647382910-0a1b2c3d4e5f607182",
    "slack-app-token": "xapp-1-A0B1C2D3E4-4081726354091-0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "huggingface-access-token": "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",
    "huggingface-organization-api-token": "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",
}


def written(rule: tuple[Any, ...], chance: random.Random) -> str:
    name, _what, _hints, pattern, _bits, named, _allowed = rule
    text = _WRITTEN.get(name) or sample(pattern, chance)
    if name == "facebook-access-token":
        return f"facebook_token {text}"
    return f"my token: {text}" if named else text


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_finds_what_it_is_for_in_rows_and_in_what_is_shown(rule: tuple[Any, ...]) -> None:
    chance = random.Random(rule[0])
    tried = [f"So I wrote {written(rule, chance)}, and that was that." for _ in range(8)]

    found = [text for text in tried if may_hold_secret(text.encode()) and [*secrets_in(text, 3.0)]]
    hidden = [text for text in tried if "[redacted]" in redact(text)]

    # By chance a sample is no secret: it has too few different signs, or no digit.
    assert len(found) >= 6
    assert len(hidden) >= 6


def test_keys_that_google_publishes_as_examples_are_no_finding() -> None:
    listed = {rule["id"]: rule for rule in tomllib.loads(LIST.read_text("utf-8"))["rules"]}
    examples = listed["gcp-api-key"]["allowlists"][0]["regexes"]

    assert len(examples) == 16
    assert [key for key in examples if [*secrets_in(f"a key: {key}.", 3.0)]] == []
    assert [*secrets_in(f"a key: {examples[1][:-1]}q.", 3.0)] != []


def every_form() -> list[CredentialForm]:
    headers = (*SHORT_FORMS, *IN_HEADERS, IN_ADDRESS)
    return [*FORMS, *ROW_FORMS, *rules().forms, JWT, PRIVATE_KEY, *headers]


_SIZE = 20_000
_FILLERS = ("a", "0", "A", " ", "-", "=", "a0", '\\"', " =,", "' ")


def hostile(form: CredentialForm, pattern: str) -> list[str]:
    """Texts in which a pattern could begin, and go on, at every place."""
    hint = form.hints[0]
    begun = sample(pattern, random.Random(form.what))[:-1] or hint
    return [
        hint * (_SIZE // len(hint)),
        f"{hint} " * (_SIZE // len(hint)),
        f"{hint}_a." * (_SIZE // len(hint)),
        *(hint + filler * (_SIZE // len(filler)) for filler in _FILLERS),
        begun * (_SIZE // len(begun)),
        f"{begun}é" * (_SIZE // len(begun)),
        begun[: len(begun) // 2 + 1] + begun[len(begun) // 2] * _SIZE,
    ]  # fmt: skip


def test_no_form_takes_more_than_a_text_has() -> None:
    """Each is given its worst; twice the text would take twice the time, and not four times."""
    slowest = 0.0
    for form in every_form():
        for pattern in dict.fromkeys((form.exact, form.loose or form.exact)):
            for text in hostile(form, pattern):
                began = time.process_time()
                sum(1 for _ in compiled(pattern).finditer(text))
                slowest = max(slowest, time.process_time() - began)

    assert slowest < 0.5


def test_all_hints_at_once_take_no_more_than_their_forms_together() -> None:
    text = " = ".join(hint for form in every_form() for hint in form.hints) * 20
    began = time.process_time()

    redact(text)
    list(secrets_in(text, 3.0))

    assert time.process_time() - began < 5
