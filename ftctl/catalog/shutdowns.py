"""Base models in use go in; warnings of what ends soon come out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from ftctl.catalog.known import Catalog


def shutdown_warnings(
    catalog: Catalog, service: str, models: Iterable[str], today: date
) -> tuple[str, ...]:
    """What people must know before they train: what ends soon, or has ended."""
    warnings = []
    last_day = catalog.no_new_jobs_after(service)
    if last_day is not None and (last_day - today).days <= catalog.warn_days:
        verb = "takes" if last_day >= today else "has taken"
        warnings.append(f"{service} {verb} no new training jobs after {last_day}")
    for model in sorted(set(models)):
        day = catalog.shutdown(service, model)
        if day is not None and (day - today).days <= catalog.warn_days:
            verb = "shuts" if day >= today else "shut"
            warnings.append(f"{service} {verb} {model} down, with its fine-tunes, on {day}")
    return tuple(f"{text} (as known on {catalog.as_of})" for text in warnings)
