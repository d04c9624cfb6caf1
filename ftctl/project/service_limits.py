"""Manifests and a service in; what they ask for that it does not do out."""

from __future__ import annotations

import re

from ftctl.catalog.services import Service
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import Document
from ftctl.text.format import joined


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
        suffix = value.get("suffix")
        if isinstance(suffix, str) and not re.fullmatch(service.suffix_pattern, suffix):
            problems.append(
                _not_served(
                    f"{service.type} does not take the suffix '{suffix}'",
                    document.place(("suffix",)),
                )
            )
    return tuple(problems)


def _not_served(message: str, place: Span) -> Diagnostic:
    hint = "change the field, or choose another service with 'provider' in ftctl.yaml"
    return Diagnostic("not-served", message, place, hint)
