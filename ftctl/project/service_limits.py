"""Manifests and a service in; what they ask for that it does not do out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ftctl.catalog.services import Service
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import Document
from ftctl.manifest.schema import show_value
from ftctl.text.format import joined

_HIGHEST_RATE = 0.01  # training goes astray far below it; factors are mostly far above
_RATES = (
    ("hyperparameters", "learning_rate_multiplier"),
    ("extra", "hyperparameters", "learning_rate_multiplier"),
    ("extra", "hyperparameters", "learning_rate"),
)


def check_service(documents: tuple[Document, ...], service: Service) -> tuple[Diagnostic, ...]:
    """What the manifests ask for that this service does not do."""
    problems = []
    for document in documents:
        value = document.value
        method = value.get("method", "supervised")
        if method not in service.methods:
            able = joined(sorted(service.methods))
            problems.append(
                _not_served(
                    f"{service.type} trains by method {able} only, not {method}",
                    document.place(("method",)),
                )
            )
        problems += [
            _not_served(reason, document.key_place((name,)))
            for name, reason in service.refuses.items()
            if name in value
        ]
        problems += _unwise(document, service)
        suffix = value.get("suffix")
        if isinstance(suffix, str) and not re.fullmatch(service.suffix_pattern, suffix):
            problems.append(
                _not_served(
                    f"{service.type} does not take the suffix '{suffix}'",
                    document.place(("suffix",)),
                )
            )
    return tuple(problems)


def _unwise(document: Document, service: Service) -> Iterator[Diagnostic]:
    """What the service would take, or might, and do something else with than is meant."""
    value = document.value
    parent = value.get("base_model")
    if isinstance(parent, dict) and not service.names_models:
        message = f"{service.type} gives models no name that a training could go on from"
        yield _not_served(message, document.place(("base_model",)))
    yield from _factors(document, service)
    extra = value.get("extra")
    given = extra if isinstance(extra, dict) else {}
    for name, usual in service.wants.items() if "adopt" not in value else ():
        if name not in given:
            message = f"'extra.{name}' is missing; {service.type} may refuse to train without it"
            hint = f"add 'extra: {{{name}: {usual}}}', here or below 'defaults' in ftctl.yaml"
            place = document.place(("extra",) if given else ())
            yield Diagnostic("not-given", message, place, hint, "warning")


def _factors(document: Document, service: Service) -> Iterator[Diagnostic]:
    """Factors of a learning rate where the service takes the rate itself."""
    for way in _RATES if service.absolute_rates else ():
        rate = _at(document.value, way)
        if isinstance(rate, int | float) and not isinstance(rate, bool) and rate > _HIGHEST_RATE:
            told = f"{service.type} takes the learning rate itself and no factor"
            message = f"{told}: {show_value(rate)} ruins a model"
            hint = "write the rate, such as 0.00002, or take the line out"
            yield Diagnostic("not-served", message, document.place(way), hint)


def _at(value: Any, way: tuple[str, ...]) -> Any:
    for step in way:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _not_served(message: str, place: Span) -> Diagnostic:
    hint = "change the field, or choose another service with 'provider' in ftctl.yaml"
    return Diagnostic("not-served", message, place, hint)
