"""`ftctl doctor`: what stands in the way, and what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from ftctl.catalog.services import SERVICES, Service
from ftctl.cli.exit_codes import DONE, FAILED
from ftctl.cli.listening import context_of
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.doctor import CheckResult, fail, habits, machine, ok, results_document, service, warn
from ftctl.domain.observed import UNTOLD
from ftctl.domain.witness import Witness
from ftctl.engine.planning import PlanRequest, options_for
from ftctl.engine.session import Session, check_project
from ftctl.engine.way_in import account_of
from ftctl.errors import Diagnostic, FtctlError, InvalidProject
from ftctl.project.load import Project, load_project
from ftctl.project.tracked_state import STATE_FOLDER
from ftctl.providers.ownership import PROJECT
from ftctl.text.escape import json_document
from ftctl.text.format import plural

if TYPE_CHECKING:
    from ftctl.providers import Answer, Probe

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
_MEND = "mend it, then look again"
_MOST_FILES = 10_000  # in one list (OpenAI's specification, 2026-08)
_MOST_RECORDED = 5  # jobs that are asked for by their ids
_A_BASE = "gpt-4.1-mini-2025-04-14"  # to ask about, where no manifest names one


@click.command("doctor")
@shared_options
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text",
    help="How to print what was found.",
)  # fmt: skip
@click.option(
    "--probe", is_flag=True,
    help="Look at what is there for what the service does with marks, names and numbers; and ask,"
    " with requests that cannot succeed, whether this key may train, cancel and delete.",
)  # fmt: skip
@click.pass_context
def doctor_command(context: click.Context, form: str, probe: bool) -> int:
    """Look at everything that a run needs.

    Each line is 'ok', 'warn' or 'fail', with what to do. The exit status is 1 if anything fails.
    """
    settings = settings_of(context)
    found: list[CheckResult] = []
    for result in _results(settings, probe=probe):
        found.append(result)
        if form == "text":
            _show(settings, result)
    failed = sum(one.level == "fail" for one in found)
    if form == "json":
        settings.console.result(json_document(results_document(found)))
    elif failed:
        settings.console.note(f"{plural(failed, 'thing')} to mend.")
    return FAILED if failed else DONE


def _show(settings: Settings, result: CheckResult) -> None:
    line = str(result)
    level = settings.console.paint(result.level, _COLOURS[result.level])
    settings.console.result(level + line[len(result.level) :])


def _results(settings: Settings, *, probe: bool) -> Iterator[CheckResult]:
    """Everything that is looked at, each as soon as it is known."""
    root = settings.folder
    yield from machine.look_at_versions()
    if not root.is_dir():
        yield fail("project", f"there is no folder {root}", "check the path after -C")
        return
    yield machine.look_at_git(root, settings.environ)
    project, _ = load_project(root, settings.environment)
    validation = check_project(context_of(settings))
    session = validation.session
    yield _project(session, validation.problems)
    if project is None:
        return
    yield machine.look_at_state(root / STATE_FOLDER)
    yield machine.look_at_cache(root)
    yield machine.look_at_lock(root)
    yield from _account(settings, project, session, probe=probe)


def _project(session: Session | None, problems: tuple[Diagnostic, ...]) -> CheckResult:
    errors = [one for one in problems if one.severity == "error"]
    if session is not None and not errors:
        return ok("project", f"{plural(len(session.desired.finetunes), 'fine-tune')}, all valid")
    first = f", first {errors[0].span}: {errors[0].message}" if errors else ""
    return fail("project", f"{plural(len(errors), 'problem')}{first}", "ftctl validate lists them")


def _account(
    settings: Settings, project: Project, session: Session | None, *, probe: bool
) -> Iterator[CheckResult]:
    row = SERVICES[project.config.provider.type]
    variable = project.config.provider.api_key_env or row.api_key_env
    secrets = _hidden(settings, session, variable, row)
    keyed = machine.look_at_key(row, variable, settings.environ)
    if project.config.provider.api_key_command:
        keyed = _look_at_command(session, project.config.provider.api_key_command)
    yield keyed
    yield machine.look_for_written_keys(settings.folder, secrets)
    if row.type != "emulator":
        account = account_of(project.config.provider, settings.environ)
        yield from service.look_at_sender(account.organization, account.project)
    wandb = [
        str(one.value["name"])
        for one in project.finetunes
        if "wandb" in one.value.get("integrations", {})
    ]
    yield service.look_at_wandb(wandb, row.type)
    if session is None:
        cure = "mend the project, then look again"
        yield warn("service", "it was not asked: the project has problems", cure)
    elif keyed.level == "fail":
        yield warn(
            "service", "it was not asked: there is no key to send", "mend the key, then look again"
        )
    else:
        yield from _asked(settings, session, project, variable, probe=probe)


def _hidden(
    settings: Settings, session: Session | None, variable: str, row: Service
) -> tuple[str, ...]:
    """The secrets that are known, from here on printed nowhere."""
    key = settings.environ.get(variable, "").strip()
    own = (key,) if key and row.type != "emulator" else ()
    secrets = session.secrets if session is not None else own
    settings.console.hide(*secrets)
    return secrets


def _look_at_command(session: Session | None, command: Sequence[str]) -> CheckResult:
    """Whether the program that gives the key gives one."""
    name = shlex.join(command)
    if session is None:
        cure = "mend the project, then look again"
        return warn("key", f"'{name}' was not asked for it: the project has problems", cure)
    try:
        session.way_in.connection()
    except InvalidProject as fault:
        first = fault.diagnostics[0]
        return fail("key", first.message, first.hint or _MEND)
    except FtctlError as fault:
        return fail("key", fault.message, fault.hint or _MEND)
    return ok("key", f"'{name}' prints it")


def _asked(
    settings: Settings, session: Session, project: Project, variable: str, *, probe: bool
) -> Iterator[CheckResult]:
    try:
        with session.provider() as provider:
            yield from _service(settings, session, project, provider, variable, probe=probe)
    except InvalidProject as fault:
        for problem in fault.diagnostics:
            yield fail("service", f"{problem.span}: {problem.message}", problem.hint or _MEND)
    except FtctlError as fault:
        yield fail("service", str(fault), fault.hint or "see the line above")


def _service(
    settings: Settings,
    session: Session,
    project: Project,
    provider: Probe,
    variable: str,
    *,
    probe: bool,
) -> Iterator[CheckResult]:
    """What the service says; nothing more is asked once it cannot be reached, or takes no key."""
    bases = frozenset(_bases(project))
    now = session.context.clock.now()
    models = provider.ask("GET", "/models")
    reached = service.look_at_address(models, session.info.base_url)
    yield reached
    if reached.level == "ok":
        access = service.look_at_access(models, variable)
        yield access
        yield from service.look_at_models(models.entries, bases) if models.entries else ()
    kind = session.service.type
    yield from service.look_at_dates(
        session.catalog, kind, bases, models.entries or (), session.context.today
    )
    if reached.level == "ok" and models.status != 401:
        yield from _works(session, provider)
        if kind != "emulator":
            yield from service.look_at_clock(models, now)
        if probe:
            yield from habits.look_at_habits(_seen(session, provider, models), session.catalog)
            yield from _probes(settings, provider, min(bases, default=_A_BASE))


def _bases(project: Project) -> Iterator[str]:
    """What is trained from; a job that is adopted has been."""
    for document in project.finetunes:
        if isinstance(document.value.get("base_model"), str) and "adopt" not in document.value:
            yield document.value["base_model"]


def _works(session: Session, provider: Probe) -> Iterator[CheckResult]:
    """What every plan needs to read, and how busy the account is."""
    yield service.look_at_list("files", provider.ask("GET", "/files?limit=1"))
    size = session.service.page_size
    jobs = provider.ask("GET", f"/fine_tuning/jobs?limit={size}")
    yield service.look_at_list("jobs", jobs)
    if session.service.type != "emulator" and jobs.entries is not None:
        way_in = session.way_in
        recorded = [one.account for one in _witnesses(session) if one.account != UNTOLD]
        expected = way_in.settings.expect
        yield service.look_at_account(jobs, way_in.account, expected, recorded)
    yield from service.look_at_running(jobs, session.service.status_of)
    yield service.look_at_slots(provider.ask("GET", "/fine_tuning/model_limits"))


def _seen(session: Session, provider: Probe, models: Answer) -> habits.Seen:
    """What the service says of jobs, files and models of the project. Nothing is written."""
    row, project = session.service, session.desired.project
    jobs = f"/fine_tuning/jobs?limit={row.page_size}"
    ours = f"{jobs}&metadata%5B{PROJECT}%5D={quote(project, safe='')}"
    seen = habits.Seen(
        project,
        row,
        jobs=provider.ask("GET", jobs),
        filtered=provider.ask("GET", ours) if row.ownership_store == "metadata" else None,
        files=provider.ask("GET", f"/files?limit={_MOST_FILES}"),
        models=models,
        recorded={
            job: provider.ask("GET", f"/fine_tuning/jobs/{quote(job, safe='')}")
            for job in _recorded(session)
        },
        names={},
    )
    names = {
        model: provider.ask("GET", f"/models/{quote(model, safe='')}")
        for model in habits.models_to_ask(seen)
    }
    return replace(seen, names=names)


def _witnesses(session: Session) -> list[Witness]:
    """What is on record for this service, or for none that is told."""
    try:
        witnesses = options_for(session, PlanRequest()).witnesses
    except FtctlError:
        return []  # a record that cannot be read has its own line
    return [one for one in witnesses if one.base_url is None or session.info.is_at(one.base_url)]


def _recorded(session: Session) -> list[str]:
    """The newest jobs that are on record for this service."""
    newest = sorted(_witnesses(session), key=lambda witness: witness.at, reverse=True)
    return list(dict.fromkeys(one.job for one in newest if one.job is not None))[:_MOST_RECORDED]


def _probes(settings: Settings, provider: Probe, base: str) -> Iterator[CheckResult]:
    """Three writes that cannot succeed. What is asked is said before it is."""
    note = settings.console.note
    note(
        f"--probe: asks to create a job with the training file {service.NO_FILE}, which does not"
        " exist: no service can start or bill that."
    )
    made = provider.ask("POST", "/fine_tuning/jobs", service.training_question(base))
    yield service.look_at_training(made)
    _stop(provider, made)
    note(f"--probe: asks to cancel the job {habits.NO_JOB}, which does not exist.")
    yield habits.look_at_cancels(
        provider.ask("POST", f"/fine_tuning/jobs/{habits.NO_JOB}/cancel", {})
    )
    note(f"--probe: asks to delete the model {service.NO_MODEL}, which does not exist.")
    yield service.look_at_deletes(provider.ask("DELETE", f"/models/{service.NO_MODEL}"))


def _stop(provider: Probe, made: Answer) -> None:
    """A service that took the impossible job is told at once to leave it."""
    job = made.body.get("id") if made.ok and isinstance(made.body, Mapping) else None
    if isinstance(job, str):
        provider.cancel_job(job)
