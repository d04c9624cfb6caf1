"""A text with `{column}` placeholders goes in; what it makes of a row's cells comes out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ftctl.data.convert.fault import TemplateFault
from ftctl.data.formats.shape import quoted_key
from ftctl.errors import Finding
from ftctl.text.suggest import nearest

_MOST_PIECES = 1_000  # each is gone through for every row
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

# The roles of a template, by the form that they make. What stands in brackets in messages is free.
_ROLES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "chat": (frozenset({"user", "assistant"}), frozenset({"system"})),
    "completion": (frozenset({"prompt", "completion"}), frozenset()),
    "preference": (frozenset({"user", "chosen", "rejected"}), frozenset({"system"})),
}


@dataclass(frozen=True, slots=True)
class Template:
    """A text in pieces: literal ones, and columns."""

    pieces: tuple[tuple[str, bool], ...]  # (text or column, whether it is a column)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(text for text, is_column in self.pieces if is_column))

    def length(self, cells: Mapping[str, str]) -> int:
        """How many characters `render` makes for a row."""
        return sum(len(cells[text] if is_column else text) for text, is_column in self.pieces)

    def render(self, cells: Mapping[str, str]) -> str:
        """The text for a row; it must have every column."""
        return "".join(cells[text] if is_column else text for text, is_column in self.pieces)


def parse_templates(texts: tuple[tuple[str, str], ...]) -> Mapping[str, Template]:
    """A template for each role; `TemplateFault` for braces that do not fit."""
    return {role: parse_template(text, role) for role, text in texts}


def parse_template(text: str, role: str) -> Template:
    """Literal braces are doubled: `{{` and `}}`."""
    pieces = tuple(_pieces(text, role))
    if len(pieces) > _MOST_PIECES:
        message = f"the template has more than {_MOST_PIECES // 2:,} placeholders"
        raise TemplateFault(Finding("bad-template", message, "name each column once"), role)
    return Template(pieces)


def form_of(roles: Collection[str]) -> str:
    """The form that a template with these roles makes; `TemplateFault` when it makes none."""
    given = frozenset(roles)
    for form, (needed, free) in _ROLES.items():
        if needed <= given <= needed | free:
            return form
    nearest = max(_ROLES, key=lambda form: len(_ROLES[form][0] & given))
    needed, free = _ROLES[nearest]
    lacking, foreign = sorted(needed - given), sorted(given - needed - free)
    faults = [f"lacks {', '.join(lacking)}"] if lacking else []
    faults += [f"cannot have {', '.join(foreign)}"] if foreign else []
    message = f"a template for {nearest} rows {' and '.join(faults)}"
    hint = "give user and assistant, prompt and completion, or user, chosen and rejected"
    raise TemplateFault(Finding("bad-template", message, hint), foreign[0] if foreign else "")


def check_columns(templates: Mapping[str, Template], columns: Collection[str]) -> None:
    """Every placeholder is a column, or `TemplateFault` names the one that is not."""
    for role, template in templates.items():
        for column in template.columns:
            if column not in columns:
                raise TemplateFault(_unknown(column, columns), role)


def _pieces(text: str, role: str) -> Iterator[tuple[str, bool]]:
    literal, end = "", 0
    for found in _TOKEN.finditer(text):
        literal += text[end : found.start()]
        end = found.end()
        column = found[1]
        if found[0] in ("{{", "}}"):
            literal += found[0][0]
        elif column is None or not column.strip():
            raise TemplateFault(_stray(found[0], found.start() + 1), role)
        else:
            if literal:
                yield literal, False
            literal = ""
            yield column.strip(), True
    literal += text[end:]
    if literal:
        yield literal, False


def _stray(what: str, position: int) -> Finding:
    if what not in ("{", "}"):
        message = f"the template has an empty placeholder at character {position}"
        return Finding("bad-template", message, "write the column's name between the braces")
    message = f"the template has a lone '{what}' at character {position}"
    return Finding("bad-template", message, f"double it for a literal brace: '{what * 2}'")


def _unknown(column: str, columns: Collection[str]) -> Finding:
    folded = {name.casefold(): name for name in columns}
    near = nearest(column.casefold(), folded)
    known = ", ".join(quoted_key(name) for name in list(columns)[:10] if name)
    hint = f"did you mean {{{folded[near]}}}?" if near else f"columns here: {known or 'none'}"
    return Finding("unknown-column", f"there is no column {quoted_key(column)}", hint)
