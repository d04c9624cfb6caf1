"""What a run tells of itself in; lines on the console out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ftctl.cli.scan_progress import ScanProgress
from ftctl.cli.settings import Settings
from ftctl.engine import events
from ftctl.engine.context import RunContext, addresses_from, commands_from
from ftctl.engine.events import Event
from ftctl.engine.session import Session
from ftctl.engine.session import open_session as open_session_in
from ftctl.errors import problems_text
from ftctl.text.escape.single_line import one_line

if TYPE_CHECKING:  # a command that plans nothing need not load what plans
    from ftctl.cli.job_progress import Screen
    from ftctl.domain.plan import Report
    from ftctl.engine.consents import AddressUse, CommandUse
    from ftctl.engine.workspace import Workspace


@dataclass(slots=True)
class ConsoleListener:
    """Prints the events of one run: what was done to standard output, all else to the other."""

    settings: Settings
    scan: ScanProgress = field(init=False)
    screen: Screen | None = None
    _scanned: Callable[[int, int], None] | None = None

    def __post_init__(self) -> None:
        self.scan = ScanProgress(self.settings.environ)

    def __call__(self, event: Event) -> None:
        """Print what people should know of an event."""
        console = self.settings.console
        match event:
            case events.Noted(text, detail):
                if console.verbose or not detail:
                    console.note(text)
            case events.Requested(line):
                console.request(line)
            case events.Scanning(path, done, size):
                self._show_scan(path, done, size)
            case events.Scanned():
                self.scan.done()
            case events.Applying():
                console.result("")
            case events.StepDone(name, sentence):
                console.result(one_line(f"{name}: {sentence}"))
            case events.Applied(report):
                self._show_report(report)
            case events.Progressed(jobs):
                self._screen().show(jobs)
            case events.Finished(name, model):
                self._screen().tell(one_line(f"{name}: up to date as {model}"))
            case events.Reconciled(done, unapproved):
                tell_remaining(self.settings, done, unapproved)

    def _show_scan(self, path: str, done: int, size: int) -> None:
        if self._scanned is None or (done, size) == (0, 0):
            self._scanned = self.scan.of(path)
        else:
            self._scanned(done, size)

    def _show_report(self, report: Report) -> None:
        from ftctl.reports.text import outcome_problem, report_text

        console = self.settings.console
        for outcome in report.outcomes:
            if (problem := outcome_problem(outcome)) is not None:
                console.note(f"error: {problem}")
        console.result(report_text(report))

    def _screen(self) -> Screen:
        if self.screen is None:
            from ftctl.cli.job_progress import screen_for

            self.screen = screen_for(self.settings)
        return self.screen


def workspace_of(settings: Settings) -> Workspace:
    """The workspace in the command's folder, whose events are printed."""
    from ftctl.engine.workspace import Workspace

    return Workspace(context_of(settings))


def context_of(settings: Settings) -> RunContext:
    """What surrounds a command's run of the engine."""
    ask = _asker(settings)
    return RunContext(
        root=settings.folder,
        environment=settings.environment,
        directory=None if settings.directory is None else str(settings.directory),
        base_revision=settings.base,
        clock=settings.clock,
        environ=settings.environ,
        listener=ConsoleListener(settings),
        hide=settings.console.hide,
        wire=settings.wire,
        allowed_addresses=addresses_from(settings.allow_addresses),
        ask_address=ask,
        allowed_commands=commands_from(settings.allow_commands),
        ask_command=ask,
    )


def _asker(settings: Settings) -> Callable[[AddressUse | CommandUse], bool] | None:
    """Whoever is at the terminal, if somebody is: a pipeline may have one, and nobody at it."""
    if settings.environ.get("CI") or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    allowed: set[AddressUse | CommandUse] = set()

    def ask(use: AddressUse | CommandUse) -> bool:
        from ftctl.cli.confirm import confirm_use

        if use not in allowed and confirm_use(settings.console, use):
            allowed.add(use)
        return use in allowed

    return ask


def open_session(settings: Settings) -> Session:
    """The project in the command's folder, or `InvalidProject`. Its key is printed nowhere."""
    return guarded(open_session_in(context_of(settings)), settings)


def guarded(session: Session, settings: Settings) -> Session:
    """The session, once the console knows what it must not print."""
    settings.console.hide(*session.secrets)
    return session


def show_warnings(session: Session, settings: Settings) -> None:
    """Print what the manifests and data should be warned of."""
    if session.warnings:
        settings.console.note(problems_text(session.warnings))


def tell_remaining(settings: Settings, done: Iterable[str], unapproved: Iterable[str]) -> None:
    """Say what of an approved plan is done already, and what nobody approved."""
    if names := _listed(done):
        settings.console.result(f"Of the approved plan, nothing is left to do for: {names}.")
    if names := _listed(unapproved):
        settings.console.result(f"Left alone, for nobody approved it: {names}.")


def tell_unkept(settings: Settings, why: str | None) -> None:
    """Say that a plan is not remembered, which stops nothing."""
    if why is not None:
        settings.console.note(f"note: {one_line(why)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(one_line(name) for name in names)
