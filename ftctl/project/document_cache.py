"""A manifest's file in, its documents out; those without any fault are known from the last run.

A file is known by the SHA-256 of its bytes. Only flawless files are kept, so that whatever must be
reported comes from the file itself, and no text that was refused stays anywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ftctl.data.cache.store import Store
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import Document, Where, parse_documents, read_bytes
from ftctl.manifest.document import Later

Check = Callable[[], tuple[Diagnostic, ...]]
_Found = tuple[tuple[Document, ...], tuple[Diagnostic, ...]]


class Documents:
    """Reads documents, and remembers which of them fit their schema."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store or Store(None, "")
        self._origins: dict[str, set[str]] = {}  # by the path as shown

    def read(self, path: Path, shown: str) -> _Found:
        """The documents of a file and every problem of its form, as `read_documents` gives them."""
        raw = read_bytes(path, shown)
        if isinstance(raw, Diagnostic):
            return (), (raw,)
        is_json = path.suffix == ".json"
        origin = ("json:" if is_json else "yaml:") + hashlib.sha256(raw).hexdigest()
        self._origins.setdefault(shown, set()).add(origin)
        known = _decoded(self._store.get(origin), shown, origin)
        if known is not None:
            return known, ()
        documents, problems = parse_documents(raw, shown, json=is_json)
        if problems:
            return documents, problems
        encoded = [[one.value, _encoded_places(one)] for one in documents]
        named = tuple(_named(one, origin, number) for number, one in enumerate(documents))
        # What does not come back as it was, such as a merged mapping's places, is not kept.
        if _decoded(_through_json(encoded), shown, origin) != named:
            return documents, problems
        self._store.put(origin, encoded)
        return named, problems

    def faults(self, document: Document, context: str, check: Check) -> tuple[Diagnostic, ...]:
        """What the check finds. It is not made where it found nothing before, in this context:
        all but the document that its outcome depends on, such as its schema and its defaults.
        """
        mark = f"fit:{document.origin}:{_hash(context)}"
        if document.origin and self._store.has(mark):
            return ()
        faults = check()
        if document.origin and not faults:
            self._store.put(mark, value=True)
        return faults

    def save(self, problems: Iterable[Diagnostic]) -> None:
        """Keep what was read for the next run, but for the files that an error was found in."""
        for path in {one.span.path for one in problems if one.severity == "error"}:
            for origin in self._origins.get(path, ()):
                self._store.drop(origin)
        self._store.save()

    def index_is_known(self, index: Path, way: str, signature: list[int]) -> bool:
        """Whether git's index was found in this state to track nothing there."""
        return bool(self._store.get(_index_key(index, way)) == signature)

    def remember_index(self, index: Path, way: str, signature: list[int]) -> None:
        """Keep that git's index tracks nothing there."""
        self._store.put(_index_key(index, way), signature)


def _index_key(index: Path, way: str) -> str:
    return f"index:{_hash(f'{index}|{way}')}"


@cache
def _hash(context: str) -> str:
    return hashlib.sha256(context.encode("utf-8", "backslashreplace")).hexdigest()


def _named(document: Document, origin: str, number: int) -> Document:
    return Document(
        document.path,
        document.value,
        document.places,
        document.keys,
        document.trapped,
        f"{origin}#{number}",
    )


def _through_json(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value))
    except (ValueError, RecursionError):
        return None


def _decoded(kept: Any, shown: str, origin: str) -> tuple[Document, ...] | None:
    if kept is None:
        return None
    return tuple(
        Document(
            shown,
            value,
            _places(shown, value, places, 0),
            _places(shown, value, places, 1),
            origin=f"{origin}#{number}",
        )
        for number, (value, places) in enumerate(kept)
    )


def _encoded_places(document: Document) -> str:
    """`line:column`, of values and of keys, in the order of the values."""
    return ";".join(
        f"{_encoded(document.places.get(where))}/{_encoded(document.keys.get(where))}"
        for where in _ways((), document.value)
    )


def _encoded(span: Span | None) -> str:
    return "" if span is None else f"{span.line}:{span.column}"


def _ways(where: Where, value: Any) -> Iterator[Where]:
    yield where
    match value:
        case dict():
            for key, inner in value.items():
                yield from _ways((*where, key), inner)
        case list():
            for index, inner in enumerate(value):
                yield from _ways((*where, index), inner)


def _places(shown: str, value: Any, encoded: str, part: int) -> Later:
    """Of values (part 0) or of keys (part 1)."""

    def own() -> Span | None:
        return _span(encoded.partition(";")[0], shown, part)

    def all_places() -> dict[Where, Span]:
        pairs = zip(_ways((), value), encoded.split(";"), strict=True)
        spans = ((where, _span(text, shown, part)) for where, text in pairs)
        return {where: span for where, span in spans if span is not None}

    return Later(own, all_places)


def _span(text: str, shown: str, part: int) -> Span | None:
    line, _, column = text.split("/")[part].partition(":")
    return Span(shown, int(line), int(column)) if line else None
