"""The first row and what is asked for go in; how every row becomes the wanted form comes out."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ftctl.data.convert.bounds import row_too_long
from ftctl.data.convert.cells import cell_text
from ftctl.data.convert.conversation import Conversation, Message, PreferencePair, refuse, said
from ftctl.data.convert.decoders import DECODERS, KEYS, Table, decode_columns, no_key
from ftctl.data.convert.dialects import looks_like_messages
from ftctl.data.convert.encoders import ENCODERS
from ftctl.data.convert.fault import FileFault, RowFault, TemplateFault
from ftctl.data.convert.manner import Manner
from ftctl.data.convert.reading import Reading
from ftctl.data.convert.recipe import SHAPES, Convert, Form, Shape
from ftctl.data.convert.records import Records
from ftctl.data.convert.template import (
    Template,
    check_columns,
    form_of,
    parse_templates,
)
from ftctl.data.convert.unread import LABELS, Unread, names
from ftctl.data.formats.formats import format_of
from ftctl.data.formats.lines import MAX_TEXT_BYTES
from ftctl.data.formats.other_shapes import Pair, known_pair, likely_pair, shape_of
from ftctl.data.formats.shape import quoted_key
from ftctl.errors import FILE, NEW, Finding
from ftctl.text.suggest import SURE, did_you_mean

Row = dict[str, Any]

_MANIFEST = Manner()
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

    form: str | None  # None: none of the service's
    change: Callable[[int, Row], Row]  # row number and row in; RowFault when it cannot be
    notes: Callable[[], Iterable[str]]  # once the rows are through
    findings: Callable[[], Iterable[Finding]] = tuple  # of the file, likewise


def find_conversion(convert: Convert, records: Records, first: Row, manner: Manner) -> Conversion:
    """The conversion for this file; `FileFault` or `TemplateFault` when there is none."""
    columns = records.columns or tuple(first)
    if convert.as_they_are:
        return _as_they_are(convert, columns, first)
    if convert.template:
        return _by_template(convert, records, columns, parse_templates(convert.template))
    columns = tuple(name for name in columns if name not in convert.drop)
    shape = convert.origin if convert.origin in SHAPES else shape_of(columns)
    if shape in ("chat", "sharegpt", "alpaca") and {"chosen", "rejected"} <= set(columns):
        shape = "pairs"  # that these are rows of ShareGPT's says how their turns are written
    if shape == "table" or shape is None:
        pair = known_pair(columns)
        if pair is None:
            raise FileFault(_unknown(columns, first, records, manner))
        return _by_columns(convert, records, pair, manner)
    return _by_shape(convert, records, first, shape, manner)


def _as_they_are(convert: Convert, columns: Collection[str], first: Row) -> Conversion:
    unread = Unread(convert.drop)

    def change(_: int, row: Row) -> Row:
        reading = Reading(row, convert.drop)
        unread.note_inside(reading)
        return reading.row

    return Conversion(format_of(first), change, lambda: unread.notes(columns))


def _by_shape(
    convert: Convert, records: Records, first: Row, shape: Shape, manner: Manner
) -> Conversion:
    form = convert.to or _form_of(shape, first)
    decode, encode = DECODERS[shape], ENCODERS[form]
    misspelt = _Misspelt(KEYS[shape])
    unread = Unread(convert.drop)
    # Rows to be answered may be what a manifest means; a command says so with `--to rows`.
    may_be_open = shape == "chat" and not manner.is_strict

    def change(_: int, row: Row) -> Row:
        reading = Reading(row, convert.drop)
        what = decode(reading)
        misspelt.look_at(reading)
        if isinstance(what, Conversation) and not may_be_open:
            _expect_answer(what, manner)
        unread.note(row, reading.left())
        unread.note_inside(reading)
        if isinstance(what, PreferencePair) and convert.to is None and form != "preference":
            refuse("the row has two answers, in a file of rows with one", "keep the better one")
        return encode(what)

    def notes() -> list[str]:
        said = [f"{shape} rows, written as {form}"]
        if shape in ("pairs", "preference") and form not in ("pairs", "preference"):
            said.append("of each pair the better answer; the worse one is left out")
        return [*said, *unread.notes(records.columns or first)]

    return Conversion(
        form,
        change,
        notes,
        lambda: unread.findings(manner, records.container, f"{form} rows", None),
    )


def _form_of(shape: Shape, first: Row) -> Form:
    """Rows of Alpaca's shape had pairs before they had keys of their own."""
    if shape == "alpaca" and isinstance(first.get("output"), list):
        return "preference"
    return _NEAREST[shape]


def _expect_answer(talk: Conversation, manner: Manner) -> None:
    if not any(message["role"] == "assistant" for message in talk.messages):
        message = "messages has no assistant message"
        hint = "end the conversation with the answer to learn"
        if manner.command is not None:
            hint += f"; questions for a grader: {shlex.join((*manner.command, '--to', 'rows'))}"
        raise RowFault(Finding("no-learnt-turn", message, hint))


class _Misspelt:
    """Finds keys that are nearly one that the shape knows and the row lacks."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = frozenset(known)
        self._seen: set[str] = set()

    def look_at(self, reading: Reading) -> None:
        for key in reading.row:
            if key not in self._known and key not in self._seen and not reading.has_taken(key):
                lacking = self._known.difference(reading.row)
                if lacking and "prompt" in lacking and not reading.has_taken("prompt"):
                    lacking -= {"prompt"}
                hint = did_you_mean(key, lacking, SURE)
                if hint:
                    raise RowFault(Finding("unknown-key", f"unknown key {quoted_key(key)}", hint))
                self._seen.add(key)


def _by_columns(convert: Convert, records: Records, pair: Pair, manner: Manner) -> Conversion:
    form: Form = convert.to or "chat"
    if form in ("preference", "pairs"):
        hint = "give the columns of the better and the worse answer by a template"
        finding = Finding("bad-template", f"the columns make chat rows, not {form} rows", hint)
        raise TemplateFault(finding, "user")
    encode = ENCODERS[form]
    unread = Unread(convert.drop)
    texts = {"user": f"{{{pair.question}}}", "assistant": f"{{{pair.answer}}}"}
    as_json = manner.template(texts)
    fill = _fill(records)

    def change(number: int, row: Row) -> Row:
        reading = Reading(row, convert.drop)
        table = Table(lambda column: records.cell(number, column), fill, as_json)
        what = decode_columns(reading, pair, table)
        left = {key: value for key, value in reading.left().items() if not key.startswith("{")}
        unread.note(row, left)
        unread.note_inside(reading)
        return encode(what)

    def notes() -> list[str]:
        used = [f"user from {names([pair.question])}", f"assistant from {names([pair.answer])}"]
        return [*used, *unread.notes(records.columns or ())]

    return Conversion(
        form,
        change,
        notes,
        lambda: unread.findings(manner, records.container, f"{form} rows", pair),
    )


def _fill(records: Records) -> str:
    if records.container == "xlsx":
        return "fill it or take the row out; if it has a formula, compute and save it"
    return "fill it, or take the row out"


def _unknown(columns: Collection[str], first: Row, records: Records, manner: Manner) -> Finding:
    if records.columns is None and (
        {"role", "content"} <= set(first) or {"from", "value"} <= set(first)
    ):
        slurp = "" if records.container == "json" else "s"
        message = "each row is a message, so the file is one conversation"
        hint = f"put it into one row: jq -c{slurp} '{{messages: .}}' {FILE} > {NEW}"
        return Finding("unknown-format", message, hint)
    message = f"the rows have {names(columns)}; that is no shape known here"
    inside = [key for key in columns if key in _ROWS_INSIDE and _holds_rows(first[key])]
    if len(inside) == 1 and records.columns is None:
        hint = f"rows may stand in {quoted_key(inside[0])}: jq -c '.{inside[0]}[]' {FILE} > {NEW}"
        return Finding("unknown-format", message, hint)
    pair = likely_pair(key for key in columns if not isinstance(first.get(key), list | dict))
    if pair is None:
        hint = "write rows of a question and its answer, or messages with role and content"
    else:
        texts = {"user": f"{{{pair.question}}}", "assistant": f"{{{pair.answer}}}"}
        hint = f"say what becomes of them: {manner.template(texts)}"
    return Finding("unknown-format", message, hint)


_ROWS_INSIDE = ("data", "rows", "train", "training", "examples", "samples", "items", "records",
                "dataset", "results")  # fmt: skip


def _holds_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


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

    unread = Unread(LABELS.difference(used))
    as_json: dict[str, None] = {}

    def change(number: int, row: Row) -> Row:
        cells = {}
        for column in used:
            if column not in row:
                raise RowFault(no_key(column))
            value = row[column]
            if isinstance(value, list | dict):
                _expect_no_messages(value, records.cell(number, column))
                as_json.setdefault(column)
            cells[column] = cell_text(value, records.cell(number, column))
        unread.note(row, {})
        return encode(_filled(templates, cells, records, number))

    notes = [f"{role} from {names(template.columns)}" for role, template in templates.items()]
    unused = [name for name in columns if name not in used and not name.startswith("{")]
    if unused:
        notes.append(f"not used: {names(unused)}")

    def told() -> list[str]:
        return [*notes, *([f"written as JSON: {names(as_json)}"] if as_json else [])]

    by_template = Pair("", "")
    return Conversion(
        form, change, told, lambda: unread.findings(_MANIFEST, records.container, "", by_template)
    )


def _expect_no_messages(value: Any, place: str) -> None:
    if looks_like_messages(value):
        message = f"{place} is a list of messages, which no text of a template can be"
        hint = "call it 'messages', or leave the template out"
        raise RowFault(Finding("bad-cell", message, hint))


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
            message = f"{' and '.join(places) or role} is empty, and {role} needs a text"
            raise RowFault(Finding("bad-cell", message, _fill(records)))
    system = texts.get("system", "")
    messages: list[Message] = [said("system", system)] if system.strip() else []
    messages.append(said("user", texts["user"] if "user" in texts else texts["prompt"]))
    if "chosen" in texts:
        chosen, rejected = said("assistant", texts["chosen"]), said("assistant", texts["rejected"])
        return PreferencePair(messages, chosen, rejected, {})
    answer = texts["assistant"] if "assistant" in texts else texts["completion"]
    return Conversation([*messages, said("assistant", answer)], {})
