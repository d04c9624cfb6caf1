"""One upload or training run, bought once: whatever breaks, the answer is looked for, not guessed.

A create is pending until it is answered. Where the answer is lost it is incomplete: the service is
observed through a grace period, until the job shows or can be taken not to exist; only then is it
asked for again. What is asked for stands in a journal before it is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from ftctl.apply.inspection import NotAsAsked, Purchase
from ftctl.apply.journal import Journal
from ftctl.apply.terms import Terms
from ftctl.clock import Clock
from ftctl.domain.observed import UNREADABLE, File, Job, Observed, best_checkpoint
from ftctl.domain.plan import FileRef, ParentModel, StartJob, Upload
from ftctl.domain.spec_memory import packed_spec
from ftctl.errors import FtctlError, ProviderError
from ftctl.providers.ownership import tags_for
from ftctl.providers.protocol import Provider
from ftctl.providers.retry import BACKOFF_SECONDS, asks_too_long, pause_after, with_backoff
from ftctl.text.escape.single_line import one_line
from ftctl.text.shell import shell_word

# The grace period after a lost answer, by the pauses before each further look. Lists of jobs lag by
# up to a minute; a second copy of a file costs nothing.
_LOOKS_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0)
_LOOKS_WITH_FILTER = 3
_FILE_LOOKS_SECONDS = (1.0, 2.0, 4.0, 8.0)
_MOST_INCOMPLETE = 3  # creates of one job whose answer was lost and that made none, as it seems
# What a file is waited for that the service still looks at: before a create, and once that is
# refused for it.
_READY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_PENDING_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0, 60.0)
_UNKNOWN_QUESTION = (403, 404, 405, 501)


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
    journal: Journal
    terms: Terms
    environment: str | None = None  # as it is written on jobs
    note: Callable[[str], None] = lambda _text: None
    uploaded: dict[str, str] = field(default_factory=dict)  # file name -> id
    claimed: set[str] = field(default_factory=set)  # jobs that a start of ours found to be its own
    lock: Any = field(default_factory=Lock)  # threading gives its type no name
    limit: str | None = None  # why no more jobs are started

    def upload(self, step: Upload, source: Path) -> str:
        """Send a file; its id. A copy that a lost answer left behind is taken for it.

        Raises `FtctlError` where the service cannot train on it, or not know it by its name.
        """

        lost = False  # whether an answer was: a copy may be there, and is looked for first

        def ask() -> File:
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

        file = self._ready(step, with_backoff(ask, self.clock))
        self._require_name(step, file)
        self.uploaded[step.filename] = file.id
        return file.id

    def _recover_lost_upload(self, step: Upload) -> File | None:
        for seconds in _FILE_LOOKS_SECONDS:
            self.clock.sleep(seconds)
            if (file := self.provider.find_upload(step.filename, step.bytes)) is not None:
                return File(file, step.filename, step.bytes, 0)
        return None

    def _ready(self, step: Upload, file: File) -> File:
        """The file once the service has looked at it, or takes long for that."""
        for number, pause in enumerate(_READY_SECONDS):
            if not file.processing:
                break
            if number == 2:
                most = sum(_READY_SECONDS)
                self.note(f"waiting until the service has read {step.path} (up to {most:.0f} s)")
            self.clock.sleep(pause)
            try:
                file = self.provider.file(file.id)
            except ProviderError as fault:
                if fault.status in _UNKNOWN_QUESTION:
                    break  # whether it is ready, the create will tell
                raise
        if file.refusal is not None:
            # What steps have made is checked with its project: its place says nothing to anybody.
            check = (
                "validate" if step.origin is not None else f"dataset check {shell_word(step.path)}"
            )
            raise FtctlError(
                f"the service cannot train on {step.path}: {file.refusal}",
                f"see what the service wants of its files, and what is found here: ftctl {check}",
            )
        return file

    def _require_name(self, step: Upload, sent: File) -> None:
        """Raise where the name of a file is to be a job's mark, and the service does not keep it.

        Then nothing was bought yet.
        """
        if self.terms.service.ownership_store != "file-name":
            return
        try:
            name = self.provider.file(sent.id).name
        except ProviderError as fault:
            if fault.status not in _UNKNOWN_QUESTION:
                raise
            name = sent.name  # the answer to the upload, and lists, tell as well
        if name != step.filename:
            with suppress(ProviderError):  # nobody would find it again
                self.provider.delete_file(sent.id)
            raise NotAsAsked(
                f"the service calls the file {sent.id} '{name}', and not {step.filename}: a job"
                " could not be found by that, and none is bought",
                "write 'mark: metadata' below 'provider' in ftctl.yaml, if the service keeps"
                " metadata; ftctl cannot be used with one that keeps neither",
            )

    def start(self, step: StartJob) -> Purchase:
        """Buy a run. Raises `JobLimitReached` where the service takes no more now."""
        if self.limit is not None:
            raise JobLimitReached(self.limit)
        base_model, training = self._base_model(step), self._file_id(step.training)
        create = self._request(step, base_model, training)
        job = self._bought(step, training, create)
        self.journal.answered(step, job.id)
        marked = replace(
            job,
            finetune=step.finetune,
            digest=step.digest,
            replaces=step.replaces,
            follows=step.follows,
            environment=self.environment,
        )
        return Purchase(step, marked, base_model, training)

    def _bought(self, step: StartJob, training: str, create: Callable[[], Job]) -> Job:
        """The job, asked for until it is there or refused for good.

        What was written down stays open where a job may have been made and is not known.
        """
        incomplete = 0
        for pause in (*BACKOFF_SECONDS, None):
            try:
                return self._claim(self._asked(step, create))
            except ProviderError as fault:
                if fault.ambiguous:
                    if (job := self._recover_lost_create(step, training, fault)) is not None:
                        return job
                    if fault.code == UNREADABLE:
                        raise  # it was sold, and what was sold cannot be read: once is enough
                    incomplete += 1
                    if pause is None or incomplete == _MOST_INCOMPLETE:
                        raise
                elif pause is None or not fault.retryable or _is_job_limit(fault):
                    if not incomplete:
                        self.journal.answered(step, None)
                    raise self._refused(fault) from None
                else:
                    self.clock.sleep(pause_after(fault, pause))
        raise AssertionError("the last pause is None, which returns or raises")

    def _asked(self, step: StartJob, create: Callable[[], Job]) -> Job:
        """One create, asked again while its file is not ready: such a refusal buys nothing."""
        for number, pause in enumerate(_PENDING_SECONDS):
            self._write_down(step)
            try:
                return create()
            except ProviderError as fault:
                if fault.ambiguous or not fault.file_pending:
                    raise
                if number == 2:
                    most = sum(_PENDING_SECONDS)
                    why = one_line(f"{step.finetune}: {fault.message}")
                    self.note(f"{why} (waiting for up to {most:.0f} s)")
            self.clock.sleep(pause)
        self._write_down(step)
        return create()

    def _write_down(self, step: StartJob) -> None:
        try:
            self.journal.asked(step)
        except FtctlError as fault:
            cure = f"{fault.hint}; " if fault.hint else ""
            raise FtctlError(
                "not bought, since what is about to be bought cannot be written down before:"
                f" {fault.message}",
                f"{cure}make the project's folder writable, then apply again",
            ) from None

    def _refused(self, fault: ProviderError) -> FtctlError:
        """What a refusal that stays means: our turn has not come, or the change has failed."""
        if not fault.job_limit and (fault.status != 429 or not fault.retryable):
            return fault
        self.limit = f"waits its turn: {fault.message}"
        return JobLimitReached(self.limit)

    def _request(self, step: StartJob, base_model: str, training: str) -> Callable[[], Job]:
        """The create, ready to be asked."""
        validation = self._file_id(step.validation) if step.validation else None
        tags = tags_for(
            self.project,
            step.finetune,
            step.digest,
            spec=packed_spec(step.spec, self.cosmetic),
            commit=self.commit,
            replaces=step.replaces,
            follows=step.follows,
            environment=self.environment,
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

    def _recover_lost_create(
        self, step: StartJob, training: str, fault: ProviderError
    ) -> Job | None:
        """The job that was made although its answer was lost, if there is one."""
        for look, seconds in enumerate(_LOOKS_SECONDS):
            self.clock.sleep(seconds)
            if look == _LOOKS_WITH_FILTER:
                most = sum(_LOOKS_SECONDS)
                self.note(
                    f"{step.finetune}: the answer to its purchase was lost; looking for the job"
                    f" before it is asked for again (up to {most:.0f} s)"
                )
            try:
                jobs, others = self._look(step, training, whole=look >= _LOOKS_WITH_FILTER)
            except ProviderError:
                raise fault from None  # nothing is known; the next apply looks before it buys
            for job in jobs:
                if self._is_new(job, step) and self._claims(job):
                    return job
                self._require_other(step, job)
            for job in others:
                self._require_strange(step, job)
        return None

    def _look(
        self, step: StartJob, training: str, *, whole: bool
    ) -> tuple[tuple[Job, ...], tuple[Job, ...]]:
        """The project's jobs; with `whole` by no filter, and what else trains on the same file."""
        if not whole:
            return self.provider.jobs(self.project), ()
        files = (File(training, step.training.filename, 0, 0),)
        observed = self.provider.observe_account(Observed(files=files), self.project, 0)
        return observed.jobs, observed.strangers

    def _require_other(self, step: StartJob, job: Job) -> None:
        """Raise where a new job of ours that cannot be read may be the one."""
        if not job.is_unreadable or job.id in self.known_jobs:
            return
        if job.digest in (None, step.digest) and job.finetune in (None, step.finetune):
            why = f": {job.error.message}" if job.error else ""
            raise NotAsAsked(
                f"the answer to its purchase was lost, and {job.id} is ours and cannot be read"
                f"{why}. It may be the one, and nothing more is bought",
                "'ftctl plan' says how to go on",
            )

    def _require_strange(self, step: StartJob, job: Job) -> None:
        """Raise where a new job without our mark may be the one whose answer was lost."""
        if job.id in self.known_jobs or job.id in self.claimed:
            return
        if self.terms.departure(step, _model_of(step), job) is None:
            raise NotAsAsked(
                f"the answer to its purchase was lost, and {job.id} trains the same on its file"
                " without our mark: it may be the one, and nothing more is bought",
                f"cancel {job.id} at the service if it is, and set 'mark: file-name' below"
                " 'provider' in ftctl.yaml; 'ftctl plan' says how to go on",
            )

    def _is_new(self, job: Job, step: StartJob) -> bool:
        """Whether a job was made for this step since the plan was."""
        same = (job.digest, job.stands_in_for) == (step.digest, step.stands_in_for)
        if not same or job.id in self.known_jobs:
            return False
        # Whoever trains on a file bears the mark that is its name.
        return not job.by_file or self.terms.departure(step, _model_of(step), job) is None

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


def _model_of(step: StartJob) -> str:
    """The model that a step starts from, whatever its checkpoint."""
    return step.base_model if isinstance(step.base_model, str) else step.base_model.model


def _is_job_limit(fault: ProviderError) -> bool:
    """Whether a refusal is about how many jobs there may be, and not about how fast we ask."""
    about_jobs = any(word in (fault.code or "") for word in ("daily", "concurrent", "active_jobs"))
    return fault.job_limit or about_jobs or asks_too_long(fault)
