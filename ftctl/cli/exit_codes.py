"""What an ending means to the shell: one table from errors to exit statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ftctl.errors import (
    FtctlError,
    Interrupted,
    InvalidProject,
    ProviderError,
    Refused,
    Stale,
    UsageError,
    WaitTimeout,
)

if TYPE_CHECKING:  # --help need not load the nouns
    from ftctl.domain.plan import Report

DONE = 0
FAILED = 1
CHANGES = 2
REFUSED = 3
PARTIAL = 4
STALE = 5
TIMED_OUT = 6
GATE_FAILED = 7
USAGE = 64
BUG = 70
INTERRUPTED = 130

MEANINGS: Mapping[int, str] = {
    DONE: "done, or nothing to do",
    FAILED: "an expected failure",
    CHANGES: "plan --detailed-exitcode found changes",
    REFUSED: "refused by a limit or policy",
    PARTIAL: "apply finished some changes, not all",
    STALE: "stale: what was approved is not what would run",
    TIMED_OUT: "a wait ran out of time (the job runs on, and is billed)",
    GATE_FAILED: "an evaluation gate failed",
    USAGE: "wrong usage",
    BUG: "a bug in ftctl",
    INTERRUPTED: "interrupted",
}
RESERVED = frozenset({GATE_FAILED})  # no command of this version ends with it
LISTED = {code: text for code, text in MEANINGS.items() if code not in RESERVED}

STATUSES: Mapping[type[FtctlError], int] = {
    FtctlError: FAILED,
    InvalidProject: FAILED,
    ProviderError: FAILED,
    Refused: REFUSED,
    Stale: STALE,
    WaitTimeout: TIMED_OUT,
    Interrupted: INTERRUPTED,
    UsageError: USAGE,
}


def status_of_report(report: Report) -> int:
    """The exit status for what an apply did; the first failure counts, then how jobs ended.

    A job that failed in an earlier run counts as long as nothing came in its place.
    """
    for one in (report, *report.later):
        if not one.ok:
            return PARTIAL if one.partial else FAILED
    succeeded = [end for end in report.ended if end.model is not None]
    if report.not_begun or report.failed or len(succeeded) < len(report.ended):
        return PARTIAL if succeeded else FAILED
    return DONE


def status_of(fault: FtctlError) -> int:
    """The exit status for a fault: that of its nearest class in the table."""
    return next(STATUSES[kind] for kind in type(fault).__mro__ if kind in STATUSES)
