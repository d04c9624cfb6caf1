"""What the service sends in, our nouns out; services leave fields out and add others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from ftctl.domain.digest import FileName, job_hash, read_file_name, read_run
from ftctl.domain.observed import CheckpointModel, Event, File, Job, JobError
from ftctl.errors import redact
from ftctl.providers.ownership import COMMIT, project_of, read_tag
from ftctl.providers.protocol import Answer

if TYPE_CHECKING:
    import httpx2

Raw = Mapping[str, Any]  # an object of the service's, as JSON

_CATEGORY = re.compile(r"[a-z][a-z0-9_/ -]{0,63}", re.IGNORECASE)
_UNNAMED = "a reason without a name"


def read_job(raw: Raw) -> Job:
    """A training job."""
    tag = read_tag(raw.get("metadata"))
    return Job(
        id=raw["id"],
        status=str(raw["status"]),
        created_at=int(raw.get("created_at") or 0),
        finetune=tag.finetune,
        digest=tag.digest,
        spec=tag.spec,
        replaces=tag.replaces,
        follows=tag.follows,
        environment=tag.environment,
        model=raw.get("fine_tuned_model") or None,
        base_model=raw.get("model"),
        error=_error(raw.get("error")),
        training_file=raw.get("training_file"),
        validation_file=raw.get("validation_file"),
        result_files=tuple(raw.get("result_files") or ()),
        metadata=tag.own,
        trained_tokens=raw.get("trained_tokens"),
        finished_at=raw.get("finished_at"),
        hyperparameters=_hyperparameters(raw),
        seed=_seed(raw.get("seed")),
        commit=_commit(raw.get("metadata")),
    )


def tagged_by_file(job: Job, name: FileName, raw_jobs: Iterable[Raw]) -> Job:
    """A job that is known by the name of its training file, with what that tells."""
    run = read_run(name.run)
    ids = (str(raw["id"]) for raw in raw_jobs) if run.follows is not None else ()
    follows = next((other for other in ids if job_hash(other) == run.follows), run.follows)
    return replace(
        job,
        digest=name.digest,
        finetune=name.name,
        environment=run.environment,
        follows=follows,
        replaces=follows if run.replaces else None,
        by_file=True,
    )


def read_job_of_project(raw: Raw) -> Job:
    """A training job that tells whose it is."""
    return replace(read_job(raw), project=project_of(raw.get("metadata")))


def read_organization(jobs: Iterable[Raw]) -> str | None:
    """Whose jobs they are; None where they do not tell, or do not all tell the same."""
    told = {str(raw["organization_id"]) for raw in jobs if raw.get("organization_id")}
    return told.pop() if len(told) == 1 else None


def _hyperparameters(raw: Raw) -> dict[str, int | float | str]:
    """Those of its method, else those at the top, where older jobs and other services have them."""
    method = _mapping(raw.get("method"))
    kind = method.get("type")
    inner = _mapping(method.get(kind)) if isinstance(kind, str) else {}
    values = _mapping(inner.get("hyperparameters")) or _mapping(raw.get("hyperparameters"))
    return {
        str(name): value
        for name, value in values.items()
        if isinstance(value, int | float | str) and not isinstance(value, bool)
    }


def _mapping(value: object) -> Raw:
    """What is one; an empty one for all else."""
    return value if isinstance(value, Mapping) else {}


def _seed(raw: object) -> int | None:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _commit(metadata: object) -> str | None:
    """The git commit in a job's metadata."""
    commit = metadata.get(COMMIT) if isinstance(metadata, Mapping) else None
    return str(commit) if commit else None


def _error(raw: object) -> JobError | None:
    """Why it failed. Services send an empty or all-null object where there is no error."""
    if not isinstance(raw, Mapping):
        return None
    code, message = raw.get("code"), raw.get("message")
    if not code and not message:
        return None
    return JobError(str(code or "unknown"), redact(str(message or code)), raw.get("param"))


def read_file(raw: Raw, project: str, *, is_result: bool) -> File | None:
    """A file of this project's; None for anybody else's."""
    file = read_uploaded(raw)
    name = read_file_name(file.name)
    ours = name is not None and name.project == project
    return file if ours or is_result else None


def read_uploaded(raw: Raw) -> File:
    """A file, whoever uploaded it."""
    filename = str(raw.get("filename") or "")
    name = read_file_name(filename)
    return File(
        id=raw["id"],
        name=filename,
        bytes=int(raw.get("bytes") or 0),
        created_at=int(raw.get("created_at") or 0),
        sha256=name.sha256 if name else None,
        digest=name.digest if name else None,
        run=name.run if name else "",
        usable=name is not None and raw.get("status") not in ("error", "deleted"),
    )


def read_event(raw: Raw) -> Event:
    """A line of a job's log."""
    data = raw.get("data")
    return Event(
        id=raw["id"],
        created_at=int(raw.get("created_at") or 0),
        level=str(raw.get("level") or "info"),
        message=redact(str(raw.get("message") or "")),
        metrics=dict(data) if isinstance(data, Mapping) else {},
    )


def read_checkpoint(raw: Raw) -> CheckpointModel:
    """A model as it was at one step."""
    metrics = raw.get("metrics")
    loss = metrics.get("full_valid_loss") if isinstance(metrics, Mapping) else None
    return CheckpointModel(raw["fine_tuned_model_checkpoint"], raw["step_number"], loss)


def read_moderation(raw: Raw) -> tuple[str, ...]:
    """What a text is flagged for. TypeError, KeyError or AttributeError where it is no verdict."""
    flagged = raw["flagged"]
    if not isinstance(flagged, bool):
        raise TypeError("a verdict that is neither yes nor no")
    if not flagged:
        return ()
    # What is no category's name could be anything, the text itself too.
    hits = (word for word, hit in raw["categories"].items() if hit is True)
    return tuple(sorted(word for word in hits if _CATEGORY.fullmatch(word))) or (_UNNAMED,)


def read_day(value: object) -> date | None:
    """A day such as a model's `shutdown_date`; None for what is none."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def read_answer(response: httpx2.Response, seconds: float, secrets: Iterable[str]) -> Answer:
    """An answer with its body read, whatever that is: for looking, not for working."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    error = _mapping(_mapping(body).get("error"))
    code, message = error.get("code") or error.get("type"), error.get("message")
    return Answer(
        response.status_code,
        seconds,
        body,
        redact(str(code), secrets) if code else None,
        redact(str(message), secrets) if message else None,
        response.headers.get("date"),
    )
