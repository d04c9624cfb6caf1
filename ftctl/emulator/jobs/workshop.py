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
from ftctl.emulator.jobs.job_grader import Grade
from ftctl.emulator.jobs.lifecycle import Examined, NotPrepared, Trained
from ftctl.emulator.jobs.milestones import saves, tells
from ftctl.emulator.jobs.training_file import BadExamples, Form, read_examples
from ftctl.emulator.storage.job_record import Job
from ftctl.emulator.storage.trainings import SavedTraining

if TYPE_CHECKING:
    from ftctl.emulator.model import Measured, Recipe, Trainer
    from ftctl.emulator.model.examples import Example

FILES_REMEMBERED = 256
BENCHES_KEPT = 8  # some 10 MB each; a job whose bench is gone is set up again from the store

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
class Material:
    """All that a training needs, as the store has it."""

    training: bytes
    validation: bytes | None
    start: bytes | None  # the weights that it goes on from; None: those of the base model
    saved: SavedTraining | None
    steps: dict[int, Json]  # what is written beyond the job's last milestone
    grade: Grade | None


@dataclass(slots=True)
class Bench:
    """One job's training under way in this process, and its figures beyond the last milestone."""

    trainer: Trainer
    steps: dict[int, Json]
    weights: dict[int, bytes] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def fits(self, job: Job) -> bool:
        """Whether the job, as the store has it, can be gone on with from here."""
        ahead = range(job.step + 1, self.trainer.step + 1)
        return all(step in self.steps for step in ahead)


class Workshop:
    """Threads may share it; each job is worked on by one of them at a time."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[str, str, Form], Examined] = OrderedDict()
        self._benches: OrderedDict[str, Bench] = OrderedDict()
        self._turn = threading.Lock()

    def examined(self, job: Job, file_id: str) -> Examined:
        """What is in the file; NotPrepared until `examine` has read it."""
        found = self._files.get((file_id, job.base, form_of(job)))
        if found is None:
            raise NotPrepared
        return found

    def examine(self, job: Job, file_id: str, content: bytes, *, count_tokens: bool) -> None:
        """Read a file for the job, which takes seconds when it is large."""
        form = form_of(job)
        found = _examined(content, form, job.base if count_tokens else None)
        with self._turn:
            self._files[file_id, job.base, form] = found
            while len(self._files) > FILES_REMEMBERED:
                self._files.popitem(last=False)

    def has_bench(self, job: Job) -> bool:
        """Whether the job can be trained here without asking the store."""
        bench = self._benches.get(job.id)
        return bench is not None and bench.fits(job)

    def begin(self, job: Job, material: Material) -> None:
        """Set up the training as the store has it."""
        bench = Bench(_trainer(job, material), dict(material.steps))
        with self._turn:
            self._benches[job.id] = bench
            while len(self._benches) > BENCHES_KEPT:
                self._benches.popitem(last=False)

    def train(self, job: Job, until: int, deadline: float) -> None:
        """Train up to that step, or until the deadline (monotonic seconds) passes."""
        bench = self._benches.get(job.id)
        wait = max(0.0, deadline - time.monotonic())
        if bench is None or not bench.turn.acquire(timeout=wait):
            return
        try:
            while bench.trainer.step < until:
                _one_step(bench, job)
                if time.monotonic() >= deadline:
                    return
        finally:
            bench.turn.release()

    def trained(self, job: Job, step: int) -> Trained:
        """What the milestone brought; NotPrepared until `train` has got there."""
        bench = self._benches.get(job.id)
        if bench is None or step not in bench.steps:
            raise NotPrepared
        if saves(job, step) and step not in bench.weights:
            raise NotPrepared
        return Trained(bench.steps[step], bench.weights.get(step))

    def progress(self, job: Job) -> Progress | None:
        """What is to be written down of the job's training; None if nothing is under way here."""
        bench = self._benches.get(job.id)
        if bench is None:
            return None
        with bench.turn:
            ahead = range(job.step + 1, bench.trainer.step + 1)
            steps = sorted(bench.steps.items())
            if any(saves(job, step) for step in ahead):
                # Its weights are here alone: go on from before it. What is done stays done.
                return Progress([one for one in steps if one[0] <= job.step], None)
            return Progress(steps, SavedTraining(bench.trainer.step, bench.trainer.to_bytes()))

    def weights(self, job: Job) -> bytes | None:
        """What the job has learnt by its step; None where it is not being trained here."""
        bench = self._benches.get(job.id)
        if bench is None:
            return None
        with bench.turn:
            return bench.trainer.model().to_bytes() if bench.trainer.step == job.step else None

    def written(self, job: Job) -> None:
        """All up to the job's step is in the store now, for good."""
        bench = self._benches.get(job.id)
        if bench is None:
            return
        if job.status != "running":
            self._benches.pop(job.id, None)
            return
        with bench.turn:
            for step in [step for step in bench.steps if step <= job.step]:
                bench.steps.pop(step)
                bench.weights.pop(step, None)


@dataclass(frozen=True, slots=True)
class Progress:
    """Figures of steps, and the state to go on from."""

    steps: list[tuple[int, Json]]
    saved: SavedTraining | None


def _one_step(bench: Bench, job: Job) -> None:
    """Train one step; measure more where it leaves a mark."""
    trainer = bench.trainer
    step = trainer.step + 1
    kept = saves(job, step)
    measured = trainer.advance(validate=kept or tells(job, step))
    metrics = _figures(measured.train, "train") | _figures(measured.valid, "valid")
    if kept:
        metrics |= _figures(trainer.full_validation(), "full_valid")
        bench.weights[step] = trainer.model().to_bytes()
    bench.steps[step] = metrics


def _figures(measured: Measured | None, of: str) -> Json:
    """Under the names that events and checkpoints have for them."""
    if measured is None:
        return {}
    figures = {f"{of}_loss": measured.loss, f"{of}_mean_token_accuracy": measured.accuracy}
    # A checkpoint is judged by the reward on the whole of the validation file.
    figures[f"{of.removeprefix('full_')}_reward_mean"] = measured.reward
    figures[f"{of}_reward_margin"] = measured.margin
    known = {name: round(value, 5) for name, value in figures.items() if value is not None}
    if measured.reward is not None and of == "train":
        known |= {"graded_samples": measured.samples, "grader_errors": measured.grader_errors}
    return known


def _trainer(job: Job, material: Material) -> Trainer:
    from ftctl.emulator.model import Model, Trainer, base_model

    form = form_of(job)
    training = _examples(material.training, form)
    validation = None if material.validation is None else _examples(material.validation, form)
    recipe = _recipe(job)
    if material.saved is not None:
        return Trainer.resume(material.saved.content, training, validation, recipe, material.grade)
    start = base_model(job.base) if material.start is None else Model.from_bytes(material.start)
    return Trainer.begin(start, training, validation, recipe, material.grade)


def _recipe(job: Job) -> Recipe:
    from ftctl.emulator.model import Recipe

    wanted = job.hyperparameters
    names = [one.name for one in fields(Recipe) if one.name in wanted]
    return Recipe(method=job.method_type, seed=job.seed, **{name: wanted[name] for name in names})


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
    except BadExamples as fault:
        return Examined(0, fault=str(fault))
    if base is None:
        return Examined(len(rows))
    from ftctl.data.tokens import count_row, encoding_for, open_counter

    counter = open_counter(encoding_for(base) or "o200k_base")
    return Examined(len(rows), sum(count_row(row, form, counter).training for row in rows))
