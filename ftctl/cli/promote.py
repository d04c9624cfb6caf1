"""`ftctl promote NAME`: an alias of a fine-tune moves to one of its models, in `ftctl.lock`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ftctl.cli.exit_codes import DONE
from ftctl.cli.listening import open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.domain.desired import FineTune
from ftctl.domain.observed import CheckpointModel, Job, Observed
from ftctl.engine.git import commit_of
from ftctl.engine.planning import PlanRequest, check_name, make_plan_for
from ftctl.engine.record import environment_of, timestamp
from ftctl.engine.session import Session
from ftctl.errors import FtctlError, UsageError
from ftctl.lockfile import DEFAULT_ALIAS, Lock, Pointer, is_alias, promote, update_lock_file

if TYPE_CHECKING:
    from ftctl.providers.protocol import Provider

_JOBS_NAMED = 5  # in a hint

alias_option = click.option(
    "--as", "alias", metavar="ALIAS", default=DEFAULT_ALIAS, show_default=True,
    help="The name that applications ask for.",
)  # fmt: skip


@click.command("promote")
@shared_options
@click.argument("name")
@alias_option
@click.option("--job", metavar="ID", help="The model of this job, instead of the newest.")
@click.option(
    "--checkpoint", metavar="WHICH", help="Of that job: a step, best, last, or a model's name."
)
@click.pass_context
def promote_command(
    context: click.Context, name: str, alias: str, job: str | None, checkpoint: str | None
) -> int:
    """Put a model of a fine-tune into service.

    The alias moves in ftctl.lock, and nowhere else: commit the file, and its review is the
    approval. A promoted model is not deleted until another takes its place.
    """
    settings = settings_of(context)
    check_alias(alias)
    session = open_session(settings)
    check_name(name, [one.name for one in session.desired.finetunes], "promote")
    with session.provider() as provider:
        observed = session.observe(provider)
        chosen = _chosen(session, observed, name, job)
        step, model = _model(provider, chosen, checkpoint)
        if not exists(provider, observed, model):
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
    told: list[str] = []

    def move(lock: Lock) -> Lock:
        told[:] = [_moved(name, alias, lock.entry(environment, name).promoted.get(alias), pointer)]
        return promote(lock, environment, name, alias, pointer)

    update_lock_file(session.root, move)
    settings.console.result(told[0])
    return DONE


def check_alias(alias: str) -> None:
    """Raise `UsageError` for what is no alias."""
    if not is_alias(alias):
        raise UsageError(
            f"--as: '{alias}' is no alias", "write lower-case letters, digits and '-', as in 'prod'"
        )


def exists(provider: Provider, observed: Observed, model: str) -> bool:
    """Whether a model can be used. Lists lag and leave checkpoints out: it is then asked for."""
    listed = observed.models is not None and model in observed.models
    return listed or provider.model_visible(model)


def pointer_words(pointer: Pointer) -> str:
    """A pointer for people."""
    at = f", step {pointer.checkpoint}" if pointer.checkpoint is not None else ""
    return f"{pointer.model} ({pointer.job}{at})"


def _moved(name: str, alias: str, before: Pointer | None, after: Pointer) -> str:
    if before is None:
        return f"{name}: {alias} is now {pointer_words(after)}; it was not promoted before."
    if before.leads_to(after):
        return f"{name}: {alias} is {pointer_words(before)} already."
    return f"{name}: {alias} moves from {pointer_words(before)} to {pointer_words(after)}."


def _chosen(session: Session, observed: Observed, name: str, job: str | None) -> Job:
    """The job that is named, or the one that stands for the fine-tune."""
    finetune = session.desired.named(name)
    assert finetune is not None
    if job is not None:
        return _named_job(finetune, observed, job)
    plan = make_plan_for(session, observed, PlanRequest())
    change = next(one for one in plan.changes if one.name == name and one.kind == "FineTune")
    standing = next((one for one in observed.every_job if one.id == change.job), None)
    if standing is None or standing.status != "succeeded" or standing.model is None:
        raise FtctlError(
            f"{name} has no model of its spec: {change.reason}",
            _hint(_succeeded(finetune, observed)),
        )
    return standing


def _named_job(finetune: FineTune, observed: Observed, name: str) -> Job:
    own = [job for job in observed.every_job if _is_of(job, finetune)]
    found = next((job for job in own if job.id == name), None)
    hint = _hint(_succeeded(finetune, observed))
    if found is None:
        raise FtctlError(f"{finetune.name} has no job {name}", hint)
    if found.status != "succeeded" or found.model is None:
        raise FtctlError(f"{name} is {found.status}: only a job that succeeded has a model", hint)
    return found


def _is_of(job: Job, finetune: FineTune) -> bool:
    if job.id == finetune.adopt or job.digest == finetune.digest:
        return True
    return job.finetune == finetune.name and job.project is None


def _succeeded(finetune: FineTune, observed: Observed) -> list[Job]:
    return [
        job
        for job in observed.every_job
        if _is_of(job, finetune)
        and job.status == "succeeded"
        and job.model is not None
        and observed.has_model(job.model)
    ]


def _hint(jobs: Sequence[Job]) -> str:
    if not jobs:
        return "no job of it has left a model; 'ftctl status' shows how far it is"
    newest = sorted(jobs, key=lambda job: job.age_order, reverse=True)[:_JOBS_NAMED]
    return f"these have models: {', '.join(job.id for job in newest)}; name one with --job"


def _model(provider: Provider, job: Job, wanted: str | None) -> tuple[int | None, str]:
    """The step (None: the end) and name of the model that --checkpoint asks for."""
    assert job.model is not None
    if wanted in (None, "last", job.model):
        return None, job.model
    found = provider.checkpoints(job.id)
    one = _best(job.id, found) if wanted == "best" else _at(job.id, found, str(wanted))
    return (None if one.model == job.model else one.step), one.model


def _best(job: str, checkpoints: Sequence[CheckpointModel]) -> CheckpointModel:
    """That of the least validation loss; of equals the latest, as for a parent's checkpoint."""
    measured = [(one.loss, -one.step, one) for one in checkpoints if one.loss is not None]
    if not measured:
        raise FtctlError(
            f"no checkpoint of {job} has a full validation loss to be best by",
            "give the fine-tune a validation file, or name a step",
        )
    return min(measured, key=lambda one: one[:2])[2]


def _at(job: str, checkpoints: Sequence[CheckpointModel], wanted: str) -> CheckpointModel:
    for one in checkpoints:
        if wanted in (one.model, str(one.step)):
            return one
    steps = ", ".join(str(one.step) for one in sorted(checkpoints, key=lambda one: one.step))
    raise FtctlError(
        f"{job} has no checkpoint '{wanted}'",
        f"it has them at: {steps}; or write best or last" if steps else "it kept none",
    )
