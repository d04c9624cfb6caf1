"""`Observed` to JSON and back: a recorded snapshot is a bug report and a test case."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from typing import Any

from ftctl.domain.observed import File, Job, JobError, Observed


def observed_document(observed: Observed) -> dict[str, Any]:
    """The snapshot as JSON; fields at their defaults are left out."""
    others = {"others": [_sparse(job) for job in observed.others]} if observed.others else {}
    days = {model: day.isoformat() for model, day in sorted(observed.shutdowns.items())}
    return {
        **others,
        **({"shutdowns": days} if days else {}),
        "jobs": [_sparse(job) for job in observed.jobs],
        "files": [_sparse(file) for file in observed.files],
        "models": sorted(observed.models) if observed.models is not None else None,
        "adopted": [_sparse(job) for job in observed.adopted],
    }


def read_observed(document: Mapping[str, Any]) -> Observed:
    """The snapshot that `observed_document` wrote."""
    models = document.get("models", [])
    return Observed(
        jobs=tuple(_job(job) for job in document.get("jobs", ())),
        files=tuple(File(**file) for file in document.get("files", ())),
        models=frozenset(models) if models is not None else None,
        adopted=tuple(_job(job) for job in document.get("adopted", ())),
        others=tuple(_job(job) for job in document.get("others", ())),
        shutdowns={
            model: date.fromisoformat(day) for model, day in document.get("shutdowns", {}).items()
        },
    )


def _job(document: Mapping[str, Any]) -> Job:
    fields = dict(document)
    if "error" in fields:
        fields["error"] = JobError(**fields["error"])
    if "result_files" in fields:
        fields["result_files"] = tuple(fields["result_files"])
    return Job(**fields)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _sparse(value: Any) -> dict[str, Any]:
    document = {}
    for field in dataclasses.fields(value):
        entry = getattr(value, field.name)
        if entry == _default(field):
            continue
        if dataclasses.is_dataclass(entry):
            entry = _sparse(entry)
        document[field.name] = (
            dict(entry) if isinstance(entry, Mapping) else list(entry) if isinstance(entry, tuple)
            else entry
        )  # fmt: skip
    return document
