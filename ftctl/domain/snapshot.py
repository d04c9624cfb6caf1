"""`Observed` to JSON and back: a recorded snapshot is a bug report and a test case."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ftctl.domain.observed import AccountId, File, Job, JobError, Observed

N = TypeVar("N", Job, File, JobError, AccountId)


def observed_document(observed: Observed) -> dict[str, Any]:
    """The snapshot as JSON; fields at their defaults are left out."""
    days = {model: day.isoformat() for model, day in sorted(observed.shutdowns.items())}
    sometimes = {
        "others": [_sparse(job) for job in observed.others],
        "strangers": [_sparse(job) for job in observed.strangers],
        "shutdowns": days,
        "account": _sparse(observed.account),
        "missing": sorted(observed.missing),
        "unreadable": list(observed.unreadable),
        "told_at": observed.told_at,
    }
    return {
        **{key: value for key, value in sometimes.items() if value},
        "jobs": [_sparse(job) for job in observed.jobs],
        "files": [_sparse(file) for file in observed.files],
        "models": sorted(observed.models) if observed.models is not None else None,
        "adopted": [_sparse(job) for job in observed.adopted],
    }


def read_observed(document: Mapping[str, Any]) -> Observed:
    """The snapshot that `observed_document` wrote.

    Raises TypeError, ValueError or AttributeError for a document that is none.
    """
    models = _texts(document.get("models", []))
    shutdowns = document.get("shutdowns", {})
    return Observed(
        jobs=_jobs(document.get("jobs", [])),
        files=tuple(_noun(File, file) for file in document.get("files", [])),
        models=None if models is None else frozenset(models),
        adopted=_jobs(document.get("adopted", [])),
        others=_jobs(document.get("others", [])),
        shutdowns={str(model): date.fromisoformat(day) for model, day in shutdowns.items()},
        account=_noun(AccountId, document.get("account", {})),
        strangers=_jobs(document.get("strangers", [])),
        missing=frozenset(_texts(document.get("missing", [])) or ()),
        unreadable=_texts(document.get("unreadable", [])) or (),
        told_at=_moment(document.get("told_at")),
    )


def _jobs(documents: Iterable[Mapping[str, Any]]) -> tuple[Job, ...]:
    return tuple(_job(document) for document in documents)


def _job(document: Mapping[str, Any]) -> Job:
    fields = dict(document)
    if fields.get("error") is not None:
        fields["error"] = _noun(JobError, fields["error"])
    fields["result_files"] = _texts(fields.get("result_files", [])) or ()
    return _noun(Job, fields)


def _moment(value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise TypeError("a time is a number of seconds")
    return value


def _texts(values: object) -> tuple[str, ...] | None:
    if values is None:
        return None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("not a list of texts")
    return tuple(values)


def _noun(kind: type[N], fields: Mapping[str, Any]) -> N:
    """The noun with these fields, each of the type that it declares."""
    hints = get_type_hints(kind)
    for name, value in fields.items():
        if not _fits(value, hints.get(name)):
            raise TypeError(f"'{name}' of a {kind.__name__} is another type")
    return kind(**fields)


def _fits(value: object, hint: Any) -> bool:
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, choice) for choice in get_args(hint))
    kind = get_origin(hint) or hint
    if kind is int and isinstance(value, bool):
        return False
    return isinstance(kind, type) and isinstance(value, kind)


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
