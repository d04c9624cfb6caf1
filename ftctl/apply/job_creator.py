"""One upload or training run, bought once: whatever breaks, the answer is looked for, not guessed.

A create is pending until it is answered. Where the answer is lost it is incomplete: the service is
observed through a grace period, until the job shows or can be taken not to exist; only then is it
asked for again. When two runs buy the same at the same time, each looks again right after and the
oldest of the duplicates wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from ftctl.clock import Clock
from ftctl.domain.observed import Job, best_checkpoint
from ftctl.domain.plan import FileRef, ParentModel, StartJob, Upload
from ftctl.domain.spec_memory import packed_spec
from ftctl.errors import FtctlError, ProviderError
from ftctl.providers.ownership import tags_for
from ftctl.providers.protocol import Provider
from ftctl.providers.retry import BACKOFF_SECONDS, asks_too_long, pause_after, with_backoff

# The grace period after a lost answer, by the pauses before each further look: lists may lag.
_LOOKS_SECONDS = (1.0, 2.0, 4.0, 8.0)
_MOST_INCOMPLETE = 3  # creates of one job whose answer was lost and that made none, as it seems


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
    limit: str | None = None  # why no more jobs are started

    def upload(self, step: Upload, source: Path) -> str:
        """Send a file; its id. A copy that a lost answer left behind is taken for it."""

        lost = False  # whether an answer was: a copy may be there, and is looked for first

        def ask() -> str:
            nonlocal lost
            if lost and (file := self._recover_lost_upload(step)) is not None:
                return file
            try:
                return self.provider.upload(step, source)
            except ProviderError as fault:
                if lost or not fault.ambiguous:
                    raise
            lost = True
            return ask()

        file = with_backoff(ask, self.clock)
        self.uploaded[step.filename] = file
        return file

    def _recover_lost_upload(self, step: Upload) -> str | None:
        for seconds in _LOOKS_SECONDS:
            self.clock.sleep(seconds)
            if (file := self.provider.find_upload(step.filename, step.bytes)) is not None:
                return file
        return None

    def start(self, step: StartJob) -> Job:
        """Buy a run. Raises `JobLimitReached` where the service takes no more now."""
        if self.limit is not None:
            raise JobLimitReached(self.limit)
        create = self._request(step)
        incomplete = 0
        for pause in (*BACKOFF_SECONDS, None):
            try:
                return self._claim(create())
            except ProviderError as fault:
                if fault.ambiguous:
                    if (job := self._recover_lost_create(step, fault)) is not None:
                        return job
                    incomplete += 1
                    if pause is None or incomplete == _MOST_INCOMPLETE:
                        raise
                elif pause is None or not fault.retryable or _is_job_limit(fault):
                    raise self._refused(fault) from None
                else:
                    self.clock.sleep(pause_after(fault, pause))
        raise AssertionError("the last pause is None, which returns or raises")

    def _refused(self, fault: ProviderError) -> FtctlError:
        """What a refusal that stays means: our turn has not come, or the change has failed."""
        if not fault.job_limit and (fault.status != 429 or not fault.retryable):
            return fault
        self.limit = f"waits its turn: {fault.message}"
        return JobLimitReached(self.limit)

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

    def _claims(self, job: Job) -> bool:
        """Take a job for a start of ours, unless another start has it already."""
        with self.lock:
            free = job.id not in self.claimed
            self.claimed.add(job.id)
        return free

    def _recover_lost_create(self, step: StartJob, fault: ProviderError) -> Job | None:
        """The job that was made although its answer was lost, if there is one."""
        for look, seconds in enumerate(_LOOKS_SECONDS, 1):
            self.clock.sleep(seconds)
            # A filter may lag or be ignored: the last look does without.
            whole = look == len(_LOOKS_SECONDS)
            try:
                jobs = self.provider.jobs(self.project, whole=whole)
            except ProviderError:
                raise fault from None  # nothing is known; the next apply looks before it buys
            for job in jobs:
                if self._is_new(job, step) and self._claims(job):
                    return job
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
            jobs = self.provider.jobs(self.project)
        except ProviderError:
            return {}  # the next apply finds duplicates by its table
        return {name: self._resolve(step, job, jobs) for name, (step, job) in started.items()}

    def _resolve(self, step: StartJob, own: Job, jobs: tuple[Job, ...]) -> tuple[Job, str | None]:
        duplicates = {
            job.id: job
            for job in jobs
            if self._is_new(job, step) and (job.in_progress or job.status == "succeeded")
        }
        duplicates.setdefault(own.id, own)
        winner = min(duplicates.values(), key=lambda job: job.age_order)
        sentences = []
        for loser in duplicates.values():
            if loser is winner or not loser.in_progress:
                continue
            try:
                self.provider.cancel_job(loser.id)
            except ProviderError:
                continue  # the next apply cancels it by its table
            sentences.append(f"cancelled {loser.id}: {winner.id} is the same and older")
        return winner, "; ".join(sentences) or None

    def _base_model(self, step: StartJob) -> str:
        base = step.base_model
        if isinstance(base, str):
            return base
        return base.model if base.checkpoint == "last" else self._checkpoint(base)

    def _checkpoint(self, base: ParentModel) -> str:
        checkpoints = self.provider.checkpoints(base.job)
        if base.checkpoint == "best":
            best = best_checkpoint(checkpoints)
            if best is None:
                raise FtctlError(
                    f"no checkpoint of {base.job} has a full validation loss to be best by",
                    "give the parent a validation file, or use 'checkpoint: last'",
                )
            return best.model
        for checkpoint in checkpoints:
            if checkpoint.step == base.checkpoint:
                return checkpoint.model
        steps = ", ".join(str(step) for step in sorted(at.step for at in checkpoints))
        raise FtctlError(
            f"{base.job} has no checkpoint at step {base.checkpoint}",
            f"it has them at: {steps}" if steps else "it kept none",
        )

    def _file_id(self, ref: FileRef) -> str:
        file = ref.id or self.uploaded.get(ref.filename)
        if file is None:
            raise FtctlError(f"the upload of {ref.dataset} that it needs did not succeed")
        return file


def _is_job_limit(fault: ProviderError) -> bool:
    """Whether a refusal is about how many jobs there may be, and not about how fast we ask."""
    about_jobs = any(word in (fault.code or "") for word in ("daily", "concurrent", "active_jobs"))
    return fault.job_limit or about_jobs or asks_too_long(fault)
