"""`ftctl import [JOB…]`: manifests for jobs that were made elsewhere, with their data."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ftctl.cli.exit_codes import DONE, FAILED
from ftctl.cli.listening import open_session
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.data.scanning import MAX_FILE_BYTES
from ftctl.domain.desired import Method
from ftctl.domain.digest import read_file_name
from ftctl.domain.observed import TERMINAL
from ftctl.engine.session import Session, scan_data
from ftctl.errors import Diagnostic, FtctlError, ProviderError, UsageError
from ftctl.files import file_fault, write_atomically
from ftctl.importer import (
    AccountJob,
    Downloaded,
    Draft,
    Fitted,
    NotGiven,
    choose_jobs,
    download,
    draft_of,
    fit,
    name_jobs,
    read_account_job,
    tagged_by_file,
)
from ftctl.manifest import Document
from ftctl.manifest.layers import below
from ftctl.project.link import link
from ftctl.project.load import absolute, load_project, show_path
from ftctl.project.locate import Located, locate
from ftctl.project.service_limits import check_service
from ftctl.text.escape.single_line import one_line
from ftctl.text.format import plural

if TYPE_CHECKING:
    from ftctl.providers import Account

_STATUSES = TERMINAL | {"validating_files", "queued", "running", "paused"}
_DATA = Path("data") / "imported"
_ROLES = ("training", "validation")


@click.command("import")
@shared_options
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option("--all", "everything", is_flag=True, help="Every job of the account.")
@click.option(
    "--status", "statuses", multiple=True, metavar="STATUS",
    help="Of those, only jobs in this status; may be repeated, or list several with commas.",
)  # fmt: skip
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help="Where the manifests go; the project's own folder for them if left out.",
)  # fmt: skip
@click.pass_context
def import_command(
    context: click.Context,
    jobs: tuple[str, ...],
    everything: bool,
    statuses: tuple[str, ...],
    out: Path | None,
) -> int:
    """Write manifests for jobs that were made elsewhere.

    Each adopts its job: a plan right after it has nothing to do. No file is written over.
    """
    if everything == bool(jobs):
        raise UsageError("import: name jobs, or give --all", "ftctl import --all")
    settings = settings_of(context)
    wanted = _split(statuses)
    if wanted and not everything:
        raise UsageError("import: --status goes with --all")
    if unknown := sorted(wanted - _STATUSES):
        known = ", ".join(sorted(_STATUSES))
        raise UsageError(f"--status: there is no status '{unknown[0]}'", f"known: {known}")
    _make_folder(settings)
    session = open_session(settings)
    folder = settings.folder / (out or session.project.config.manifests)
    _refuse_links(session, *(() if out else (folder,)), settings.folder / _DATA)
    with session.provider() as provider:
        found = _jobs(session, provider, jobs)
        chosen = choose_jobs(found, session.desired, named=jobs, statuses=wanted)
        run = _Import(session, provider, folder)
        try:
            run.write(chosen.jobs)
        finally:
            run.take_away_unused()
    failed = bool(run.left_out)
    run.left_out.update(chosen.left_out)
    _report(settings, session, run, chosen.here if jobs else {})
    _summary(settings, session, run, len(chosen.here))
    return FAILED if failed else DONE


def _split(values: Iterable[str]) -> frozenset[str]:
    return frozenset(one.strip() for value in values for one in value.split(",") if one.strip())


def _make_folder(settings: Settings) -> None:
    """A project whose first manifests are imported has no folder for them yet."""
    project, _ = load_project(settings.folder, settings.environment)
    if project is not None:
        _make(settings.folder / project.config.manifests)


def _refuse_links(session: Session, *folders: Path) -> None:
    """Raise `FtctlError` where a link would lead what is written out of the repository."""
    for folder in folders:
        if session.project.read_scope.refuses(folder, str(folder)) is not None:
            raise FtctlError(f"{folder} leads out of the repository", "make it a folder of its own")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise file_fault(folder, fault, cannot_be="made") from None


def _jobs(session: Session, provider: Account, named: Collection[str]) -> tuple[AccountJob, ...]:
    """The jobs that are asked for, with whose they are."""
    if named:
        found = tuple(_job(provider, job) for job in dict.fromkeys(named))
    else:
        found = provider.account_jobs(read_account_job)
    if session.service.ownership_store != "file-name":
        return found
    names = provider.file_names()
    ours = {file: tag for file, name in names.items() if (tag := read_file_name(name))}
    return tuple(tagged_by_file(job, ours) for job in found)


def _job(provider: Account, job: str) -> AccountJob:
    try:
        return provider.account_job(job, read_account_job)
    except ProviderError as fault:
        if fault.status == 404:
            raise FtctlError(
                f"the service knows no job '{job}'", "'ftctl import --all' finds those it knows"
            ) from None
        raise


@dataclass
class _Import:
    """One run of the command: what was fetched for it, and which jobs could not be imported."""

    session: Session
    provider: Account
    folder: Path
    files: dict[str, Downloaded | NotGiven] = field(default_factory=dict)  # by id
    by_content: dict[str, Downloaded] = field(default_factory=dict)  # by hash
    used: set[Path] = field(default_factory=set)
    written: list[tuple[Path, Draft]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)  # job → why

    def write(self, jobs: Sequence[AccountJob]) -> None:
        """The manifests of these jobs, each whole or not at all."""
        names = name_jobs(jobs, self._taken())
        drafts = (self._with_data(draft_of(job, names[job.id])) for job in jobs)
        fitted = [one for draft in drafts if draft is not None if (one := self._fit(draft))]
        for draft in self._with_good_data(fitted):
            path = self._path(draft)
            self.used |= {self.by_content[sha256].path for sha256 in _sources(draft)}
            _write_new(path, draft.text)
            self.written.append((path, draft))

    def take_away_unused(self) -> None:
        """Remove what was fetched for no manifest."""
        for one in self.by_content.values():
            if one.fresh and one.path not in self.used:
                one.path.unlink(missing_ok=True)

    def _taken(self) -> set[str]:
        project = self.session.project
        documents = (*project.finetunes, *project.unfit)
        files = self.folder.glob("*") if self.folder.is_dir() else ()
        return {str(one.value.get("name")) for one in documents} | {file.stem for file in files}

    def _path(self, draft: Draft) -> Path:
        return self.folder / f"{draft.name}.yaml"

    def _with_data(self, draft: Draft) -> Draft | None:
        """The draft with its data files, as far as the service gives them."""
        for role, file in zip(
            _ROLES, (draft.job.training_file, draft.job.validation_file), strict=True
        ):
            if file is None:
                continue
            found = self._fetched(file)
            if isinstance(found, Downloaded):
                source = os.path.relpath(found.path, self.folder).replace(os.sep, "/")
                draft = draft.having(role, {"source": source, "sha256": found.sha256})
            elif found.retryable:
                self.left_out[draft.job.id] = f"{found.reason}; import it again later"
                return None
            else:
                draft = draft.without(role, found.reason)
        return draft

    def _fetched(self, file: str) -> Downloaded | NotGiven:
        if file not in self.files:
            folder = self.session.root / _DATA
            clock = self.session.context.clock
            found = download(self.provider, file, folder, MAX_FILE_BYTES, clock)
            if isinstance(found, Downloaded):
                first = self.by_content.setdefault(found.sha256, found)
                if first is not found and found.fresh:
                    found.path.unlink()  # the same content under another id
                found = first
            self.files[file] = found
        return self.files[file]

    def _fit(self, draft: Draft) -> Fitted | None:
        """The draft as the project's reader takes it."""
        project = self.session.project
        shown = show_path(self._path(draft), self.session.root)
        service = self.session.service
        fitted = fit(
            draft,
            shown,
            below(project.file, "defaults"),
            lambda one: check_service((one,), service),
        )
        if isinstance(fitted, str):
            self.left_out[draft.job.id] = fitted
            return None
        return fitted

    def _with_good_data(self, fitted: Sequence[Fitted]) -> list[Draft]:
        """The drafts without data that the project's checks refuse."""
        while True:
            faults = self._data_faults(fitted)
            if not any(faults):
                return [one.draft for one in fitted]
            fitted = [
                one
                for known, found in zip(fitted, faults, strict=True)
                if (one := self._without(known, found)) is not None
            ]

    def _without(self, fitted: Fitted, faults: Mapping[str, str]) -> Fitted | None:
        draft = fitted.draft
        if not faults:
            return fitted
        for role, why in faults.items():
            if role not in draft.fields:
                self.left_out[draft.job.id] = f"'{role}' of ftctl.yaml's defaults: {why}"
                return None
            draft = draft.without(role, why)
        return self._fit(draft)

    def _data_faults(self, fitted: Sequence[Fitted]) -> list[dict[str, str]]:
        """What the project's checks have against the data of each: role → why."""
        session = self.session
        documents = tuple(one.document for one in fitted)
        project = replace(session.project, finetunes=documents, unfit=())
        located = locate(link(project), session.cache or session.root)
        scanned = scan_data(located, session.cache, session.context.listener, count=False)
        checked = _Checked(located, frozenset(scanned.datasets), _errors(scanned.problems))
        return [checked.faults(document) for document in documents]


@dataclass(frozen=True)
class _Checked:
    """What is known of the data once it was read: the places that passed, errors by file."""

    located: Located
    passed: frozenset[tuple[Path, Method | None]]
    errors: Mapping[str, Diagnostic]

    def faults(self, document: Document) -> dict[str, str]:
        """What is wrong with each of a document's files."""
        found: dict[str, str] = {}
        for role in _ROLES:
            if role not in document.value:
                continue
            source = self.located.source_of(document, role)
            if source is None:
                found[role] = "there is no such Dataset"
                continue
            passed = (source.source, document.value["method"]) in self.passed
            # What was found in two files together stands against neither of them alone.
            problem = self.errors.get(source.shown)
            if not passed or (problem is not None and source.shown not in self.refused):
                found[role] = _told(problem, source.shown)
        return found

    @cached_property
    def refused(self) -> frozenset[str]:
        """The files that did not pass by themselves, for one method at least."""
        sources = (
            (source, document.value["method"])
            for document in self.located.symbols.finetunes.values()
            for role in _ROLES
            if (source := self.located.source_of(document, role)) is not None
        )
        return frozenset(
            source.shown for source, method in sources if (source.source, method) not in self.passed
        )


def _errors(problems: Iterable[Diagnostic]) -> dict[str, Diagnostic]:
    """The first error of each file."""
    found: dict[str, Diagnostic] = {}
    for problem in problems:
        if problem.severity == "error":
            found.setdefault(problem.span.path, problem)
    return found


def _told(problem: Diagnostic | None, shown: str) -> str:
    if problem is None:
        return f"{shown} does not pass the checks for this method"
    line = f", line {problem.span.line}" if problem.span.line else ""
    return f"it does not pass the checks{line}: {problem.message}"


def _sources(draft: Draft) -> list[str]:
    """The hashes of a draft's own data files."""
    return [draft.fields[role]["sha256"] for role in _ROLES if role in draft.fields]


def _write_new(path: Path, text: str) -> None:
    _make(path.parent)
    try:
        write_atomically(path, text, replace=False)
    except OSError as fault:
        raise file_fault(path, fault) from None


def _report(settings: Settings, session: Session, run: _Import, here: Mapping[str, str]) -> None:
    """A line for each job that was asked for, and why data is missing."""

    def result(words: str) -> None:
        settings.console.result(one_line(words))

    for path, draft in run.written:
        shown = show_path(path, session.root)
        without = [note for role in _ROLES for note in draft.notes.get(role, ())]
        result(f"{draft.job.id} → {shown}" + "".join(f"; {note}" for note in without))
    for job, name in here.items():
        result(f"{job} is here already: {name}")
    for job, why in run.left_out.items():
        result(f"{job} is left out: {why}")


def _summary(settings: Settings, session: Session, run: _Import, here: int) -> None:
    config = session.project.config
    without = sum("training" not in draft.fields for _, draft in run.written)
    parts = [f"{plural(len(run.written), 'manifest')} written"]
    parts += [f"{without:,} of them without training data"] if without else []
    parts += [f"{plural(here, 'job')} here already"] if here else []
    parts += [f"{plural(len(run.left_out), 'job')} left out"] if run.left_out else []
    settings.console.result(f"Import: {', '.join(parts)}.")
    inside = absolute(run.folder).is_relative_to(absolute(session.root / config.manifests))
    if run.written and not inside:
        shown = show_path(run.folder, session.root)
        settings.console.note(
            one_line(
                f"{shown} is not below {config.manifests}: 'plan' reads its manifests once they are"
            )
        )
