"""What a process has prepared for its jobs outside of any transaction: files read, steps trained.

All of it can be made again from the store, with the same numbers: losing it costs time only.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, assert_never

from ftctl.emulator.base_models import BY_NAME
from ftctl.emulator.http.wire import Json
from ftctl.emulator.jobs.checkpoint_schedule import reports_metrics, saves_checkpoint
from ftctl.emulator.jobs.job_grader import Grade
from ftctl.emulator.jobs.lifecycle import Examined, NotPrepared, Trained
from ftctl.emulator.jobs.training_file import (
    BadExamples,
    BadFormat,
    Form,
    read_examples,
    refuse_tokens,
)
from ftctl.emulator.storage.job_record import Job
from ftctl.emulator.storage.trainings import SavedTraining

if TYPE_CHECKING:
    from ftctl.emulator.model import Measured, Recipe, Trainer
    from ftctl.emulator.model.examples import Example

FILES_REMEMBERED = 256
SESSIONS_KEPT = 8  # some 10 MB each; a job whose session is gone is set up again from the store

_FORMS: Mapping[str, Form] = {
    "supervised": "chat",
    "dpo": "preference",
    "reinforcement": "reinforcement",
}


def form_of(job: Job) -> Form:
    """What a row of the job's files looks like."""
    completion = job.base in BY_NAME and BY_NAME[job.base].completion
    return "completion" if completion else _FORMS[job.method_type]


@dataclass(frozen=True, slots=True)
class TrainingInputs:
    """All that a training needs, as the store has it."""

    training: bytes
    validation: bytes | None
    start: bytes | None  # the weights that it goes on from; None: those of the base model
    saved: SavedTraining | None
    steps: dict[int, Json]  # what is written beyond the job's last marked step
    grade: Grade | None


@dataclass(slots=True)
class TrainingSession:
    """One job's training under way in this process, and its figures beyond the last marked step."""

    trainer: Trainer
    steps: dict[int, Json]
    weights: dict[int, bytes] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def fits(self, job: Job) -> bool:
        """Whether the job, as the store has it, can be gone on with from here."""
        ahead = range(job.step + 1, self.trainer.step + 1)
        return all(step in self.steps for step in ahead)


class TrainingPool:
    """Threads may share it; each job is worked on by one of them at a time."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[str, str, Form], Examined] = OrderedDict()
        self._sessions: OrderedDict[str, TrainingSession] = OrderedDict()
        self._turn = threading.Lock()

    def examined(self, job: Job, file_id: str) -> Examined:
        """What is in the file; NotPrepared until `examine` has read it."""
        examined = self._files.get((file_id, job.base, form_of(job)))
        if examined is None:
            raise NotPrepared
        return examined

    def examine(self, job: Job, file_id: str, content: bytes, *, count_tokens: bool) -> None:
        """Read a file for the job, which takes seconds when it is large."""
        form = form_of(job)
        examined = _examined(content, form, job.base if count_tokens else None)
        with self._turn:
            self._files[file_id, job.base, form] = examined
            while len(self._files) > FILES_REMEMBERED:
                self._files.popitem(last=False)

    def has_session(self, job: Job) -> bool:
        """Whether the job can be trained here without asking the store."""
        session = self._sessions.get(job.id)
        return session is not None and session.fits(job)

    def begin(self, job: Job, inputs: TrainingInputs) -> None:
        """Set up the training as the store has it."""
        session = TrainingSession(_trainer(job, inputs), dict(inputs.steps))
        with self._turn:
            self._sessions[job.id] = session
            while len(self._sessions) > SESSIONS_KEPT:
                self._sessions.popitem(last=False)

    def train(self, job: Job, until: int, deadline: float) -> None:
        """Train up to that step, or until the deadline (monotonic seconds) passes."""
        session = self._sessions.get(job.id)
        wait = max(0.0, deadline - time.monotonic())
        if session is None or not session.turn.acquire(timeout=wait):
            return
        try:
            while session.trainer.step < until:
                _one_step(session, job)
                if time.monotonic() >= deadline:
                    return
        finally:
            session.turn.release()

    def trained(self, job: Job, step: int) -> Trained:
        """What the marked step brought; NotPrepared until `train` has got there."""
        session = self._sessions.get(job.id)
        if session is None or step not in session.steps:
            raise NotPrepared
        if saves_checkpoint(job, step) and step not in session.weights:
            raise NotPrepared
        return Trained(session.steps[step], session.weights.get(step))

    def progress(self, job: Job) -> Progress | None:
        """What is to be written down of the job's training; None if nothing is under way here."""
        session = self._sessions.get(job.id)
        if session is None:
            return None
        with session.turn:
            ahead = range(job.step + 1, session.trainer.step + 1)
            steps = sorted(session.steps.items())
            if any(saves_checkpoint(job, step) for step in ahead):
                # Its weights are here alone: go on from before it. What is done stays done.
                return Progress(
                    [(step, metrics) for step, metrics in steps if step <= job.step], None
                )
            return Progress(steps, SavedTraining(session.trainer.step, session.trainer.to_bytes()))

    def weights(self, job: Job) -> bytes | None:
        """What the job has learnt by its step; None where it is not being trained here."""
        session = self._sessions.get(job.id)
        if session is None:
            return None
        with session.turn:
            return session.trainer.model().to_bytes() if session.trainer.step == job.step else None

    def mark_written(self, job: Job) -> None:
        """All up to the job's step is in the store now, for good."""
        session = self._sessions.get(job.id)
        if session is None:
            return
        if job.status != "running":
            self._sessions.pop(job.id, None)
            return
        with session.turn:
            for step in [step for step in session.steps if step <= job.step]:
                session.steps.pop(step)
                session.weights.pop(step, None)


@dataclass(frozen=True, slots=True)
class Progress:
    """Figures of steps, and the state to go on from."""

    steps: list[tuple[int, Json]]
    saved: SavedTraining | None


def _one_step(session: TrainingSession, job: Job) -> None:
    """Train one step; measure more where it leaves a mark."""
    trainer = session.trainer
    step = trainer.step + 1
    kept = saves_checkpoint(job, step)
    measured = trainer.advance(validate=kept or reports_metrics(job, step))
    metrics = _figures(measured.train, "train") | _figures(measured.valid, "valid")
    if kept:
        metrics |= _figures(trainer.full_validation(), "full_valid")
        session.weights[step] = trainer.model().to_bytes()
    session.steps[step] = metrics


def _figures(measured: Measured | None, of: str) -> Json:
    """Under the names that events and checkpoints have for them."""
    if measured is None:
        return {}
    figures = {f"{of}_loss": measured.loss, f"{of}_mean_token_accuracy": measured.accuracy}
    # A checkpoint is judged by the reward on the whole of the validation file.
    figures[f"{of.removeprefix('full_')}_reward_mean"] = measured.reward
    figures[f"{of}_reward_margin"] = measured.margin
    rounded = {name: round(value, 5) for name, value in figures.items() if value is not None}
    if measured.reward is not None and of == "train":
        rounded |= {"graded_samples": measured.samples, "grader_errors": measured.grader_errors}
    return rounded


def _trainer(job: Job, inputs: TrainingInputs) -> Trainer:
    from ftctl.emulator.model import Model, Trainer, base_model

    form = form_of(job)
    training = _examples(inputs.training, form)
    validation = None if inputs.validation is None else _examples(inputs.validation, form)
    recipe = _recipe(job)
    if inputs.saved is not None:
        return Trainer.resume(inputs.saved.content, training, validation, recipe, inputs.grade)
    start = base_model(job.base) if inputs.start is None else Model.from_bytes(inputs.start)
    return Trainer.begin(start, training, validation, recipe, inputs.grade)


def _recipe(job: Job) -> Recipe:
    from ftctl.emulator.model import Recipe

    values = job.hyperparameters
    names = [option.name for option in fields(Recipe) if option.name in values]
    return Recipe(method=job.method_type, seed=job.seed, **{name: values[name] for name in names})


def _examples(content: bytes, form: Form) -> list[Example]:
    """What the trainer learns of each row."""
    from ftctl.emulator.model import graded_prompt_of, preference_pair_of, turns_of

    rows = read_examples(content, form)
    match form:
        case "chat" | "completion":
            return [turns_of(row, form) for row in rows]
        case "preference":
            return [preference_pair_of(row) for row in rows]
        case "reinforcement":
            return [graded_prompt_of(row) for row in rows]
        case _:
            assert_never(form)


def _examined(content: bytes, form: Form, base: str | None) -> Examined:
    try:
        rows = read_examples(content, form)
        refuse_tokens(content, rows)
    except BadFormat as fault:
        return Examined(0, format_error=str(fault))
    except BadExamples as fault:
        return Examined(0, fault=str(fault))
    if base is None:
        return Examined(len(rows))
    from ftctl.data.tokens import count_row, encoding_for, open_counter

    counter = open_counter(encoding_for(base) or "o200k_base")
    return Examined(len(rows), sum(count_row(row, form, counter).training for row in rows))
