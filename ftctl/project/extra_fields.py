"""Manifests in; the fields of ours that stand in their `extra` in another spelling out.

A service that heeds `nEpochs` would train, and bill, what no plan has priced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ftctl.catalog.request import plain_key
from ftctl.errors import Diagnostic
from ftctl.manifest import Document, Where, shorten
from ftctl.manifest.schema import load_schema, show_value

# Fields of the request, by what a manifest calls them: `extra` takes none of them.
_OF_THE_MANIFEST = {
    "model": "base_model",
    "training_file": "training",
    "validation_file": "validation",
    "metadata": "metadata",
    "seed": "seed",
    "suffix": "suffix",
    "integrations": "integrations",
}
_HOLDERS = ("method", "hyperparameters")
_OF_A_METHOD = ("hyperparameters", "grader")
_METHODS = ("supervised", "dpo", "reinforcement")


def check_extra(documents: Iterable[Document]) -> tuple[Diagnostic, ...]:
    """Every field that we know and that `extra` spells otherwise, told once for each place."""
    hyperparameters = [*load_schema("finetune")["$defs"]["any-hyperparameters"]["properties"]]
    found = (
        problem
        for document in documents
        for problem in _problems(document, document.value.get("extra"), hyperparameters)
    )
    return tuple(dict.fromkeys(found))


def _problems(document: Document, extra: Any, hyperparameters: list[str]) -> Iterator[Diagnostic]:
    top = (*_OF_THE_MANIFEST, *_HOLDERS, *hyperparameters)
    yield from _respelt(document, ("extra",), extra, top)
    yield from _respelt(document, ("extra", "hyperparameters"), extra, hyperparameters)
    yield from _respelt(document, ("extra", "method"), extra, ("type", *_METHODS))
    for method in _METHODS:
        way: Where = ("extra", "method", method)
        yield from _respelt(document, way, extra, _OF_A_METHOD)
        yield from _respelt(document, (*way, "hyperparameters"), extra, hyperparameters)


def _respelt(
    document: Document, way: Where, extra: Any, known: Iterable[str]
) -> Iterator[Diagnostic]:
    """The keys of one mapping that are known ones but for case, dashes and other signs."""
    names = {plain_key(name): name for name in known}
    for key, value in _mapping_at(extra, way[1:]).items():
        name = names.get(plain_key(key)) if isinstance(key, str) else None
        if name is not None and name != key:
            yield Diagnostic(
                "other-spelling",
                f"'{shorten(key)}' in 'extra' is '{name}' in another spelling",
                document.key_place((*way, key)),
                _cure(name, value),
            )


def _mapping_at(value: Any, way: Where) -> Mapping[Any, Any]:
    for key in way:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _cure(name: str, value: Any) -> str:
    if name in (*_HOLDERS, *_OF_A_METHOD, *_METHODS, "type"):
        return f"write '{name}'"
    shown = show_value(value) if isinstance(value, int | float | str) else "…"
    if name in _OF_THE_MANIFEST:
        shown = "…" if _OF_THE_MANIFEST[name] != name else shown
        return f"take it out of 'extra' and write '{_OF_THE_MANIFEST[name]}: {shown}' beside it"
    return f"take it out of 'extra' and write '{name}: {shown}' below 'hyperparameters'"
