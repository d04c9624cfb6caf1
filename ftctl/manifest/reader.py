"""A parser's events in, values that know their places out.

Values are built here and not by PyYAML's own loader, for three reasons: every key and value keeps
its place, what YAML 1.1 and 1.2 read differently is refused (see `scalars`), and hostile nesting
cannot exhaust the C stack (libyaml's composer recurses).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import yaml

from ftctl.errors import Diagnostic, Span
from ftctl.manifest.decoding import (
    DEEPEST,
    LARGEST,
    LETTERS_PER_VALUE,
    MOST_DOCUMENTS,
    MOST_ITEMS,
    MOST_KEYS,
    MOST_PROBLEMS,
    MOST_VALUES,
    place_after,
    place_of,
    shorten,
    unseen_problem,
)
from ftctl.manifest.document import Document, Where
from ftctl.manifest.scalars import Trap, read_scalar
from ftctl.text.invisible import hidden_in, name_of
from ftctl.text.lookalike import look_alike_in, plain_form, skeleton

_READ_AHEAD = 1024  # characters that a parser reads to learn whether a value is a key
_LONGEST_KEY = 256  # characters of a key that somebody may take for another
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPED_LETTERS = dict(zip("0abvfeNLP", "\0\a\b\v\f\x1b\x85\u2028\u2029", strict=True))


class TooMuch(Exception):
    """A document is larger or deeper than a manifest is."""

    def __init__(self, problem: Diagnostic) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Open:
    """A collection whose end has not been read yet."""

    def __init__(self, value: dict[Any, Any] | list[Any], where: Where, anchor: str | None) -> None:
        self.value = value
        self.where = where
        self.anchor = anchor
        self.size = 1
        self.key: Any = None
        self.has_key = False
        self.merging = False  # whether the key is the merge key, which stands in no quotes
        self.merges: list[dict[Any, Any]] = []


class Reader:
    """Builds values from events, iteratively; gathers problems on the way."""

    def __init__(self, path: str, *, json: bool, end: Span) -> None:
        self.path = path
        self.json = json
        self.end = end  # the parser's end is a line further, where the last one has no line end
        self.problems: list[Diagnostic] = []
        self.written = 0  # values of the whole file
        self.begun = 0  # documents of it
        self.text = ""
        self.escapes = self.beyond_ascii = False  # what the text has
        self._begin()

    def _begin(self) -> None:
        """Nothing of the next document has been read yet."""
        self.places: dict[Where, Span] = {}
        self.keys: dict[Where, Span] = {}
        self.trapped: set[Where] = set()
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.stack: list[_Open] = []
        self.root: Any = None

    def documents(self, text: str) -> Iterator[Document]:
        """Each document of a stream that is not empty."""
        self.text, self.escapes = text, "\\" in text
        self.beyond_ascii = self.escapes or not text.isascii()
        for event in _events(text):
            match event:
                case yaml.DocumentStartEvent():
                    self._begin()
                    self.begun += 1
                    if self.begun > MOST_DOCUMENTS:
                        message = f"the file holds more than {MOST_DOCUMENTS:,} documents"
                        raise self._too_much(message, event, "make several files of it")
                case yaml.DocumentEndEvent():
                    if self.root is not None:
                        yield Document(
                            self.path, self.root, self.places, self.keys, frozenset(self.trapped)
                        )
                case yaml.MappingStartEvent():
                    self._open({}, event)
                case yaml.SequenceStartEvent():
                    self._open([], event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._close(event)
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.AliasEvent():
                    self._alias(event)

    def _span(self, event: Any) -> Span:
        return min(place_of(event.start_mark, self.path), self.end)

    def _problem(self, code: str, message: str, event: Any, hint: str | None = None) -> None:
        self._report(Diagnostic(code, message, self._span(event), hint), event)

    def _report(self, problem: Diagnostic, event: Any) -> None:
        if len(self.problems) >= MOST_PROBLEMS:
            message = f"there are more than {MOST_PROBLEMS:,} problems in this file"
            raise self._too_much(message, event, "mend these first")
        self.problems.append(problem)

    def _too_much(self, message: str, event: Any, cure: str | None = None) -> TooMuch:
        hint = cure or "a manifest needs no more; is this file one?"
        return TooMuch(Diagnostic("yaml-too-large", message, self._span(event), hint))

    def _where(self) -> Where:
        """The way to the value that is read next."""
        if not self.stack:
            return ()
        parent = self.stack[-1]
        if isinstance(parent.value, list):
            return (*parent.where, len(parent.value))
        return (*parent.where, parent.key) if parent.has_key else parent.where

    def _open(self, value: dict[Any, Any] | list[Any], event: Any) -> None:
        if len(self.stack) >= DEEPEST:
            raise self._too_much(f"values are nested deeper than {DEEPEST} levels", event)
        if event.tag is not None and not event.implicit:
            self._tag_problem(event)
            self.trapped.add(self._where())
        if self.stack and isinstance(self.stack[-1].value, dict) and not self.stack[-1].has_key:
            self._problem(
                "yaml-key", "a list or mapping cannot be a key", event, "write the key as text"
            )
        where = self._where()
        self.places.setdefault(where, self._span(event))
        self.stack.append(_Open(value, where, event.anchor))

    def _close(self, event: Any) -> None:
        done = self.stack.pop()
        if isinstance(done.value, dict):
            for merged in done.merges:
                for key, value in merged.items():
                    done.value.setdefault(key, value)
            if len(done.value) > MOST_KEYS:
                raise self._too_much(f"a mapping holds more than {MOST_KEYS:,} keys", event)
            if self.beyond_ascii and not all(map(str.isascii, done.value)):
                self._look_at_keys(done, event)
        if done.anchor:
            self.anchors[done.anchor] = (done.value, done.size)
        self._place(done.value, event, done.size)

    def _scalar(self, event: Any) -> None:
        plain = event.implicit[0]
        value: Any = event.value
        if plain:
            value = read_scalar(event.value, json=self.json)
        tagged = not plain and event.tag not in (None, "!", "tag:yaml.org,2002:str")
        if tagged:
            self._tag_problem(event)
        is_key = bool(self.stack) and isinstance(self.stack[-1].value, dict)
        is_key = is_key and not self.stack[-1].has_key
        shown = value
        if self.escapes and event.style == '"':
            shown = self._without_hidden(value, event)
        if is_key:
            if shown != value:
                self.trapped.add((*self.stack[-1].where, value))
            self._key(value, event, plain=plain)
            return
        where = self._where()
        self.places.setdefault(where, self._span(event))
        if tagged or shown != value:
            self.trapped.add(where)
            value = shown
        if isinstance(value, Trap):
            self.trapped.add(where)
            self._problem(value.code, value.message, event, value.hint)
            value = value.meant
        # A long text counts for more: aliases could repeat it until it fills the memory.
        size = 1 + len(event.value) // LETTERS_PER_VALUE
        if event.anchor:
            self.anchors[event.anchor] = (value, size)
        self._place(value, event, size)

    def _key(self, value: Any, event: Any, *, plain: bool) -> None:
        parent = self.stack[-1]
        if isinstance(value, Trap):
            self._problem(value.code, value.message, event, f'write "{event.value}" in quotes')
            self.trapped.add((*parent.where, event.value))
            value = event.value
        elif not isinstance(value, str):
            self._problem(
                "yaml-key",
                f"the key '{shorten(event.value)}' is not text",
                event,
                "put it in quotes",
            )
            value = event.value
        where = (*parent.where, value)
        merging = plain and value == "<<"
        if value in parent.value and not merging:
            first = self.keys.get(where)
            self._problem(
                "repeated-key",
                f"the key '{shorten(value)}' stands twice in one mapping",
                event,
                f"it already stands in line {first.line}; keep one" if first else "keep one",
            )
        parent.key, parent.has_key, parent.merging = value, True, merging
        self.keys.setdefault(where, self._span(event))

    def _without_hidden(self, value: str, event: Any) -> str:
        """A text in double quotes: what nobody sees may not come in as an escape either."""
        hidden = tuple(hidden_in(value))
        if not hidden:
            return value
        run = "".join(value[index] for index in hidden)
        self._report(unseen_problem(run, self._escape_of(run[0], event), escaped=True), event)
        return "".join(one for index, one in enumerate(value) if index not in {*hidden})

    def _escape_of(self, character: str, event: Any) -> Span:
        """Where the escape of a character stands, or the text that holds it."""
        start = event.start_mark.index
        for escape in _ESCAPE.finditer(self.text, start, event.end_mark.index):
            number = escape[1] or escape[2] or escape[3]
            meant = chr(int(number, 16)) if number else _ESCAPED_LETTERS.get(escape[4])
            if meant == character:
                return place_after(self.text[: escape.start()], self.path)
        return self._span(event)

    def _look_at_keys(self, done: _Open, event: Any) -> None:
        """Keys that pass for others: by a letter of another script, or for one beside them."""
        seen: dict[str, str] = {}
        for key in done.value:
            if len(key) > _LONGEST_KEY:
                continue
            where = (*done.where, key)
            place = self.keys.get(where) or self._span(event)
            other = seen.setdefault(skeleton(key), key)
            if other is not key and not (other.isascii() and key.isascii()):
                self.trapped.add(where)
                first = self.keys.get((*done.where, other))
                beside = f" in line {first.line}" if first else ""
                message = f"the key '{shorten(key)}' looks like '{shorten(other)}'{beside}"
                hint = "keep one, or write them so that they can be told apart"
                self._report(Diagnostic("look-alike", message, place, hint), event)
            # Below metadata keys are the user's own words: none of ours can be meant.
            elif (
                alike := look_alike_in(key, whole_words="metadata" not in done.where)
            ) is not None:
                self.trapped.add(where)
                name, looks_like = name_of(alike.character), alike.looks_like
                message = f"the key '{shorten(key)}' holds {name}, which looks like '{looks_like}'"
                plain = plain_form(key)
                hint = "write each word in the letters of one script"
                hint = f"write '{shorten(plain)}' in ASCII" if plain.isascii() else hint
                self._report(Diagnostic("look-alike", message, place, hint), event)

    def _alias(self, event: Any) -> None:
        known = self.anchors.get(event.anchor)
        if known is None:
            name = shorten(event.anchor)
            self._problem(
                "yaml-alias",
                f"the alias '*{name}' has no anchor before it",
                event,
                f"mark a value with '&{name}' first",
            )
            known = (None, 1)
            self.trapped.add(self._where())
        self.places.setdefault(self._where(), self._span(event))
        self._place(known[0], event, known[1])

    def _place(self, value: Any, event: Any, size: int) -> None:
        """Put a finished value where it belongs."""
        self.written += 1
        if self.written > MOST_VALUES:
            raise self._too_much(f"the file holds more than {MOST_VALUES:,} values", event)
        if not self.stack:
            self.root = value
            return
        parent = self.stack[-1]
        parent.size += size
        if parent.size > LARGEST:
            raise self._too_much(f"aliases expand to more than {LARGEST:,} values", event)
        if isinstance(parent.value, list):
            parent.value.append(value)
            if len(parent.value) > MOST_ITEMS:
                raise self._too_much(f"a list holds more than {MOST_ITEMS:,} entries", event)
        elif not parent.has_key:  # a collection as a key: reported where it began
            self.trapped.add((*parent.where, ""))
            parent.key, parent.has_key, parent.merging = "", True, False
        elif parent.merging and (merges := _mappings(value)) is not None:
            parent.merges.extend(merges)
            parent.has_key = False
        else:
            parent.value.setdefault(parent.key, value)
            parent.has_key = False

    def _tag_problem(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self._problem(
            "yaml-tag", f"the tag '{shorten(tag)}' is not known here", event, "remove the tag"
        )


def _events(text: str) -> Iterator[Any]:
    """The parser's events, up to a depth that is ours to refuse.

    libyaml 0.2.6 and later refuse 1,000 brackets in each other, and read so many before the first
    becomes an event. What follows the one that they refuse is read as if it closed the others.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is 8 times faster
    given = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            yield event
            given += 1
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        if mark is None or "nesting depth" not in (fault.problem or ""):
            raise
        closed = text[: mark.index] + "]" * _READ_AHEAD
        yield from islice(yaml.parse(closed, Loader=loader), given, None)


def _mappings(value: Any) -> list[dict[Any, Any]] | None:
    """What a merge key (`<<`) merges: one mapping or a list of them."""
    candidates = value if isinstance(value, list) else [value]
    return candidates if all(isinstance(entry, dict) for entry in candidates) else None
