"""Folder and settings in; the project, its data and its service, ready for the stages, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.catalog import Catalog, load_catalog, shutdown_warnings
from ftctl.catalog.services import SERVICES, Service, check_service
from ftctl.cli.scanning import scan_project
from ftctl.cli.settings import Settings
from ftctl.cli.sourcing import source_data
from ftctl.data.cache import open_store
from ftctl.domain.desired import Desired, ServiceInfo
from ftctl.errors import Diagnostic, FtctlError, InvalidProject, Span, in_order
from ftctl.manifest.schema import cosmetic_fields, load_schema
from ftctl.project.documents import Documents
from ftctl.project.link import follow_names
from ftctl.project.load import Project, load_project
from ftctl.project.resolve import resolve

if TYPE_CHECKING:
    from ftctl.cli.base import BaseFile
    from ftctl.domain.observed import Observed
    from ftctl.providers import Client, Provider

STATE_FOLDER = ".ftctl"


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that the manifests say, checked and resolved."""

    settings: Settings
    root: Path
    project: Project
    desired: Desired
    service: Service
    info: ServiceInfo
    warnings: tuple[Diagnostic, ...]
    catalog: Catalog
    leaks: Mapping[str, tuple[int, int]]  # by fine-tune: of so many validation rows, where asked
    duplicates: Mapping[str, tuple[int, int]]  # by data file: of so many rows, where asked

    @property
    def today(self) -> date:
        """The day, in UTC."""
        return datetime.fromtimestamp(self.settings.clock.now(), tz=UTC).date()

    def observe(self, provider: Provider) -> Observed:
        """What exists at the service and is of concern to this project."""
        from ftctl.engine.observe import observe

        return observe(self.desired, provider, others=self.project.config.reuse == "account")

    def shutdown_warnings(self) -> tuple[str, ...]:
        """What ends soon at the service, of what the manifests use."""
        return shutdown_warnings(self.catalog, self.service.type, (), self.today)

    @contextmanager
    def provider(self) -> Iterator[Client]:
        """The service, until the block ends."""
        # Known only here: the SDK behind it takes half a second to import.
        from ftctl.providers import Connection, connect

        console = self.settings.console
        if self.service.type == "emulator":
            with self._embedded() as provider:
                yield provider
            return
        key = self._api_key()
        console.secrets = (*console.secrets, key)
        known = self.project.config.provider or {}
        environ = self.settings.environ
        connection = Connection(
            self.info.base_url,
            key,
            known.get("organization") or environ.get("OPENAI_ORG_ID"),
            known.get("project") or environ.get("OPENAI_PROJECT_ID"),
        )
        provider = connect(connection, self.service, log=console.request, clock=self.settings.clock)
        with closing(provider):
            yield provider

    @contextmanager
    def _embedded(self) -> Iterator[Client]:
        from ftctl.emulator import EmulatorError, EmulatorTransport, open_emulator
        from ftctl.providers import Connection, connect

        try:
            emulator = open_emulator(state_folder(self.root), clock=self.settings.clock.now)
        except EmulatorError as fault:
            raise FtctlError(
                f"the embedded API cannot start: {fault}",
                f"move {STATE_FOLDER} away to start afresh",
            ) from None
        transport = EmulatorTransport(emulator, sleep=self.settings.clock.sleep)
        wire = self.settings.wire
        provider = connect(
            Connection("http://embedded.invalid/v1", "embedded"),
            self.service,
            transport=wire(transport) if wire is not None else transport,
            log=self.settings.console.request,
            clock=self.settings.clock,
        )
        with emulator, closing(provider):
            yield provider

    def _api_key(self) -> str:
        known = self.project.config.provider or {}
        name = known.get("api_key_env", self.service.api_key_env)
        key = self.settings.environ.get(name, "").strip()
        if not key:
            raise FtctlError(
                f"the environment variable {name} is not set; it holds the key for"
                f" {self.service.type}",
                f"export {name}=…, or leave out 'provider' to use the embedded API",
            )
        if not key.isascii() or not key.isprintable():
            raise FtctlError(
                f"the key in the environment variable {name} has characters that no key has",
                "copy it again",
            )
        return key


def state_folder(root: Path) -> Path:
    """The folder for what may be thrown away; git ignores it."""
    folder = root / STATE_FOLDER
    ignore = folder / ".gitignore"
    for path in (folder, ignore):
        if path.is_symlink():
            raise FtctlError(f"{path} is a link", "remove it: it is made anew")
    try:
        folder.mkdir(exist_ok=True)
        if not ignore.exists():
            ignore.write_text("*\n", "utf-8")
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise FtctlError(f"{folder} cannot be written: {reason}") from None
    return folder


def open_session(settings: Settings) -> Session:
    """The session of the project in `settings.folder`, or `InvalidProject` with every problem."""
    session, problems = check_project(settings, count=True)
    if session is None:
        raise InvalidProject(problems)
    return session


def check_project(
    settings: Settings, *, count: bool = False
) -> tuple[Session | None, tuple[Diagnostic, ...]]:
    """The session, or None, with every problem and warning of manifests and data.

    With `count`, the datasets have their tokens.
    """
    if not settings.folder.is_dir():
        raise FtctlError(f"there is no folder {settings.folder}", "check the path after -C")
    root = settings.folder
    cache = root / STATE_FOLDER / "cache"
    documents = open_store(cache, "documents")
    base = _base(settings)
    if base is not None and base.problems:
        return None, base.problems
    project, problems = load_project(
        root, settings.environment, Documents(documents), base.document if base else None
    )
    if project is None:
        return None, in_order(problems)
    if base is not None:
        _tell_of(base, project, settings)
    names = follow_names(project)
    problems += names.problems
    documents.save()
    sourced = source_data(project, names, root, cache)
    problems += sourced.problems
    names = sourced.names
    scanned = scan_project(project, names, settings, cache, count=count)
    problems += tuple(sourced.at_source(problem) for problem in scanned.problems)
    service, info, faults = _service(project, settings)
    problems += faults
    if service is not None:
        problems += check_service(project.finetunes, service)
    problems = in_order(problems)
    if any(problem.severity == "error" for problem in problems) or service is None or info is None:
        return None, problems
    desired = resolve(project, names, scanned.datasets, load_schema("finetune"), cosmetic_fields())
    session = Session(
        settings,
        root,
        project,
        desired,
        service,
        info,
        problems,
        load_catalog().with_overrides(project.config.catalog),
        scanned.leaks,
        scanned.duplicates,
    )
    return session, problems


def _base(settings: Settings) -> BaseFile | None:
    """ftctl.yaml at the revision of --base, where one is given."""
    if settings.base is None:
        return None
    from ftctl.cli.base import read_base

    return read_base(settings.folder, settings.base)


def _tell_of(base: BaseFile, project: Project, settings: Settings) -> None:
    from ftctl.cli.base import note_of_differences

    told = base.note
    if told is None and project.own is not None:
        told = note_of_differences(base, project.own)
    if told is not None:
        settings.console.note(f"note: {told}")


def _service(
    project: Project, settings: Settings
) -> tuple[Service | None, ServiceInfo | None, tuple[Diagnostic, ...]]:
    known = project.config.provider or {"type": "emulator"}
    row = SERVICES[known["type"]]
    if row.type == "emulator" and "base_url" in known:
        place = project.file.place(("provider", "base_url"))
        message = "the embedded API runs inside ftctl and has no address"
        hint = "remove 'base_url'; for a server of 'ftctl emulator' use 'type: compatible'"
        return None, None, (Diagnostic("misplaced-key", message, place, hint),)
    if "mark" in known:
        row = row.with_ownership_store(known["mark"])
    from_environment = settings.environ.get(row.base_url_env) if row.base_url_env else None
    base_url = known.get("base_url") or from_environment or row.base_url
    if base_url is None:
        place = project.file.place(("provider",))
        also = f", or set {row.base_url_env}" if row.base_url_env else ""
        return None, None, (
            Diagnostic(
                "missing-key",
                f"'base_url' is missing: {row.type} has no address of its own",
                place,
                f"add 'base_url: https://…/v1' below provider{also}",
            ),
        )  # fmt: skip
    if not base_url.startswith(("http://", "https://", "emulator://")) or "@" in base_url:
        where = Span(row.base_url_env or "base_url")
        message = "the service's address must start with http:// or https:// and hold no key"
        return None, None, (Diagnostic("wrong-value", message, where),)
    return row, ServiceInfo(row.type, base_url, row.billed), ()
