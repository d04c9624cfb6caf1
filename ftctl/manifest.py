"""YAML files in, documents out: plain values that remember where each of them stands.

Values are built from the parser's events and not by PyYAML's own loader, for three reasons: every
key and value keeps its place, what YAML 1.1 and 1.2 read differently is refused (see `scalars`),
and hostile nesting cannot exhaust the C stack (libyaml's composer recurses).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ftctl.errors import Diagnostic, Span
from ftctl.scalars import Trap, read_scalar

Where = tuple[str | int, ...]  # the keys and indexes that lead to a value

DEEPEST = 64  # levels of nesting
LARGEST = 100_000  # values in one document, aliases counted as often as they are used
# Problems after which the rest of a file is not read.
CUT_SHORT = frozenset(
    {
        "unreadable-file",
        "not-utf-8",
        "control-character",
        "yaml-syntax",
        "yaml-tab",
        "yaml-too-large",
    }
)
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
# What YAML allows in a stream: tab, line ends, printable characters. U+0085, U+2028 and U+2029 end
# a line in YAML 1.1 and not in 1.2, nor in editors.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
# JSON writes a character beyond U+FFFF as two escapes, which libyaml does not put together.
_PAIR = re.compile(r"\\\\|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document. `places` and `keys` tell where a value and its key stand."""

    path: str
    value: Any
    places: Mapping[Where, Span]
    keys: Mapping[Where, Span]
    trapped: frozenset[Where] = frozenset()  # values already reported as traps

    def place(self, where: Where = ()) -> Span:
        """Where a value stands; for one that came through an alias, where the alias stands."""
        while where and where not in self.places:
            where = where[:-1]
        return self.places.get(where, Span(self.path))

    def key_place(self, where: Where) -> Span:
        """Where the key of a value stands."""
        return self.keys.get(where) or self.place(where)


def find_manifests(folder: Path) -> tuple[Path, ...]:
    """Every YAML or JSON file below a folder by its path; hidden ones are left out."""
    found = (
        path
        for path in folder.rglob("*")
        if path.suffix in _SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not path.is_dir()
    )
    return tuple(sorted(found, key=lambda path: path.as_posix()))


def read_documents(path: Path, shown: str) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """The documents of a file and every problem of its form. `shown` is its path for people."""
    text, problem = _read_text(path, shown)
    if problem is not None:
        return (), (problem,)
    json = path.suffix == ".json"
    text = _PAIR.sub(_as_one_escape, text) if json else text
    reader = _Reader(shown, json=json, end=_after(text, shown))
    documents: list[Document] = []
    try:
        documents.extend(reader.documents(text))  # keeps those before a fault
    except yaml.MarkedYAMLError as fault:
        reader.problems.append(_syntax_problem(fault, text, shown))
        if "<document start>" in str(fault.problem):  # that document was not at its end
            documents = documents[:-1]
    except _TooMuch as fault:
        reader.problems.append(fault.problem)
    return tuple(documents), tuple(reader.problems)


def _read_text(path: Path, shown: str) -> tuple[str, Diagnostic | None]:
    if not path.is_file():
        what = "is not a regular file" if path.exists() else "does not exist"
        return "", Diagnostic("unreadable-file", f"the file {what}", Span(shown))
    try:
        raw = path.read_bytes()
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        return "", Diagnostic("unreadable-file", f"cannot be read: {reason}", Span(shown))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        before = raw[: fault.start].decode("utf-8-sig")
        return "", Diagnostic(
            "not-utf-8",
            f"byte 0x{raw[fault.start]:02x} is not valid UTF-8",
            _after(before, shown),
            "save the file as UTF-8",
        )
    if bad := _FORBIDDEN.search(text):
        return "", Diagnostic(
            "control-character",
            f"the character U+{ord(bad.group()):04X} cannot stand in YAML",
            _after(text[: bad.start()], shown),
            "remove it",
        )
    return text, None


def _after(before: str, shown: str) -> Span:
    lines = re.split("\r\n?|\n", before)
    return Span(shown, len(lines), len(lines[-1]) + 1)


def _place(mark: yaml.Mark, shown: str) -> Span:
    return Span(shown, mark.line + 1, mark.column + 1)


def _as_one_escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    high, low = int(found[1], 16) - 0xD800, int(found[2], 16) - 0xDC00
    return f"\\U{0x10000 + high * 0x400 + low:08x}"


class _TooMuch(Exception):
    def __init__(self, problem: Diagnostic) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read yet."""

    value: dict[Any, Any] | list[Any]
    where: Where
    anchor: str | None
    size: int = 1
    key: Any = None
    has_key: bool = False
    merges: list[dict[Any, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """Builds values from events, iteratively; gathers problems on the way."""

    path: str
    json: bool
    end: Span  # the parser's end is a line further, where the last one has no line end
    problems: list[Diagnostic] = field(default_factory=list)
    places: dict[Where, Span] = field(default_factory=dict)
    keys: dict[Where, Span] = field(default_factory=dict)
    trapped: set[Where] = field(default_factory=set)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    root: Any = None
    size: int = 0

    def documents(self, text: str) -> Iterator[Document]:
        """Each document of a stream that is not empty."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is 8 times faster
        for event in yaml.parse(text, Loader=loader):
            match event:
                case yaml.DocumentStartEvent():
                    self.places, self.keys, self.anchors = {}, {}, {}
                    self.trapped, self.stack, self.root, self.size = set(), [], None, 0
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
        return min(_place(event.start_mark, self.path), self.end)

    def _problem(self, code: str, message: str, event: Any, hint: str | None = None) -> None:
        self.problems.append(Diagnostic(code, message, self._span(event), hint))

    def _too_much(self, message: str, event: Any) -> _TooMuch:
        hint = "a manifest needs no more; is this file one?"
        return _TooMuch(Diagnostic("yaml-too-large", message, self._span(event), hint))

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
        if is_key:
            self._key(value, event, plain=plain)
            return
        where = self._where()
        self.places.setdefault(where, self._span(event))
        if tagged:
            self.trapped.add(where)
        if "\0" in event.value:  # no path, name or text at a service can hold it
            self.trapped.add(where)
            self._problem("control-character", "the text holds a NUL", event, "take \\0 out")
            value = event.value.replace("\0", "")
        if isinstance(value, Trap):
            self.trapped.add(where)
            self._problem(value.code, value.message, event, value.hint)
            value = value.meant
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)
        self._place(value, event, 1)

    def _key(self, value: Any, event: Any, *, plain: bool) -> None:
        parent = self.stack[-1]
        if isinstance(value, Trap):
            self._problem(value.code, value.message, event, f'write "{event.value}" in quotes')
            self.trapped.add((*parent.where, event.value))
            value = event.value
        elif not isinstance(value, str):
            self._problem(
                "yaml-key", f"the key '{event.value}' is not text", event, "put it in quotes"
            )
            value = event.value
        where = (*parent.where, value)
        if value in parent.value and not (plain and value == "<<"):
            first = self.keys.get(where)
            self._problem(
                "repeated-key",
                f"the key '{value}' stands twice in one mapping",
                event,
                f"it already stands in line {first.line}; keep one" if first else "keep one",
            )
        parent.key, parent.has_key = value, True
        self.keys.setdefault(where, self._span(event))

    def _alias(self, event: Any) -> None:
        known = self.anchors.get(event.anchor)
        if known is None:
            self._problem(
                "yaml-alias",
                f"the alias '*{event.anchor}' has no anchor before it",
                event,
                f"mark a value with '&{event.anchor}' first",
            )
            known = (None, 1)
            self.trapped.add(self._where())
        self.places.setdefault(self._where(), self._span(event))
        self._place(known[0], event, known[1])

    def _place(self, value: Any, event: Any, size: int) -> None:
        """Put a finished value where it belongs."""
        self.size += 1
        if max(self.size, size) > LARGEST:
            raise self._too_much(f"the document holds more than {LARGEST:,} values", event)
        if not self.stack:
            self.root = value
            return
        parent = self.stack[-1]
        parent.size += size
        if parent.size > LARGEST:
            raise self._too_much(f"aliases expand to more than {LARGEST:,} values", event)
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif not parent.has_key:  # a collection as a key: reported where it began
            self.trapped.add((*parent.where, ""))
            parent.key, parent.has_key = "", True
        elif parent.key == "<<" and (merges := _mappings(value)) is not None:
            parent.merges.extend(merges)
            parent.has_key = False
        else:
            parent.value.setdefault(parent.key, value)
            parent.has_key = False

    def _tag_problem(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self._problem("yaml-tag", f"the tag '{tag}' is not known here", event, "remove the tag")


def _mappings(value: Any) -> list[dict[Any, Any]] | None:
    """What a merge key (`<<`) merges: one mapping or a list of them."""
    candidates = value if isinstance(value, list) else [value]
    return candidates if all(isinstance(entry, dict) for entry in candidates) else None


def _syntax_problem(fault: yaml.MarkedYAMLError, text: str, shown: str) -> Diagnostic:
    """The parser's complaint in the words of those who write YAML."""
    mark = fault.problem_mark or fault.context_mark
    problem = fault.problem or "this is not YAML"
    if mark is None:
        return Diagnostic("yaml-syntax", str(problem), Span(shown))
    opened = fault.context_mark or mark
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    code, message, hint = "yaml-syntax", problem, None
    if "cannot start any token" in problem and "\t" in line[: mark.column + 1]:
        code, message = "yaml-tab", "a tab where only spaces can indent"
        hint = "replace it with spaces"
    elif "cannot start any token" in problem:
        message = f"'{line[mark.column : mark.column + 1]}' cannot start a value"
        hint = "put the value in quotes"
    elif "unexpected end of stream" in problem:
        mark, message = opened, "a quote that is opened here is never closed"
        hint = "add the same quote where the text ends"
    elif "flow" in (context := fault.context or ""):
        closing = "']'" if "sequence" in context else "'}'"
        message = f"expected ',' or {closing} of the bracket in line {opened.line + 1}"
        hint = "close the bracket, or add the comma that is missing before this"
    else:
        known = next((row for row in _SYNTAX if row[0] in problem), None)
        if known is not None:
            _, message, hint = known
            message = message.format(line=opened.line + 1)
    return Diagnostic(code, message, min(_place(mark, shown), _after(text, shown)), hint)


# A part of the parser's words; ours, with the line where the block or text begins; the cure.
_SYNTAX = (
    (
        "mapping values are not allowed",
        "': ' cannot stand here: this line already has a key, or is indented too far",
        "put a value that holds ': ' in quotes; begin the keys of one mapping in one column",
    ),
    (
        "did not find expected key",
        "expected a key of the mapping that begins in line {line}",
        "begin its keys in one column; put a value that starts with a quote wholly in quotes",
    ),
    (
        "did not find expected '-'",
        "expected '- ' as in the list that begins in line {line}",
        "begin the entries of one list in one column",
    ),
    (
        "could not find expected ':'",
        "the text that begins in line {line} is no 'key: value'",
        "add ': ' after the key, or indent text that goes on over several lines",
    ),
    (
        "block sequence entries are not allowed",
        "a list cannot begin here",
        "begin it in a line of its own, under its key",
    ),
    (
        "expected <document start>",
        "the document ends before this",
        "begin another with '---', or indent this like the rest",
    ),
    (
        "unknown escape character",
        "a backslash in double quotes that escapes nothing",
        "use single quotes, or write two backslashes",
    ),
    (
        "invalid Unicode character",
        "an escape that stands for no character",
        "write the character itself",
    ),
    (
        "expected hexdecimal number",
        "a backslash in double quotes that escapes nothing",
        "use single quotes, or write two backslashes",
    ),
)
