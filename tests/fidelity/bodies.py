"""Queries and bodies as they are sent -> values as the specification types them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any

from fidelity.specification import Operation, Specification
from ftctl.emulator import Request

MOST_BYTES = 8 * 1024 * 1024  # of a body that is looked into


@dataclass(frozen=True)
class Unreadable:
    """A body that is not what its content type says."""

    start: str


def read_query(
    specification: Specification, operation: Operation, request: Request
) -> dict[str, object]:
    """The query's parameters: numbers where they are meant, `name[key]=text` as objects."""
    values: dict[str, Any] = {}
    for name, text in request.query:
        inner = re.fullmatch(r"(\w+)\[(.*)\]", name, re.DOTALL)
        if inner:
            values.setdefault(inner[1], {})
            if isinstance(values[inner[1]], dict):
                values[inner[1]][inner[2]] = text
        else:
            types = specification.types(operation.parameters.get(name, {}))
            values[name] = _typed(text, types)
    return values


def _typed(text: str, types: set[str]) -> object:
    if "integer" in types and re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        return int(text)
    return None if "null" in types and text == "null" else text


def read_asked_body(request: Request) -> tuple[str, object]:
    """The content type, without its parameters, and the body: JSON, or a form as an object."""
    header = Message()
    header["content-type"] = (request.header("content-type") or "application/json").strip()
    kind = header.get_content_type()
    if kind == "multipart/form-data":
        return kind, _form(str(header.get_param("boundary")).encode(), request.body)
    return kind, _json(request.body) if request.body else None


def _form(boundary: bytes, body: bytes) -> dict[str, Any]:
    """The fields as texts, `seconds` as a number; a file's content does not matter here."""
    fields: dict[str, Any] = {}
    between = rb"\r\n--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r\n|$)"
    for part in re.split(between, b"\r\n" + body)[2::2]:
        if b"\r\n\r\n" not in part:  # what stands behind the last boundary
            break
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'[; ]name="([^"]*)"', head, re.IGNORECASE)
        has_file = re.search(rb"[; ]filename\*?=", head, re.IGNORECASE)
        text = "binary" if has_file else content[:100].decode("utf-8", "replace")
        place = re.findall(r"[^\[\]]+", "" if name is None else name[1].decode("utf-8", "replace"))
        owner = fields
        for step in place[:-1]:
            owner = owner.setdefault(step, {})
        owner["".join(place[-1:])] = int(text) if place[1:] and text.isdecimal() else text
    return fields


def read_answered_body(kind: str, body: bytes) -> Iterator[object]:
    """The parts to judge: a list without its members, then each alone; each chunk of a stream."""
    match kind:
        case "application/json":
            value = _json(body)
            listed = members(value)
            yield {**value, "data": []} if listed else value
            for member in listed or ():
                yield {**value, "data": [member]}
        case "text/event-stream":
            for event in body.decode("utf-8", "replace").split("\n\n"):
                text = event.removeprefix("data: ")
                if event and text != "[DONE]":
                    yield _json(text.encode()) if event != text else Unreadable(event[:80])
        case _:
            yield "binary"


def _json(body: bytes) -> Any:
    if len(body) > MOST_BYTES:
        return Unreadable("too long to look into")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return Unreadable(body[:80].decode("utf-8", "replace"))


def members(part: object) -> list[object] | None:
    """What a list holds, unless nothing."""
    members = part.get("data") if isinstance(part, dict) else None
    return members if isinstance(members, list) and members else None
