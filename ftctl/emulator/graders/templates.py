"""A text with `{{item.x}}` and `{{sample.y}}` in it -> the text for one item and one sample.

A place is a namespace and a path below it: `.name`, `["name"]` or `[0]`, as in JSON paths. Text is
put in as it is, anything else as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftctl.emulator.graders.grader_errors import GraderError

MAX_TEXT = 100_000
"""Characters that a filled text may have: what scores it takes longer than linear time."""

MAX_PLACE = 1_000
"""Characters between the braces."""

SAMPLE_NAMES = ("output_text", "output_json", "output_tools", "choices", "output_audio")

_STEP = re.compile(
    r"""\.([^\W\d][\w-]*) | \[(\d{1,6})\] | \["([^"\]]*)"\] | \['([^'\]]*)'\]""", re.VERBOSE
)
_PLACE = re.compile(rf"\s*(item|sample)((?:{_STEP.pattern})+)\s*", re.VERBOSE)


class BadTemplate(Exception):
    """A place that no sample could ever fill."""


@dataclass(frozen=True, slots=True)
class Place:
    """`namespace` is `item` or `sample`; a step is a name or a position."""

    namespace: str
    steps: tuple[str | int, ...]
    words: str  # as it was written


def check_template(template: str) -> None:
    """BadTemplate for a place that is none of ours."""
    for part in _parts(template):
        if isinstance(part, Place) and part.namespace == "sample":
            first = part.steps[0]
            if first not in SAMPLE_NAMES:
                raise BadTemplate(
                    f"'{{{{{part.words}}}}}': a sample has {', '.join(SAMPLE_NAMES)}."
                )


def render(template: str, namespaces: Mapping[str, Any]) -> str:
    """The text for these `item` and `sample`; GraderError when something is missing in them."""
    pieces = []
    length = 0
    try:
        for part in _parts(template):
            piece = part if isinstance(part, str) else _written(_value(part, namespaces))
            length += len(piece)
            if length > MAX_TEXT:
                words = f"A filled template is over {MAX_TEXT} characters."
                raise GraderError("truncated_observation_error", words)
            pieces.append(piece)
    except BadTemplate as fault:
        raise GraderError("invalid_variable_error", str(fault)) from None
    return "".join(pieces)


def _parts(template: str) -> Iterator[str | Place]:
    """Texts and places in turn. Braces that are never closed are text."""
    at = 0
    while (start := template.find("{{", at)) >= 0 and (end := template.find("}}", start)) >= 0:
        yield template[at:start]
        yield _place(template[start + 2 : end])
        at = end + 2
    yield template[at:]


def _place(words: str) -> Place:
    match = _PLACE.fullmatch(words) if len(words) <= MAX_PLACE else None
    if match is None:
        shown = words if len(words) <= MAX_PLACE else f"{words[:40]}…"
        raise BadTemplate(
            f"'{{{{{shown}}}}}' is not of the form {{{{item.name}}}} or {{{{sample.name}}}}."
        )
    return Place(match[1], tuple(_steps(match[2])), words.strip())


def _steps(path: str) -> Iterator[str | int]:
    for step in _STEP.finditer(path):
        name, position, double, single = step.groups()
        yield (
            int(position)
            if position is not None
            else next(text for text in (name, double, single) if text is not None)
        )


def _value(place: Place, namespaces: Mapping[str, Any]) -> Any:
    value = namespaces[place.namespace]
    for step in place.steps:
        present = (
            isinstance(value, list) and step < len(value)
            if isinstance(step, int)
            else isinstance(value, Mapping) and step in value
        )
        if not present:
            raise _missing(place, step)
        value = value[step]
    return value


def _missing(place: Place, step: str | int) -> GraderError:
    if place.namespace == "sample" and step == "output_json" and place.steps[0] == step:
        return GraderError("sample_parse_error", "The sample is not JSON, but output_json is used.")
    return GraderError("invalid_variable_error", f"There is nothing at '{place.words}'.")


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise GraderError("other_error", "A value is nested too deeply.") from None
