"""150 kinds of broken rows and files, each found with its line and its code.

The first tables are lines and values that stand in the third line of a file of good rows; the last
is whole files. What only warns is among them: a warning has a line and a code too.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from ftctl.data.formats import CODES
from ftctl.data.formats.formats import RowChecker
from ftctl.data.formats.grader_fields import fields_of
from ftctl.data.formats.row_checks import Demands
from ftctl.data.scanning import MAX_FILE_BYTES, read_dataset
from ftctl.domain.desired import Method

Row = dict[str, Any]
LINE = 3


def said(role: str, content: Any, **more: Any) -> Row:
    return {"role": role, "content": content, **more}


def chat(*messages: Any, **more: Any) -> Row:
    return {"messages": list(messages), **more}


USER, ANSWER = said("user", "Q?"), said("assistant", "A.")
TEXT = {"type": "text", "text": "t"}
COMPLETION = {"prompt": "q", "completion": "a"}
PAIR = {
    "input": {"messages": [USER]},
    "preferred_output": [ANSWER],
    "non_preferred_output": [said("assistant", "B.")],
}
TASK = {"messages": [USER], "reference": {"city": "Ulm", "days": [1, 2]}}

PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "minimum": 1},
        "unit": {"enum": ["c", "k"]},
        "hours": {"type": "array", "items": {"$ref": "#/$defs/hour"}},
    },
    "$defs": {"hour": {"type": "integer", "maximum": 23}},
    "required": ["city"],
    "additionalProperties": False,
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def function(name: Any = "find", **more: Any) -> Row:
    return {"name": name, **more}


def tool(**more: Any) -> Row:
    return {"type": "function", "function": function(**more)}


def call(arguments: Any = '{"city": "Ulm"}', name: Any = "find", key: Any = "c1") -> Row:
    return {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: Any) -> Row:
    return {"role": "assistant", "tool_calls": list(calls)}


def reply(key: Any = "c1", **more: Any) -> Row:
    return said("tool", "r", tool_call_id=key, **more)


def talk(*calls: Any, **more: Any) -> Row:
    """A question and the calls that answer it."""
    return chat(USER, calling(*calls), **more)


def declared(*tools: Any) -> Row:
    return chat(USER, ANSWER, tools=list(tools))


def unfit(arguments: str) -> Row:
    return talk(call(arguments), tools=[tool(parameters=PARAMETERS)])


def schema(**parameters: Any) -> Row:
    return declared(tool(parameters={"type": "object", **parameters}))


def strict(**parameters: Any) -> Row:
    return declared(tool(strict=True, parameters={"type": "object", **parameters}))


def parts(*content: Any, role: str = "user") -> Row:
    return chat(said(role, list(content)), ANSWER)


def image(url: Any, **more: Any) -> Row:
    return parts({"type": "image_url", "image_url": {"url": url, **more}})


def data_url(content: bytes = PNG, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def without(row: Row, key: str) -> Row:
    return {name: value for name, value in row.items() if name != key}


GOOD = json.dumps(chat(USER, ANSWER)).encode()
CUT = GOOD[: len(GOOD) // 2]

# Lines as text, in a file of chats.
LINES: dict[str, tuple[bytes, str]] = {
    "two rows in one line": (GOOD + GOOD, "not-json"),
    "a comma after the row": (GOOD + b",", "not-json"),
    "a comma before a bracket": (GOOD.replace(b"}]", b"},]"), "not-json"),
    "no comma between keys": (GOOD.replace(b'", "', b'" "', 1), "not-json"),
    "no colon": (GOOD.replace(b":", b"", 1), "not-json"),
    "a bracket too many": (GOOD + b"}", "not-json"),
    "the wrong bracket": (GOOD.replace(b"}]}", b"]}}"), "not-json"),
    "broken off before the next row": (CUT, "not-json"),
    "Python's quotes": (repr(chat(USER, ANSWER)).encode(), "not-json"),
    "Python's None": (GOOD.replace(b'"Q?"', b"None"), "not-json"),
    "typographic quotes": (GOOD.replace(b'"Q?"', "“Q?”".encode()), "not-json"),
    "a key without quotes": (GOOD.replace(b'"messages"', b"messages"), "not-json"),
    "a quote in a text": (GOOD.replace(b"Q?", b'Q "why"?'), "not-json"),
    "a tab in a text": (GOOD.replace(b"Q?", b"Q\t?"), "not-json"),
    "an unknown escape": (GOOD.replace(b"Q?", b"C:\\dir"), "not-json"),
    "a short escape": (GOOD.replace(b"Q?", b"\\u12"), "not-json"),
    "a comment": (GOOD + b" // the first", "not-json"),
    "a number with a zero first": (GOOD[:-1] + b', "n": 01}', "not-json"),
    "a number in hexadecimal": (GOOD[:-1] + b', "n": 0x1F}', "not-json"),
    "a line of CSV": (b"question,answer", "not-json"),
    "a conflict of git": (b"<<<<<<< HEAD", "not-json"),
    "an event stream": (b"data: " + GOOD, "not-json"),
    "lines that end in CR alone": (GOOD + b"\r" + GOOD, "not-json"),
    "NaN": (GOOD[:-1] + b', "n": NaN}', "nan-or-infinity"),
    "minus infinity": (GOOD[:-1] + b', "n": -Infinity}', "nan-or-infinity"),
    "a float too large": (GOOD[:-1] + b', "n": 1e999}', "number-out-of-range"),
    "a whole number too large": (
        GOOD[:-1] + b', "n": 1' + b"0" * 400 + b"}",
        "number-out-of-range",
    ),
    "a list": (b"[" + GOOD + b"]", "row-not-object"),
    "a row written twice": (json.dumps(GOOD.decode()).encode(), "row-not-object"),
    "a number": (b"17", "row-not-object"),
    "null": (b"null", "row-not-object"),
    "Latin-1": (GOOD.replace(b"Q?", "Größe?".encode("latin-1")), "not-utf-8"),
    "half a character in bytes": (GOOD.replace(b"Q?", b"\xed\xa0\xbd"), "not-utf-8"),
    "an overlong character": (GOOD.replace(b"Q?", b"\xc0\xaf"), "not-utf-8"),
    "a character cut in bytes": (GOOD.replace(b"Q?", b"\xe2\x98"), "not-utf-8"),
    "a NUL": (GOOD.replace(b"Q?", b"\0"), "nul-byte"),
    "UTF-16 among UTF-8": (GOOD.decode().encode("utf-16-le"), "nul-byte"),
    "a mark of another file": (b"\xef\xbb\xbf" + GOOD, "stray-byte-order-mark"),
    "the first half of a pair": (GOOD.replace(b"Q?", b"\\ud83d"), "lone-surrogate"),
    "the second half of a pair": (GOOD.replace(b"Q?", b"\\ude00!"), "lone-surrogate"),
    "a pair the wrong way round": (GOOD.replace(b"Q?", b"\\ude00\\ud83d"), "lone-surrogate"),
    "a key twice in the row": (b'{"messages": [], ' + GOOD[1:], "repeated-key"),
    "a key twice in a message": (GOOD.replace(b'"A."', b'"", "content": "A."'), "repeated-key"),
    "a key twice, once escaped": (
        GOOD.replace(b'"A."', b'"", "\\u0063ontent": "A."'),
        "repeated-key",
    ),
    "nested without end": (b'{"messages": ' + b"[" * 100_000, "nesting-too-deep"),
    "a blank line": (b"", "blank-line"),
    "a line of spaces": (b" \t ", "blank-line"),
}

# Rows as values, by the format of the file.
CHATS: dict[str, tuple[Row, str]] = {
    # The row.
    "another key": (chat(USER, ANSWER, metadata={"topic": "x"}), "unknown-key"),
    "an id": (chat(USER, ANSWER, id=None), "unknown-key"),
    "another format": (COMPLETION, "mixed-formats"),
    "a pair": (PAIR, "mixed-formats"),
    "no keys": ({}, "missing-key"),
    "messages in an object": ({"messages": {"0": USER}}, "wrong-type"),
    "messages as text": ({"messages": json.dumps([USER, ANSWER])}, "wrong-type"),
    "messages null": ({"messages": None}, "wrong-type"),
    "no messages": (chat(), "empty-value"),
    "a message as text": (chat(USER, "A."), "wrong-type"),
    "a message as a list": (chat(["user", "Q?"], ANSWER), "wrong-type"),
    "nothing to learn": (chat(USER), "no-learnt-turn"),
    "only instructions": (chat(said("system", "s"), said("developer", "d")), "no-learnt-turn"),
    "all weights 0": (chat(USER, {**ANSWER, "weight": 0}), "no-learnt-turn"),
    "a question at the end": (chat(USER, ANSWER, USER), "last-not-assistant"),
    # A message.
    "no role": (chat({"content": "Q?"}, ANSWER), "missing-key"),
    "role null": (chat(said(None, "Q?"), ANSWER), "wrong-type"),  # type: ignore[arg-type]
    "an unknown role": (chat(said("human", "Q?"), ANSWER), "unknown-role"),
    "a role with a capital": (chat(USER, said("Assistant", "A.")), "unknown-role"),
    "the text under another key": (chat(USER, said("assistant", "A.", text="A.")), "unknown-key"),
    "a misspelt key": (chat(USER, {**ANSWER, "wieght": 1}), "unknown-key"),
    "a leftover of the SDK": (chat(USER, {**ANSWER, "annotations": []}), "ignored-key"),
    "a null from a table": (chat({**USER, "tool_calls": None}, ANSWER), "ignored-key"),
    "no content": (chat({"role": "user"}, ANSWER), "missing-key"),
    "no content beside null": (
        chat(USER, {"role": "assistant", "tool_calls": None}),
        "missing-key",
    ),
    "content null": (chat(USER, said("assistant", None)), "wrong-type"),
    "content a number": (chat(USER, said("assistant", 4)), "wrong-type"),
    "content an object": (chat(USER, said("assistant", {"text": "A."})), "wrong-type"),
    "content without parts": (parts(), "empty-value"),
    "weight on a question": (chat({**USER, "weight": 1}, ANSWER), "misplaced-key"),
    "calls in a question": (chat({**USER, "tool_calls": []}, ANSWER), "misplaced-key"),
    "an answer's id on a question": (chat({**USER, "tool_call_id": "c"}, ANSWER), "misplaced-key"),
    "a weight of 2": (chat(USER, {**ANSWER, "weight": 2}), "wrong-value"),
    "a weight between": (chat(USER, {**ANSWER, "weight": 0.5}), "wrong-value"),
    "a weight as a boolean": (chat(USER, {**ANSWER, "weight": True}), "wrong-type"),
    "a weight as text": (chat(USER, {**ANSWER, "weight": "1"}), "wrong-type"),
    "weight null": (chat(USER, {**ANSWER, "weight": None}), "ignored-key"),
    "a name as a number": (chat({**USER, "name": 7}, ANSWER), "wrong-type"),
    "a name with a space": (chat({**USER, "name": "Ana Lopez"}, ANSWER), "name-form"),
    "a name too long": (chat({**USER, "name": "a" * 65}, ANSWER), "name-form"),
    "an empty name": (chat({**USER, "name": ""}, ANSWER), "name-form"),
    "a refusal that is no text": (chat(USER, {**ANSWER, "refusal": 1}), "wrong-type"),
    "a refusal beside null": (chat(USER, said("assistant", None, refusal="No.")), "wrong-type"),
    "spoken words": (chat(USER, {**ANSWER, "audio": {"id": "a"}}), "ignored-key"),
    "audio as text": (chat(USER, {**ANSWER, "audio": "UklGRg=="}), "wrong-type"),
    # Parts and images.
    "a part as text": (parts("Q?"), "wrong-type"),
    "a part without a type": (parts({"text": "t"}), "missing-key"),
    "a part of another API": (parts({"type": "input_text", "text": "t"}), "unknown-part"),
    "a text part without text": (parts({"type": "text"}), "missing-key"),
    "a text part that is a number": (parts({"type": "text", "text": 7}), "wrong-type"),
    "another key in a part": (parts({**TEXT, "image_url": None}), "ignored-key"),
    "a refusal in a question": (parts({"type": "refusal", "refusal": "No."}), "part-not-allowed"),
    "an image in an answer": (
        chat(USER, said("assistant", [{"type": "image_url", "image_url": {"url": "https://a.b"}}])),
        "part-not-allowed",
    ),
    "an image in an instruction": (
        parts({"type": "image_url", "image_url": {"url": "https://a.b"}}, role="system"),
        "part-not-allowed",
    ),
    "a refusal beside a text": (
        chat(USER, said("assistant", [TEXT, {"type": "refusal", "refusal": "No."}])),
        "part-not-allowed",
    ),
    "an image as text": (parts({"type": "image_url", "image_url": "https://a.b"}), "wrong-type"),
    "an image without its object": (
        parts({"type": "image_url", "url": "https://a.b"}),
        "ignored-key missing-key",
    ),
    "an image without an address": (parts({"type": "image_url", "image_url": {}}), "missing-key"),
    "an empty address": (image(""), "empty-value"),
    "an address as a list": (image(["https://a.b"]), "wrong-type"),
    "a path for an address": (image("images/cat.png"), "bad-image-address"),
    "an address of a bucket": (image("s3://bucket/cat.png"), "bad-image-address"),
    "an address without a host": (image("https:///cat.png"), "bad-image-address"),
    "an address with a space": (image("https://a.b/my cat.png"), "bad-image-address"),
    "data without base64": (image("data:image/png,abc"), "bad-image-data"),
    "data of a GIF": (image(data_url(b"GIF89a", "image/gif")), "bad-image-data"),
    "data of no type": (image(data_url(PNG, "")), "bad-image-data"),
    "data that is not base64": (image("data:image/png;base64,iVBO*RK="), "bad-image-data"),
    "data broken off": (image(data_url()[:-1]), "bad-image-data"),
    "data of a page": (image(data_url(b"<!DOCTYPE html>")), "bad-image-data"),
    "data of another kind": (image(data_url(PNG, "image/jpeg")), "image-type-differs"),
    "data too large": (image(data_url(PNG + bytes(10 * 1024 * 1024))), "image-too-large"),
    "another detail": (image("https://a.b", detail="best"), "wrong-value"),
    "detail null": (image("https://a.b", detail=None), "ignored-key"),
    "eleven images": (
        parts(*[{"type": "image_url", "image_url": {"url": "https://a.b"}}] * 11),
        "too-many-images",
    ),
    # What is declared.
    "tools in an object": (chat(USER, ANSWER, tools={"find": {}}), "wrong-type"),
    "tools null": (chat(USER, ANSWER, tools=None), "ignored-key"),
    "no tools": (declared(), "ignored-key"),
    "a tool as text": (declared("find"), "wrong-type"),
    "a tool of another type": (declared({**tool(), "type": "retrieval"}), "wrong-value"),
    "a tool without a function": (declared({"type": "function"}), "missing-key"),
    "a tool of another API": (
        declared({"type": "function", "name": "find", "parameters": {}}),
        "missing-key",
    ),
    "a function without a name": (declared({"type": "function", "function": {}}), "missing-key"),
    "a function's name with a space": (declared(tool(name="find it")), "wrong-value"),
    "a function's name too long": (declared(tool(name="f" * 65)), "wrong-value"),
    "a function twice": (declared(tool(), tool()), "repeated-function"),
    "too many functions": (
        declared(*(tool(name=f"f{number}") for number in range(129))),
        "too-many-functions",
    ),
    "parameters as text": (declared(tool(parameters="{}")), "wrong-type"),
    "a description that is a list": (declared(tool(description=["a"])), "wrong-type"),
    "strict as text": (declared(tool(strict="yes")), "wrong-type"),
    "another key in a tool": (declared({**tool(), "id": "t"}), "ignored-key"),
    "parameters of no object": (declared(tool(parameters={"type": "array"})), "doubtful-schema"),
    "an unknown type in parameters": (schema(properties={"n": {"type": "int"}}), "doubtful-schema"),
    "required on the key itself": (
        schema(properties={"n": {"type": "integer", "required": True}}),
        "doubtful-schema",
    ),
    "properties in a list": (schema(properties=[{"name": "n"}]), "doubtful-schema"),
    "a reference to nothing": (
        schema(properties={"n": {"$ref": "#/$defs/number"}}),
        "doubtful-schema",
    ),
    "strict, but open": (strict(properties={}), "strict-schema"),
    "strict, but with a choice": (
        strict(properties={"n": {"type": "integer"}}, additionalProperties=False),
        "strict-schema",
    ),
    "parallel calls as a number": (
        chat(USER, ANSWER, tools=[tool()], parallel_tool_calls=1),
        "wrong-type",
    ),
    "parallel calls without tools": (chat(USER, ANSWER, parallel_tool_calls=True), "ignored-key"),
    "no old functions": (chat(USER, ANSWER, functions=[]), "empty-value"),
    "tools as old functions": (chat(USER, ANSWER, functions=[tool()]), "missing-key"),
    # Calls and answers.
    "no calls": (talk(), "empty-value"),
    "calls in an object": (chat(USER, {**ANSWER, "tool_calls": {}}), "wrong-type"),
    "a call as text": (talk("find()"), "wrong-type"),
    "a call without an id": (talk(without(call(), "id")), "missing-key"),
    "a call with an empty id": (talk(call(key="")), "empty-value"),
    "a call with a number as id": (talk(call(key=1)), "wrong-type"),
    "a call without a type": (talk(without(call(), "type")), "missing-key"),
    "a call of a custom tool": (
        talk({"id": "c1", "type": "custom", "custom": {"name": "x", "input": ""}}),
        "wrong-value missing-key",
    ),
    "a call without a function": (talk({"id": "c1", "type": "function"}), "missing-key"),
    "a call without a name": (
        talk({"id": "c1", "type": "function", "function": {"arguments": "{}"}}),
        "missing-key",
    ),
    "a call in pieces": (talk({**call(), "index": 0}), "ignored-key"),
    "a call that no function can have": (talk(call(name="functions.find")), "wrong-value"),
    "a function that is not declared": (
        talk(call(name="seek"), tools=[tool()]),
        "undeclared-function",
    ),
    "a call without arguments": (
        talk({"id": "c1", "type": "function", "function": {"name": "find"}}),
        "missing-key",
    ),
    "arguments as an object": (talk(call({"city": "Ulm"})), "wrong-type"),
    "arguments in Python": (talk(call("{'city': 'Ulm'}")), "arguments-not-json"),
    "arguments empty": (talk(call("")), "arguments-not-json"),
    "arguments of a list": (talk(call('["Ulm"]')), "arguments-not-json"),
    "arguments with NaN": (talk(call('{"days": NaN}')), "arguments-not-json"),
    "arguments twice encoded": (
        talk(call(json.dumps('{"city": "Ulm"}'))),
        "arguments-encoded-twice",
    ),
    "arguments with a key twice": (talk(call('{"city": "a", "city": "b"}')), "repeated-key"),
    "arguments with half a character": (talk(call('{"city": "\\ud83d"}')), "lone-surrogate"),
    "an argument missing": (unfit("{}"), "arguments-unfit"),
    "an argument of another type": (unfit('{"city": 7}'), "arguments-unfit"),
    "an argument too many": (unfit('{"city": "a", "town": "b"}'), "arguments-unfit"),
    "an argument out of its choices": (unfit('{"city": "a", "unit": "f"}'), "arguments-unfit"),
    "an argument below its minimum": (unfit('{"city": "a", "days": 0}'), "arguments-unfit"),
    "an argument wrong further down": (
        unfit('{"city": "a", "hours": [8, 24]}'),
        "arguments-unfit",
    ),
    "an id twice": (talk(call(), call()), "repeated-call"),
    "calls at once where none may": (
        talk(call(), call(key="c2"), tools=[tool()], parallel_tool_calls=False),
        "parallel-calls",
    ),
    "an answer without a call": (chat(USER, reply(), ANSWER), "unknown-call"),
    "an answer to another call": (
        chat(USER, calling(call()), reply("c9"), ANSWER),
        "unknown-call unanswered-call",
    ),
    "an answer twice": (chat(USER, calling(call()), reply(), reply(), ANSWER), "unknown-call"),
    "an answer too late": (
        chat(USER, calling(call()), USER, reply(), ANSWER),
        "unanswered-call unknown-call",
    ),
    "a call that nobody answers": (chat(USER, calling(call()), ANSWER), "unanswered-call"),
    "one of two calls answered": (
        chat(USER, calling(call(), call(key="c2")), reply(), ANSWER),
        "unanswered-call",
    ),
    "an answer without an id": (
        chat(USER, calling(call()), said("tool", "r")),
        "last-not-assistant missing-key",
    ),
    "an answer with an image": (
        chat(
            USER,
            calling(call()),
            {**reply(), "content": [{"type": "image_url", "image_url": {"url": "https://a.b"}}]},
            ANSWER,
        ),
        "part-not-allowed",
    ),
    "an old call as a list": (chat(USER, {**ANSWER, "function_call": []}), "wrong-type"),
    "an old call that is not declared": (
        chat(
            USER,
            said("assistant", None, function_call={"name": "seek", "arguments": "{}"}),
            functions=[function()],
        ),
        "undeclared-function",
    ),
    "an old answer without a name": (chat(USER, said("function", "r"), ANSWER), "missing-key"),
    "an old answer in parts": (
        chat(USER, said("function", [TEXT], name="f"), ANSWER),
        "wrong-type",
    ),
}

COMPLETIONS: dict[str, tuple[Row, str]] = {
    "no completion": ({"prompt": "q"}, "missing-key"),
    "no prompt": ({"completion": "a"}, "missing-key"),
    "a prompt that is null": ({**COMPLETION, "prompt": None}, "wrong-type"),
    "a prompt in parts": ({**COMPLETION, "prompt": [TEXT]}, "wrong-type"),
    "a completion that ends a text": (
        {**COMPLETION, "completion": "a <|endoftext|>"},
        "reserved-token",
    ),
    "a completion that fills in": (
        {**COMPLETION, "completion": "a <|fim_suffix|> b"},
        "refused-token",
    ),
    "a completion that is a number": ({**COMPLETION, "completion": 4}, "wrong-type"),
    "a label": ({**COMPLETION, "label": "x"}, "unknown-key"),
    "a chat": (chat(USER, ANSWER), "mixed-formats"),
}

PAIRS: dict[str, tuple[Row, str]] = {
    "no input": (without(PAIR, "input"), "missing-key"),
    "messages beside the outputs": ({**without(PAIR, "input"), "messages": [USER]}, "missing-key"),
    "tools beside the input": ({**PAIR, "tools": [tool()]}, "unknown-key"),
    "tools and messages beside them": (
        {**without(PAIR, "input"), "messages": [USER], "tools": [tool()]},
        "missing-key",
    ),
    "input as text": ({**PAIR, "input": "Q?"}, "wrong-type"),
    "input without messages": ({**PAIR, "input": {}}, "missing-key"),
    "another key in the input": (
        {**PAIR, "input": {"messages": [USER], "functions": [function()]}},
        "unknown-key",
    ),
    "an input that is answered": ({**PAIR, "input": chat(USER, ANSWER)},
                                  "input-ends-with-assistant"),
    "an image in the input": ({**PAIR, "input": chat(image("https://a.b")["messages"][0])},
                              "part-not-allowed"),
    "no preferred output": (without(PAIR, "preferred_output"), "missing-key"),
    "another word for the output": (
        {**without(PAIR, "non_preferred_output"), "rejected": [ANSWER]},
        "unknown-key missing-key",
    ),
    "an output as text": ({**PAIR, "preferred_output": "A."}, "wrong-type"),
    "an output as a message": ({**PAIR, "preferred_output": ANSWER}, "wrong-type"),
    "an empty output": ({**PAIR, "preferred_output": []}, "not-one-output"),
    "an output of two": ({**PAIR, "preferred_output": [ANSWER, ANSWER]}, "not-one-output"),
    "an output of the user": ({**PAIR, "preferred_output": [USER]}, "not-one-output"),
    "the same outputs": ({**PAIR, "non_preferred_output": [ANSWER]}, "identical-outputs"),
    "the same but for null": (
        {**PAIR, "non_preferred_output": [{**ANSWER, "refusal": None}]},
        "identical-outputs",
    ),
    "a weight in an output": (
        {**PAIR, "preferred_output": [{**ANSWER, "weight": 1}]},
        "ignored-key",
    ),
    "a call that the input does not declare": (
        {**PAIR, "input": chat(USER, tools=[tool()]),
         "preferred_output": [calling(call(name="seek"))]},
        "undeclared-function",
    ),
}  # fmt: skip

TASKS: dict[str, tuple[Row, str]] = {
    "a task that is answered": ({**TASK, "messages": [USER, ANSWER]}, "last-not-user"),
    "a task that ends with an instruction": (
        {**TASK, "messages": [USER, said("system", "s")]},
        "last-not-user",
    ),
    "a task without messages": ({"reference": 1, "mesages": []}, "missing-key"),
    "a task with a weight": (
        {**TASK, "messages": [USER, {**ANSWER, "weight": 0}, USER]},
        "ignored-key",
    ),
}

KINDS: list[tuple[str, Row, Method | None, str, bytes | Row, str]] = [
    *(("line", chat(USER, ANSWER), None, name, *kind) for name, kind in LINES.items()),
    *(("chat", chat(USER, ANSWER), "supervised", name, *kind) for name, kind in CHATS.items()),
    *(("completion", COMPLETION, "supervised", name, *kind) for name, kind in COMPLETIONS.items()),
    *(("preference", PAIR, "dpo", name, *kind) for name, kind in PAIRS.items()),
    *(("reinforcement", TASK, "reinforcement", name, *kind) for name, kind in TASKS.items()),
]


def written(row: bytes | Row) -> bytes:
    return row if isinstance(row, bytes) else json.dumps(row).encode()


def test_there_are_150_kinds() -> None:
    names = [(form, name) for form, _, _, name, _, _ in KINDS]

    assert len(names) >= 150
    assert len(set(names)) == len(names)
    assert len({written(row) for *_, row, _ in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    ("good", "method", "row", "codes"),
    [(good, method, row, codes) for _, good, method, _, row, codes in KINDS],
    ids=[f"{form}-{name}" for form, _, _, name, _, _ in KINDS],
)
def test_a_broken_row_is_told_by_its_line_and_code(
    tmp_path: Path, good: Row, method: Method | None, row: bytes | Row, codes: str
) -> None:
    path = tmp_path / "rows.jsonl"
    fine = written(good) + b"\n"
    path.write_bytes(fine * (LINE - 1) + written(row) + b"\n" + fine * 12)

    _, problems = read_dataset("rows", path, "rows.jsonl", method)

    assert sorted((one.code, one.span.line) for one in problems) == sorted(
        (code, LINE) for code in codes.split()
    )
    assert all(one.hint for one in problems)


FILES: dict[str, tuple[bytes, str, int | None]] = {
    "nothing": (b"", "empty-file", None),
    "blank lines": (b"\n \n\r\n", "empty-file", None),
    "gzip": (gzip.compress(GOOD), "compressed-file", None),
    "bzip2": (bz2.compress(GOOD), "compressed-file", None),
    "xz": (lzma.compress(GOOD), "compressed-file", None),
    "a workbook": (b"PK\x03\x04\x14\0\x06\0", "compressed-file", None),
    "a program": (b"\x7fELF\x02\x01\x01\0", "binary-file", None),
    "Parquet": (b"PAR1\x15\x04\0\0", "table-not-lines", None),
    "UTF-16": (GOOD.decode().encode("utf-16"), "wrong-encoding", None),
    "UTF-16 without a mark": (GOOD.decode().encode("utf-16-be"), "wrong-encoding", None),
    "UTF-32": (GOOD.decode().encode("utf-32"), "wrong-encoding", None),
    "a pointer of git-lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "pointer-file",
        None,
    ),
    "a pointer of DVC": (b"outs:\n- md5: 0\n  path: a.jsonl\n", "pointer-file", None),
    "a list of rows": (b"[" + b",\n".join([GOOD] * 12) + b"]", "json-not-lines", 1),
    "rows over several lines": (
        json.dumps(chat(USER, ANSWER), indent=1).encode(),
        "json-not-lines",
        1,
    ),
    "nine rows": (b"\n".join([GOOD] * 9), "too-few-examples", None),
    "a row broken off at the end": (b"\n".join([*[GOOD] * 10, CUT]), "truncated-line", 11),
    "a mark at its start": (b"\xef\xbb\xbf" + b"\n".join([GOOD] * 10), "byte-order-mark", 1),
    "pairs for supervised": (
        b"\n".join([json.dumps(PAIR).encode()] * 10),
        "wrong-format",
        1,
    ),
    "conversations of another tool": (
        b'{"conversations": [{"from": "human", "value": "Q?"}]}\n' * 10,
        "unknown-format",
        1,
    ),
    "instructions of another tool": (
        b'{"instruction": "i", "input": "", "output": "o"}\n' * 10,
        "unknown-format",
        1,
    ),
}


@pytest.mark.parametrize(("content", "code", "line"), FILES.values(), ids=FILES)
def test_a_broken_file_is_told_by_its_code(
    tmp_path: Path, content: bytes, code: str, line: int | None
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)

    _, problems = read_dataset("rows", path, "rows.jsonl", "supervised")

    assert [(one.code, one.span.line) for one in problems] == [(code, line)]


def test_every_code_of_a_row_is_among_the_kinds() -> None:
    told = {code for *_, codes in KINDS for code in codes.split()}
    told |= {code for _, code, _ in FILES.values()}
    elsewhere = {
        *("missing-file", "not-a-regular-file", "unreadable-file", "file-too-large"),
        *("too-many-examples", "line-too-long", "missing-grader-field"),
    }

    assert told | elsewhere >= set(CODES) - {"row-truncated"}
    assert MAX_FILE_BYTES == 512 * 1024 * 1024


# What only the fine-tune knows: what its grader reads.

GRADER = {
    "type": "multi",
    "graders": {
        "same": {"type": "string_check", "name": "s", "operation": "eq",
                 "input": "{{sample.output_text}}", "reference": "{{ item.reference.city }}"},
        "model": {"type": "score_model", "name": "m", "model": "{{item.no_template}}",
                  "input": [{"role": "user", "content": "{{item['the goal']}} {{item.steps[1]}}"}]},
        "code": {"type": "python", "name": "p", "source": "x = '{{item.in_code}}'"},
    },
    "calculate_output": "same + model",
}  # fmt: skip


def test_the_fields_of_a_grader_are_those_of_its_templates() -> None:
    assert fields_of(GRADER) == (("reference", "city"), ("steps", 1), ("the goal",))


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({}, []),
        ({"reference": {}}, ["reference.city"]),
        ({"reference": "Ulm"}, ["reference.city"]),
        ({"reference": {"city": None}}, []),
        ({"steps": ["a"]}, ["steps[1]"]),
        ({"steps": {"1": "b"}}, ["steps[1]"]),
    ],
)
def test_a_row_has_every_field_that_the_grader_reads(change: Row, missing: list[str]) -> None:
    row = {**TASK, "steps": ["a", "b"], "the goal": "g", **change}
    checker = RowChecker("reinforcement", demands=Demands(fields=fields_of(GRADER)))

    assert [(one.code, one.message) for one in checker.check(row)] == [
        ("missing-grader-field", f"the row has nothing at '{field}', which the grader reads")
        for field in missing
    ]
