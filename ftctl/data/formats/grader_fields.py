"""A grader goes in; the fields that its templates read of each row come out, and which are not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ftctl.errors import Finding

Field = tuple[str | int, ...]
"""The way to a value in a row: keys, and positions in lists."""

_STEP = r"""\.[^\W\d][\w-]*|\[\d{1,6}\]|\["[^"\]]*"\]|\['[^'\]]*'\]"""
_PLACE = re.compile(rf"\{{\{{\s*item((?:{_STEP})+)\s*\}}\}}")
_EACH = re.compile(_STEP)
# Code is no template, and what is in it beside braces is Python's.
_NOT_TEMPLATES = ("source", "calculate_output", "name", "model", "type")


def fields_of(grader: Mapping[str, Any]) -> tuple[Field, ...]:
    """What `{{item.…}}` names in a grader's templates, those inside a multi grader included."""
    found = {field for text in _templates(grader) for field in _fields(text)}
    return tuple(sorted(found, key=written))


def check_fields(row: Mapping[str, Any], fields: tuple[Field, ...]) -> Iterator[Finding]:
    """Each field that the row does not have."""
    for field in fields:
        if not _has(row, field):
            name = written(field)
            yield Finding(
                "missing-grader-field",
                f"the row has nothing at '{name}', which the grader reads",
                f"add it to the row, or mend {{{{item.{name}}}}} in the grader",
            )


def written(field: Field) -> str:
    """The field as a template may name it, without `item.`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in field)
    return text.removeprefix(".")


def _templates(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if key not in _NOT_TEMPLATES or not isinstance(part, str):
                yield from _templates(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _templates(part)


def _fields(template: str) -> Iterator[Field]:
    for place in _PLACE.finditer(template):
        yield tuple(_step(step) for step in _EACH.findall(place[1]))


def _step(text: str) -> str | int:
    if text.startswith("."):
        return text[1:]
    return int(text[1:-1]) if text[1].isdigit() else text[2:-2]


def _has(value: Any, field: Field) -> bool:
    for step in field:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return False
        elif not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True
