"""Manifests in; keys that stand in them, and references that could not be kept secret, out.

What a manifest says is in git, in plans and in digests, and much of it is shown by the service to
everybody in the account. A key has a place in `extra` alone, as a reference to a variable.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from ftctl.domain.variables import references
from ftctl.errors import Diagnostic
from ftctl.manifest import Document, Where, shorten
from ftctl.text.credentials import key_in, names_secret

_SHOWN_BY_THE_SERVICE = "take it out: everybody in the account can read it"
# Fields that may hold text of the user's own, each with what to do about a key in it.
_FIELDS = {
    "extra": None,  # see `_cure`
    "metadata": _SHOWN_BY_THE_SERVICE,
    "suffix": _SHOWN_BY_THE_SERVICE,
    "grader": "take it out: the service calls graders with its own keys",
    "integrations": "take it out: the key of Weights & Biases is registered in the service's"
    " dashboard",
}
_DECIDE = ("hyperparameters", "method", "trainingType")  # fields of extra: what is bought
_SHORTEST_SECRET = 16  # characters: a shorter value of a variable may be a word


def check_written_keys(
    documents: Iterable[Document], secrets: Collection[str] = (), key_variable: str | None = None
) -> tuple[Diagnostic, ...]:
    """Every key in a manifest: what looks like one, or is among `secrets`; and bad references."""
    known = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    problems: list[Diagnostic] = []
    for document in documents:
        for field in _FIELDS:
            for way, text in _texts(document.value.get(field), (field,)):
                if (what := _kind(text, known)) is not None:
                    problems.append(_written(document, way, what))
        problems += _bad_references(document, key_variable)
    return tuple(dict.fromkeys(problems))


def _texts(value: Any, way: Where) -> Iterator[tuple[Where, str]]:
    """Each text within a value, with the way to it."""
    if isinstance(value, str):
        yield way, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*way, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*way, index))


def _kind(text: str, secrets: Collection[str]) -> str | None:
    if any(secret in text for secret in secrets):
        return "a key of this machine's environment"
    found = key_in(text)
    return f"what looks like {found}" if found else None


def _written(document: Document, way: Where, what: str) -> Diagnostic:
    message = f"'{_shown(way)}' holds {what}, in a file that git keeps"
    return Diagnostic("written-key", message, document.place(way), _cure(way))


def _cure(way: Where) -> str:
    field, *inner = way
    told = _FIELDS[str(field)]
    if told is not None:
        return told
    if not inner or inner[0] in _DECIDE:
        return "take it out"
    name = next(str(step) for step in reversed(way) if isinstance(step, str))
    return f"put it into an environment variable, and write {shorten(name)}: {_reference(name)}"


def _reference(name: str) -> str:
    return f"{{env: {re.sub('[^A-Z0-9]+', '_', f'_{name}'.upper())[1:60] or 'NAME'}}}"


def _shown(way: Where) -> str:
    return shorten(".".join(str(step) for step in way))


def _bad_references(document: Document, key_variable: str | None) -> Iterator[Diagnostic]:
    extra = document.value.get("extra")
    if not isinstance(extra, dict):
        return
    for inner, name in references(extra):
        way: Where = ("extra", *inner)
        if inner[0] in _DECIDE:
            message = f"'{_shown(way)}' decides what is bought, and cannot be left to a variable"
            cure = "write the value itself"
        elif name == key_variable:
            message = f"'{_shown(way)}' would send the service its own key as a part of the job"
            cure = "take it out: the key goes with every request"
        else:
            continue
        yield Diagnostic("bad-reference", message, document.place(way), cure)
    for way, text in _texts(extra, ("extra",)):
        if len(way) > 2 and way[-1] == "env" and _meant(document.value, way) and _is_secret(text):
            message = f"'{_shown(way)}' is '{shorten(text)}', which names no variable"
            cure = f"write {_reference(text)} if the variable of that name is meant"
            yield Diagnostic("bad-reference", message, document.place(way), cure)


def _meant(value: Any, way: Where) -> bool:
    """Whether the mapping around a text has nothing else in it."""
    for step in way[:-1]:
        value = value[step]
    return len(value) == 1


def _is_secret(text: str) -> bool:
    return text != text.upper() and names_secret(text)
