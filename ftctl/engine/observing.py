"""A session, a service and a plan's options in; one snapshot that is safe to buy by out.

Three lists tell what there is. Where a plan on them would buy, stop or delete anything, every
witness is heard first: the account's own list, which no filter has cut, each job that is on record
and not listed, and models by their names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ftctl.domain.digest import read_file_name, read_run
from ftctl.domain.observed import UNREADABLE, Job, JobError, Observed
from ftctl.domain.plan import CancelJob, DeleteFile, DeleteModel, Plan, StartJob
from ftctl.domain.witness import Witness
from ftctl.engine.account import with_account
from ftctl.engine.events import Noted
from ftctl.engine.intents import INTENTS_FOLDER, forget_intents
from ftctl.engine.planning import PlanRequest, options_for
from ftctl.engine.session import Session
from ftctl.errors import ProviderError
from ftctl.planner import PlanOptions, make_plan, models_not_visible
from ftctl.text.escape.single_line import one_line

if TYPE_CHECKING:
    from ftctl.providers import Reader

LOOKS_FOR_SECONDS = 90.0  # for a job whose purchase was interrupted: lists lag by up to a minute
_LOOKS_EVERY_SECONDS = 5.0
# Some services hide what is another's, refuse ids of another form, or know no such question.
_NOT_SHOWN = frozenset({400, 403, 404, 405, 422, 501})


def observe(
    session: Session,
    provider: Reader,
    options: PlanOptions | None = None,
    *,
    patient: bool = False,
) -> Observed:
    """One snapshot of what exists and is of concern to this project.

    `options` are those of the plan that is to be made on it. `patient`: a purchase that an earlier
    run was killed in is looked for until it must have shown, since this one may be bought by.
    """
    options = options or options_for(session, PlanRequest())
    desired, others = session.desired, session.project.config.reuse == "account"
    adopted = frozenset(one.adopt for one in desired.finetunes if one.adopt is not None)
    observed = with_account(session, provider.observe(desired.project, adopted, others=others))
    # Of a job that its file alone marks, the intent goes on telling which of several is ours.
    listed = frozenset(job.id for job in observed.jobs if not job.by_file)
    observed = _with_visible_models(session, provider, observed)
    if _changes_something(make_plan(desired, observed, session.info, options)):
        observed = _with_witnesses(session, provider, observed, options.witnesses)
        observed = with_account(session, _whole(session, provider, observed, options))
        if patient:
            observed = _after_open_intents(session, provider, observed, options)
        observed = _with_visible_models(session, provider, observed)
    forget_intents(session.root, listed, jobs=observed.jobs)
    return observed


def _changes_something(plan: Plan) -> bool:
    kinds = (StartJob, CancelJob, DeleteModel, DeleteFile)
    return any(plan.steps(kind) for kind in kinds)


def _with_witnesses(
    session: Session, provider: Reader, observed: Observed, witnesses: Iterable[Witness]
) -> Observed:
    """The snapshot with each job that is on record, wanted and not listed, asked for by its id.

    A record makes no job ours: that is told by its tag alone. One without is a stranger's, which
    may stop a purchase and is otherwise left alone.
    """
    digests = session.desired.by_digest
    names = {one.name for one in session.desired.finetunes}
    known = {job.id for job in observed.every_job}
    seen: list[Job] = []
    elsewhere: list[Job] = []
    strangers: list[Job] = []
    missing: set[str] = set()
    for witness in witnesses:
        if witness.job is None or witness.job in known or not _is_of(session, witness, observed):
            continue
        if witness.digest not in digests and witness.finetune not in names:
            continue
        known.add(witness.job)
        job = _job_by_id(provider, witness.job)
        if job is None:
            missing.add(witness.job)
        elif job.is_unreadable:  # nothing is bought or done about it: what the record says will do
            seen.append(replace(job, finetune=witness.finetune, digest=witness.digest))
        elif job.project not in (None, session.desired.project):
            elsewhere.append(job)
        elif (ours := _tagged(session, provider, observed, job)) is not None:
            seen.append(ours)
        else:
            strangers.append(job)
    jobs = sorted((*observed.jobs, *seen), key=lambda job: job.age_order, reverse=True)
    return replace(
        observed,
        jobs=tuple(jobs),
        others=(*observed.others, *elsewhere),
        strangers=(*observed.strangers, *strangers),
        missing=observed.missing | missing,
    )


def _is_of(session: Session, witness: Witness, observed: Observed) -> bool:
    """Whether a witness may speak of the account that is asked."""
    if witness.account.differs_from(observed.account):
        return False
    return witness.base_url is None or session.info.is_at(witness.base_url)


def _job_by_id(provider: Reader, job: str) -> Job | None:
    """The job; None where the service shows none, whatever its words for that are."""
    try:
        return provider.job(job)
    except ProviderError as fault:
        if fault.status in _NOT_SHOWN:
            return None
        if fault.code == UNREADABLE:
            return Job(job, UNREADABLE, 0, error=JobError(UNREADABLE, fault.message))
        raise ProviderError(
            fault.operation,
            f"{fault.message}; asked was for {job}, which ftctl.lock or {INTENTS_FOLDER} names",
            status=fault.status,
            code=fault.code,
            request_id=fault.request_id,
            hint=fault.hint,
        ) from None


def _tagged(session: Session, provider: Reader, observed: Observed, job: Job) -> Job | None:
    """A job that carries our tag, or whose training file does; None for any other."""
    if job.project is not None:
        return replace(job, project=None)
    listed = {file.id: file.name for file in observed.files}
    name = read_file_name(listed.get(job.training_file or "") or _file_name(provider, job))
    if name is None or name.digest is None or name.project != session.desired.project:
        return None
    environment = read_run(name.run).environment
    return replace(
        job, digest=name.digest, finetune=name.name, environment=environment, by_file=True
    )


def _file_name(provider: Reader, job: Job) -> str:
    """What the training file of a job is called; lists of files may lag, too."""
    if job.training_file is None:
        return ""
    try:
        return provider.file(job.training_file).name
    except ProviderError as fault:
        if fault.status in _NOT_SHOWN:
            return ""
        raise


def _whole(
    session: Session, provider: Reader, observed: Observed, options: PlanOptions
) -> Observed:
    """The snapshot with what the account's own list adds, back to the oldest that is known."""
    known = [witness.at for witness in options.witnesses if witness.at]
    known += [job.created_at for job in observed.jobs]
    since = min(known, default=None)
    return provider.observe_account(observed, session.desired.project, since)


def _after_open_intents(
    session: Session, provider: Reader, observed: Observed, options: PlanOptions
) -> Observed:
    """The snapshot once every purchase whose answer is not known shows, or cannot be there."""
    clock = session.context.clock
    began = clock.now()
    if waiting := _open(session, observed, options):
        names = ", ".join(sorted(one_line(witness.finetune) for witness in waiting))
        session.context.listener(
            Noted(
                f"an earlier run was stopped while it bought {names}: looking for what it bought"
                f" before buying (up to {LOOKS_FOR_SECONDS:.0f} s; without it, once"
                f" {INTENTS_FOLDER} is deleted)"
            )
        )
    # How long ago that was is for no clock of ours to say: what counts is how long we look.
    while (left := LOOKS_FOR_SECONDS - (clock.now() - began)) > 0 and waiting:
        clock.sleep(min(left, _LOOKS_EVERY_SECONDS))
        observed = provider.observe_account(observed, session.desired.project, None)
        waiting = _open(session, observed, options)
    over = frozenset(witness.digest for witness in _open(session, observed, options))
    forget_intents(session.root, frozenset(), answered_none=over)
    return observed


def _open(session: Session, observed: Observed, options: PlanOptions) -> list[Witness]:
    """The intents without an answer, of what would be bought and is not there yet."""
    plan = make_plan(session.desired, observed, session.info, options)
    bought = {step.digest for step in plan.steps(StartJob) if isinstance(step, StartJob)}
    return [
        witness
        for witness in options.witnesses
        if witness.source == "intent"
        and witness.job is None
        and witness.digest in bought
        and not witness.is_answered_by(observed.jobs)
    ]


def _with_visible_models(session: Session, provider: Reader, observed: Observed) -> Observed:
    """The snapshot with models that no list shows and that are there when asked for by name."""
    doubtful = models_not_visible(session.desired, observed)
    visible = frozenset(model for model in doubtful if provider.model_visible(model))
    if visible and observed.models is not None:
        return replace(observed, models=observed.models | visible)
    return observed
