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


# What a change to ftctl.yaml may set for itself: what is trained, which the plan shows.
_OWN = ("defaults", "manifests")


def apply_base_settings(own: Document, base: Document) -> Document:
    """A project's settings where a change to them waits for its review: those of the base.

    `defaults` and `manifests` stay the change's own, also those of the base's environments.
    """
    value = {key: entry for key, entry in base.value.items() if key not in _OWN}
    value |= {key: own.value[key] for key in _OWN if key in own.value}
    theirs, ours = base.value.get("environments"), own.value.get("environments")
    if isinstance(theirs, dict):
        ours = ours if isinstance(ours, dict) else {}
        value["environments"] = {
            name: _environment(settings, ours.get(name)) for name, settings in theirs.items()
        }

    def is_own(way: Where) -> bool:
        if way[:1] != ("environments",):
            return way[:1] in {(), *((key,) for key in _OWN)}
        return way[2:3] in {(key,) for key in _OWN}

    def chosen(base_places: Mapping[Where, Span], own_places: Mapping[Where, Span]) -> Any:
        kept = {way: at for way, at in base_places.items() if not is_own(way)}
        return {**kept, **{way: at for way, at in own_places.items() if is_own(way)}}

    places = chosen(base.places, own.places)
    return Document(own.path, value, places, chosen(base.keys, own.keys), own.trapped)


def _environment(theirs: Any, ours: Any) -> Any:
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        return theirs
    kept = {key: entry for key, entry in theirs.items() if key not in _OWN}
    return kept | {key: ours[key] for key in _OWN if key in ours}


def changed_settings(own: Document, base: Document) -> tuple[str, ...]:
    """The keys at the top whose change does not count yet, by name."""
    settled = apply_base_settings(own, base).value
    keys = {key for key in (*own.value, *base.value) if key not in _OWN}
    return tuple(sorted(key for key in keys if own.value.get(key) != settled.get(key)))


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
