"""Brings the jobs in a store to the present: what is due is carried out, training included.

Reading files and training take long, so they happen between transactions: one finds out what is
due and gathers what that needs, the work is done, the next writes it down. Two processes that do
the same work get the same numbers, and the first one's are kept.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ftctl.emulator.jobs.checkpoint_schedule import last_marked_step_by, next_marked_step
from ftctl.emulator.jobs.job_grader import grade_of
from ftctl.emulator.jobs.lifecycle import NOTHING_LEARNT, Conditions, Trained, advance
from ftctl.emulator.jobs.training_pool import TrainingInputs, TrainingPool
from ftctl.emulator.jobs.virtual_clock import Pace, find_pace
from ftctl.emulator.settings import Settings
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.files import content_for_job, find_file_at
from ftctl.emulator.storage.job_record import TERMINAL, Job
from ftctl.emulator.storage.jobs import due_jobs, record, update_job
from ftctl.emulator.storage.models import weights_at
from ftctl.emulator.storage.trainings import (
    find_steps,
    find_training,
    forget_training,
    save_steps,
    save_training,
)

LongTask = Callable[[float], None]
"""Work that takes long, to be done outside of a transaction, until a deadline (monotonic)."""

Transaction = Callable[[], AbstractContextManager[Session]]

TASKS_AT_ONCE = 32
"""Each holds its files' content until it is done."""


@dataclass(frozen=True, slots=True)
class JobResources:
    """What carrying out jobs takes besides the store."""

    settings: Settings
    training_pool: TrainingPool


def catch_up(transaction: Transaction, resources: JobResources, seconds: float) -> bool:
    """Do all that is due, but stop after so many seconds of work; whether all is done.

    However few the seconds, something gets done. `transaction` opens one that may write.
    """
    deadline = time.monotonic() + seconds
    for rounds in itertools.count():
        with transaction() as session:
            moved = advance_jobs(session, resources)
            tasks = list(itertools.islice(_due_tasks(session, resources), TASKS_AT_ONCE))
        for job in moved:
            resources.training_pool.mark_written(job)
        if not tasks:
            return True
        if rounds and time.monotonic() >= deadline:
            return False
        for task in tasks:
            task(deadline)
    raise AssertionError("unreachable")


def jobs_are_due(session: Session) -> bool:
    """Whether anything has happened to any job by now that is not written down yet."""
    return session.first("SELECT 1 FROM jobs WHERE due_at <= ? LIMIT 1", session.now) is not None


def seconds_until_due(session: Session) -> float | None:
    """How long until the next thing happens by itself; 0 when it is overdue, None if never."""
    row = session.first("SELECT min(due_at) AS due FROM jobs WHERE due_at IS NOT NULL")
    if row is None or row["due"] is None:
        return None
    return max(0.0, float(row["due"]) - session.now)


def advance_jobs(session: Session, resources: JobResources) -> list[Job]:
    """Bring every job to the session's moment, or as far as it is prepared; those that moved."""
    moved = []
    conditions = _conditions(session, resources)
    for job in due_jobs(session):
        later, happenings = advance(job, session.now, conditions)
        _write_progress(session, resources.training_pool, later)
        if later != job:
            update_job(session, later)
            record(session, later, happenings)
            moved.append(later)
    return moved


def _write_progress(session: Session, training_pool: TrainingPool, job: Job) -> None:
    progress = training_pool.progress(job)
    if progress is None:
        return
    save_steps(session, job.seq, progress.steps)
    if job.status in TERMINAL:
        forget_training(session, job.seq)
    elif progress.saved is not None:
        save_training(session, job.seq, progress.saved)


def _conditions(session: Session, resources: JobResources) -> Conditions:
    def has_file(file_id: str, at: float) -> bool:
        return find_file_at(session, file_id, at) is not None

    training_pool = resources.training_pool
    trained = training_pool.trained if resources.settings.training else _nothing_learnt
    return Conditions(
        resources.settings, find_pace(session), has_file, training_pool.examined, trained
    )


def _nothing_learnt(job: Job, step: int) -> Trained:  # noqa: ARG001 - as the pool's
    return NOTHING_LEARNT


def _due_tasks(session: Session, resources: JobResources) -> Iterator[LongTask]:
    """What the jobs that are due lack, with all that it takes gathered from the store."""
    pace = find_pace(session)
    for job in due_jobs(session):
        if job.status == "validating_files":
            yield from _reading_tasks(session, job, resources)
        elif job.status == "running":
            yield _training_task(session, job, resources, pace)


def _reading_tasks(session: Session, job: Job, resources: JobResources) -> Iterator[LongTask]:
    assert job.due_at is not None
    for file_id in (job.training_file, job.validation_file):
        if file_id is not None and find_file_at(session, file_id, job.due_at) is not None:
            yield _examining_task(resources, job, file_id, content_for_job(session, file_id))


def _examining_task(resources: JobResources, job: Job, file_id: str, content: bytes) -> LongTask:
    def task(deadline: float) -> None:  # noqa: ARG001 - reading a file is not left half done
        resources.training_pool.examine(
            job, file_id, content, count_tokens=resources.settings.training
        )

    return task


def _training_task(session: Session, job: Job, resources: JobResources, pace: Pace) -> LongTask:
    training_pool = resources.training_pool
    inputs = None if training_pool.has_session(job) else _inputs(session, job, resources)
    until = _step_due(job, session.now, pace)

    def task(deadline: float) -> None:
        if inputs is not None:
            training_pool.begin(job, inputs)
        training_pool.train(job, until, deadline)

    return task


def training_setup(
    session: Session, job: Job, resources: JobResources
) -> Callable[[], None] | None:
    """Work that sets the job's training up here, if it is not; to be done after the transaction."""
    if not resources.settings.training or resources.training_pool.has_session(job):
        return None
    inputs = _inputs(session, job, resources)
    return lambda: resources.training_pool.begin(job, inputs)


def _step_due(job: Job, now: float, pace: Pace) -> int:
    """The last marked step that the clock has passed."""
    if job.step_seconds == 0 or pace.kind == "reads":
        return last_marked_step_by(job, job.total_steps)
    assert job.running_since is not None
    steps = int((now - job.running_since) / job.step_seconds)
    if job.running_since + (steps + 1) * job.step_seconds <= now:
        steps += 1  # lost to rounding
    return max(next_marked_step(job), last_marked_step_by(job, min(steps, job.total_steps)))


def _inputs(session: Session, job: Job, resources: JobResources) -> TrainingInputs:
    training = content_for_job(session, job.training_file)
    validation = (
        None if job.validation_file is None else content_for_job(session, job.validation_file)
    )
    return TrainingInputs(
        training=training,
        validation=validation,
        start=weights_at(session, job.start_weights),
        saved=find_training(session, job.seq),
        steps=dict(find_steps(session, job.seq, after=job.step)),
        grade=grade_of(session, job, resources.settings),
    )
