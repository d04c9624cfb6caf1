"""A line and its format in, why a service refuses or doubts it out: simple, slow and strict.

Written from the public description alone (OpenAPI 2.3.0 of 2026-08; the supervised, vision, direct
preference and reinforcement guides of 2026-07) and with nothing of ftctl, to judge ftctl by. A
refusal is what the description rules out; a doubt is what it has no word for, or what only an
API for requests is known to mind.
"""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any

import jsonschema

IMAGE = re.compile(r"data:image/(png|jpe?g|webp)(;[^;,]*)*;base64,(.*)", re.DOTALL | re.IGNORECASE)


class Refused(Exception):
    """The line breaks a rule of the description."""


class Judge:
    """Judges one line; `doubts` are what it has no rule for."""

    def __init__(self) -> None:
        self.doubts: list[str] = []
        self.parameters: dict[str, Any] = {}

    def judge(self, line: bytes, form: str) -> None:
        """Refused, with the first rule that is broken."""
        row = read(line)
        need(type(row) is dict, "the row is an object")
        no_halves(row)
        {
            "chat": self.chat,
            "completion": self.completion,
            "preference": self.preference,
            "reinforcement": self.reinforcement,
        }[form](row)

    def chat(self, row: dict[str, Any]) -> None:
        only(row, "messages", "tools", "parallel_tool_calls", "functions")
        messages = self.talk(row)
        answers = [message for message in messages if message["role"] == "assistant"]
        need(answers, "an assistant message")
        weights = [message.get("weight") for message in answers]
        need(any(weight is None or weight == 1 for weight in weights), "a message to learn")

    def completion(self, row: dict[str, Any]) -> None:
        only(row, "prompt", "completion")
        need(type(row.get("prompt")) is str, "a prompt")
        need(type(row.get("completion")) is str, "a completion")

    def preference(self, row: dict[str, Any]) -> None:
        only(row, "input", "preferred_output", "non_preferred_output")
        need(type(row.get("input")) is dict, "an input")
        only(row["input"], "messages", "tools", "parallel_tool_calls")
        messages = self.talk(row["input"])
        self.doubt(messages[-1]["role"] != "assistant", "an open end")
        for key in ("preferred_output", "non_preferred_output"):
            output = row.get(key)
            need(type(output) is list and len(output) == 1, "one message in each output")
            self.message(output[0], names(row["input"].get("tools")), None)
            need(output[0]["role"] == "assistant", "outputs of the assistant")
            ids = [call["id"] for call in output[0].get("tool_calls") or []]
            self.doubt(len(set(ids)) == len(ids), "each call has its own id")
        need("image_url" not in kinds(row), "text only")

    def reinforcement(self, row: dict[str, Any]) -> None:
        messages = self.talk(row)
        need(messages[-1]["role"] == "user", "a user message at the end")

    def talk(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        for key, wrapped in (("tools", True), ("functions", False)):
            if row.get(key) is not None:
                self.functions(row[key], wrapped=wrapped)
        parallel = row.get("parallel_tool_calls")
        need(parallel is None or type(parallel) is bool, "parallel_tool_calls is a boolean")
        self.doubt(parallel is None or bool(row.get("tools")), "parallel without tools")
        self.parameters = {}
        for tool in row.get("tools") or []:
            self.parameters[tool["function"]["name"]] = tool["function"].get("parameters") or {}
        messages = row.get("messages")
        need(type(messages) is list and messages, "messages")
        tools, functions = names(row.get("tools")), names(row.get("functions"))
        for message in messages:
            self.message(message, tools, functions)
        waiting: list[str] = []
        for message in messages:
            if message["role"] == "tool":
                need(message["tool_call_id"] in waiting, "an answer to a call")
                waiting.remove(message["tool_call_id"])
                continue
            need(not waiting, "every call is answered")
            ids = [call["id"] for call in message.get("tool_calls") or []]
            waiting = list(set(ids))
            self.doubt(len(waiting) == len(ids), "each call has its own id")
        need(kinds(messages).count("image_url") <= 10, "ten images")
        return messages

    def functions(self, items: Any, *, wrapped: bool) -> None:
        need(type(items) is list and len(items) <= 128, "a list of at most 128 functions")
        need(items or wrapped, "at least one function")
        for item in items:
            function = item
            if wrapped:
                need(type(item) is dict and item.get("type") == "function", "type function")
                self.beside(item, "type", "function")
                function = item.get("function")
            need(type(function) is dict, "a function")
            self.beside(function, "name", "description", "parameters", "strict")
            name, words = function.get("name"), function.get("description")
            need(type(name) is str and re.fullmatch("[a-zA-Z0-9_-]{1,64}", name), "its name")
            need(words is None or type(words) is str, "its description")
            need(type(function.get("parameters")) in (dict, type(None)), "its parameters")
            need(type(function.get("strict")) in (bool, type(None)), "strict")
        known = names(items) or []
        self.doubt(len(set(known)) == len(known), "each function once")

    def message(self, message: Any, tools: list[str] | None, functions: list[str] | None) -> None:
        need(type(message) is dict, "a message is an object")
        role = message.get("role")
        need(type(role) is str, "a role")
        need(role in ("system", "developer", "user", "assistant", "tool", "function"), "a role")
        allowed = ["role", "content", "name"]
        if role == "assistant":
            allowed += ["weight", "refusal", "audio", "tool_calls", "function_call"]
        if role == "tool":
            allowed += ["tool_call_id"]
        for key, value in message.items():
            empty = value is None or (key, value) == ("annotations", [])
            need(key in allowed or empty, "no other keys")
            self.doubt(key in allowed, "a key that says nothing")
        self.name(message)
        self.content(message, role)
        if role == "tool":
            need(type(message.get("tool_call_id")) is str, "the id of a call")
        if role == "assistant":
            self.answer(message, tools, functions)

    def name(self, message: dict[str, Any]) -> None:
        name = message.get("name")
        need(name is None or type(name) is str, "a name is a string")
        if message["role"] == "function":
            need(name is not None and re.fullmatch("[a-zA-Z0-9_-]{1,64}", name), "a name")
        elif name is not None:
            self.doubt(re.fullmatch(r"[^\s<|\\/>]{1,64}", name) is not None, "a name")

    def content(self, message: dict[str, Any], role: str) -> None:
        content = message.get("content")
        if content is None:
            calls = [message.get("tool_calls"), message.get("function_call")]
            excused = role == "assistant" and calls != [None, None]
            need(excused or (role == "function" and "content" in message), "content")
        elif type(content) is not str:
            need(type(content) is list and content and role != "function", "a list of parts")
            for part in content:
                self.part(part, role)
            refusals = [part for part in content if part["type"] == "refusal"]
            need(not refusals or len(content) == 1, "exactly one refusal")

    def part(self, part: Any, role: str) -> None:
        takes = {"user": ("text", "image_url"), "assistant": ("text", "refusal")}
        need(type(part) is dict, "a part is an object")
        kind = part.get("type")
        need(type(kind) is str and kind in takes.get(role, ("text",)), "a part of this role")
        self.beside(part, "type", kind, "prompt_cache_breakpoint")
        if kind != "image_url":
            need(type(part.get(kind)) is str, "a text")
            return
        image = part.get("image_url")
        need(type(image) is dict and type(image.get("url")) is str, "a url")
        self.beside(image, "url", "detail")
        need(image.get("detail") in (None, "auto", "low", "high"), "detail")
        self.doubt(image.get("detail", "auto") is not None, "detail")
        self.image(image["url"])

    def image(self, url: str) -> None:
        if re.match(r"https?://[^\s/?#]", url, re.IGNORECASE) and not re.search(r"\s", url):
            return
        found = IMAGE.fullmatch(url)
        need(found, "a web address, or PNG, JPEG or WEBP in base64")
        assert found
        try:
            content = base64.b64decode(found[3], validate=True)
        except ValueError:
            raise Refused("base64") from None
        need(len(content) <= 10 * 1024 * 1024, "10 MB")
        starts = {"png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff", "jpeg": b"\xff\xd8\xff"}
        named = found[1].lower()
        held = [kind for kind, start in starts.items() if content.startswith(start)]
        held += ["webp"] if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else []
        need(held, "a PNG, JPEG or WEBP image")
        self.doubt(named in held, "the kind that it says")

    def answer(
        self, message: dict[str, Any], tools: list[str] | None, functions: list[str] | None
    ) -> None:
        weight = message.get("weight")
        need(weight is None or type(weight) in (int, float), "a weight is a number")
        need(weight in (None, 0, 1), "a weight is 0 or 1")
        self.doubt("weight" not in message or weight is not None, "a weight")
        need(type(message.get("refusal")) in (str, type(None)), "a refusal is a string")
        need(type(message.get("audio")) in (dict, type(None)), "audio is an object")
        self.doubt(message.get("audio") is None, "audio")
        calls = message.get("tool_calls")
        need(calls is None or (type(calls) is list and calls), "calls")
        for call in calls or []:
            need(type(call) is dict and call.get("type") == "function", "a function's call")
            need(type(call.get("id")) is str and call["id"], "a call's id")
            self.beside(call, "id", "type", "function")
            self.call(call.get("function"), tools)
            self.fit(call["function"])
        if message.get("function_call") is not None:
            self.call(message["function_call"], functions)

    def call(self, call: Any, known: list[str] | None) -> None:
        need(type(call) is dict, "a call is an object")
        self.beside(call, "name", "arguments")
        name = call.get("name")
        need(type(name) is str and re.fullmatch("[a-zA-Z0-9_-]{1,64}", name), "a name")
        self.doubt(known is None or name in known, "a declared function")
        need(type(call.get("arguments")) is str, "arguments are text")
        try:
            arguments = read(call["arguments"].encode("utf-8", "surrogatepass"))
            need(type(arguments) is dict, "arguments are an object")
            no_halves(arguments)
        except Refused as told:
            self.doubt(False, str(told))  # they are learnt as the text that they are

    def fit(self, call: dict[str, Any]) -> None:
        schema = self.parameters.get(call["name"], {})
        try:
            fits = jsonschema.Draft202012Validator(schema).is_valid(json.loads(call["arguments"]))
        except Exception:  # noqa: BLE001 - a damaged schema, on which nothing can be said
            return
        self.doubt(fits, "arguments that fit")

    def beside(self, item: dict[str, Any], *known: str) -> None:
        self.doubt(all(key in known for key in item), "other keys")

    def doubt(self, good: bool, what: str) -> None:
        if not good:
            self.doubts.append(what)


def need(held: object, what: str) -> None:
    if not held:
        raise Refused(what)


def only(item: dict[str, Any], *known: str) -> None:
    need(all(key in known for key in item), "no other keys")


def names(items: Any) -> list[str] | None:
    """What a list declares; None where it declares nothing, and so anything may be called."""
    if not items:
        return None
    return [item.get("function", item)["name"] for item in items]


def kinds(value: Any) -> list[str]:
    """The types of all parts in it."""
    if type(value) is list:
        return [kind for item in value for kind in kinds(item)]
    if type(value) is not dict:
        return []
    own = [value["type"]] if type(value.get("type")) is str else []
    return own + [kind for item in value.values() for kind in kinds(item)]


def read(line: bytes) -> Any:
    """A JSON text as the standard has it: no key twice, no NaN, numbers that a float can hold."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        need(len({key for key, _ in items}) == len(items), "each key once")
        return dict(items)

    def constant(word: str) -> None:
        raise Refused(word)

    def number(digits: str) -> float:
        need(math.isfinite(float(digits)), "a number that a float can hold")
        return int(digits) if digits.lstrip("-").isdigit() else float(digits)

    try:
        text = line.decode("utf-8")
        return json.loads(
            text,
            object_pairs_hook=pairs,
            parse_constant=constant,
            parse_int=number,
            parse_float=number,
        )
    except ValueError as error:
        raise Refused(str(error)) from None
    except RecursionError:
        raise Refused("nesting") from None


def no_halves(value: Any) -> None:
    """No half of a surrogate pair anywhere, which UTF-8 cannot carry."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Refused("whole characters") from None
