"""A run's context in; the project, its data and its service, ready for the stages, out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.catalog import Catalog, load_catalog, shutdown_warnings
from ftctl.catalog.services import Service
from ftctl.data.cache import open_store
from ftctl.data.cache.upkeep import tend
from ftctl.domain.desired import Desired, ServiceInfo
from ftctl.engine.command_words import project_command
from ftctl.engine.context import RunContext
from ftctl.engine.embedded_store import embedded_store, require_store
from ftctl.engine.events import Listener, Noted, Requested, Scanned, Scanning
from ftctl.engine.way_in import WayIn
from ftctl.errors import Diagnostic, FtctlError, InvalidProject, in_order, redact
from ftctl.files import file_fault, keep_out_of_git, run_folder
from ftctl.lockfile import read_lock_file, witnesses_of
from ftctl.manifest.schema import cosmetic_fields, load_schema
from ftctl.project.document_cache import Documents
from ftctl.project.extra_fields import check_extra
from ftctl.project.fit import Unfit, check_fit, held_back, told
from ftctl.project.link import SymbolTable, link
from ftctl.project.load import Project, load_project
from ftctl.project.locate import Located, locate, makes_data
from ftctl.project.resolve import resolve
from ftctl.project.scan import ScannedData, scan
from ftctl.project.service_choice import ServiceChoice, choose_service
from ftctl.project.service_limits import check_service
from ftctl.project.tracked_state import STATE_FOLDER
from ftctl.project.written_keys import check_written_keys
from ftctl.user_folders import NoPlace, open_cache

if TYPE_CHECKING:
    from ftctl.engine.base_revision import BaseFile
    from ftctl.providers import Client


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that the manifests say, checked and resolved."""

    context: RunContext
    project: Project
    desired: Desired
    choice: ServiceChoice
    warnings: tuple[Diagnostic, ...]
    catalog: Catalog
    leaks: Mapping[str, tuple[int, int]]  # by fine-tune: of so many validation rows, where asked
    duplicates: Mapping[str, tuple[int, int]]  # by data file: of so many rows, where asked
    base: BaseFile | None = None  # ftctl.yaml at the revision that a change goes to
    cache: Path | None = None  # where this run keeps what it has found out
    files: Mapping[tuple[str, str], Path] = field(default_factory=dict)  # by path and content
    unfit: tuple[Unfit, ...] = ()  # what its base models are not trained on, as far as is known

    def place_of(self, path: str, sha256: str) -> Path:
        """Where a dataset lies on this machine: what was fetched or made has no place here."""
        return self.files.get((path, sha256), self.root / path)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.context.root

    @property
    def service(self) -> Service:
        """The row of the service that trains."""
        return self.choice.service

    @property
    def info(self) -> ServiceInfo:
        """What the service is known by."""
        return self.choice.info

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be printed nowhere, as far as the environment holds it."""
        return self.way_in.secrets

    @property
    def way_in(self) -> WayIn:
        """As whom the service is asked, and by which road."""
        return WayIn(self.project, self.choice, self.context, self.base)

    def shutdown_warnings(self) -> tuple[str, ...]:
        """What ends soon at the service, of what the manifests use."""
        return shutdown_warnings(self.catalog, self.service.type, (), self.context.today)

    @contextmanager
    def provider(self) -> Iterator[Client]:
        """The service, until the block ends."""
        # Known only here: the SDK behind it takes half a second to import.
        from ftctl.providers import connect

        if self.service.type == "emulator":
            with self._embedded() as provider:
                yield provider
            return
        connection = self.way_in.connection()
        provider = connect(connection, self.service, log=self._log, clock=self.context.clock)
        with closing(provider):
            yield provider

    @contextmanager
    def _embedded(self) -> Iterator[Client]:
        listener = self.context.listener
        with embedded_store(self._state, lambda: state_folder(self.root), listener) as folder:
            yield from self._embedded_in(folder)

    def _embedded_in(self, folder: Path) -> Iterator[Client]:
        from ftctl.emulator import EmulatorError, EmulatorTransport, open_emulator
        from ftctl.providers import Connection, connect

        try:
            emulator = open_emulator(folder, clock=self.context.clock.now)
        except EmulatorError as fault:
            raise FtctlError(
                f"the embedded API cannot start: {fault}",
                f"move {STATE_FOLDER} away to start afresh",
            ) from None
        transport = EmulatorTransport(emulator, sleep=self.context.clock.sleep)
        wire = self.context.wire
        provider = connect(
            Connection(
                "http://embedded.invalid/v1",
                "not-needed",
                variables=self.way_in.variables(),
                secrets=self.secrets,
            ),
            self.service,
            transport=wire(transport) if wire is not None else transport,
            log=self._log,
            clock=self.context.clock,
        )
        with emulator, closing(provider):
            yield provider

    def require_store(self) -> None:
        """Raise `FtctlError` where a change could not be kept: the embedded API, read-only."""
        if self.service.type == "emulator":
            require_store(self._state)

    @property
    def _state(self) -> Path:
        return self.root / STATE_FOLDER

    def _log(self, line: str) -> None:
        self.context.listener(Requested(line))


def state_folder(root: Path) -> Path:
    """The folder for the embedded API's state and for intents; git ignores it."""
    folder = root / STATE_FOLDER
    for path in (folder, folder / ".gitignore"):
        if path.is_symlink():
            raise FtctlError(f"{path} is a link", "remove it: it is made anew")
    try:
        keep_out_of_git(folder)
    except OSError as fault:
        raise file_fault(folder, fault) from None
    return folder


@dataclass(frozen=True, slots=True)
class Validation:
    """What was found out about a project: all its problems, and itself where none is an error."""

    problems: tuple[Diagnostic, ...]
    session: Session | None = None
    unfit: tuple[Unfit, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the project can be planned."""
        return self.session is not None

    @property
    def desired(self) -> Desired | None:
        """What the project asks for; None where it has errors."""
        return self.session.desired if self.session is not None else None


def open_session(context: RunContext) -> Session:
    """The project in the context's folder, or `InvalidProject` with every problem."""
    validation = _checked(context, count=True)
    if validation.session is None:
        raise InvalidProject(validation.problems)
    return validation.session


def check_project(context: RunContext, *, count: bool = False) -> Validation:
    """Every problem and warning of manifests and data. With `count`, datasets have their tokens.

    What a base model is known not to be trained on is an error here, unless ftctl.lock says that
    the fine-tune is trained: what stops a purchase must not stop a project that buys nothing.
    """
    validation = _checked(context, count=count)
    more = told(validation.unfit, _trained(validation.session))
    if not more:
        return validation
    problems = in_order((*validation.problems, *more))
    failed = any(problem.severity == "error" for problem in more)
    return replace(validation, problems=problems, session=None if failed else validation.session)


def _trained(session: Session | None) -> frozenset[str]:
    """The fine-tunes whose model, as they are asked for, stands in ftctl.lock for this service."""
    if session is None or not session.unfit:
        return frozenset()
    try:
        lock = read_lock_file(session.root)
    except FtctlError:
        return frozenset()
    digests = {
        witness.digest
        for witness in witnesses_of(lock)
        if witness.model is not None
        and witness.base_url is not None
        and session.info.is_at(witness.base_url)
    }
    return frozenset(
        one.name for one in session.desired.finetunes if digests.intersection(one.digests)
    )


def _checked(context: RunContext, *, count: bool) -> Validation:
    root = context.root
    if not root.is_dir():
        raise FtctlError(f"there is no folder {root}", "check the path after -C")
    cache = _open_cache(context)
    documents = Documents(open_store(cache, "documents"))
    validation = _check(context, cache, documents, count=count)
    validation = replace(validation, problems=_without_keys(validation.problems))
    documents.save(validation.problems)
    if validation.ok:
        _remove_earlier_caches(root)
    return validation


def _remove_earlier_caches(root: Path) -> None:
    """What versions until 2026-11 have kept in the checkout; nothing reads it any more."""
    state = root / STATE_FOLDER
    if state.is_symlink():
        return
    for name in ("cache", "plans"):
        folder = state / name
        if folder.is_dir() and not folder.is_symlink():  # a pipe would have rmtree wait
            shutil.rmtree(folder, ignore_errors=True)


def _check(
    context: RunContext, cache: Path | None, documents: Documents, *, count: bool
) -> Validation:
    base = _base(context)
    if base is not None and base.problems:
        return Validation(base.problems)
    project, problems = load_project(
        context.root,
        context.environment,
        documents,
        base.document if base else None,
        unreviewed=base.shown if base is not None and base.is_silent else None,
    )
    if project is None:
        return Validation(in_order(problems))
    if base is not None:
        _note_differences(base, project, context)
    symbols = link(project)
    problems += symbols.problems
    located, cache = _locate(symbols, cache, context)
    problems += located.problems
    scanned = scan_data(located, cache, context.listener, count=count)
    problems += tuple(located.at_source(problem) for problem in scanned.problems)
    problems += check_extra((*project.finetunes, *project.unfit))
    choice, faults = choose_service(project, context.environ)
    problems += faults
    if choice is not None:
        problems += check_service(project.finetunes, choice.service)
    catalog = load_catalog().with_overrides(project.config.catalog)
    unfit = check_fit(
        scanned, project.config.provider.type, catalog, context.today,
        partial(project_command, context),
    )  # fmt: skip
    unfit += held_back(scanned)
    problems += _written_keys(project, WayIn(project, choice, context, base) if choice else None)
    problems = in_order(problems)
    if any(problem.severity == "error" for problem in problems) or choice is None:
        return Validation(problems, unfit=unfit)
    desired = resolve(scanned, load_schema("finetune"), cosmetic_fields())
    session = Session(
        context,
        project,
        desired,
        choice,
        problems,
        catalog,
        scanned.leaks,
        scanned.duplicates,
        base,
        cache,
        scanned.files,
        unfit,
    )
    return Validation(problems, session, unfit)


def _without_keys(problems: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """The same, where keys stand in the files: another problem may quote what one of them hides."""
    if all(problem.code != "written-key" for problem in problems):
        return problems
    return tuple(
        replace(
            problem,
            message=redact(problem.message),
            hint=redact(problem.hint) if problem.hint else None,
        )
        for problem in problems
    )


def _open_cache(context: RunContext) -> Path | None:
    """The user's folder for what is known of the project; None, and a note, where there is none."""
    try:
        folder = open_cache(context.root)
    except NoPlace as fault:
        context.listener(Noted(f"note: nothing is kept for the next run: {fault}"))
        return None
    if not os.access(folder, os.W_OK | os.X_OK):
        context.listener(
            Noted(f"note: nothing is kept for the next run: {folder} cannot be written")
        )
    else:
        tend(folder)
    return folder


def _locate(
    symbols: SymbolTable, cache: Path | None, context: RunContext
) -> tuple[Located, Path | None]:
    """Every file on this machine, and the cache that it may be in.

    What must be made or fetched, and can be kept nowhere, is for this run alone.
    """
    if not makes_data(symbols):
        return locate(symbols, cache or context.root), cache
    if cache is not None:
        if os.access(cache, os.W_OK | os.X_OK):
            return locate(symbols, cache), cache
        try:
            located = locate(symbols, cache)  # what was made and fetched before is there
        except FtctlError:
            located = None
        if located is not None and not located.problems:
            return located, cache
    context.listener(Noted("note: data is fetched and made for this run alone"))
    scratch = run_folder()
    return locate(symbols, scratch), scratch


def _written_keys(project: Project, way_in: WayIn | None) -> tuple[Diagnostic, ...]:
    """The keys that stand in manifests; those of the environment are known by their values."""
    own = (project.own,) if project.own is not None else ()
    documents = (*project.finetunes, *project.datasets, *project.unfit, *own)
    if way_in is None:
        return check_written_keys(documents)
    return check_written_keys(documents, way_in.secrets, way_in.key_variable)


def scan_data(
    located: Located, cache: Path | None, listener: Listener, *, count: bool
) -> ScannedData:
    """Every data file of a project, while the listener hears how far the reading is."""
    try:
        return scan(
            located,
            cache,
            count=count,
            on_progress=lambda path, done, size: listener(Scanning(path, done, size)),
            on_note=lambda text: listener(Noted(text, detail=True)),
        )
    finally:
        listener(Scanned())


def _base(context: RunContext) -> BaseFile | None:
    """ftctl.yaml at the base revision, where one is given."""
    if context.base_revision is None:
        return None
    from ftctl.engine.base_revision import read_base

    return read_base(context.root, context.base_revision)


def _note_differences(base: BaseFile, project: Project, context: RunContext) -> None:
    from ftctl.engine.base_revision import note_of_differences

    note = base.note(project.own)
    if note is None and project.own is not None:
        note = note_of_differences(base, project.own)
    if note is not None:
        context.listener(Noted(f"note: {note}"))
