"""The shape of a grader: nothing for one that can score, or a 400 that names the field."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ftctl.emulator.graders.expression import BadFormula, names_in, parse_formula
from ftctl.emulator.graders.templates import BadTemplate, check_template
from ftctl.emulator.graders.text_similarity import METRICS
from ftctl.emulator.http.wire import Json, bad_request

MAX_SOURCE_BYTES = 256 * 1024
MAX_DEPTH = 100
"""Lists and objects inside one another, in a grader or in an item."""
MAX_GRADERS = 50
"""Of one multi-grader; the specification names no limit."""

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
    # Not `cosine`: it compares embeddings, and the service has it for evaluations only.
    "evaluation_metric": tuple(METRICS),
}

_ALONE = ("string_check", "text_similarity", "python", "score_model", "multi")
_INSIDE_MULTI = ("string_check", "text_similarity", "python", "score_model", "label_model")
_WORDS: Mapping[type, str] = {str: "a string", list: "a list", dict: "an object"}
_ROLES = ("user", "assistant", "system", "developer")
_PARTS: Mapping[str, str | None] = {
    "input_text": "text",
    "output_text": "text",
    "input_image": "image_url",
    "input_audio": None,
}


def check_grader(grader: Any, param: str) -> None:
    """A 400 that names the field, for a grader that a reinforcement job cannot use."""
    check_depth(grader, param)
    _check(grader, param, _ALONE)
    if grader["type"] != "multi":
        return
    single = isinstance(grader["graders"].get("type"), str)
    for name, part in _parts(grader["graders"]).items():
        _check(part, f"{param}.graders{name}", _INSIDE_MULTI)
    if not single and len(grader["graders"]) > MAX_GRADERS:
        raise bad_request(f"{param}.graders has over {MAX_GRADERS}.", f"{param}.graders")
    _check_formula(grader, f"{param}.calculate_output")


def named_graders(grader: Json) -> dict[str, Json]:
    """A multi-grader's parts by the names that its formula knows; none for any other grader."""
    if grader["type"] != "multi":
        return {}
    graders: dict[str, Json] = grader["graders"]
    if isinstance(graders.get("type"), str):
        return {grader["graders"]["name"]: graders}
    return graders


def check_depth(value: Any, param: str) -> None:
    """A 400 for what is nested so deeply that it could not be written as JSON again."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise bad_request(f"{param} is nested over {MAX_DEPTH} deep.", param)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _parts(graders: Json) -> Json:
    """By the path below `graders`: the guide has a map of graders, the specification just one."""
    if isinstance(graders.get("type"), str):
        return {"": graders}
    return {f".{name}": part for name, part in graders.items()}


def _check(grader: Any, param: str, types: tuple[str, ...]) -> None:
    kind = grader.get("type") if isinstance(grader, dict) else None
    if not isinstance(kind, str) or kind not in types:
        raise bad_request(f"{param} must be an object whose type is {', '.join(types)}.", param)
    for name, expected in _FIELDS[kind].items():
        value = grader.get(name)
        where = f"{param}.{name}"
        if not isinstance(value, expected) or (name == "graders" and not value):
            raise bad_request(f"{where} is required and must be {_WORDS[expected]}.", where)
        if name in _CHOICES and value not in _CHOICES[name]:
            raise bad_request(f"{where} must be one of {', '.join(_CHOICES[name])}.", where)
        if name in _CHECKS:
            _CHECKS[name](value, where)
    if "passing_labels" in _FIELDS[kind]:
        _check_labels(grader, param)
    if kind == "score_model":
        for name, check in (("range", _check_range), ("sampling_params", _check_sampling)):
            if name in grader:
                check(grader[name], f"{param}.{name}")
    if not isinstance(grader.get("image_tag", ""), str):
        raise bad_request(f"{param}.image_tag must be a string.", f"{param}.image_tag")


def _check_formula(grader: Json, where: str) -> None:
    try:
        names = names_in(parse_formula(grader["calculate_output"]))
    except BadFormula as fault:
        raise bad_request(f"{where} cannot be read: {fault}.", where) from None
    unknown = sorted(names - named_graders(grader).keys())
    if unknown:
        raise bad_request(f"{where} names '{unknown[0]}', which is none of the graders.", where)


def _check_source(source: str, where: str) -> None:
    if len(source.encode()) > MAX_SOURCE_BYTES:
        raise bad_request(f"{where} is over {MAX_SOURCE_BYTES} bytes.", where)


def _check_input(value: str | list[Any], where: str) -> None:
    """The text of a check, or the messages for a model."""
    if isinstance(value, str):
        _check_text(value, where)
        return
    for place, message in enumerate(value):
        at = f"{where}[{place}]"
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            roles = ", ".join(_ROLES)
            raise bad_request(f"{at} must be an object whose role is {roles}.", f"{at}.role")
        content = message.get("content")
        for part in content if isinstance(content, list) else [content]:
            _check_part(part, f"{at}.content")


def _check_part(part: Any, where: str) -> None:
    if isinstance(part, str):
        _check_text(part, where)
        return
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in _PARTS:
        kinds = ", ".join(_PARTS)
        raise bad_request(f"{where} must be text, or have parts of the types {kinds}.", where)
    name = _PARTS[kind]
    if name is not None:
        text = part.get(name)
        if not isinstance(text, str):
            raise bad_request(f"{where}.{name} is required and must be a string.", where)
        _check_text(text, where)


def _check_text(text: str, where: str) -> None:
    try:
        check_template(text)
    except BadTemplate as fault:
        raise bad_request(f"{where}: {fault}", where) from None


_CHECKS: Mapping[str, Callable[[Any, str], None]] = {
    "input": _check_input,
    "reference": _check_text,
    "source": _check_source,
}


def _check_labels(grader: Json, param: str) -> None:
    for name in ("labels", "passing_labels"):
        where = f"{param}.{name}"
        if not grader[name] or not all(isinstance(label, str) for label in grader[name]):
            raise bad_request(f"{where} must be a list of strings.", where)
    for label in grader["passing_labels"]:
        if label not in grader["labels"]:
            where = f"{param}.passing_labels"
            raise bad_request(f"{where}: '{label}' is none of the labels.", where)


def _check_range(value: Any, where: str) -> None:
    numbers = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
    if not numbers or not value[0] < value[1]:
        raise bad_request(f"{where} must be two numbers, the lower one first.", where)


_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SAMPLING: Mapping[str, Callable[[Any], bool]] = {
    "temperature": lambda value: _is_number(value) and 0 <= value <= 2,
    "top_p": lambda value: _is_number(value) and 0 <= value <= 1,
    "seed": lambda value: _is_whole(value) and -(2**63) <= value < 2**63,
    "max_completions_tokens": lambda value: _is_whole(value) and 1 <= value < 2**31,
    "reasoning_effort": lambda value: isinstance(value, str) and value in _EFFORTS,
}


def _check_sampling(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise bad_request(f"{where} must be an object.", where)
    for name, fits in _SAMPLING.items():
        given = value.get(name)
        if given is not None and not fits(given):
            raise bad_request(f"{where}.{name} is out of its bounds.", f"{where}.{name}")


def _is_number(value: Any) -> bool:
    """One that fits into a double: JSON's whole numbers have no bound."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2**1000


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
