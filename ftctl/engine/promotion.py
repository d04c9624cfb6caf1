"""A fine-tune and one of its models in; an alias in `ftctl.lock` that leads there out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftctl.domain.desired import Desired, FineTune
from ftctl.domain.observed import CheckpointModel, Job, Observed, best_checkpoint
from ftctl.engine.git import commit_of
from ftctl.engine.observing import observe
from ftctl.engine.planning import PlanRequest, check_name, make_plan_for
from ftctl.engine.record import environment_of, timestamp
from ftctl.engine.session import Session
from ftctl.errors import FtctlError, Stale, UsageError
from ftctl.lockfile import (
    DEFAULT_ENVIRONMENT,
    Entry,
    Lock,
    Pointer,
    is_alias,
    promote,
    read_lock_file,
    renamed,
    rollback,
    update_lock_file,
)
from ftctl.planner.lineage import lineage
from ftctl.providers.protocol import Reader
from ftctl.text.suggest import did_you_mean

_JOBS_NAMED = 5  # in a hint


@dataclass(frozen=True, slots=True)
class Move:
    """Where an alias led before, if anywhere, and where it leads now."""

    before: Pointer | None
    after: Pointer


def promote_model(
    session: Session, name: str, alias: str, job: str | None = None, checkpoint: str | None = None
) -> Move:
    """Let an alias of a fine-tune lead to one of its models, and write that down.

    `job` is the id of one of its jobs, the one that stands for its spec if left out. `checkpoint`
    is a step, `best`, `last`, or a model's name. The service is asked whether the model is there.
    """
    check_alias(alias)
    check_name(name, [one.name for one in session.desired.finetunes], "promote")
    with session.provider() as provider:
        observed = observe(session, provider)
        chosen = _chosen_job(session, observed, name, job)
        step, model = _chosen_model(provider, chosen, checkpoint)
        if not model_exists(provider, observed, model):
            raise FtctlError(
                f"{model} of {chosen.id} does not exist at the service any more",
                "choose another with --job or --checkpoint",
            )
    pointer = Pointer(
        job=chosen.id,
        model=model,
        at=timestamp(session.context),
        checkpoint=step,
        digest=chosen.digest,
        by_commit=commit_of(session.root),
    )
    environment = environment_of(session.context)
    before: list[Pointer | None] = []

    def move(lock: Lock) -> Lock:
        lock = renamed(lock, environment, session.desired, observed.jobs)
        before[:] = [lock.entry(environment, name).promoted.get(alias)]
        return promote(lock, environment, name, alias, pointer)

    update_lock_file(session.root, move)
    return Move(before[0], pointer)


def roll_back(session: Session, name: str, alias: str) -> Move:
    """Let an alias lead to the model before, and write that down; again goes back further."""
    check_alias(alias)
    environment = environment_of(session.context)

    def named_as_now(lock: Lock) -> Lock:
        return renamed(lock, environment, session.desired)

    lock = named_as_now(read_lock_file(session.root))
    entry = _promoted_entry(lock, environment, name, alias)
    earlier = _earlier(entry, name, alias)
    with session.provider() as provider:
        if not provider.model_visible(earlier.model):
            raise FtctlError(
                f"{earlier.model}, which {name} was {alias} before, does not exist at the service"
                " any more",
                f"choose a model that does: 'ftctl promote {name} --as {alias} --job ID'",
            )

    def move(lock: Lock) -> Lock:
        lock = named_as_now(lock)
        if lock.entry(environment, name) != entry:
            raise Stale(f"{name} was promoted meanwhile", "run the same command again")
        return rollback(lock, environment, name, alias)

    update_lock_file(session.root, move)
    return Move(entry.promoted[alias], earlier)


def check_alias(alias: str) -> None:
    """Raise `UsageError` for what is no alias."""
    if not is_alias(alias):
        raise UsageError(
            f"--as: '{alias}' is no alias", "write lower-case letters, digits and '-', as in 'prod'"
        )


def model_exists(provider: Reader, observed: Observed, model: str) -> bool:
    """Whether a model can be used. Lists lag and leave checkpoints out: it is then asked for."""
    listed = observed.models is not None and model in observed.models
    return listed or provider.model_visible(model)


def _chosen_job(session: Session, observed: Observed, name: str, job: str | None) -> Job:
    """The job that is named, or the one that stands for the fine-tune."""
    finetune = session.desired.named(name)
    assert finetune is not None
    if job is not None:
        return _named_job(session.desired, finetune, observed, job)
    plan = make_plan_for(session, observed, PlanRequest())
    change = next(one for one in plan.changes if one.name == name and one.kind == "FineTune")
    standing = next((one for one in observed.every_job if one.id == change.job), None)
    if standing is None or standing.status != "succeeded" or standing.model is None:
        raise FtctlError(
            f"{name} has no model of its spec: {change.reason}",
            _hint(_succeeded(_own_jobs(session.desired, finetune, observed), observed)),
        )
    return standing


def _named_job(desired: Desired, finetune: FineTune, observed: Observed, name: str) -> Job:
    own = _own_jobs(desired, finetune, observed)
    found = next((job for job in own if job.id == name), None)
    hint = _hint(_succeeded(own, observed))
    if found is None:
        raise FtctlError(f"{finetune.name} has no job {name}", hint)
    if found.status != "succeeded" or found.model is None:
        raise FtctlError(f"{name} is {found.status}: only a job that succeeded has a model", hint)
    return found


def _own_jobs(desired: Desired, finetune: FineTune, observed: Observed) -> list[Job]:
    """The jobs of a fine-tune, whatever it was called when they were bought."""
    names = lineage(desired, observed.jobs)

    def is_own(job: Job) -> bool:
        if job.id == finetune.adopt or job.digest in finetune.digests:
            return True
        return names.get(job.id, job.finetune) == finetune.name and job.project is None

    return [job for job in observed.every_job if is_own(job)]


def _succeeded(jobs: Sequence[Job], observed: Observed) -> list[Job]:
    return [
        job
        for job in jobs
        if job.status == "succeeded" and job.model is not None and observed.has_model(job.model)
    ]


def _hint(jobs: Sequence[Job]) -> str:
    if not jobs:
        return "no job of it has left a model; 'ftctl status' shows how far it is"
    newest = sorted(jobs, key=lambda job: job.age_order, reverse=True)[:_JOBS_NAMED]
    return f"these have models: {', '.join(job.id for job in newest)}; name one with --job"


def _chosen_model(provider: Reader, job: Job, wanted: str | None) -> tuple[int | None, str]:
    """The step (None: the end) and name of the model that is wanted of a job."""
    assert job.model is not None
    if wanted in (None, "last", job.model):
        return None, job.model
    checkpoints = provider.checkpoints(job.id)
    chosen = _best(job.id, checkpoints) if wanted == "best" else _at(job.id, checkpoints, wanted)
    return (None if chosen.model == job.model else chosen.step), chosen.model


def _best(job: str, checkpoints: Sequence[CheckpointModel]) -> CheckpointModel:
    best = best_checkpoint(checkpoints)
    if best is None:
        raise FtctlError(
            f"no checkpoint of {job} has a full validation loss to be best by",
            "give the fine-tune a validation file, or name a step",
        )
    return best


def _at(job: str, checkpoints: Sequence[CheckpointModel], wanted: str | None) -> CheckpointModel:
    for one in checkpoints:
        if wanted in (one.model, str(one.step)):
            return one
    steps = ", ".join(str(one.step) for one in sorted(checkpoints, key=lambda one: one.step))
    raise FtctlError(
        f"{job} has no checkpoint '{wanted}'",
        f"it has them at: {steps}; or write best or last" if steps else "it kept none",
    )


def _promoted_entry(lock: Lock, environment: str, name: str, alias: str) -> Entry:
    """What is on record of a fine-tune with that alias; `FtctlError` where there is no such."""
    entries = lock.entries(environment)
    if name not in entries:
        hint = did_you_mean(name, entries) or "'ftctl promote' puts a model on record"
        raise FtctlError(f"ftctl.lock has no fine-tune '{name}'{_of(environment)}", hint)
    entry = entries[name]
    if alias not in entry.promoted:
        known = ", ".join(sorted(entry.promoted))
        hint = f"it is promoted as: {known}" if known else f"'ftctl promote {name} --as {alias}'"
        raise FtctlError(f"{name} is not promoted as {alias}{_of(environment)}", hint)
    return entry


def _of(environment: str) -> str:
    return "" if environment == DEFAULT_ENVIRONMENT else f" in environment '{environment}'"


def _earlier(entry: Entry, name: str, alias: str) -> Pointer:
    history = entry.history.get(alias, ())
    if not history:
        raise FtctlError(
            f"{name} was nothing before as {alias}: there is no model to go back to",
            f"'ftctl promote {name} --as {alias} --job ID' chooses one",
        )
    return history[-1]
