"""Good rows that were damaged at random: nothing raises, and none that is broken passes as good."""

from __future__ import annotations

import base64
import copy
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from naive_judge import Judge, Refused

from ftctl.data.formats.lines import Line
from ftctl.data.formats.row_text import read_row
from ftctl.data.scanning.file_scan import scan_file
from ftctl.data.scanning.scan_request import ScanRequest
from ftctl.domain.desired import Method

METHODS: dict[str, Method] = {
    "chat": "supervised",
    "completion": "supervised",
    "preference": "dpo",
    "reinforcement": "reinforcement",
}
PER_FILE = 1_000
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(40))).decode()

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of some days.",
        "strict": False,
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "minLength": 2},
                "days": {"type": "integer", "minimum": 1, "maximum": 14},
                "unit": {"enum": ["celsius", "kelvin"]},
                "hours": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "clock"}}


def said(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def called(identity: str, name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": identity, "type": "function", "function": function}


QUESTION = said("user", "Wie wird das Wetter in Köln? ☔ \U0001f302")
SYSTEM = said("system", 'You answer "briefly", in German\\English.')
CALLS = [called("c1", "weather", city="Köln", days=2, hours=[8, 20]), called("c2", "clock")]
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}

GOOD: dict[str, list[dict[str, Any]]] = {
    "chat": [
        {"messages": [SYSTEM, QUESTION, said("assistant", "Regen.")]},
        {"messages": [QUESTION, said("assistant", "1"), QUESTION, said("assistant", "2", weight=0),
                      QUESTION, said("assistant", "3", weight=1)]},
        {"messages": [SYSTEM, QUESTION, said("assistant", None, tool_calls=CALLS),
                      said("tool", "12 °C", tool_call_id="c1"),
                      said("tool", [{"type": "text", "text": "8:00"}], tool_call_id="c2"),
                      said("assistant", "12 °C um acht.")],
         "tools": [WEATHER, CLOCK], "parallel_tool_calls": True},
        {"messages": [said("user", [{"type": "text", "text": "What is it?"}, IMAGE]),
                      said("user", [{"type": "image_url", "image_url": {"url": "https://a.b/c"}}]),
                      said("assistant", [{"type": "refusal", "refusal": "No."}])]},
        {"messages": [said("developer", "s", name="it-1"), said("user", "q", name="Ana"),
                      said("assistant", None, function_call={"name": "f", "arguments": "{}"}),
                      said("function", "r", name="f"), said("assistant", "a", refusal=None)],
         "functions": [{"name": "f", "parameters": {"type": "object"}}]},
    ],
    "completion": [
        {"prompt": "To be or ->", "completion": " not to be\n"},
        {"prompt": "", "completion": 'NUL is \\ and "'},
    ],
    "preference": [
        {"input": {"messages": [SYSTEM, QUESTION]},
         "preferred_output": [said("assistant", "Regen.")],
         "non_preferred_output": [said("assistant", "Weiß nicht.")]},
        {"input": {"messages": [QUESTION], "tools": [WEATHER], "parallel_tool_calls": False},
         "preferred_output": [{"role": "assistant", "tool_calls": CALLS[:1]}],
         "non_preferred_output": [said("assistant", "Nein.")]},
    ],
    "reinforcement": [
        {"messages": [SYSTEM, QUESTION], "reference": "Regen", "points": [1, 2.5, None]},
        {"messages": [said("user", [{"type": "text", "text": "?"}, IMAGE])], "answer": {"a": 1e-3}},
        {"messages": [QUESTION, said("assistant", "Wo?"), said("user", "Köln")],
         "tools": [CLOCK], "reference": ""},
    ],
}  # fmt: skip

Damage = Callable[[random.Random, Any], Any]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every list and object in the value with each of its keys or positions."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        yield value, key
        if isinstance(item, dict | list):
            yield from places(item)


def some_place(dice: random.Random, row: Any) -> tuple[Any, Any]:
    return dice.choice(list(places(row)))


OTHERS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 1.0, -3, 2.5, 10**30, "", "x", "user", "assistant", "function"),
    *("{}", '"{}"', "[]", " ", "a b", [], [[]], {}, [{}], {"role": "user"}, {"type": "text"}),
)
KEYS = (
    *("role", "content", "name", "weight", "refusal", "audio", "annotations", "tool_calls", "id"),
    *(
        "tool_call_id",
        "function_call",
        "messages",
        "tools",
        "type",
        "text",
        "image_url",
        "metadata",
    ),
    *("", "Role", "contents", "text ", "\u00e9", "prompt", "completion", "input", "arguments"),
)


def swap_type(dice: random.Random, row: Any) -> None:
    owner, key = some_place(dice, row)
    owner[key] = copy.deepcopy(dice.choice(OTHERS))


def rename_key(dice: random.Random, row: Any) -> None:
    owner, key = some_place(dice, row)
    if isinstance(owner, dict):
        owner[dice.choice(KEYS)] = owner.pop(key)


def add_key(dice: random.Random, row: Any) -> None:
    owner, _ = some_place(dice, row)
    if isinstance(owner, dict):
        owner[dice.choice(KEYS)] = copy.deepcopy(dice.choice(OTHERS))


def drop(dice: random.Random, row: Any) -> None:
    owner, key = some_place(dice, row)
    del owner[key]


def repeat(dice: random.Random, row: Any) -> None:
    owner, key = some_place(dice, row)
    if isinstance(owner, list):
        owner.insert(dice.randrange(len(owner) + 1), copy.deepcopy(owner[key]))


def reorder(dice: random.Random, row: Any) -> None:
    lists = [owner[key] for owner, key in places(row) if isinstance(owner[key], list)]
    if lists:
        dice.shuffle(dice.choice(lists))


def exchange(dice: random.Random, row: Any) -> None:
    (one, first), (other, second) = some_place(dice, row), some_place(dice, row)
    taken = copy.deepcopy(other[second])
    other[second] = copy.deepcopy(one[first])
    if first in one if isinstance(one, dict) else first < len(one):
        one[first] = taken


def rewrite(dice: random.Random, row: Any) -> None:
    owner, key = some_place(dice, row)
    if isinstance(owner[key], str) and owner[key]:
        at = dice.randrange(len(owner[key]))
        owner[key] = owner[key][:at] + dice.choice('"\\{}[]:, \ud83da1\x01') + owner[key][at + 1 :]


ON_VALUES = (swap_type, swap_type, rename_key, add_key, drop, repeat, reorder, exchange, rewrite)


def flip(dice: random.Random, line: bytearray) -> None:
    line[dice.randrange(len(line))] ^= 1 << dice.randrange(8)


def put(dice: random.Random, line: bytearray) -> None:
    line[dice.randrange(len(line))] = dice.choice(b'"\\{}[]:,0-e. \t\r\0\xff')


def cut_out(dice: random.Random, line: bytearray) -> None:
    at = dice.randrange(len(line))
    del line[at : at + dice.choice((1, 1, 2, 5, 30))]


def cut_off(dice: random.Random, line: bytearray) -> None:
    del line[dice.randrange(len(line)) :]


def double(dice: random.Random, line: bytearray) -> None:
    at = dice.randrange(len(line))
    line[at:at] = line[at : at + dice.choice((1, 3, 20, 200))]


def escape(dice: random.Random, line: bytearray) -> None:
    at = dice.randrange(len(line))
    line[at:at] = dice.choice((b"\\u0000", b"\\ud83d", b"\\u00e9", b"\\n", b"NaN", b"1e999", b"99"))


ON_BYTES = (flip, flip, put, cut_out, cut_off, double, escape)


def damaged(dice: random.Random, good: Any) -> bytes:
    """The row as a line, with one to three wounds. It never has a line feed and is never blank."""
    row = copy.deepcopy(good)
    wounds = dice.choice((1, 1, 1, 2, 3))
    on_values = dice.randrange(wounds + 1)
    for _ in range(on_values):
        if row:
            dice.choice(ON_VALUES)(dice, row)
    line = bytearray(json.dumps(row, ensure_ascii=dice.random() < 0.5).encode("utf-8", "replace"))
    for _ in range(wounds - on_values):
        if line:
            dice.choice(ON_BYTES)(dice, line)
    line = line.replace(b"\n", b"\t")
    return bytes(line) if line.strip() else b"{}"


def verdict(line: bytes, form: str) -> str:
    """What the naive judge says: refused, doubted or good."""
    judge = Judge()
    try:
        judge.judge(line, form)
    except Refused:
        return "refused"
    return "doubted" if judge.doubts else "good"


def found(path: Path, lines: list[bytes], form: str) -> dict[int, str]:
    """What ftctl says of each line, by its number: refused, doubted; not there when it is good."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    request = ScanRequest(METHODS[form], least=1, most=None)
    said_of: dict[int, str] = {}
    for problem in scan_file("rows", path, "rows.jsonl", request).diagnostics:
        assert problem.span.line is not None, problem
        worst = said_of.get(problem.span.line) == "refused" or problem.severity == "error"
        said_of[problem.span.line] = "refused" if worst else "doubted"
    if "refused" in said_of.values():  # what has one cause in many lines is told at the first
        for number, line in enumerate(lines, 1):
            if read_row(Line(number, line + b"\n", ended=True))[0] is None:
                said_of[number] = "refused"
    return said_of


@pytest.mark.parametrize("form", GOOD)
def test_the_undamaged_rows_are_good_to_both(tmp_path: Path, form: str) -> None:
    lines = [json.dumps(row).encode() for row in GOOD[form]]

    assert found(tmp_path / "rows.jsonl", lines, form) == {}
    assert {verdict(line, form) for line in lines} == {"good"}


def test_no_damaged_row_passes_as_good(
    tmp_path: Path, pytestconfig: pytest.Config, record_property: Callable[[str, object], None]
) -> None:
    count = 100_000 if pytestconfig.getoption("--simulate-all") else 5_000
    dice = random.Random(20_261_122)
    shares: Counter[tuple[str, str]] = Counter()
    missed: list[tuple[str, str, bytes]] = []
    forms = dice.choices(list(GOOD), weights=(6, 1, 2, 2), k=count // PER_FILE)
    for form in forms:
        lines = [damaged(dice, dice.choice(GOOD[form])) for _ in range(PER_FILE)]
        first = json.dumps(GOOD[form][0]).encode()  # which settles the file's format
        ours = found(tmp_path / "rows.jsonl", [first, *lines], form)
        for number, line in enumerate(lines, 2):
            theirs, mine = verdict(line, form), ours.get(number, "good")
            shares[theirs, mine] += 1
            if (theirs, mine) in (("refused", "good"), ("refused", "doubted"), ("doubted", "good")):
                missed.append((form, theirs, line))

    stricter = shares["good", "refused"] / count
    record_property("refused by ftctl alone", f"{stricter:.4%} of {count:,}")
    assert missed == []
    assert min(shares["refused", "refused"], shares["good", "good"]) > count // 20
    assert stricter < 0.005
