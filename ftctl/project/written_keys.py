"""Manifests and ftctl.yaml in; keys that stand in them, and references that could not be kept, out.

What they say is in git, in plans and in digests, and much of it is shown by the service to
everybody in the account. A key has a place in `extra` and in a header or parameter alone, as a
reference to a variable.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from ftctl.catalog.variables import owner_of
from ftctl.domain.variables import references
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import Document, Where, shorten
from ftctl.text.credentials import key_in, named_key_in, names_secret
from ftctl.text.redaction import holds_secret

_SHOWN_BY_THE_SERVICE = "take it out: everybody in the account can read it"
_TO_A_PROGRAM = "take it out: let the program read it from a variable, or from its own login"
# What to do about a key below these; None: see `_cure`.
_FIELDS = {
    "extra": None,
    "headers": None,
    "query": None,
    "metadata": _SHOWN_BY_THE_SERVICE,
    "suffix": _SHOWN_BY_THE_SERVICE,
    "grader": "take it out: the service calls graders with its own keys",
    "integrations": "take it out: the key of Weights & Biases is registered in the service's"
    " dashboard",
    "provider": "put it into an environment variable, and name that one with 'api_key_env'",
    "api_key_command": _TO_A_PROGRAM,
    "commands": _TO_A_PROGRAM,
}
_DECIDE = ("hyperparameters", "method", "trainingType")  # fields of extra: what is bought
_ADDRESSES = ("source", "base_url")  # a password in these has a message of its own
_NAMES = ("api_key_env", "env")  # of variables: the schema lets nothing else stand there
_SHORTEST_SECRET = 16  # characters: a shorter value of a variable may be a word
_HIDDEN = "…"


def keys_written_in(document: Document) -> tuple[Diagnostic, ...]:
    """Everything in a document that looks like a key: values and keys of mappings."""
    if key_in(_all_text([document])) is None:  # nearly always
        return ()
    return tuple(
        _written(document, way, f"what looks like {kind}", is_key=is_key)
        for way, text, is_key in _texts(document.value, ())
        if (kind := _key_in(way, text, is_key=is_key)) is not None
        and not _told_elsewhere(way, kind)
    )


def _key_in(way: Where, text: str, *, is_key: bool) -> str | None:
    """What kind of key a text is, also by the names of the fields that it stands in."""
    kind = key_in(text)
    return kind if kind or is_key else named_key_in(_with_names(way, text))


def _with_names(way: Where, text: str) -> str:
    return f"{' '.join(str(step) for step in way[-2:])}: {text}"


def check_written_keys(
    documents: Iterable[Document], secrets: Collection[str] = (), key_variable: str | None = None
) -> tuple[Diagnostic, ...]:
    """Every text in documents that holds one of these secrets; and bad references."""
    documents = tuple(documents)
    known = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    problems = _known_keys(documents, known) if known else []
    for document in documents:
        problems += _bad_references(document, key_variable)
    return tuple(dict.fromkeys(problems))


def _known_keys(documents: Collection[Document], secrets: Collection[str]) -> list[Diagnostic]:
    """Each text with one of these values, however it is written. Nearly always there is none."""
    if not holds_secret(_all_text(documents), secrets):
        return []
    return [
        _written(document, way, "a key of this machine's environment", is_key=is_key)
        for document in documents
        for way, text, is_key in _texts(document.value, ())
        if holds_secret(text, secrets)
        and key_in(text) is None
        and document.place(way).path == document.path  # defaults are told where they stand
    ]


def _all_text(documents: Iterable[Document]) -> str:
    """Every text of documents, a line for each: one look at them all is cheaper than many."""
    found: list[str] = []
    waiting: list[tuple[Where, Any]] = [((), document.value) for document in documents]
    while waiting:
        way, value = waiting.pop()
        if isinstance(value, str):
            found.append(_with_names(way, value))
        elif isinstance(value, dict):
            found += [key for key in value if isinstance(key, str)]
            waiting.extend(((*way[-1:], key), inner) for key, inner in value.items())
        elif isinstance(value, list):
            waiting.extend(((*way[-1:], place), inner) for place, inner in enumerate(value))
    return "\n".join(found)


def of_another(variable: str, owner: str, place: Span) -> Diagnostic:
    """What to tell of a variable that is somebody else's."""
    message = f"the variable {variable} belongs to {owner} and is not sent to a service that trains"
    return Diagnostic("others-variable", message, place, _cure_of_another(variable))


def _cure_of_another(variable: str) -> str:
    if variable == "AWS_BEARER_TOKEN_BEDROCK":
        return "it is the key of Amazon Bedrock: write 'type: bedrock'"
    return "put the service's own key into a variable of its own, such as GATEWAY_API_KEY"


def _told_elsewhere(way: Where, kind: str) -> bool:
    """Whether what the schema or the reading of addresses says of it is enough."""
    if "provider" in way[:3:2] and (way[-1] in _NAMES or "variables" in way):
        return True
    return bool(way) and way[-1] in _ADDRESSES and kind == "a password in an address"


def _texts(value: Any, way: Where) -> Iterator[tuple[Where, str, bool]]:
    """Each text within a value, with the way to it and whether it is a mapping's key."""
    if isinstance(value, str):
        yield way, value, False
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(key, str):
                yield (*way, key), key, True
            yield from _texts(inner, (*way, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*way, index))


def _written(document: Document, way: Where, what: str, *, is_key: bool) -> Diagnostic:
    place = document.key_place(way) if is_key else document.place(way)
    shown = (*way[:-1], _HIDDEN) if is_key else way
    message = f"'{_shown(shown)}' holds {what}, in a file that git keeps"
    return Diagnostic("written-key", message, place, "take it out" if is_key else _cure(way))


def _cure(way: Where) -> str:
    """What to do about a key, by the innermost field around it that says so."""
    fields = [number for number, step in enumerate(way) if step in _FIELDS]
    if not fields:
        return "take it out"
    field, inner = way[fields[-1]], way[fields[-1] + 1 :]
    if "extra" in way:
        field, inner = "extra", way[way.index("extra") + 1 :]
    told = _FIELDS[str(field)]
    if told is not None:
        return told
    if not inner or inner[0] in _DECIDE:
        return "take it out"
    name = _name_of(inner)
    return f"put it into an environment variable, and write {shorten(name)}: {_reference(name)}"


def _name_of(way: Where) -> str:
    names = [str(step) for step in way if isinstance(step, str) and key_in(step) is None]
    return names[-1] if names else "NAME"


def _reference(name: str) -> str:
    return f"{{env: {re.sub('[^A-Z0-9]+', '_', f'_{name}'.upper())[1:60] or 'NAME'}}}"


def _shown(way: Where) -> str:
    return shorten(".".join(_HIDDEN if key_in(str(step)) else str(step) for step in way))


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
        elif (owner := owner_of(name)) is not None and not owner.handed_on:
            yield of_another(name, owner.name, document.place(way))
            continue
        else:
            continue
        yield Diagnostic("bad-reference", message, document.place(way), cure)
    for way, text, is_key in _texts(extra, ("extra",)):
        if is_key or len(way) <= 2 or way[-1] != "env":
            continue
        if _meant(document.value, way) and _is_secret(text):
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
