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

from ftctl.emulator.jobs.job_grader import grade_of
from ftctl.emulator.jobs.lifecycle import NOTHING_LEARNT, Trained, World, advance
from ftctl.emulator.jobs.milestones import last_milestone_by, next_milestone
from ftctl.emulator.jobs.pace import Pace, find_pace
from ftctl.emulator.jobs.workshop import Material, Workshop
from ftctl.emulator.settings import Settings
from ftctl.emulator.storage.files import content_for_job, find_file_at
from ftctl.emulator.storage.job_record import TERMINAL, Job
from ftctl.emulator.storage.jobs import due_jobs, record, update_job
from ftctl.emulator.storage.models import weights_at
from ftctl.emulator.storage.store import Session
from ftctl.emulator.storage.trainings import (
    find_steps,
    find_training,
    forget_training,
    save_steps,
    save_training,
)

Errand = Callable[[float], None]
"""Work that takes long, to be done outside of a transaction, until a deadline (monotonic)."""

Transaction = Callable[[], AbstractContextManager[Session]]

ERRANDS_AT_ONCE = 32
"""Each holds its files' content until it is done."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What carrying out jobs takes besides the store."""

    settings: Settings
    workshop: Workshop


def catch_up(transaction: Transaction, place: Workplace, seconds: float) -> bool:
    """Do all that is due, but stop after so many seconds of work; whether all is done.

    However few the seconds, something gets done. `transaction` opens one that may write.
    """
    deadline = time.monotonic() + seconds
    for rounds in itertools.count():
        with transaction() as session:
            moved = advance_jobs(session, place)
            errands = list(itertools.islice(_errands(session, place), ERRANDS_AT_ONCE))
        for job in moved:
            place.workshop.written(job)
        if not errands:
            return True
        if rounds and time.monotonic() >= deadline:
            return False
        for errand in errands:
            errand(deadline)
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


def advance_jobs(session: Session, place: Workplace) -> list[Job]:
    """Bring every job to the session's moment, or as far as it is prepared; those that moved."""
    moved = []
    world = _world(session, place)
    for job in due_jobs(session):
        later, happenings = advance(job, session.now, world)
        _write_progress(session, place.workshop, later)
        if later != job:
            update_job(session, later)
            record(session, later, happenings)
            moved.append(later)
    return moved


def _write_progress(session: Session, workshop: Workshop, job: Job) -> None:
    progress = workshop.progress(job)
    if progress is None:
        return
    save_steps(session, job.seq, progress.steps)
    if job.status in TERMINAL:
        forget_training(session, job.seq)
    elif progress.saved is not None:
        save_training(session, job.seq, progress.saved)


def _world(session: Session, place: Workplace) -> World:
    def has_file(file_id: str, at: float) -> bool:
        return find_file_at(session, file_id, at) is not None

    workshop = place.workshop
    trained = workshop.trained if place.settings.training else _nothing_learnt
    return World(place.settings, find_pace(session), has_file, workshop.examined, trained)


def _nothing_learnt(job: Job, step: int) -> Trained:  # noqa: ARG001 - as the workshop's
    return NOTHING_LEARNT


def _errands(session: Session, place: Workplace) -> Iterator[Errand]:
    """What the jobs that are due lack, with all that it takes gathered from the store."""
    pace = find_pace(session)
    for job in due_jobs(session):
        if job.status == "validating_files":
            yield from _reading(session, job, place)
        elif job.status == "running":
            yield _training(session, job, place, pace)


def _reading(session: Session, job: Job, place: Workplace) -> Iterator[Errand]:
    assert job.due_at is not None
    for file_id in (job.training_file, job.validation_file):
        if file_id is not None and find_file_at(session, file_id, job.due_at) is not None:
            yield _examine(place, job, file_id, content_for_job(session, file_id))


def _examine(place: Workplace, job: Job, file_id: str, content: bytes) -> Errand:
    def errand(deadline: float) -> None:  # noqa: ARG001 - reading a file is not left half done
        place.workshop.examine(job, file_id, content, count_tokens=place.settings.training)

    return errand


def _training(session: Session, job: Job, place: Workplace, pace: Pace) -> Errand:
    workshop = place.workshop
    material = None if workshop.has_bench(job) else _material(session, job, place)
    until = _step_due(job, session.now, pace)

    def errand(deadline: float) -> None:
        if material is not None:
            workshop.begin(job, material)
        workshop.train(job, until, deadline)

    return errand


def bench_for(session: Session, job: Job, place: Workplace) -> Callable[[], None] | None:
    """Work that sets the job's training up here, if it is not; to be done after the transaction."""
    if not place.settings.training or place.workshop.has_bench(job):
        return None
    material = _material(session, job, place)
    return lambda: place.workshop.begin(job, material)


def _step_due(job: Job, now: float, pace: Pace) -> int:
    """The last milestone that the clock has passed."""
    if job.step_seconds == 0 or pace.kind == "reads":
        return last_milestone_by(job, job.total_steps)
    assert job.running_since is not None
    steps = int((now - job.running_since) / job.step_seconds)
    if job.running_since + (steps + 1) * job.step_seconds <= now:
        steps += 1  # lost to rounding
    return max(next_milestone(job), last_milestone_by(job, min(steps, job.total_steps)))


def _material(session: Session, job: Job, place: Workplace) -> Material:
    training = content_for_job(session, job.training_file)
    validation = (
        None if job.validation_file is None else content_for_job(session, job.validation_file)
    )
    return Material(
        training=training,
        validation=validation,
        start=weights_at(session, job.start_weights),
        saved=find_training(session, job.seq),
        steps=dict(find_steps(session, job.seq, after=job.step)),
        grade=grade_of(session, job, place.settings),
    )
