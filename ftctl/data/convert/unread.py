"""The keys that no row was read for go in; whether that is a problem, and its cure, come out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ftctl.data.convert.manner import Manner
from ftctl.data.convert.reading import Reading, says_something
from ftctl.data.convert.recipe import Container
from ftctl.data.formats.other_shapes import Pair, plain_name
from ftctl.data.formats.row_text import repeated_key
from ftctl.data.formats.shape import quoted_key
from ftctl.errors import FILE, NEW, ROWS, Finding, Severity

# Without these, rows teach something else than they say, or the contrary.
MEANT = frozenset({
    "chosen", "images", "image", "videos", "video", "audios", "audio", "weight", "weights",
    "tools", "functions",
    "tool_calls", "train", "loss", "loss_mask", "mask", "masked", "history", "messages",
    "conversations", "conversation", "preferred_output", "non_preferred_output",
})  # fmt: skip
_MEDIA = frozenset({"videos", "video", "audios", "audio"})
LABELS = frozenset({"label", "kto_tag", "kto_label", "desirable", "is_desirable"})
_GOOD = (True, 1, "true", "True", "TRUE", "yes", "desirable", "good", "chosen")
_BAD = (False, 0, "false", "False", "FALSE", "no", "undesirable", "bad", "rejected", -1)
_MOST_NAMES = 10


class Unread:
    """What was left out of the rows so far: dropped as asked for, or read by nobody."""

    def __init__(self, dropped: Collection[str]) -> None:
        self.keys: dict[str, Any] = {}  # each with its first value
        self._dropped = frozenset(dropped)
        self._rows = 0
        self._labels: dict[str, _Label] = {}
        self._met: set[str] = set()
        self._places: dict[str, str] = {}  # of keys of parts and calls
        self._repeated: dict[str, str] = {}
        self._tags_read = self._tags_kept = 0  # rows

    def note_inside(self, reading: Reading) -> None:
        """What there is to say of a row beside its keys."""
        self._met |= reading.met
        self._tags_read += reading.tags_read
        self._tags_kept += reading.tags_kept
        for key, place in reading.places.items():
            self._places.setdefault(key, place)
        for key, place in reading.repeated.items():
            self._repeated.setdefault(key, place)

    def note(self, row: Mapping[str, Any], left: Mapping[str, Any]) -> None:
        """Count a row, given what was not read of it."""
        self._rows += 1
        for key, value in left.items():
            self.keys.setdefault(key, value)
        for key in LABELS.intersection(row):
            if key in left or key in self._dropped:
                self._labels.setdefault(key, _Label()).count(row[key])

    def notes(self, columns: Collection[str]) -> list[str]:
        """What was left out, in a sentence."""
        left = [*(key for key in columns if key in self._dropped), *self.keys]
        left += sorted(self._met.difference(left))
        absent = sorted(self._dropped.difference(self._met, left))
        said = [f"left out: {names(left)}"] if left else []
        return [*said, *([f"to be left out, but in no row: {names(absent)}"] if absent else [])]

    def findings(
        self, manner: Manner, container: Container, into: str, pair: Pair | None
    ) -> Iterator[Finding]:
        """Of keys that nothing is made of. `into` is what the rows become, `pair` a table's."""
        judging = {
            key: label
            for key, label in self._labels.items()
            if label.bad and label.judges and not (label.numbers and pair is not None)
        }
        for key, label in judging.items():
            tell = _labelled if key in self.keys else _dropped_label
            yield tell(key, label, self._rows, container)
        keys = [key for key in self.keys if key not in judging]
        wrong = [key for key in keys if manner.is_strict or self._is_meant(key, pair)]
        for some, severity in ((wrong, _ERROR), ([key for key in keys if key not in wrong], _TOLD)):
            if some:
                told = names(some, self._places)
                message = f"nothing is made of {told}: {into} have no place for {_it(some)}"
                hint = f"leave {_it(some)} out: {manner.dropping(some)}"
                context = [key for key in some if plain_name(key) in _CONTEXT]
                if pair is not None and context:
                    texts = {"user": f"{{{context[0]}}} {{{pair.question}}}",
                             "assistant": f"{{{pair.answer}}}"}  # fmt: skip
                    hint = f"use it: {manner.template(texts)}; or {hint}"
                yield Finding("unread-key", message, hint, severity=severity)

        for key, place in self._repeated.items():
            twice = repeated_key(key)
            message = f"in the text of {place}, {twice.message}"
            yield Finding(
                twice.code, message, twice.hint, severity=_ERROR if manner.is_strict else _TOLD
            )
        if self._tags_read and self._tags_kept:
            message = (
                f"calls between <tool_call> tags became calls in {self._tags_read:,} of"
                f" {self._rows:,} rows, and stayed text in {self._tags_kept:,}, where no result"
                " follows: both forms are learnt"
            )
            hint = "give each such row 'tools', or the turn with the call's result"
            yield Finding("cannot-convert", message, hint, severity=_TOLD)

    def _is_meant(self, key: str, pair: Pair | None) -> bool:
        """Whether rows teach something else without it. A table's `weight` may be in kilograms."""
        if pair is not None and key not in _MEDIA:
            return key in MEANT and isinstance(self.keys[key], list | dict)
        return key in MEANT


_ERROR: Severity = "error"
_TOLD: Severity = "warning"
_CONTEXT = frozenset(map(plain_name, (
    "context", "passage", "document", "background", "reference", "article", "paragraph", "문맥",
    "지문", "본문", "맥락", "배경", "文脈", "背景", "本文", "上下文", "段落", "原文", "参考",
    "contexto", "contexte", "kontext", "contesto", "контекст", "bağlam", "ngữ cảnh", "سياق",
)))  # fmt: skip


class _Label:
    """Whether a key says which answers are good."""

    def __init__(self) -> None:
        self.bad = 0
        self.good: Any = True  # how it says so
        self.judges = True
        self.numbers = False  # in a table's column, these are more often classes

    def count(self, value: Any) -> None:
        """Count a row's label."""
        self.numbers |= isinstance(value, int) and not isinstance(value, bool)
        if value in _GOOD and not isinstance(value, float):
            self.good = value
        elif value in _BAD:
            self.bad += 1
        elif says_something(value):
            self.judges = False


def _labelled(key: str, label: _Label, rows: int, container: Container) -> Finding:
    message = (
        f"{quoted_key(key)} says which answers are good, and the bad ones would be learnt with"
        f" them ({label.bad:,} of {rows:,} rows)"
    )
    return Finding("unread-key", message, _good_ones(key, label, container))


def _dropped_label(key: str, label: _Label, rows: int, container: Container) -> Finding:
    message = (
        f"{quoted_key(key)} is left out, so {label.bad:,} of {rows:,} answers are learnt that it"
        " says are bad"
    )
    return Finding("unread-key", message, _good_ones(key, label, container), severity="warning")


def _good_ones(key: str, label: _Label, container: Container) -> str:
    if not re.fullmatch("[a-z_]+", key):
        return f"keep the rows whose {key} is {label.good}, and take the column out"
    good = f"select(.{key} == {json.dumps(label.good)}) | del(.{key})"
    match container:
        case "json":
            return f"keep the good ones: jq -c '.[] | {good}' {FILE} > {NEW}"
        case "jsonl":
            return f"keep the good ones: jq -c '{good}' {FILE} > {NEW}"
    lines = f"ftctl dataset convert {FILE} {ROWS} --to rows --no-check"
    return f"keep the good ones: {lines} && jq -c '{good}' {ROWS} > {NEW}"


def _it(keys: Collection[str]) -> str:
    return "it" if len(keys) == 1 else "them"


def names(columns: Collection[str], places: Mapping[str, str] = MappingProxyType({})) -> str:
    """Some keys, in quotes, each with the place of the first where it is known."""
    some = list(columns)
    more = f" and {len(some) - _MOST_NAMES:,} more" if len(some) > _MOST_NAMES else ""
    return (", ".join(_named(key, places) for key in some[:_MOST_NAMES]) or "no columns") + more


def _named(key: str, places: Mapping[str, str]) -> str:
    return quoted_key(key) + (f" in {places[key]}" if key in places else "")
