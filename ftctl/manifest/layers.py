"""Documents in, the same laid over one another out; each value keeps the place that set it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftctl.errors import Span
from ftctl.manifest.document import Document, Later, Where

# Mappings whose keys stand for themselves are merged key by key, all else is replaced whole.
_MERGED = frozenset({"hyperparameters", "metadata", "integrations", "extra"})


def below(document: Document, *way: str) -> Document:
    """A part of a document as a document of its own; an empty one where the part is missing."""
    value: Any = document.value
    for step in way:
        value = value.get(step)
        value = value if isinstance(value, dict) else {}
    depth = len(way)

    def moved(places: Mapping[Where, Span]) -> dict[Where, Span]:
        return {full[depth:]: at for full, at in places.items() if full[:depth] == way}

    return Document(document.path, value, moved(document.places), moved(document.keys))


def with_defaults(document: Document, defaults: Document) -> Document:
    """A FineTune with the project's defaults under it; each value keeps the place that set it."""
    if not defaults.value:
        return document
    value = dict(document.value)
    taken: set[Where] = set()
    for key, default in defaults.value.items():
        own = value.get(key)
        if key not in value:
            value[key] = default
            taken.add((key,))
        elif key in _MERGED and isinstance(own, dict) and isinstance(default, dict):
            value[key] = {**default, **own}
            taken.update((key, inner) for inner in default if inner not in own)

    def laid(over: Mapping[Where, Span], under: Mapping[Where, Span]) -> Later:
        def all_places() -> dict[Where, Span]:
            new = {way: at for way, at in under.items() if way[:1] in taken or way[:2] in taken}
            return {**over, **new}

        return Later(lambda: over.get(()), all_places)

    places = laid(document.places, defaults.places)
    return Document(
        document.path, value, places, laid(document.keys, defaults.keys), document.trapped
    )
