"""What nobody asks for any more, and what to do about it: orphans, old models, projects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ftctl.domain.desired import Desired, FineTune, ServiceInfo, nothing
from ftctl.domain.observed import File, Job, Observed
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Plan,
    Step,
)
from ftctl.planner.lineage import lineage
from ftctl.planner.scope import EVERYWHERE, Scope

_UNNAMED = "(unnamed)"
_YOUNG_SECONDS = 24 * 3600  # an apply may wait so long between an upload and its job

# Models in use, and the jobs that made them, with the reason: they outlive every cleanup.
Protected = Mapping[str, str]
_NOTHING: Protected = nothing()


def stoppable(job: Job) -> bool:
    """Whether cancelling can still stop a job: not one that succeeded and gets its name late.

    Nor one that cannot be read: nobody knows what it is, or whether it runs.
    """
    return job.in_progress and job.status != "succeeded" and not job.is_unreadable


def plan_orphans(
    desired: Desired,
    observed: Observed,
    *,
    prune: bool,
    settled: bool,
    protected: Protected = _NOTHING,
    scope: Scope = EVERYWHERE,
    standing: Collection[str] = (),
) -> list[Change]:
    """A change for each fine-tune that left the manifests.

    `standing` are further digests whose jobs stand for fine-tunes.

    `settled` says that every fine-tune has its model. Before that, jobs without a name keep
    theirs: they may be the earlier versions that are in use. What a fine-tune trained under an
    earlier name is its own still, to keep as many of as it says.
    """
    adopted = {finetune.adopt for finetune in desired.finetunes}
    names = {finetune.name for finetune in desired.finetunes}
    digests = {finetune.digest for finetune in desired.finetunes} | {*standing}
    heirs = lineage(desired, observed.jobs)
    orphans = [
        job
        for job in observed.jobs
        if job.finetune not in names and job.digest not in digests and job.id not in adopted
        and not (job.status == "succeeded" and job.id in heirs)
    ]  # fmt: skip
    changes = []
    for name, jobs in _by_name(orphans).items():
        own = [job for job in jobs if scope.governs(job)]
        steps = _removal(own, observed, protected)
        newer = [job for job in jobs if scope.is_newer(job)]
        kept = _kept_words(own, observed, protected)
        kept += scope.left_alone(job for job in newer if _removal([job], observed, protected))
        if not steps and not kept:
            continue  # what is left are records, which the service keeps for good
        reason = "not in the manifests"
        if not prune:
            reason = f"{reason}; --prune cleans it up" if steps else reason
            steps = ()
        elif name == _UNNAMED and not settled:
            reason = f"{reason}; its models stay until every fine-tune has one"
            steps = _cancels(own)
        changes.append(Change(name, _action(steps), reason + kept, steps))
    return changes


def plan_files(
    desired: Desired,
    observed: Observed,
    changes: Collection[Change],
    *,
    prune: bool,
    settled: bool,
    retired: Collection[str] = (),
) -> list[Change]:
    """One change for the files that nothing refers to any more once `changes` are carried out.

    A file is needed by the manifests, by a job in progress, or by a job whose model stays; one that
    cannot be seen may be late or hidden, unless its job is among those `retired`. Before
    every fine-tune has its model (`settled`), only --prune takes files away, and no copies: an
    apply elsewhere may be about to use them.
    """
    if not (settled or prune):
        return []
    wanted = {
        dataset.sha256: dataset.bytes
        for finetune in desired.finetunes
        for dataset in (finetune.training, finetune.validation)
        if dataset is not None
    }
    standing = _with_models(observed, changes, retired)
    used = _files_in_use(observed, changes, standing)
    kept = {file for job in standing for file in (*_inputs(job), *job.result_files)}
    # What a failed job wrote says why, until its fine-tune has a model or is asked for no more.
    without_model = {change.digest for change in changes if change.model is None} - {None}
    kept |= {
        file
        for job in observed.jobs
        if job.digest in without_model and job.status in ("failed", "cancelled")
        for file in job.result_files
    }
    first: dict[tuple[str | None, str | None], str] = {}  # the copy that serves from now on
    for file in sorted(
        observed.files, key=lambda file: (file.id not in used, file.created_at, file.id)
    ):
        if file.usable and wanted.get(file.sha256 or "") == file.bytes:
            first.setdefault((file.sha256, file.digest), file.id)
    files = []
    for file in observed.files:
        if file.sha256 in wanted:
            unneeded = settled and first.get((file.sha256, file.digest)) != file.id
        else:
            unneeded = file.id not in kept and (prune or not _just_sent(file, observed))
        if unneeded and file.id not in used:
            files.append(file)
    return [
        replace(change, housekeeping=True)
        for change in _file_change(files, "nothing refers to them")
    ]


def _just_sent(file: File, observed: Observed) -> bool:
    """Whether an apply elsewhere may be about to train on a file: it is young, and no job had it.

    The service's own clock counts; where its answers tell no time, the newest of what it has.
    """
    jobs = (*observed.every_job, *observed.strangers)
    moments = [job.created_at for job in jobs] + [file.created_at for file in observed.files]
    now = observed.told_at or max(moments)
    if now - file.created_at >= _YOUNG_SECONDS:
        return False
    return not any(file.id in (*_inputs(job), *job.result_files) for job in jobs)


def _files_in_use(
    observed: Observed, changes: Collection[Change], with_models: Collection[Job]
) -> set[str]:
    """The files of jobs in progress, and those by which a job is known."""
    stopping = {s.job for change in changes for s in change.steps if isinstance(s, CancelJob)}
    jobs = (*observed.jobs, *observed.adopted)
    running = [job for job in jobs if job.in_progress and job.id not in stopping]
    # One whose state has an unknown word may be over: what it wrote stays as well.
    used = {file for job in running for file in (*_inputs(job), *job.result_files)}
    used |= _used_by_others(observed)
    # A file that carries a job's tag is all that is known of the job: without it, going back to
    # that spec would buy it again. Of a digest that has a job to stand for it, others need none.
    standing = [*running, *with_models]
    stood_for = {job.digest for job in standing}
    known_by = [*standing, *(job for job in jobs if job.digest not in stood_for)]
    tagged = {job.training_file for job in known_by}
    return used | {file.id for file in observed.files if file.digest and file.id in tagged}


def _with_models(
    observed: Observed, changes: Collection[Change], retired: Collection[str]
) -> list[Job]:
    """The jobs whose model stays once `changes` are carried out, or may be there unseen."""
    going = {s.model for change in changes for s in change.steps if isinstance(s, DeleteModel)}
    return [
        job
        for job in (*observed.jobs, *observed.adopted)
        if job.status == "succeeded"
        and job.model is not None
        and job.model not in going
        and (observed.has_model(job.model) or job.id not in retired)
    ]


def _used_by_others(observed: Observed) -> set[str]:
    """The files that jobs of others were made with, as far as they can be seen."""
    return {file for job in (*observed.strangers, *observed.others) for file in _inputs(job)}


def plan_retention(
    change: Change,
    finetune: FineTune,
    live: Job,
    jobs: Collection[Job],
    observed: Observed,
    *,
    keep: int,
    wanted: Collection[str],
    adopted: Collection[str],
    protected: Protected = _NOTHING,
) -> Change:
    """The change for a fine-tune that is up to date, with the models beyond `keep` deleted.

    `jobs` are those of its lineage or digest; `wanted` are the digests and `adopted` the jobs that
    manifests ask for: those stay. `keep` is the most that a fine-tune of this digest says.
    """
    if observed.models is None or finetune.adopt is not None:
        return change
    older = [
        job
        for job in sorted(
            {job.id: job for job in jobs}.values(), key=lambda job: job.age_order, reverse=True
        )
        if job.id != live.id
        and job.id not in adopted
        and job.digest is not None
        and job.status == "succeeded"
        and (job.digest == finetune.digest or job.digest not in wanted)
        and job.model is not None
        and job.model in observed.models
    ]
    surplus = older[keep - 1 :]
    steps = tuple(step for job in surplus for step in _model_steps(job, observed, protected))
    promoted = _kept_words(surplus, observed, protected)
    if not steps:
        return replace(change, reason=change.reason + promoted)
    kept = "this model alone" if keep == 1 else f"{keep} models"
    reason = f"{change.reason}; keeps {kept}{promoted}"
    return replace(change, action=Action.DELETE, reason=reason, steps=steps, housekeeping=True)


def make_destroy_plan(
    project: str,
    observed: Observed,
    service: ServiceInfo,
    select: frozenset[str] | None,
    *,
    protected: Protected = _NOTHING,
    scope: Scope = EVERYWHERE,
    heirs: Mapping[str, str] = _NOTHING,
) -> Plan:
    """Everything of this project: jobs in progress are cancelled, models and files deleted.

    What is `protected` stays, with its files. `heirs` tell the fine-tune that a job is of now,
    whatever it was trained as.
    """
    chosen = [
        job
        for job in observed.jobs
        if (select is None or heirs.get(job.id, job.finetune) in select) and scope.governs(job)
    ]
    changes = []
    for name, jobs in _by_name(chosen, heirs).items():
        steps = _removal(jobs, observed, protected)
        kept = _kept_words(jobs, observed, protected)
        if steps or kept:
            hint = "; --force-destroy takes it too" if kept else ""
            changes.append(Change(name, _action(steps), f"destroy{kept}{hint}", steps))
    ids = {job.id for job in chosen if _why_kept(job, protected) is None}
    kept_by_others = {
        file
        for job in observed.jobs
        if job.id not in ids
        for file in (*_inputs(job), *job.result_files)
    }
    kept_by_others |= _used_by_others(observed)
    theirs = {file for job in chosen for file in (*_inputs(job), *job.result_files)}
    files = [
        file
        for file in observed.files
        if file.id not in kept_by_others and (select is None or file.id in theirs)
    ]
    return Plan(
        project,
        service,
        (*changes, *_file_change(files, "destroy")),
        account=observed.account,
    )


def _by_name(jobs: Iterable[Job], heirs: Mapping[str, str] = _NOTHING) -> dict[str, list[Job]]:
    groups: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: job.age_order):
        groups.setdefault(heirs.get(job.id) or job.finetune or _UNNAMED, []).append(job)
    return dict(sorted(groups.items()))


def _removal(jobs: Iterable[Job], observed: Observed, protected: Protected) -> tuple[Step, ...]:
    """Cancel what runs, then delete the models that exist and are in no service."""
    jobs = tuple(jobs)
    cancels = _cancels(jobs)
    models = tuple(step for job in jobs for step in _model_steps(job, observed, protected))
    return (*cancels, *models)


def _cancels(jobs: Iterable[Job]) -> tuple[Step, ...]:
    return tuple(CancelJob(job.id, "removed") for job in jobs if stoppable(job))


def _model_steps(job: Job, observed: Observed, protected: Protected) -> list[Step]:
    """Delete a job's model and its checkpoints, as far as they are known to exist."""
    if job.model is None or job.status != "succeeded" or _why_kept(job, protected) is not None:
        return []
    if job.is_its_model:
        return []  # no service deletes a job
    if observed.models is None:
        return [DeleteModel(job.model)]
    checkpoints = observed.checkpoints.get(job.model, ())
    present = [job.model] if job.model in observed.models else []
    return [DeleteModel(model) for model in (*checkpoints, *present)]


def _why_kept(job: Job, protected: Protected) -> str | None:
    """Why a job's model, or one of its checkpoints, outlives every cleanup."""
    return protected.get(job.id) or protected.get(job.model or "")


def _kept_words(jobs: Iterable[Job], observed: Observed, protected: Protected) -> str:
    """The end of a reason: which models stay although nothing else would keep them."""
    kept = [
        f"{job.model} ({why})"
        for job in jobs
        if (why := _why_kept(job, protected)) is not None and _model_steps(job, observed, _NOTHING)
    ]
    return f"; keeps {', '.join(kept)}" if kept else ""


def _inputs(job: Job) -> tuple[str, ...]:
    return tuple(file for file in (job.training_file, job.validation_file) if file)


def _file_change(files: Iterable[File], reason: str) -> list[Change]:
    ordered = sorted(files, key=lambda file: (file.name, file.id))
    steps = tuple(DeleteFile(file.id, file.name) for file in ordered)
    return [Change("files", Action.DELETE, reason, steps, kind="Files")] if steps else []


def _action(steps: tuple[Step, ...]) -> Action:
    deletes = any(isinstance(step, DeleteModel) for step in steps)
    return Action.DELETE if deletes else Action.CANCEL if steps else Action.NO_OP
