"""A model's words about a sample -> a score or a label.

The hosted service makes its models answer `{"result": number, "steps": [...]}`. A model here says
what it has learnt, so a bare number or label counts as well.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ftctl.emulator.base_models import BY_NAME
from ftctl.emulator.graders.grader_errors import GraderError
from ftctl.emulator.graders.templates import render
from ftctl.emulator.http.wire import ApiError, Json
from ftctl.emulator.model.message_codec import decode_message

Ask = Callable[[str, list[Json], Json], str]
"""A model, chat messages and sampling parameters to the model's answer, encoded where it is no
plain text. An ApiError, such as for a model that does not exist, is why there is no answer."""

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_SAMPLING = {
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "max_completions_tokens": "max_completion_tokens",  # the graders' own spelling
    "reasoning_effort": "reasoning_effort",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a model said about a sample, and to what; the score is 0 where it gave none."""

    model: str  # the snapshot
    messages: tuple[Json, ...]
    answer: str
    score: float = 0.0
    fault: GraderError | None = None


def score_by_model(grader: Json, namespaces: Mapping[str, Any], ask: Ask | None) -> Verdict:
    """The number that the model gives, within the grader's range."""
    low, high = grader.get("range") or (0, 1)

    def score(text: str) -> float:
        return float(min(max(_number_in(text), low), high))

    return _verdict(grader, namespaces, ask, score)


def label_by_model(grader: Json, namespaces: Mapping[str, Any], ask: Ask | None) -> Verdict:
    """1 for a passing label, 0 for another."""

    def score(text: str) -> float:
        return float(_label_in(text, grader["labels"]) in grader["passing_labels"])

    return _verdict(grader, namespaces, ask, score)


def _verdict(
    grader: Json, namespaces: Mapping[str, Any], ask: Ask | None, score: Callable[[str], float]
) -> Verdict:
    """GraderError when the model could not be asked; a fault in the verdict when it was in vain."""
    model = grader["model"]
    messages = tuple(_message(item, namespaces) for item in grader["input"])
    if ask is None:
        raise GraderError("model_grader_server_error", "No model can be asked here.")
    try:
        answer = decode_message(ask(model, list(messages), _sampling(grader)))
    except ApiError as refusal:
        raise GraderError("model_grader_server_error", refusal.message) from None
    text = answer.content or ""
    asked = Verdict(BY_NAME[model].name if model in BY_NAME else model, messages, text)
    if answer.refusal is not None:
        refused = GraderError("model_grader_refusal_error", answer.refusal)
        return replace(asked, fault=refused)
    try:
        return replace(asked, score=score(text))
    except GraderError as fault:
        return replace(asked, fault=fault)


def _sampling(grader: Json) -> Json:
    """In the names of a chat request. A seed is always given: the same sample, the same score."""
    given = grader.get("sampling_params") or {}
    sampling = {
        ours: given[theirs] for theirs, ours in _SAMPLING.items() if given.get(theirs) is not None
    }
    return {"seed": 0, **sampling}


def _message(item: Json, namespaces: Mapping[str, Any]) -> Json:
    content = item["content"]
    parts = content if isinstance(content, list) else [content]
    filled = [_part(part, namespaces) for part in parts]
    if all(part["type"] == "text" for part in filled):
        return {"role": item["role"], "content": "".join(part["text"] for part in filled)}
    return {"role": item["role"], "content": filled}


def _part(part: Any, namespaces: Mapping[str, Any]) -> Json:
    if isinstance(part, str):
        return {"type": "text", "text": render(part, namespaces)}
    match part["type"]:
        case "input_text" | "output_text":
            return {"type": "text", "text": render(part["text"], namespaces)}
        case "input_image":
            url = render(part["image_url"], namespaces)
            return {"type": "image_url", "image_url": {"url": url}}
        case other:
            raise GraderError("model_grader_server_error", f"No model here takes '{other}'.")


def _number_in(text: str) -> float:
    parsed = _parsed(text)
    value = parsed.get("result") if isinstance(parsed, dict) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(str(value))
    if _NUMBER.fullmatch(text.strip()):
        return _finite(text.strip())
    raise GraderError("model_grader_parse_error", "The model's answer holds no number.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise GraderError("model_grader_parse_error", f"The model's number is {number}.")
    return number


def _label_in(text: str, labels: list[str]) -> str:
    parsed = _parsed(text)
    value = parsed.get("label", parsed.get("result")) if isinstance(parsed, dict) else text.strip()
    for label in labels:
        if isinstance(value, str) and value.casefold() == label.casefold():
            return label
    raise GraderError("model_grader_parse_error", "The model's answer is none of the labels.")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
