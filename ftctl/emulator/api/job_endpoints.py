"""The job endpoints: create, list, retrieve, cancel, pause, resume."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ftctl.emulator.api.pagination import read_cursor, read_limit
from ftctl.emulator.api.request_context import RequestContext
from ftctl.emulator.base_models import BY_NAME
from ftctl.emulator.faults.job_faults import fault_of_job
from ftctl.emulator.http.wire import (
    ApiError,
    Request,
    Response,
    answer,
    answer_list,
    bad_request,
    json_object,
)
from ftctl.emulator.ids import derived_number, fresh
from ftctl.emulator.jobs.job_request import MAX_METADATA, MAX_SEED, JobRequest, read_job_request
from ftctl.emulator.jobs.lifecycle import Change, cancelled, paused, resumed
from ftctl.emulator.jobs.scheduler import training_setup
from ftctl.emulator.jobs.virtual_clock import Pace, find_pace
from ftctl.emulator.settings import Settings
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.files import find_file
from ftctl.emulator.storage.job_record import MOVING, TERMINAL, Event, Job, shown_job
from ftctl.emulator.storage.jobs import find_job, insert_job, record, select_jobs, update_job
from ftctl.emulator.storage.models import find_model, weights_of

DEFAULT_PAGE, MAX_PAGE = 20, 100


def create_job(context: RequestContext) -> Response:
    """POST /v1/fine_tuning/jobs. The files' content is looked at later, when the job validates."""
    request = read_job_request(json_object(context.request))
    with context.writing() as session:
        model, base = _trainable(session, request)
        _check_file(session, request.training_file, "training_file")
        if request.validation_file is not None:
            _check_file(session, request.validation_file, "validation_file")
        job = _new_job(session, request, model, base, context.settings)
        job = replace(job, fault=fault_of_job(session, request))
        insert_job(session, job)
        record(session, job, _first_events(job))
    return answer(shown_job(job, context.settings.organization))


def list_jobs(context: RequestContext) -> Response:
    """GET /v1/fine_tuning/jobs: newest first, filtered by metadata."""
    limit = read_limit(context.request, DEFAULT_PAGE, MAX_PAGE)
    filters = _metadata_filter(context.request)
    with context.reading() as session:
        jobs = select_jobs(
            session,
            before=read_cursor(context.request, session, "jobs"),
            pairs=filters.pairs,
            without_metadata=filters.none,
            limit=limit + 1,
            organization=context.settings.organization,
        )
    return answer_list(jobs[:limit], has_more=len(jobs) > limit)


def retrieve_job(context: RequestContext) -> Response:
    """GET /v1/fine_tuning/jobs/{id}; it moves the job, where reads are what moves it."""
    with context.reading() as session:
        job = job_of(context, session)
        pace = find_pace(session)
    if pace.kind == "reads" and job.status in MOVING:
        job = _read_once_more(context, pace)
    return answer(shown_job(job, context.settings.organization))


def _read_once_more(context: RequestContext, pace: Pace) -> Job:
    """Count this read; the one that makes the number full brings the job one status further."""
    with context.writing() as session:
        job = job_of(context, session)
        stuck = job.status == "queued" and job.fault is not None and job.fault["at"] == "queue"
        job = replace(job, reads=job.reads + 1)
        if job.status in MOVING and job.reads % pace.reads == 0 and not stuck:
            job = replace(job, due_at=session.now)
        update_job(session, job)
    with context.reading() as session:
        return job_of(context, session)


def cancel_job(context: RequestContext) -> Response:
    """POST .../cancel: any job that has not ended."""

    def change(job: Job, now: float) -> Change:
        if job.status in TERMINAL:
            raise _wrong_status(job, "cancelled")
        return cancelled(job, now)

    return _changed(context, change)


def pause_job(context: RequestContext) -> Response:
    """POST .../pause: a running job."""
    with context.reading() as session:
        job = job_of(context, session)
        set_up = (
            training_setup(session, job, context.resources) if job.status == "running" else None
        )
    if set_up is not None:
        set_up()

    def change(job: Job, now: float) -> Change:
        if job.status != "running":
            raise _wrong_status(job, "paused")
        weights = context.training_pool.weights(job) if job.step else None
        return paused(job, now, weights, context.settings.organization)

    return _changed(context, change)


def resume_job(context: RequestContext) -> Response:
    """POST .../resume: a paused job."""
    with context.reading() as session:
        pace = find_pace(session)

    def change(job: Job, now: float) -> Change:
        if job.status != "paused":
            raise _wrong_status(job, "resumed")
        return resumed(job, now, context.settings, pace)

    return _changed(context, change)


def job_of(context: RequestContext, session: Session) -> Job:
    """The job that the path names; a 404 when there is none."""
    job = find_job(session, context.path["job_id"])
    if job is None:
        message = f"Could not find fine tune: {context.path['job_id']}"
        raise ApiError(404, message, param="fine_tune_id", code="fine_tune_not_found")
    return job


def _changed(context: RequestContext, change: Callable[[Job, float], Change]) -> Response:
    with context.writing() as session:
        job, happenings = change(job_of(context, session), session.now)
        update_job(session, job)
        record(session, job, happenings)
    context.training_pool.mark_written(job)
    return answer(shown_job(job, context.settings.organization))


def _wrong_status(job: Job, change: str) -> ApiError:
    message = f"Job {job.id} is {job.status} and cannot be {change}."
    return bad_request(message, None, "invalid_job_status")


def _trainable(session: Session, request: JobRequest) -> tuple[str, str]:
    """The model to start from, aliases resolved, and the base snapshot at its root."""
    tuned = find_model(session, request.model)
    base = BY_NAME.get(request.model if tuned is None else tuned.base)
    if base is None:
        ours = request.model.startswith("ft:")
        code = "model_not_found" if ours else "model_not_available"
        fault = "does not exist" if ours else "is not available for fine-tuning"
        raise bad_request(f"The model '{request.model}' {fault}.", "model", code)
    kind = request.method["type"]
    if kind not in base.methods:
        message = f"{base.name} can be tuned by {' or '.join(base.methods)}, not by {kind}."
        raise bad_request(message, "method.type", "unsupported_method")
    return (base.name if tuned is None else request.model), base.name


def _check_file(session: Session, file_id: str, param: str) -> None:
    row = find_file(session, file_id)
    if row is None:
        raise bad_request(f"{param}: there is no file {file_id}.", param, "file_not_found")
    if row["purpose"] != "fine-tune":
        message = f"{param}: {file_id} has the purpose '{row['purpose']}', not 'fine-tune'."
        raise bad_request(message, param, "invalid_file_purpose")


def _new_job(
    session: Session, request: JobRequest, model: str, base: str, settings: Settings
) -> Job:
    serial = session.next_serial("jobs")
    pace = find_pace(session)
    job_id = fresh("ftjob-", settings.id_seed, serial)
    seed = derived_number(MAX_SEED, job_id, "seed") if request.seed is None else request.seed
    return Job(
        seq=serial,
        id=job_id,
        created_at=session.now,
        model=model,
        base=base,
        method=request.method,
        training_file=request.training_file,
        validation_file=request.validation_file,
        suffix=request.suffix,
        seed=seed,
        metadata=request.metadata,
        integrations=request.integrations,
        status="validating_files",
        due_at=pace.due(session.now, settings.validating_seconds),
        start_weights=weights_of(session, model),
    )


def _first_events(job: Job) -> list[Event]:
    files = f"training file: {job.training_file}"
    if job.validation_file is not None:
        files += f" and validation file: {job.validation_file}"
    return [
        Event(job.created_at, f"Created fine-tuning job: {job.id}"),
        Event(job.created_at, f"Validating {files}"),
    ]


@dataclass(frozen=True, slots=True)
class _MetadataFilter:
    """Pairs that a job must carry, every one; `none` asks for jobs that carry nothing."""

    pairs: frozenset[tuple[str, str]]
    none: bool


def _metadata_filter(request: Request) -> _MetadataFilter:
    pairs = set()
    none = False
    for name, value in request.query:
        key = re.fullmatch(r"metadata\[(.*)\]", name, re.DOTALL)
        if key:
            pairs.add((key[1], value))
        elif name == "metadata":
            if value != "null":
                message = "Filter with metadata[key]=value, or metadata=null for jobs without any."
                raise bad_request(message, "metadata")
            none = True
    if len(pairs) > MAX_METADATA:
        raise bad_request(f"No job has over {MAX_METADATA} pairs of metadata.", "metadata")
    return _MetadataFilter(frozenset(pairs), none)
