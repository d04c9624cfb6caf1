"""A plan in, the service changed, a `Report` out. The only caller of a provider's writes.

Steps run in the plan's order, deletes last of all. A step that fails ends its own change; the
others go on, unless the service refuses everybody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ftctl.changes import (
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    FileRef,
    Outcome,
    ParentModel,
    Plan,
    Report,
    StartJob,
    Step,
    Upload,
)
from ftctl.clock import Clock
from ftctl.diff import packed_spec
from ftctl.errors import FtctlError, ProviderError
from ftctl.marks import make_marks
from ftctl.provider import Provider
from ftctl.world import Job

# After a lost answer: how long to wait before each further look. Lists may lag behind writes.
_LOOKS_SECONDS = (1.0, 2.0, 4.0, 8.0)

_REFUSES_EVERYBODY = frozenset({"training_not_available", "insufficient_quota"})

Say = Callable[[str, str], None]  # (name of the change, sentence)


def apply_plan(
    plan: Plan,
    provider: Provider,
    *,
    root: Path,
    clock: Clock,
    cosmetic: frozenset[str],
    known_jobs: frozenset[str],
    commit: str | None = None,
    say: Say = lambda _name, _sentence: None,
) -> Report:
    """Carry out a plan.

    `known_jobs` are the ids that were observed for it: after a lost answer, a job that is not
    among them and has the right digest is the one that was asked for. `say` hears of each step.
    """
    run = _Run(plan.project, provider, root, clock, cosmetic, known_jobs, commit, say)
    progress = {change.name: _Progress() for change in plan.changes}
    for last in (False, True):
        for change in plan.changes:
            run.carry_out(change, progress[change.name], deletes=last)
    return Report(
        tuple(
            Outcome(
                name=change.name,
                action=change.action,
                done=tuple(state.done),
                job=state.job,
                error=state.error,
                skipped=state.skipped,
            )
            for change in plan.changes
            if (state := progress[change.name])
        )
    )


@dataclass(slots=True)
class _Progress:
    """How far one change has come."""

    done: list[str] = field(default_factory=list)
    job: Job | None = None
    error: FtctlError | None = None
    skipped: str | None = None


class _NotDone(FtctlError):
    """A step could not be carried out for a reason on this side."""


@dataclass(slots=True)
class _Run:
    project: str
    provider: Provider
    root: Path
    clock: Clock
    cosmetic: frozenset[str]
    known_jobs: frozenset[str]
    commit: str | None
    say: Say
    uploaded: dict[str, str] = field(default_factory=dict)  # file name -> id
    refused: ProviderError | None = None

    def carry_out(self, change: Change, state: _Progress, *, deletes: bool) -> None:
        """Run a change's deletes, or all its other steps, up to the first failure."""
        for step in change.steps:
            if isinstance(step, DeleteModel | DeleteFile) is not deletes:
                continue
            if state.error is not None or state.skipped is not None:
                return
            if self.refused is not None:
                state.skipped = f"not begun: the service refuses ({self.refused.code})"
                return
            try:
                sentence = self._step(step, state)
            except FtctlError as fault:
                state.error = fault
                if isinstance(fault, ProviderError) and _hopeless(fault):
                    self.refused = fault
                return
            state.done.append(sentence)
            self.say(change.name, sentence)

    def _step(self, step: Step, state: _Progress) -> str:
        match step:
            case Upload():
                return self._upload(step)
            case StartJob():
                state.job = self._start(step)
                return f"started {state.job.id} ({state.job.status})"
            case CancelJob():
                job = self.provider.cancel_job(step.job)
                if job.status == "cancelled":
                    return f"cancelled {step.job} ({step.reason})"
                return f"{step.job} was over before it could be cancelled ({job.status})"
            case DeleteModel():
                self.provider.delete_model(step.model)
                return f"deleted model {step.model}"
            case DeleteFile():
                self.provider.delete_file(step.id)
                return f"deleted file {step.id} ({step.filename})"

    def _upload(self, step: Upload) -> str:
        source = self.root / step.path
        if _sha256(source) != step.sha256:
            raise _NotDone(
                f"{step.path} has changed since the plan was made", "plan and apply again"
            )
        try:
            file = self.provider.upload(step, source)
        except ProviderError as fault:
            file = self._settle_upload(step, source, fault)
        self.uploaded[step.filename] = file
        return f"uploaded {step.path} as {file} ({step.bytes:,} bytes)"

    def _settle_upload(self, step: Upload, source: Path, fault: ProviderError) -> str:
        """The answer was lost: look for the file before sending it once more."""
        if not fault.ambiguous:
            raise fault
        for seconds in _LOOKS_SECONDS:
            self.clock.sleep(seconds)
            if (found := self.provider.find_upload(step.filename, step.bytes)) is not None:
                return found
        return self.provider.upload(step, source)

    def _start(self, step: StartJob) -> Job:
        base_model = self._base_model(step.base_model)
        marks = make_marks(
            self.project,
            step.finetune,
            step.digest,
            spec=packed_spec(step.spec, self.cosmetic),
            commit=self.commit,
            replaces=step.replaces,
        )
        training = self._file_id(step.training)
        validation = self._file_id(step.validation) if step.validation else None

        def ask() -> Job:
            return self.provider.start_job(
                step,
                base_model=base_model,
                training_file=training,
                validation_file=validation,
                marks=marks,
            )

        try:
            return ask()
        except ProviderError as fault:
            if not fault.ambiguous:
                raise
        return self._settle_start(step, marks) or ask()

    def _settle_start(self, step: StartJob, marks: Mapping[str, str]) -> Job | None:
        """The answer was lost: the job that was made all the same, if there is one."""
        for seconds in _LOOKS_SECONDS:
            self.clock.sleep(seconds)
            for job in self.provider.jobs(marks["ftctl_project"]):
                if job.digest == step.digest and job.id not in self.known_jobs:
                    return job
        return None

    def _base_model(self, base: str | ParentModel) -> str:
        if isinstance(base, str):
            return base
        if base.checkpoint == "last":
            return base.model
        checkpoints = self.provider.checkpoints(base.job)
        if base.checkpoint == "best":
            measured = [one for one in checkpoints if one.loss is not None]
            if not measured:
                raise _NotDone(
                    f"no checkpoint of {base.job} has a full validation loss to be best by",
                    "give the parent a validation file, or use 'checkpoint: last'",
                )
            return min(measured, key=lambda one: (one.loss, -one.step)).model
        for one in checkpoints:
            if one.step == base.checkpoint:
                return one.model
        steps = ", ".join(str(one.step) for one in sorted(checkpoints, key=lambda one: one.step))
        raise _NotDone(
            f"{base.job} has no checkpoint at step {base.checkpoint}",
            f"it has them at: {steps}" if steps else "it kept none",
        )

    def _file_id(self, ref: FileRef) -> str:
        file = ref.id or self.uploaded.get(ref.filename)
        if file is None:
            raise _NotDone(f"the upload of {ref.dataset} that it needs did not succeed")
        return file


def _hopeless(fault: ProviderError) -> bool:
    """Whether asking for anything more would fail in the same way."""
    return fault.status == 401 or fault.code in _REFUSES_EVERYBODY


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
