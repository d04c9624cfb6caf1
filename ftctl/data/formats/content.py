"""A message's content goes in; what is wrong with its text or parts comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftctl.data.formats.calls import ConversationState
from ftctl.data.formats.image_checks import check_image_address
from ftctl.data.formats.shape import (
    check_text,
    empty,
    ignored,
    ignored_keys,
    listed,
    missing_key,
    nearest,
    quoted_word,
    wrong_type,
)
from ftctl.errors import Finding

_PARTS = ("text", "image_url", "refusal")
_PARTS_OF = {"user": ("text", "image_url"), "assistant": ("text", "refusal")}
_TEXT_ONLY = ("text",)
_DETAILS = ("auto", "low", "high")
_BESIDE = ("type", "prompt_cache_breakpoint")


def check_content(
    content: object, role: str, place: str, talk: ConversationState
) -> Iterator[Finding]:
    """The content is a string or a list of parts that the role takes."""
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield wrong_type(place, content, "a string or a list of parts")
        return
    if role == "function":  # it may not have parts, says the specification
        yield wrong_type(place, content, "a string")
        return
    if not content:
        yield empty(place, "at least one part, or a string")
    for index, part in enumerate(content):
        yield from _check_part(part, role, f"{place}[{index}]", talk)
    if role == "assistant" and len(content) > 1:
        yield from _check_mixture(content, place)


def _check_part(part: object, role: str, place: str, talk: ConversationState) -> Iterator[Finding]:
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
        return
    if kind not in _PARTS_OF.get(role, _TEXT_ONLY):
        takes = listed(_PARTS_OF.get(role, _TEXT_ONLY))
        message = f"{place} is of type {kind}; {role} messages do not take it"
        yield Finding("part-not-allowed", message, f"they take: {takes}")
    elif kind == "image_url" and not talk.takes_images:
        message = f"{place} is of type image_url; preference rows are text only"
        yield Finding("part-not-allowed", message, "take the image out")
    elif kind == "image_url":
        talk.images += 1
        yield from _check_image(part, place)
    else:
        yield from check_text(part, kind, place)
    yield from ignored_keys(part, (kind, *_BESIDE), place)


def _check_image(part: dict[str, Any], place: str) -> Iterator[Finding]:
    if "image_url" not in part:
        yield missing_key("image_url", place)
    elif not isinstance(part["image_url"], dict):
        yield wrong_type(f"{place}.image_url", part["image_url"], "an object with a url")
    else:
        image, at = part["image_url"], f"{place}.image_url"
        problems = [*check_text(image, "url", at, filled=True)]
        yield from problems or check_image_address(image["url"], f"{at}.url")
        detail = image.get("detail", "auto")
        if detail is None:
            yield ignored(f"{at}.detail", "is null")
        elif detail not in _DETAILS:
            message = f"{at}.detail is not one of those allowed"
            yield Finding("wrong-value", message, f"use one of: {listed(_DETAILS)}")
        yield from ignored_keys(image, ("url", "detail"), at)


def _check_mixture(parts: list[Any], place: str) -> Iterator[Finding]:
    kinds = [part.get("type") for part in parts if isinstance(part, dict)]
    if "refusal" in kinds:
        message = f"{place} has a refusal beside other parts"
        hint = "an answer is one or more texts, or exactly one refusal"
        yield Finding("part-not-allowed", message, hint)
