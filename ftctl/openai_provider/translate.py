"""What the service sends in, our nouns out; services leave fields out and add others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftctl.digest import read_file_name
from ftctl.errors import redact
from ftctl.marks import read_marks
from ftctl.world import Event, File, Job, JobError


def read_job(raw: Any) -> Job:
    def told(name: str) -> Any:
        return getattr(raw, name, None)  # services leave fields out

    mark = read_marks(told("metadata"))
    return Job(
        id=raw.id,
        status=str(raw.status),
        created_at=int(told("created_at") or 0),
        finetune=mark.finetune,
        digest=mark.digest,
        spec=mark.spec,
        replaces=mark.replaces,
        model=told("fine_tuned_model") or None,
        base_model=told("model"),
        error=_error(told("error")),
        training_file=told("training_file"),
        validation_file=told("validation_file"),
        result_files=tuple(told("result_files") or ()),
        metadata=mark.own,
        trained_tokens=told("trained_tokens"),
        finished_at=told("finished_at"),
    )


def _error(raw: Any) -> JobError | None:
    """Why it failed. Services send an empty or all-null object where there is no error."""
    code, message = getattr(raw, "code", None), getattr(raw, "message", None)
    if not code and not message:
        return None
    return JobError(
        str(code or "unknown"), redact(str(message or code)), getattr(raw, "param", None)
    )


def read_file(raw: Any, project: str, *, is_result: bool) -> File | None:
    """A file of this project's; None for anybody else's."""
    filename = getattr(raw, "filename", None) or ""
    name = read_file_name(filename)
    if not is_result and (name is None or name.project != project):
        return None
    return File(
        id=raw.id,
        name=filename,
        bytes=int(getattr(raw, "bytes", None) or 0),
        created_at=int(getattr(raw, "created_at", None) or 0),
        sha256=name.sha256 if name else None,
        digest=name.digest if name else None,
        usable=name is not None and getattr(raw, "status", None) not in ("error", "deleted"),
    )


def read_event(raw: Any) -> Event:
    data = getattr(raw, "data", None)
    return Event(
        id=raw.id,
        created_at=int(getattr(raw, "created_at", None) or 0),
        level=str(getattr(raw, "level", None) or "info"),
        message=redact(str(getattr(raw, "message", ""))),
        metrics=dict(data) if isinstance(data, Mapping) else {},
    )
