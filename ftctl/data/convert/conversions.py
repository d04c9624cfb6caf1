"""The first row and what is asked for go in; how every row becomes the wanted form comes out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ftctl.data.convert.bounds import row_too_long
from ftctl.data.convert.cells import cell_text
from ftctl.data.convert.conversation import Conversation, Message, PreferencePair, said
from ftctl.data.convert.decoders import DECODERS, KEYS
from ftctl.data.convert.encoders import ENCODERS
from ftctl.data.convert.fault import FileFault, RowFault, TemplateFault
from ftctl.data.convert.recipe import SHAPES, Convert, Form, Shape
from ftctl.data.convert.records import Records
from ftctl.data.convert.template import (
    Template,
    check_columns,
    form_of,
    parse_templates,
)
from ftctl.data.formats.lines import MAX_TEXT_BYTES
from ftctl.data.formats.other_shapes import known_pair, shape_of
from ftctl.data.formats.shape import quoted_key
from ftctl.errors import Finding
from ftctl.text.suggest import SURE, did_you_mean

Row = dict[str, Any]

_NEAREST: Mapping[Shape, Form] = {
    "chat": "chat",
    "completion": "chat",
    "sharegpt": "chat",
    "alpaca": "chat",
    "preference": "preference",
    "pairs": "preference",
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """How every row of a file is converted, and in words what was found out or chosen."""

    shape: Shape
    form: Form
    change: Callable[[int, Row], Row]  # row number and row in; RowFault when it cannot be
    notes: tuple[str, ...]


def find_conversion(convert: Convert, records: Records, first: Row) -> Conversion:
    """The conversion for this file; `FileFault` or `TemplateFault` when there is none."""
    columns = records.columns or tuple(first)
    if convert.template:
        return _by_template(convert, records, columns, parse_templates(convert.template))
    shape = convert.origin if convert.origin in SHAPES else shape_of(columns)
    if shape == "table" or shape is None:
        return _by_template(convert, records, columns, _default_template(columns))
    form = convert.to or _NEAREST[shape]
    notes = [f"{shape} rows, written as {form}"]
    left_out = _LeftOut(KEYS[shape])
    left_out.look_at(columns)
    if left_out.seen:
        notes.append(f"left out: {_names(left_out.seen)}")
    decode, encode = DECODERS[shape], ENCODERS[form]

    def change(_: int, row: Row) -> Row:
        if records.columns is None:
            left_out.look_at(row)
        return encode(decode(row))

    return Conversion(shape, form, change, tuple(notes))


class _LeftOut:
    """Keys that a shape has no use for. None may be one that was meant and misspelt."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = frozenset(known)
        self.seen: dict[str, None] = {}

    def look_at(self, keys: Collection[str]) -> None:
        for key in keys:
            if key not in self._known and key not in self.seen:
                hint = did_you_mean(key, self._known.difference(keys), SURE)
                if hint:
                    raise RowFault(Finding("unknown-key", f"unknown key {quoted_key(key)}", hint))
                self.seen[key] = None


def _default_template(columns: Collection[str]) -> Mapping[str, Template]:
    if (pair := known_pair(columns)) is not None:
        question, answer = pair
        return {
            "user": Template(((question, True),)),
            "assistant": Template(((answer, True),)),
        }
    message = f"the rows have {_names(columns)}; that is no shape known here"
    hint = "say what becomes of them with a template, such as user: '{question}'"
    raise FileFault(Finding("unknown-format", message, hint))


def _by_template(
    convert: Convert, records: Records, columns: tuple[str, ...], templates: Mapping[str, Template]
) -> Conversion:
    made = cast(Form, form_of(templates))
    check_columns(templates, columns)
    form = convert.to or made
    if (form in ("preference", "pairs")) != (made == "preference") and form != "chat":
        finding = Finding("bad-template", f"the template makes {made} rows, not {form} rows",
                          "change the template's roles, or the form that is asked for")  # fmt: skip
        raise TemplateFault(finding, next(iter(templates)))
    encode = ENCODERS[form]
    used = {column for template in templates.values() for column in template.columns}

    def change(number: int, row: Row) -> Row:
        cells = {}
        for column in used:
            if column not in row:
                raise RowFault(_no_key(column))
            cells[column] = cell_text(row[column], records.cell(number, column))
        return encode(_filled(templates, cells, records, number))

    notes = [f"{role} from {_names(template.columns)}" for role, template in templates.items()]
    unused = [name for name in columns if name not in used and not name.startswith("{")]
    if unused:
        notes.append(f"not used: {_names(unused)}")
    return Conversion("table", form, change, tuple(notes))


def _filled(
    templates: Mapping[str, Template], cells: Mapping[str, str], records: Records, number: int
) -> Conversation | PreferencePair:
    """The row's conversation. Only the system message may come out empty: it is left away then."""
    if sum(template.length(cells) for template in templates.values()) > MAX_TEXT_BYTES:
        raise RowFault(row_too_long())
    texts = {role: template.render(cells) for role, template in templates.items()}
    for role, text in texts.items():
        if not text.strip() and role != "system":
            places = [records.cell(number, column) for column in templates[role].columns]
            finding = Finding(
                "bad-cell",
                f"{' and '.join(places) or role} is empty, and {role} needs a text",
                "fill it, or take the row out"
                if records.container != "xlsx"
                else "fill it or take the row out; if it has a formula, compute and save it",
            )
            raise RowFault(finding)
    system = texts.get("system", "")
    messages: list[Message] = [said("system", system)] if system.strip() else []
    messages.append(said("user", texts["user"] if "user" in texts else texts["prompt"]))
    if "chosen" in texts:
        chosen, rejected = said("assistant", texts["chosen"]), said("assistant", texts["rejected"])
        return PreferencePair(messages, chosen, rejected, {})
    answer = texts["assistant"] if "assistant" in texts else texts["completion"]
    return Conversation([*messages, said("assistant", answer)], {})


def _names(columns: Iterable[str]) -> str:
    return ", ".join(quoted_key(name) for name in list(columns)[:10]) or "no columns"


def _no_key(column: str) -> Finding:
    message = f"the row has no key {quoted_key(column)}"
    return Finding("missing-key", message, "add it; null stands for no text")
