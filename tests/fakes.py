"""A service in memory, for orders of events that a wire cannot produce cheaply.

A test scripts what happens at the next calls of a method: an answer, a refusal, a lost answer,
something that others do in between. Without a script the service is honest, but for its lags.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from conftest import HandClock

from ftctl.apply.terms import Terms
from ftctl.catalog import load_catalog
from ftctl.catalog.services import SERVICES
from ftctl.domain.observed import CheckpointModel, Event, File, Job, Observed
from ftctl.domain.plan import StartJob, Upload
from ftctl.errors import FtctlError, ProviderError
from ftctl.providers.ownership import read_tag

T = TypeVar("T")

NEVER = math.inf  # as a lag: it does not show at all


@dataclass(frozen=True)
class Says:
    """The service answers this, whatever is true."""

    answer: Any


@dataclass(frozen=True)
class Lost:
    """The answer never comes. `carried_out` says whether the request was, all the same."""

    carried_out: bool


# What happens at one call. Something that may be called happens just before an honest answer.
Happening = Says | Lost | ProviderError | Callable[[], object]


def lost(operation: str) -> ProviderError:
    """What the SDK's door makes of an answer that never came."""
    return ProviderError(operation, "no answer in time", ambiguous=True, retryable=True)


def refused(
    status: int = 400,
    code: str | None = None,
    *,
    retryable: bool = False,
    retry_after: float | None = None,
    file_pending: bool = False,
) -> ProviderError:
    """A refusal: nothing was done."""
    return ProviderError(
        "ask", "no", status=status, code=code, retryable=retryable, retry_after=retry_after,
        file_pending=file_pending,
    )  # fmt: skip


@dataclass
class KeptJournal:
    """What was about to be bought, and what became of it, in order. `full`: nothing is written."""

    lines: list[str] = field(default_factory=list)
    full: bool = False

    def asked(self, step: StartJob) -> None:
        if self.full:
            raise FtctlError("no space left on device")
        self.lines.append(f"asked {step.finetune}")

    def answered(self, step: StartJob, job: str | None) -> None:
        self.lines.append(f"answered {step.finetune} {job}")


TERMS = Terms(SERVICES["compatible"], load_catalog())
BY_FILE_NAME = replace(TERMS, service=TERMS.service.with_ownership_store("file-name"))


@dataclass
class FakeProvider:
    """Jobs, files and models, with a list of all calls. Time is the test's own."""

    clock: HandClock = field(default_factory=HandClock)
    project: str = "demo"
    lag_seconds: float = 0.0  # until a new job or file shows in lists
    filter_lag_seconds: float = 0.0  # until a new job shows in the list that the service filters
    lists_models: bool = True
    # Temperaments, as the embedded API has them (docs/emulator.md).
    filter_finds_nothing: bool = False
    metadata_dropped: bool = False
    models_hidden: bool = False
    cancel_refused: bool = False
    hyperparameters_changed: Mapping[str, Any] = field(default_factory=dict)  # what is trained with
    file_pending_seconds: float = 0.0  # for which a create on a new file is refused
    calls: list[str] = field(default_factory=list)
    made: dict[str, Job] = field(default_factory=dict)
    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)  # of jobs that were bought
    files: dict[str, File] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    log: dict[str, tuple[Event, ...]] = field(default_factory=dict)
    steps: dict[str, tuple[CheckpointModel, ...]] = field(default_factory=dict)
    shown_at: dict[str, float] = field(default_factory=dict)  # by id, where that is not at once
    script: dict[str, deque[Happening]] = field(default_factory=lambda: defaultdict(deque))
    rule: dict[str, Happening] = field(default_factory=dict)

    # What tests arrange and look at.

    def at_next(self, method: str, *happenings: Happening) -> FakeProvider:
        """Script the next calls of a method."""
        self.script[method].extend(happenings)
        return self

    def from_then_on(self, method: str, happening: Happening) -> FakeProvider:
        """What happens at every call of a method once its script is over."""
        self.rule[method] = happening
        return self

    def has(self, *jobs: Job) -> FakeProvider:
        """Jobs that are there already, and shown; with the models that they made."""
        for job in jobs:
            self.made[job.id] = job
            if job.model:
                self.models.add(job.model)
        return self

    def becomes(self, job: str, **facts: Any) -> FakeProvider:
        """A job goes on, or ends."""
        return self.has(replace(self.made[job], **facts))

    def called(self, method: str) -> list[str]:
        """The calls of one method, in order, with what each was about."""
        return [call for call in self.calls if call.partition(" ")[0] == method]

    @property
    def bought(self) -> int:
        """How many jobs were made through this provider."""
        return len(self.tags)

    def _play(self, call: str, honest: Callable[[], T]) -> T:
        self.calls.append(call)
        method = call.partition(" ")[0]
        happening = self.script[method].popleft() if self.script[method] else self.rule.get(method)
        match happening:
            case Says(answer):
                return answer  # type: ignore[no-any-return]
            case Lost(carried_out):
                if carried_out:
                    honest()
                raise lost(method)
            case ProviderError():
                raise happening
            case None:
                return honest()
        happening()
        return honest()

    def _shown(self, *, filtered: bool) -> tuple[Job, ...]:
        if filtered and (self.filter_finds_nothing or self.metadata_dropped):
            return ()
        lag = self.lag_seconds + (self.filter_lag_seconds if filtered else 0.0)
        ready = [
            self._told(job) for job in self.made.values()
            if self.shown_at.get(job.id, -math.inf) + lag <= self.clock.now()
        ]  # fmt: skip
        return tuple(sorted(ready, key=lambda job: job.age_order, reverse=True))

    def _told(self, job: Job) -> Job:
        """A job as it is shown."""
        if not self.metadata_dropped:
            return job
        return replace(
            job, finetune=None, digest=None, replaces=None, follows=None, environment=None
        )

    @property
    def _visible(self) -> frozenset[str]:
        return frozenset() if self.models_hidden else frozenset(self.models)

    # `Reader`

    def observe(
        self, project: str, adopted: frozenset[str] = frozenset(), *, others: bool = False
    ) -> Observed:
        def snapshot() -> Observed:
            shown = self._shown(filtered=not others)
            return Observed(
                jobs=tuple(job for job in shown if job.project in (None, project)),
                files=tuple(self.files.values()),
                models=self._visible if self.lists_models else None,
                adopted=tuple(job for job in shown if job.id in adopted),
                others=tuple(j for j in shown if others and j.project not in (None, project)),
            )

        return self._play("observe", snapshot)

    def observe_account(self, observed: Observed, project: str, since: int | None) -> Observed:
        def snapshot() -> Observed:
            shown = self._shown(filtered=False)
            ours = {job.id: job for job in shown if job.project in (None, project) and job.digest}
            ours |= {job.id: job for job in observed.jobs}
            files = {file.id for file in observed.files}
            theirs = [job for job in shown if job.id not in ours and job.training_file in files]
            newest = sorted(ours.values(), key=lambda job: job.age_order, reverse=True)
            return replace(observed, jobs=tuple(newest), strangers=(*observed.strangers, *theirs))

        return self._play("observe_account", snapshot)

    def jobs(self, project: str, *, whole: bool = False) -> tuple[Job, ...]:
        assert project == self.project

        def ours() -> tuple[Job, ...]:
            shown = self._shown(filtered=not whole)
            return tuple(job for job in shown if job.digest or job.id not in self.tags)

        return self._play("jobs whole" if whole else "jobs", ours)

    def job(self, job: str) -> Job:
        def look() -> Job:
            if job not in self.made:
                raise refused(404)
            return self._told(self.made[job])

        return self._play(f"job {job}", look)

    def events(self, job: str, limit: int | None = None) -> tuple[Event, ...]:
        events = self.log.get(job, ())
        return self._play(f"events {job} {limit}", lambda: events[-limit:] if limit else events)

    def checkpoints(self, job: str) -> tuple[CheckpointModel, ...]:
        return self._play(f"checkpoints {job}", lambda: self.steps.get(job, ()))

    def model_visible(self, model: str) -> bool:
        return self._play(f"model_visible {model}", lambda: model in self._visible)

    def file(self, file: str) -> File:
        def look() -> File:
            if file not in self.files:
                raise refused(404)
            return self.files[file]

        return self._play(f"file {file}", look)

    def find_upload(self, filename: str, size: int) -> str | None:
        def find() -> str | None:
            for file in self.files.values():
                shown = file.created_at + self.lag_seconds <= self.clock.now()
                if shown and (file.name, file.bytes) == (filename, size):
                    return file.id
            return None

        return self._play(f"find_upload {filename}", find)

    # `Writer`

    def upload(self, step: Upload, source: Path) -> File:
        def keep() -> File:
            file = File(
                f"file-{len(self.files) + 1}", step.filename, step.bytes, int(self.clock.now()),
                sha256=step.sha256,
            )  # fmt: skip
            self.files[file.id] = file
            return file

        return self._play(f"upload {step.filename}", keep)

    def start_job(
        self,
        step: StartJob,
        *,
        base_model: str,
        training_file: str,
        validation_file: str | None,
        tags: Mapping[str, str],
    ) -> Job:
        def buy() -> Job:
            tag = read_tag(tags)
            assert tag.project == self.project
            for file in (training_file, validation_file):
                known = self.files.get(file or "")
                if known and self.clock.now() < known.created_at + self.file_pending_seconds:
                    raise refused(400, "file_not_ready", file_pending=True)
            job = Job(
                f"ftjob-{len(self.made) + 1}", "validating_files", int(self.clock.now()),
                finetune=tag.finetune, digest=tag.digest, replaces=tag.replaces,
                follows=tag.follows, environment=tag.environment,
                base_model=base_model, training_file=training_file,
                validation_file=validation_file,
                hyperparameters=self.hyperparameters_changed,
            )  # fmt: skip
            self.made[job.id] = job
            self.tags[job.id] = tags
            self.shown_at[job.id] = self.clock.now()
            return self._told(job)

        return self._play(f"start_job {step.finetune}", buy)

    def cancel_job(self, job: str) -> Job:
        def stop() -> Job:
            if self.cancel_refused:
                raise refused(403)
            if self.made[job].in_progress:
                self.becomes(job, status="cancelled")
            return self.made[job]

        return self._play(f"cancel_job {job}", stop)

    def pause_job(self, job: str) -> Job:
        def halt() -> Job:
            if self.made[job].status != "paused":
                if self.made[job].status != "running":
                    raise refused(400)
                self.becomes(job, status="paused")
            return self.made[job]

        return self._play(f"pause_job {job}", halt)

    def resume_job(self, job: str) -> Job:
        def go_on() -> Job:
            if self.made[job].status == "paused":
                self.becomes(job, status="queued")
            elif not self.made[job].in_progress:
                raise refused(400)
            return self.made[job]

        return self._play(f"resume_job {job}", go_on)

    def delete_model(self, model: str) -> None:
        self._play(f"delete_model {model}", lambda: self.models.discard(model))

    def delete_file(self, file: str) -> None:
        self._play(f"delete_file {file}", lambda: self.files.pop(file, None))


if TYPE_CHECKING:
    from ftctl.providers import Provider

    _: Provider = FakeProvider()
