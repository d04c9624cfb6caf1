"""Where a fault stands and what it says; every stage reports its faults in these forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Literal, NamedTuple

from ftctl.text.escape.single_line import one_line
from ftctl.text.format import plural
from ftctl.text.redaction import redact
from ftctl.text.shell import FILE, NEW, ROWS, with_paths

__all__ = [
    "FILE",
    "NEW",
    "ROWS",
    "Diagnostic",
    "Finding",
    "FtctlError",
    "Interrupted",
    "InvalidProject",
    "ProviderError",
    "Refused",
    "Severity",
    "Span",
    "Stale",
    "UsageError",
    "WaitTimeout",
    "fault_text",
    "in_order",
    "problems_text",
    "redact",
]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file. Lines and columns count from 1; None means the whole file or line."""

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.path, self.line, self.column]
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem that its reader can mend: a stable code, a sentence, a place, maybe a cure."""

    code: str
    message: str
    span: Span
    hint: str | None = None
    severity: Severity = "error"
    # The hint as it would be for a file of any path; None where no path is in it.
    hint_for_any: str | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        head = f"{self.span}: {self.severity}[{self.code}]: {self.message}"
        return one_line(head) + (f"\n    hint: {one_line(self.hint)}" if self.hint else "")


class Finding(NamedTuple):
    """A problem that does not know yet whose file it is in. It quotes no training text.

    In its hint, `FILE`, `NEW` and `ROWS` stand for that file's path and for those of new ones.
    Secrets and personal data appear with all but their first and last characters left out.
    """

    code: str
    message: str
    hint: str | None = None
    line: int | None = None
    column: int | None = None
    severity: Severity = "error"

    def at(self, span: Span) -> Diagnostic:
        """The problem at a place that is known elsewhere."""
        hint = self.hint and with_paths(self.hint, span.path)
        general = None if hint == self.hint else self.hint
        return Diagnostic(self.code, self.message, span, hint, self.severity, general)

    def in_file(self, path: str) -> Diagnostic:
        """The problem at its own line of a file, which people know by this path."""
        return self.at(Span(path, self.line, self.column))


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The same problems, each once, by file, line and column."""

    def place(problem: Diagnostic) -> tuple[str, int, int, str, str]:
        span = problem.span
        return (span.path, span.line or 0, span.column or 0, problem.code, problem.message)

    return tuple(sorted(dict.fromkeys(diagnostics), key=place))


class FtctlError(Exception):
    """A fault that is expected to happen to users: printed as a sentence, never as a traceback."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidProject(FtctlError):
    """The manifests or data are wrong: all their problems at once."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        errors = sum(1 for problem in diagnostics if problem.severity == "error")
        super().__init__(f"{plural(errors, 'problem')} found")
        self.diagnostics = in_order(diagnostics)


class UsageError(FtctlError):
    """The command line asks for something that cannot be."""


class Refused(FtctlError):
    """A limit in the project's policy stands against this plan."""


class Stale(FtctlError):
    """What was approved is not what would run now. `moved`: what is otherwise, a line each."""

    def __init__(self, message: str, hint: str | None = None, moved: Iterable[str] = ()) -> None:
        self.sentence = message
        self.moved = tuple(moved)
        super().__init__("\n    ".join(map(one_line, (message, *self.moved))), hint)


class Interrupted(FtctlError):
    """Somebody asked to stop. What was started runs on."""


class WaitTimeout(FtctlError):
    """A wait ran out of time. The job runs on, and is billed."""


class ProviderError(FtctlError):
    """The service refused, failed or could not be reached.

    `ambiguous` says that the request may have been carried out although no good answer came:
    such a write must not be repeated before observing again. `retryable` says that the same request
    may well succeed a little later; `retry_after` is when, in seconds, if the service told.
    `job_limit` says that no more jobs are taken now, and `file_pending` that a file which was sent
    is not ready to be trained on: both pass. `kind_of_key` says that keys of this kind may not do
    this one thing: other things they may.
    """

    kind_of_key = False

    def __init__(
        self,
        operation: str,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        ambiguous: bool = False,
        retryable: bool = False,
        retry_after: float | None = None,
        job_limit: bool = False,
        file_pending: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.operation = operation
        self.status = status
        self.code = code
        self.request_id = request_id
        self.ambiguous = ambiguous
        self.retryable = retryable
        self.retry_after = retry_after
        self.job_limit = job_limit
        self.file_pending = file_pending

    def __str__(self) -> str:
        facts = [
            f"HTTP {self.status}" if self.status is not None else "",
            self.code or "",
            f"request {self.request_id}" if self.request_id else "",
        ]
        known = ", ".join(fact for fact in facts if fact)
        return f"{self.operation}: {self.message}" + (f" ({known})" if known else "")


def fault_text(fault: FtctlError) -> str:
    """A fault's sentence, and its cure on a line of its own."""
    told = str(fault) if isinstance(fault, Stale) else one_line(str(fault))
    return f"{told}\n    hint: {one_line(fault.hint)}" if fault.hint else told


def problems_text(problems: Iterable[Diagnostic], folder: PurePath | None = None) -> str:
    """Each problem with its place and cure: of several of a kind in a file, a cure stands once.

    `folder` is what paths count from, where that is not where commands are pasted (`-C`).
    """
    if folder is not None:
        problems = [_pasted_outside(one, folder.as_posix()) for one in problems]
    cured: set[tuple[str, str, str | None]] = set()
    texts = []
    for problem in problems:
        cure = (problem.span.path, problem.code, problem.hint)
        texts.append(str(replace(problem, hint=None) if cure in cured else problem))
        cured.add(cure)
    return "\n".join(texts)


def _pasted_outside(problem: Diagnostic, folder: str) -> Diagnostic:
    general = problem.hint_for_any
    if general is None:
        return problem
    return replace(problem, hint=with_paths(general, problem.span.path, folder))
