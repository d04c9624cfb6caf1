"""Tokens that models read as marks and not as text, wherever a row may hold them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftctl.data.formats.formats import RowChecker
from ftctl.data.formats.reserved_tokens import (
    REFUSED,
    REFUSED_CODE,
    RESERVED,
    check_reserved,
    may_hold_reserved,
)
from ftctl.data.scanning import scan_file
from ftctl.data.scanning.chunk_checker import ChunkChecker, exact_counter
from ftctl.data.scanning.chunks import Chunk
from ftctl.data.scanning.orjson_parser import orjson_parser
from ftctl.data.scanning.scan_request import Counting, ScanRequest
from ftctl.domain.desired import Method
from ftctl.emulator.jobs.training_file import REFUSED_TOKENS

BAD = "so <|fim_suffix|> it is"
ODD = "so <|im_end|> it is"
USER, ANSWER = {"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}
PARAMETERS = {"type": "object", "properties": {}}


def _tool(**more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "find", "parameters": PARAMETERS, **more}}


def _call(arguments: str) -> dict[str, Any]:
    function = {"name": "find", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [
        {"id": "c1", "type": "function", "function": function},
    ]}  # fmt: skip


def _chat(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


def _pair(**more: Any) -> dict[str, Any]:
    pair = {"input": _chat(USER), "preferred_output": [ANSWER],
            "non_preferred_output": [{**ANSWER, "content": "B."}]}  # fmt: skip
    return {**pair, **more}


def places(text: str) -> dict[str, tuple[Method, dict[str, Any]]]:
    """Rows that hold the text in one place each, which is told in these words."""
    parts = [{"type": "text", "text": text}]
    refusal = [{"type": "refusal", "refusal": text}]
    described = {"type": "object", "properties": {"at": {"type": "string", "description": text}}}
    choices = {"type": "object", "properties": {"at": {"enum": [text]}}}
    keyed = {"type": "object", "properties": {text: {"type": "string"}}}
    call = _call(json.dumps({"q": text}))
    reply = {"role": "tool", "tool_call_id": "c1", "content": text}
    return {
        "messages[0].content": ("supervised", _chat({**USER, "content": text}, ANSWER)),
        "messages[1].content": ("supervised", _chat(USER, {**ANSWER, "content": text})),
        "messages[0].content[0].text": ("supervised", _chat({**USER, "content": parts}, ANSWER)),
        "messages[1].content[0].refusal": (
            "supervised",
            _chat(USER, {**ANSWER, "content": refusal}),
        ),
        "messages[1].refusal": ("supervised", _chat(USER, {**ANSWER, "refusal": text})),
        "messages[0].name": ("supervised", _chat({**USER, "name": text}, ANSWER)),
        "tools[0].function.description": (
            "supervised",
            _chat(USER, ANSWER, tools=[_tool(description=text)]),
        ),
        "tools[0].function.parameters.properties.at.description": (
            "supervised",
            _chat(USER, ANSWER, tools=[_tool(parameters=described)]),
        ),
        "tools[0].function.parameters.properties.at.enum[0]": (
            "supervised",
            _chat(USER, ANSWER, tools=[_tool(parameters=choices)]),
        ),
        "a key in tools[0].function.parameters.properties": (
            "supervised",
            _chat(USER, ANSWER, tools=[_tool(parameters=keyed)]),
        ),
        "messages[1].tool_calls[0].function.arguments": ("supervised", _chat(USER, call)),
        "messages[2].content": ("supervised", _chat(USER, _call("{}"), reply, ANSWER)),
        "prompt": ("supervised", {"prompt": text, "completion": "a"}),
        "completion": ("supervised", {"prompt": "q", "completion": text}),
        "input.messages[0].content": ("dpo", _pair(input=_chat({**USER, "content": text}))),
        "preferred_output[0].content": (
            "dpo",
            _pair(preferred_output=[{**ANSWER, "content": text}]),
        ),
        "non_preferred_output[0].content": (
            "dpo",
            _pair(non_preferred_output=[{**ANSWER, "content": text}]),
        ),
        "reference.code": ("reinforcement", {"messages": [USER], "reference": {"code": text}}),
        "a key in the row": ("reinforcement", {"messages": [USER], text: 1}),
    }


def said(path: Path, row: Any, method: Method | None) -> list[tuple[str, int | None, str, str]]:
    """What is told of a row that stands in the third line."""
    line = row if isinstance(row, bytes) else json.dumps(row).encode()
    good = {
        "dpo": _pair(),
        "reinforcement": {"messages": [USER], "reference": {"code": "1"}},
    }.get(method or "", {"prompt": "q", "completion": "a"} if b'"prompt"' in line else None)
    plain = json.dumps(good or _chat(USER, ANSWER)).encode()
    path.write_bytes(b"\n".join([plain, plain, line, *[plain] * 8, b""]))
    scan = scan_file("rows", path, "rows.jsonl", ScanRequest(method))
    return [
        (one.severity, one.span.line, one.code, one.message)
        for one in scan.diagnostics
        if one.code in ("reserved-token", "refused-token")
    ]


@pytest.mark.parametrize("place", places(""))
def test_a_refused_token_has_a_code_of_its_own_in_every_place(tmp_path: Path, place: str) -> None:
    method, row = places(BAD)[place]

    told = said(tmp_path / "rows.jsonl", row, method)

    message = f"{place} has '<|fim_suffix|>', which OpenAI refuses in a text"
    assert told == [("warning", 3, "refused-token", message)]


@pytest.mark.parametrize("place", places(""))
def test_a_token_that_no_report_names_is_a_warning_in_every_place(
    tmp_path: Path, place: str
) -> None:
    method, row = places(ODD)[place]

    told = said(tmp_path / "rows.jsonl", row, method)

    why = "which models read as a mark and not as text: services may refuse it"
    assert told == [("warning", 3, "reserved-token", f"{place} has '<|im_end|>', {why}")]


@pytest.mark.parametrize("token", RESERVED)
def test_every_token_is_told_however_json_writes_it(tmp_path: Path, token: str) -> None:
    escaped = "".join(f"\\u{ord(sign):04x}" for sign in token)
    half = token.replace("<", "\\u003C")
    for written in (token, escaped, half, token.replace("|", "\\u007c")):
        line = json.dumps(_chat(USER, {**ANSWER, "content": "@"})).replace("@", written).encode()

        told = said(tmp_path / "rows.jsonl", line, None)

        assert [one[2] for one in told] == [REFUSED_CODE if token in REFUSED else "reserved-token"]


@pytest.mark.parametrize(
    "text",
    ["a <| b", "<|", "|>", "<|fim_suffix|", "<fim_suffix>", "<|user|>", "a \\u003c|fim_suffix|>",
     "if a <|b| > 2", "f <| g |> h", "<|IM_END|>", "<|>"],
)  # fmt: skip
def test_what_only_looks_like_one_is_text(tmp_path: Path, text: str) -> None:
    assert said(tmp_path / "rows.jsonl", _chat(USER, {**ANSWER, "content": text}), None) == []


def test_several_in_one_text_are_told_by_what_becomes_of_them() -> None:
    text = "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>c<|fim_suffix|>"

    refused, doubted = check_reserved({"prompt": text})

    assert refused.code == REFUSED_CODE
    assert refused.message.startswith("prompt has '<|fim_suffix|>', which")
    assert doubted.code == "reserved-token"
    assert doubted.message.startswith("prompt has '<|fim_prefix|>' and '<|fim_middle|>', which")
    assert doubted.hint == "take it out, or write it otherwise, such as '<fim_prefix>'"


def test_a_mark_of_other_models_is_text_to_the_base_model() -> None:
    row = {"prompt": "<|channel|>", "completion": "<|im_end|>"}

    told = {
        encoding: [one.message.split(" ")[0] for one in check_reserved(row, [encoding])]
        for encoding in ("cl100k_base", "o200k_base")
    }

    assert told == {"cl100k_base": ["completion"], "o200k_base": ["completion", "prompt"]}
    assert len([*check_reserved(row)]) == 2


def test_doubts_fill_no_room_that_a_refusal_needs(tmp_path: Path) -> None:
    rows = [_chat(USER, {**ANSWER, "content": text}) for text in [*[ODD] * 30, BAD]]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    scan = scan_file("rows", path, "rows.jsonl", ScanRequest())

    assert [one.span.line for one in scan.diagnostics if one.code == REFUSED_CODE] == [31]
    assert any(one.message == "… and 10 more of this kind" for one in scan.diagnostics)


def test_a_file_with_warnings_alone_is_counted(tmp_path: Path) -> None:
    rows = [_chat(USER, {**ANSWER, "content": ODD})] * 10
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    scan = scan_file("rows", path, "rows.jsonl", ScanRequest(countings=(Counting("o200k_base"),)))

    assert scan.dataset is not None
    assert scan.tokens is not None
    assert scan.tokens.rows == 10


@pytest.mark.parametrize("place", places(""))
def test_the_fast_reader_lets_none_by(place: str) -> None:
    """Also among rows, and with tools, that it knows to be good."""
    pytest.importorskip("orjson")
    method, row = places(BAD)[place]
    plain = row | {"messages": [USER, ANSWER]} if method == "supervised" and "tools" in row else row
    lines = [json.dumps(one).encode() for one in (plain, plain, row)]
    checker = ChunkChecker(ScanRequest(method), RowChecker(method), exact_counter, orjson_parser())

    found = checker.check(Chunk(1, b"\n".join(lines), ended=True))

    told = [one.line for one in found.findings.kept if one.code == REFUSED_CODE]
    assert told == [1, 2, 3]


def test_nearly_every_row_pays_nothing() -> None:
    plain = json.dumps(_chat(USER, {**ANSWER, "content": "a < b | c > d, Größe, 값"})).encode()

    assert not may_hold_reserved(plain)
    assert may_hold_reserved(plain.replace(b"a < b", b"a <| b"))


def test_the_embedded_api_refuses_the_same() -> None:
    assert set(REFUSED_TOKENS) == REFUSED
