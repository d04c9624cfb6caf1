"""A message's content goes in; what is wrong with its text or parts comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftctl.dataset.findings import Finding
from ftctl.dataset.shape import (
    check_text,
    empty,
    listed,
    missing_key,
    nearest,
    quoted_word,
    wrong_type,
)

_PARTS = ("text", "image_url", "refusal")
_PARTS_OF = {"user": ("text", "image_url"), "assistant": ("text", "refusal")}
_TEXT_ONLY = ("text",)


def check_content(
    content: object, role: str, place: str, *, images: bool = True
) -> Iterator[Finding]:
    """The content is a string or a list of parts that the role takes."""
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield wrong_type(place, content, "a string or a list of parts")
        return
    if not content:
        yield empty(place, "at least one part, or a string")
    for index, part in enumerate(content):
        yield from _check_part(part, role, f"{place}[{index}]", images=images)


def _check_part(part: object, role: str, place: str, *, images: bool) -> Iterator[Finding]:
    if not isinstance(part, dict):
        yield wrong_type(place, part, "an object with a type")
        return
    problems = list(check_text(part, "type", place))
    if problems:
        yield from problems
        return
    kind = part["type"]
    if kind not in _PARTS:
        hint = nearest(kind[:40], _PARTS) or f"use one of: {listed(_PARTS)}"
        yield Finding("unknown-part", f"{place}.type is {quoted_word(kind)}", hint)
    elif kind not in _PARTS_OF.get(role, _TEXT_ONLY):
        takes = listed(_PARTS_OF.get(role, _TEXT_ONLY))
        message = f"{place} is of type {kind}; {role} messages do not take it"
        yield Finding("part-not-allowed", message, f"they take: {takes}")
    elif kind == "image_url" and not images:
        message = f"{place} is of type image_url; preference rows are text only"
        yield Finding("part-not-allowed", message, "take the image out")
    elif kind == "image_url":
        yield from _check_image(part, place)
    else:
        yield from check_text(part, kind, place)


def _check_image(part: dict[str, Any], place: str) -> Iterator[Finding]:
    if "image_url" not in part:
        yield missing_key("image_url", place)
    elif not isinstance(part["image_url"], dict):
        yield wrong_type(f"{place}.image_url", part["image_url"], "an object with a url")
    else:
        yield from check_text(part["image_url"], "url", f"{place}.image_url", filled=True)
        detail = part["image_url"].get("detail", "auto")
        if detail not in ("auto", "low", "high"):
            message = f"{place}.image_url.detail is not one of those allowed"
            yield Finding("wrong-value", message, "use one of: auto, low, high")
