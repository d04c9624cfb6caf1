"""A spec and a service's row in; the create request that is sent, and what it asks for, out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftctl.catalog.services import SERVICES, Service

# What services call the passes over the data besides `n_epochs`, without case and signs.
_EPOCHS = re.compile(r"(n|num|number|numberof|max|total)?(train|training)?epochs?(count)?")
_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a create request asks of a training.

    `hyperparameters` are those in `place`, the way to where the service reads them. `others` are in
    the second place that the wire has for them, where only `extra` can have put them. A value of
    None is a null that is sent.
    """

    method: str
    place: tuple[str, ...]
    hyperparameters: Mapping[str, Any]
    others: Mapping[str, Any]
    seed: Any = None
    stray_epochs: tuple[Any, ...] = ()  # elsewhere in `extra`, under names that speak of epochs

    def values(self, name: str) -> tuple[Any, ...]:
        """All that the request says of a hyperparameter, what the service reads first."""
        places = (self.hyperparameters, self.others)
        return tuple(place[name] for place in places if name in place)


def row_of(service: str) -> Service:
    """The row of a type of service; of one that is not known, that for all with this wire."""
    return SERVICES.get(service, SERVICES["compatible"])


def asked_of(spec: Mapping[str, Any], service: Service) -> Asked:
    """What the request for a spec asks for, `extra` included."""
    request, method = job_request(spec, service), method_of(spec)
    places = [("method", method, "hyperparameters"), ("hyperparameters",)]
    if service.hyperparameters == "top-level":
        places.reverse()
    first, second = (_at(request, place) for place in places)
    strays = tuple(_stray_epochs(spec.get("extra")))
    return Asked(method, places[0], first, second, request.get("seed"), strays)


def method_of(spec: Mapping[str, Any]) -> str:
    """The method that the request for a spec names, be it the short one that a job remembers."""
    kind = _mapping(_mapping(spec.get("extra")).get("method")).get("type")
    return kind if isinstance(kind, str) else str(spec.get("method", "supervised"))


def job_request(spec: Mapping[str, Any], service: Service) -> dict[str, Any]:
    """The fields of a create request for a spec, with what only the service knows merged in."""
    method = spec.get("method", "supervised")
    hyperparameters = {
        service.rate_field if name == "learning_rate_multiplier" else name: value
        for name, value in spec.get("hyperparameters", {}).items()
    }
    body: dict[str, Any] = {key: spec[key] for key in ("seed", "suffix", "metadata") if key in spec}
    if service.hyperparameters == "top-level":
        body |= {"hyperparameters": hyperparameters} if hyperparameters else {}
    else:
        settings = {"hyperparameters": hyperparameters} if hyperparameters else {}
        if "grader" in spec:
            settings["grader"] = spec["grader"]
        body["method"] = {"type": method} | ({method: settings} if settings else {})
    if "integrations" in spec:
        body["integrations"] = [
            {"type": kind, kind: dict(value)} for kind, value in spec["integrations"].items()
        ]
    return _merged(body, spec.get("extra", {}))


def _merged(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Both, key by key all the way down. The SDK's own merge would replace whole mappings."""
    merged = dict(body)
    for key, value in extra.items():
        ours = merged.get(key)
        if isinstance(ours, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(ours, value)
        else:
            merged[key] = value
    return merged


def _at(request: Mapping[str, Any], place: tuple[str, ...]) -> Mapping[str, Any]:
    """The mapping in a place; an empty one where there is none."""
    found: Any = request
    for key in place:
        found = _mapping(found).get(key)
    return _mapping(found)


def _mapping(value: Any) -> Mapping[str, Any]:
    """What is one; an empty one for all else."""
    return value if isinstance(value, Mapping) else {}


def _stray_epochs(extra: Any) -> Iterator[Any]:
    """What `extra` says of epochs where the wire has no place for it: a service may heed it."""
    for way, value in epochs_named(extra):
        below_method = len(way) == 4 and way[0] == "method"
        if (way[2:] if below_method else way) != ("hyperparameters", "n_epochs"):
            yield value


def epochs_named(value: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Whatever a spec says of epochs, by any name and at any depth, with the keys to it."""
    if isinstance(value, list | tuple):
        for entry in value:
            yield from epochs_named(entry, (*way, "[]"))
    for key, inner in _mapping(value).items():
        if _EPOCHS.fullmatch(plain_key(key)):
            yield (*way, key), inner
        yield from epochs_named(inner, (*way, key))


def plain_key(key: str) -> str:
    """A key without case, dashes and other signs: `nEpochs` and `n-epochs` are `nepochs`."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", key).casefold())
