"""A command that buys or waits in; files that tell what came of it, however it ended, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ftctl.cli.exit_codes import BUG, INTERRUPTED, status_of
from ftctl.cli.settings import Settings, settings_of
from ftctl.errors import FtctlError, UsageError, fault_text

if TYPE_CHECKING:
    from ftctl.domain.run_result import RunResult
    from ftctl.engine.workspace import Workspace

_FORMS = (".json", ".md")


@dataclass(slots=True)
class ReportFiles:
    """What the files of `--report` will say, once the command is over."""

    settings: Settings
    files: tuple[Path, ...]
    command: Literal["apply", "wait"]
    result: RunResult | None = None
    begun: bool = False  # whether there was a run, which may have bought

    @contextmanager
    def run(self, workspace: Workspace) -> Iterator[None]:
        """Around what a workspace does: what came of that is found out before it is closed."""
        try:
            yield
        except BaseException as fault:
            self._look(workspace, fault)
            raise
        self._look(workspace, None)

    def _look(self, workspace: Workspace, fault: BaseException | None) -> None:
        if not self.files:
            return
        self.begun = True
        try:
            self.result = workspace.result(fault=fault, command=self.command)
        except Exception as bug:  # noqa: BLE001 - what was bought is bought: it is told shorter
            self._tell_bug(bug)

    def _tell_bug(self, bug: Exception) -> None:
        self.settings.console.note(
            f"warning: the report is short, for a bug in ftctl: {type(bug).__name__}: {bug}"
        )

    def write(self, fault: BaseException | None, status: int) -> None:
        """Write every file. A fault is only told: it is not what the command is for."""
        if not self.files:
            return
        from ftctl.engine.plan_files import write_file

        settings = self.settings
        result = replace(self.result or self._short(fault, status), exit_status=status)
        for path in self.files:
            try:
                write_file(settings.folder / path, self._text(path, result))
            except FtctlError as unwritten:
                settings.console.note(f"warning: {fault_text(unwritten)}")
            except Exception as bug:  # noqa: BLE001 - as above
                self._tell_bug(bug)

    def _short(self, fault: BaseException | None, status: int) -> RunResult:
        """What is known without a look at what was done; of a run that began, not even that."""
        from ftctl.domain.run_result import ToDo

        result = self._early(fault, status)
        if not self.begun:
            return result
        look = ToDo(
            "What was done could not be found out. What there is now is told by", "ftctl status"
        )
        return replace(result, untold=True, todo=(*result.todo, look))

    def _early(self, fault: BaseException | None, status: int) -> RunResult:
        from ftctl.domain.run_result import Ending, RunResult
        from ftctl.engine.run_results import early_result

        folder, environment = self.settings.folder, self.settings.environment
        try:
            if fault is not None:
                return early_result(folder, environment, self.command, fault)
        except Exception as bug:  # noqa: BLE001 - as above
            self._tell_bug(bug)
        ending = Ending.FAILED if status else Ending.STARTED  # which claims the least
        return RunResult(ending, self.command, environment=environment)

    def _text(self, path: Path, result: RunResult) -> str:
        console = self.settings.console
        if path.suffix.lower() == ".json":
            from ftctl.domain.run_result_document import result_json

            return result_json(result, console.redacted)
        from ftctl.reports.result_markdown import result_markdown

        return f"{console.harmless(result_markdown(result))}\n"


def report_option(command: Literal["apply", "wait"]) -> Callable[[Callable[..., int]], Any]:
    """Add `--report`, and hand the command a `ReportFiles` as `report_files`."""

    def add(function: Callable[..., int]) -> Any:
        @click.option(
            "--report", "reports", type=click.Path(path_type=Path, dir_okay=False), multiple=True,
            metavar="FILE",
            help="Write what came of it, however it ends: FILE.md for people, FILE.json for"
            " programs; may be repeated.",
        )  # fmt: skip
        @wraps(function)
        def with_report(
            context: click.Context, *args: Any, reports: tuple[Path, ...], **named: Any
        ) -> int:
            settings = settings_of(context)
            for path in reports:
                if path.suffix.lower() not in _FORMS:
                    raise UsageError(
                        f"--report {path}: its form is not known", "end its name with .md or .json"
                    )
                if path in named.get("planfile", ()):
                    raise UsageError(f"--report {path} is the plan", "name another file")
            report_files = ReportFiles(settings, reports, command)
            try:
                status = function(context, *args, report_files=report_files, **named)
            except BaseException as fault:
                report_files.write(fault, _status(fault))
                raise
            report_files.write(None, status)
            return status

        return with_report

    return add


def _status(fault: BaseException) -> int:
    if isinstance(fault, FtctlError):
        return status_of(fault)
    return INTERRUPTED if isinstance(fault, KeyboardInterrupt | click.Abort) else BUG
