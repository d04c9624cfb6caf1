"""One upload or training run, bought once: whatever breaks, the answer is looked for, not guessed.

A create is asked once. When its answer is lost, the service is observed until the job shows or can
be taken not to exist; only then is it asked for again. When two runs buy the same at the same
time, each looks again right after and the oldest of the duplicates wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from ftctl.clock import Clock
from ftctl.domain.observed import Job
from ftctl.domain.plan import FileRef, ParentModel, StartJob, Upload
from ftctl.domain.spec_memory import packed_spec
from ftctl.errors import FtctlError, ProviderError
from ftctl.providers.ownership import tags_for
from ftctl.providers.protocol import Provider
from ftctl.providers.retry import BACKOFF_SECONDS, asks_too_long, pause_after, with_backoff

# After a lost answer: how long to wait before each further look. Lists may lag behind writes.
_LOOKS_SECONDS = (1.0, 2.0, 4.0, 8.0)
_MOST_ASKS = 3  # for one job, each after it was seen that the one before made none


class JobLimitReached(FtctlError):
    """The service takes no more jobs now. The change waits its turn, it has not failed."""


@dataclass(slots=True)
class JobCreator:
    """Uploads and starts jobs for one apply. Safe to use from several threads."""

    project: str
    provider: Provider
    clock: Clock
    cosmetic: frozenset[str]
    known_jobs: frozenset[str]
    commit: str | None
    uploaded: dict[str, str] = field(default_factory=dict)  # file name -> id
    claimed: set[str] = field(default_factory=set)  # jobs that a start of ours found to be its own
    lock: Any = field(default_factory=Lock)  # threading gives its type no name
    turn: str | None = None  # why no more jobs are started

    def upload(self, step: Upload, source: Path) -> str:
        """Send a file; its id. A copy that a lost answer left behind is taken for it."""

        def ask() -> str:
            try:
                return self.provider.upload(step, source)
            except ProviderError as fault:
                if not fault.ambiguous:
                    raise
            return self._recover_lost_upload(step) or self.provider.upload(step, source)

        file = with_backoff(ask, self.clock)
        self.uploaded[step.filename] = file
        return file

    def _recover_lost_upload(self, step: Upload) -> str | None:
        for seconds in _LOOKS_SECONDS:
            self.clock.sleep(seconds)
            if (found := self.provider.find_upload(step.filename, step.bytes)) is not None:
                return found
        return None

    def start(self, step: StartJob) -> Job:
        """Buy a run. Raises `JobLimitReached` where the service takes no more now."""
        if self.turn is not None:
            raise JobLimitReached(self.turn)
        ask = self._request(step)
        asks = 0
        for pause in (*BACKOFF_SECONDS, None):
            try:
                return self._claim(ask())
            except ProviderError as fault:
                if fault.ambiguous:
                    if (job := self._recover_lost_create(step, fault)) is not None:
                        return job
                    asks += 1
                    if asks == _MOST_ASKS:
                        raise
                elif pause is None or not fault.retryable or _wants_a_turn(fault):
                    if fault.status != 429 or not fault.retryable:
                        raise
                    self.turn = f"waits its turn: {fault.message}"
                    raise JobLimitReached(self.turn) from None
                else:
                    self.clock.sleep(pause_after(fault, pause))
        raise AssertionError("the last pause is None, which returns or raises")

    def _request(self, step: StartJob) -> Callable[[], Job]:
        """The create, ready to be asked."""
        base_model = self._base_model(step)
        training = self._file_id(step.training)
        validation = self._file_id(step.validation) if step.validation else None
        tags = tags_for(
            self.project,
            step.finetune,
            step.digest,
            spec=packed_spec(step.spec, self.cosmetic),
            commit=self.commit,
            replaces=step.replaces,
        )
        return lambda: self.provider.start_job(
            step,
            base_model=base_model,
            training_file=training,
            validation_file=validation,
            tags=tags,
        )

    def _claim(self, job: Job) -> Job:
        with self.lock:
            self.claimed.add(job.id)
        return job

    def _recover_lost_create(self, step: StartJob, fault: ProviderError) -> Job | None:
        """The answer was lost: the job that was made all the same, if there is one."""
        for number, seconds in enumerate(_LOOKS_SECONDS, 1):
            self.clock.sleep(seconds)
            # A filter may lag or be ignored: the last look does without.
            whole = number == len(_LOOKS_SECONDS)
            try:
                listed = self.provider.jobs(self.project, whole=whole)
            except ProviderError:
                raise fault from None  # nothing is known; the next apply looks before it buys
            for job in listed:
                if self._is_new(job, step) and job.id not in self.claimed:
                    return self._claim(job)
        return None

    def _is_new(self, job: Job, step: StartJob) -> bool:
        """Whether a job was made for this step since the plan was."""
        same = job.digest == step.digest and job.replaces == step.replaces
        return same and job.id not in self.known_jobs

    def resolve_duplicates(
        self, started: Mapping[str, tuple[StartJob, Job]]
    ) -> dict[str, tuple[Job, str | None]]:
        """Look again: of duplicates the oldest wins (creation time, then id), the others stop.

        Every run that looks comes to the same winner. In: fine-tune → step and its job. Out: the
        job to follow, and what was done about its duplicates.
        """
        if not started:
            return {}
        try:
            listed = self.provider.jobs(self.project)
        except ProviderError:
            return {}  # the next apply finds duplicates by its table
        return {name: self._resolve(step, job, listed) for name, (step, job) in started.items()}

    def _resolve(self, step: StartJob, own: Job, listed: tuple[Job, ...]) -> tuple[Job, str | None]:
        same = {
            job.id: job
            for job in listed
            if self._is_new(job, step) and (job.in_progress or job.status == "succeeded")
        }
        same.setdefault(own.id, own)
        winner = min(same.values(), key=lambda job: job.age_order)
        losers = [job for job in same.values() if job is not winner and job.in_progress]
        told = []
        for loser in losers:
            try:
                self.provider.cancel_job(loser.id)
            except ProviderError:
                continue  # the next apply cancels it by its table
            told.append(f"cancelled {loser.id}: {winner.id} is the same and older")
        return winner, "; ".join(told) or None

    def _base_model(self, step: StartJob) -> str:
        base = step.base_model
        if isinstance(base, str):
            return base
        return base.model if base.checkpoint == "last" else self._checkpoint(base)

    def _checkpoint(self, base: ParentModel) -> str:
        checkpoints = self.provider.checkpoints(base.job)
        if base.checkpoint == "best":
            measured = [(one.loss, -one.step, one) for one in checkpoints if one.loss is not None]
            if not measured:
                raise FtctlError(
                    f"no checkpoint of {base.job} has a full validation loss to be best by",
                    "give the parent a validation file, or use 'checkpoint: last'",
                )
            return min(measured, key=lambda one: one[:2])[2].model
        for one in checkpoints:
            if one.step == base.checkpoint:
                return one.model
        steps = ", ".join(str(one.step) for one in sorted(checkpoints, key=lambda one: one.step))
        raise FtctlError(
            f"{base.job} has no checkpoint at step {base.checkpoint}",
            f"it has them at: {steps}" if steps else "it kept none",
        )

    def _file_id(self, ref: FileRef) -> str:
        file = ref.id or self.uploaded.get(ref.filename)
        if file is None:
            raise FtctlError(f"the upload of {ref.dataset} that it needs did not succeed")
        return file


def _wants_a_turn(fault: ProviderError) -> bool:
    """Whether a refusal is about how many jobs there may be, and not about how fast we ask."""
    about_jobs = any(word in (fault.code or "") for word in ("daily", "concurrent", "active_jobs"))
    return fault.status == 429 and (about_jobs or asks_too_long(fault))
