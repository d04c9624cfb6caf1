"""`ftctl output [NAME]`: the model names that applications use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import click

from ftctl.cli.exit_codes import DONE
from ftctl.cli.listening import context_of, open_session
from ftctl.cli.promote import check_alias, exists
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import Change
from ftctl.engine.planning import PlanRequest, check_name, make_plan_for
from ftctl.engine.record import environment_of
from ftctl.engine.session import Session
from ftctl.errors import FtctlError
from ftctl.lockfile import DEFAULT_ALIAS, Entry, Lock, Pointer, read_lock_file
from ftctl.providers.protocol import Provider


@dataclass(frozen=True, slots=True)
class _Answer:
    """What serves for one fine-tune. Without a model, `why` says what keeps it."""

    name: str
    model: str | None
    job: str | None
    digest: str | None
    status: str | None
    current: bool  # whether it is the model of the spec
    promoted: Mapping[str, str] = field(default_factory=dict)  # alias -> model
    why: str = ""
    note: str | None = None


@click.command("output")
@shared_options
@click.argument("name", required=False)
@click.option(
    "--as", "alias", metavar="ALIAS",
    help=f"The model that is promoted so.  [default: '{DEFAULT_ALIAS}' if there is one, else the"
    " newest]",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "dotenv", "github"]), default="text",
    help="dotenv: lines for a .env file; github: lines for $GITHUB_OUTPUT.",
)  # fmt: skip
@click.option("--offline", is_flag=True, help="Read ftctl.lock alone, and ask nobody.")
@click.pass_context
def output_command(
    context: click.Context, name: str | None, alias: str | None, form: str, offline: bool
) -> int:
    """Print the models' names.

    All of them, or that of one fine-tune alone. A promoted model goes before the newest.
    """
    settings = settings_of(context)
    if alias is not None:
        check_alias(alias)
    find = _on_record if offline else _at_service
    answers = find(settings, name, alias)
    if alias is not None and answers and all(one.model is None for one in answers):
        raise FtctlError(answers[0].why if name else f"nothing is promoted as {alias}", _PROMOTE)
    _print(settings, answers, form, alone=name is not None)
    return DONE


_PROMOTE = "'ftctl promote NAME --as ALIAS' does it"


def _print(settings: Settings, answers: list[_Answer], form: str, *, alone: bool) -> None:
    console = settings.console
    if form == "json":
        document = {one.name: _entry(one) for one in answers}
        console.result(json.dumps(document, indent=2, sort_keys=True))
        return
    for one in answers:
        if one.model is None:
            if alone:
                raise FtctlError(one.why, "see 'ftctl status'")
            console.note(one.why)
            continue
        if one.note is not None:
            console.note(one.note)
        bare = alone and form == "text"
        console.result(one.model if bare else _line(one.name, one.model, form))


def _entry(one: _Answer) -> dict[str, str | bool | dict[str, str] | None]:
    return {
        "model": one.model,
        "job": one.job,
        "digest": one.digest,
        "status": one.status,
        "current": one.current,
        "promoted": dict(one.promoted),
    }


def _line(name: str, model: str, form: str) -> str:
    if form == "text":
        return f"{name}\t{model}"
    variable = name.replace("-", "_")
    if form == "dotenv":
        return f"{variable.upper()}_MODEL={model}"
    return f"{variable}={model}"


def _at_service(settings: Settings, name: str | None, alias: str | None) -> list[_Answer]:
    session = open_session(settings)
    if name is not None:
        check_name(name, [one.name for one in session.desired.finetunes], "output")
    lock = read_lock_file(session.root)
    with session.provider() as provider:
        observed = session.observe(provider)
        return list(_answers(session, provider, observed, lock, name, alias))


def _answers(
    session: Session,
    provider: Provider,
    observed: Observed,
    lock: Lock,
    name: str | None,
    alias: str | None,
) -> Iterator[_Answer]:
    plan = make_plan_for(session, observed, PlanRequest())
    jobs = {job.id: job for job in observed.every_job}
    environment = environment_of(session.context)
    for change in plan.changes:
        if session.desired.named(change.name) is None or name not in (None, change.name):
            continue
        entry = lock.entry(environment, change.name)
        pointer = entry.promoted.get(alias or DEFAULT_ALIAS)
        if pointer is None and alias is not None:
            yield _not_promoted(change.name, alias, entry)
        elif pointer is None:
            yield _newest(change, observed, entry)
        else:
            there = exists(provider, observed, pointer.model)
            job = jobs.get(pointer.job)
            status = job.status if job else None
            current = pointer.job == change.job
            yield _promoted(
                change.name, alias or DEFAULT_ALIAS, pointer, entry, status, current, there=there
            )


def _promoted(
    name: str,
    alias: str,
    pointer: Pointer,
    entry: Entry,
    status: str | None,
    current: bool,
    *,
    there: bool,
) -> _Answer:
    gone = f"{name} is promoted as {alias}, but {pointer.model} does not exist at the service"
    return _Answer(
        name=name,
        model=pointer.model if there else None,
        job=pointer.job,
        digest=pointer.digest,
        status=status,
        current=current and there,
        promoted=_aliases(entry),
        why="" if there else gone,
        note=None if current else f"{name}: {alias} is not the model of the spec",
    )


def _not_promoted(name: str, alias: str, entry: Entry) -> _Answer:
    why = f"{name} is not promoted as {alias}"
    return _Answer(name, None, None, None, None, current=False, promoted=_aliases(entry), why=why)


def _newest(change: Change, observed: Observed, entry: Entry) -> _Answer:
    job = _job_to_use(change, observed)
    earlier = job is not None and job.digest != change.digest and job in observed.jobs
    note = f"{change.name}: this is the model of an earlier spec; {change.reason}"
    return _Answer(
        name=change.name,
        model=job.model if job else None,
        job=job.id if job else None,
        digest=(job.digest if job else None) or change.digest,
        status=job.status if job else None,
        current=job is not None and job.model is not None and job.id == change.job,
        promoted=_aliases(entry),
        why=f"{change.name} has no model yet: {change.reason}",
        note=note if earlier else None,
    )


def _job_to_use(change: Change, observed: Observed) -> Job | None:
    """The job whose model serves: that of the spec, else the newest of an earlier one.

    While a new spec trains, applications go on with what there is.
    """
    jobs = {job.id: job for job in observed.every_job}
    standing = jobs.get(change.job or "")
    if standing is not None and standing.model == change.model and change.model is not None:
        return standing
    for job in observed.jobs:
        live = job.status == "succeeded" and job.model is not None
        if live and job.finetune == change.name and observed.has_model(job.model or ""):
            return job
    return standing


def _aliases(entry: Entry) -> dict[str, str]:
    return {alias: pointer.model for alias, pointer in sorted(entry.promoted.items())}


def _on_record(settings: Settings, name: str | None, alias: str | None) -> list[_Answer]:
    """What ftctl.lock tells, without the manifests and the service."""
    entries = read_lock_file(settings.folder).entries(environment_of(context_of(settings)))
    if name is not None:
        check_name(name, entries, "output --offline: ftctl.lock")
        entries = {name: entries[name]}
    return [_recorded(one, entry, alias) for one, entry in sorted(entries.items())]


def _recorded(name: str, entry: Entry, alias: str | None) -> _Answer:
    pointer = entry.promoted.get(alias or DEFAULT_ALIAS)
    release = entry.release
    if pointer is not None:
        current = release is not None and release.job == pointer.job
        return _promoted(
            name, alias or DEFAULT_ALIAS, pointer, entry, "succeeded", current, there=True
        )
    if alias is not None or release is None:
        return _not_promoted(name, alias or DEFAULT_ALIAS, entry)
    return _Answer(
        name=name,
        model=release.model,
        job=release.job,
        digest=release.digest,
        status="succeeded",
        current=True,
        promoted=_aliases(entry),
    )
