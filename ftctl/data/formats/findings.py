"""Findings go in, in the file's order; Diagnostics, so many of each kind, come out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ftctl.errors import Diagnostic, Finding, Severity, in_order

MAX_PER_CODE = 20


_Kind = tuple[str, Severity]  # no warning may fill the room of an error that has its code


class Omitted(NamedTuple):
    """Findings of a kind that are only counted."""

    number: int
    first: Finding


class FindingLog:
    """Collects findings. Its size does not grow with the file, unless `most` is None.

    A part of a file may be collected on its own, and joined to what stands before it.
    """

    def __init__(self, most: int | None = MAX_PER_CODE) -> None:
        self.most = most
        self.kept: list[Finding] = []
        self.counts: dict[_Kind, int] = {}  # of those that are kept
        self.omitted: dict[_Kind, Omitted] = {}

    def add(self, finding: Finding, line: int | None = None) -> None:
        """Add a finding, of that line unless it has one of its own."""
        if line is not None:
            finding = finding._replace(line=line)
        kind = (finding.code, finding.severity)
        count = self.counts.get(kind, 0)
        if self.most is None or count < self.most:
            self.counts[kind] = count + 1
            self.kept.append(finding)
        else:
            self._omit(kind, Omitted(1, finding))

    def join(self, later: FindingLog) -> None:
        """Add what was collected of the part that follows."""
        for finding in later.kept:
            self.add(finding)
        for kind, omitted in later.omitted.items():
            self._omit(kind, omitted)

    def tell_instead(self, code: str, finding: Finding) -> None:
        """One finding in place of all of a kind, which have one cause."""
        self.forget((code,))
        self.add(finding)

    def forget(self, codes: Collection[str]) -> None:
        """Drop the findings of these kinds."""
        self.kept = [one for one in self.kept if one.code not in codes]
        self.counts = {kind: n for kind, n in self.counts.items() if kind[0] not in codes}
        self.omitted = {kind: one for kind, one in self.omitted.items() if kind[0] not in codes}

    @property
    def codes(self) -> frozenset[str]:
        """Every kind that there is a finding of."""
        return frozenset(code for code, _ in self.counts)

    def has_errors(self, warnings: Collection[str]) -> bool:
        """Whether there is an error; findings of these codes are none, whatever they say."""
        return any(level == "error" and code not in warnings for code, level in self.counts)

    def diagnostics(self, path: str, warnings: Collection[str] = ()) -> tuple[Diagnostic, ...]:
        """Every problem, by line; `warnings` are kinds that are no errors, whatever they say."""
        more = (
            omitted.first._replace(
                message=f"… and {omitted.number:,} more of this kind", hint=None, column=None
            )
            for omitted in self.omitted.values()
        )
        every = (*self.kept, *more)
        return in_order(
            (one._replace(severity="warning") if one.code in warnings else one).in_file(path)
            for one in every
        )

    def _omit(self, kind: _Kind, omitted: Omitted) -> None:
        known = self.omitted.get(kind)
        self.omitted[kind] = (
            Omitted(known.number + omitted.number, known.first) if known else omitted
        )


def as_diagnostics(
    findings: Iterable[Finding], path: str, most: int | None
) -> tuple[Diagnostic, ...]:
    """Findings that know their lines and how severe they are, at most so many of each kind."""
    log = FindingLog(most)
    for finding in findings:
        log.add(finding)
    return log.diagnostics(path)
