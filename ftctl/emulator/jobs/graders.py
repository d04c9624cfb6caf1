"""The shape of a grader: a table of each type's fields. What it would score is not looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftctl.emulator.wire import Json, bad_request

MAX_SOURCE_BYTES = 256 * 1024

_FIELDS: Mapping[str, Mapping[str, type]] = {
    "string_check": {"name": str, "input": str, "reference": str, "operation": str},
    "text_similarity": {"name": str, "input": str, "reference": str, "evaluation_metric": str},
    "python": {"name": str, "source": str},
    "score_model": {"name": str, "model": str, "input": list},
    "label_model": {
        "name": str,
        "model": str,
        "input": list,
        "labels": list,
        "passing_labels": list,
    },
    "multi": {"name": str, "graders": dict, "calculate_output": str},
}

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "operation": ("eq", "ne", "like", "ilike"),
    "evaluation_metric": (
        *("cosine", "fuzzy_match", "bleu", "gleu", "meteor"),
        *("rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"),
    ),
}

_ALONE = ("string_check", "text_similarity", "python", "score_model", "multi")
_INSIDE_MULTI = ("string_check", "text_similarity", "python", "score_model", "label_model")
_WORDS: Mapping[type, str] = {str: "a string", list: "a list", dict: "an object"}


def check_grader(grader: Any, param: str) -> None:
    """A 400 that names the field, for a grader that a reinforcement job cannot use."""
    _check(grader, param, _ALONE)
    if grader["type"] != "multi":
        return
    for name, part in _parts(grader["graders"]).items():
        _check(part, f"{param}.graders{name}", _INSIDE_MULTI)


def _parts(graders: Json) -> Json:
    """By the path below `graders`: the guide has a map of graders, the specification just one."""
    if isinstance(graders.get("type"), str):
        return {"": graders}
    return {f".{name}": part for name, part in graders.items()}


def _check(grader: Any, param: str, types: tuple[str, ...]) -> None:
    kind = grader.get("type") if isinstance(grader, dict) else None
    if not isinstance(kind, str) or kind not in types:
        raise bad_request(f"{param} must be an object whose type is {', '.join(types)}.", param)
    for name, wanted in _FIELDS[kind].items():
        value = grader.get(name)
        if not isinstance(value, wanted) or (name == "graders" and not value):
            where = f"{param}.{name}"
            raise bad_request(f"{where} is required and must be {_WORDS[wanted]}.", where)
        if name in _CHOICES and value not in _CHOICES[name]:
            where = f"{param}.{name}"
            raise bad_request(f"{where} must be one of {', '.join(_CHOICES[name])}.", where)
    if kind == "python" and len(grader["source"].encode()) > MAX_SOURCE_BYTES:
        raise bad_request(f"{param}.source is over {MAX_SOURCE_BYTES} bytes.", f"{param}.source")
