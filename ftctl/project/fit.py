"""Scanned data and a service's facts in; what does not fit the base models that are trained, out.

What is told is told once for a cause, with the fine-tunes that it concerns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path

from ftctl.catalog import Catalog
from ftctl.catalog.fit import Misfit, Training, model_misfits, pair_misfits, row_misfits
from ftctl.domain.desired import Dataset, DataSource, Format
from ftctl.errors import Diagnostic, Span
from ftctl.files import free_name
from ftctl.manifest import Document
from ftctl.project.link import ROLES, parent_of
from ftctl.project.scan import METHODS, ScannedData
from ftctl.text.format import listed

_MOST_NAMED = 5
_DISPROVED = frozenset({"images-not-trained", "tools-not-trained", "not-trained"}) | {
    "unknown-base-model", "unlike-validation",
}  # fmt: skip

_MOST_LOOKED_AT = 10_000  # rows
_TO_CHAT = "convert: {}"  # what prompt and completion are nearest to

Command = Callable[..., str]  # words of a command line of ours -> what is pasted


@dataclass(frozen=True, slots=True)
class Unfit:
    """One cause, where it stands, and the fine-tunes that it concerns."""

    finetunes: tuple[str, ...]
    problem: Diagnostic  # names none of them

    def among(self, names: Collection[str]) -> Unfit | None:
        """The same of some fine-tunes; None where it concerns none of them."""
        finetunes = tuple(name for name in self.finetunes if name in names)
        return replace(self, finetunes=finetunes) if finetunes else None

    @property
    def diagnostic(self) -> Diagnostic:
        """The problem, with the names."""
        return replace(self.problem, message=f"{self.problem.message} ({self._who})")

    @property
    def sentence(self) -> str:
        """The same in one line, without a full stop."""
        hint = f"; {self.problem.hint}" if self.problem.hint else ""
        return f"{self.problem.span.path}: {self.diagnostic.message}{hint}"

    @property
    def is_error(self) -> bool:
        """Whether the service is known to refuse the training."""
        return self.problem.severity == "error"

    @property
    def _who(self) -> str:
        one = "fine-tune" if len(self.finetunes) == 1 else "fine-tunes"
        return f"{one} {listed(self.finetunes, _MOST_NAMED)}"


def told(unfit: Collection[Unfit], trained: Collection[str]) -> tuple[Diagnostic, ...]:
    """The problems of all, where some fine-tunes are known to be trained as they are.

    What a training that succeeded disproves is not told of it; what is known to be refused stops
    nothing of it.
    """
    problems: list[Diagnostic] = []
    for one in unfit:
        open_ = one.among([name for name in one.finetunes if name not in trained])
        if open_ is not None:
            problems.append(open_.diagnostic)
        elif one.problem.code not in _DISPROVED:
            problems.append(replace(one.diagnostic, severity="warning"))
    return tuple(problems)


def check_fit(
    scanned: ScannedData, service: str, catalog: Catalog, today: date, command: Command
) -> tuple[Unfit, ...]:
    """What does not fit, of every fine-tune that is to be trained at a service of this type."""
    found: dict[Diagnostic, set[str]] = {}
    first: dict[Misfit, Diagnostic] = {}  # a base model is told of where it stands first
    known: dict[tuple[str, str], tuple[Training, tuple[Misfit, ...]]] = {}
    for name, document in scanned.located.symbols.finetunes.items():
        method = document.value.get("method", "supervised")
        root = _root(document, scanned)
        if "adopt" in document.value or method not in METHODS or root is None:
            continue
        key = (root.value["base_model"], method)
        if key not in known:
            training = Training(catalog, service, key[0], method, today)
            known[key] = training, tuple(model_misfits(training))
        training, misfits = known[key]
        problems = [first.setdefault(misfit, _at_model(misfit, root)) for misfit in misfits]
        problems += _of_rows(training, document, scanned, command)
        for problem in problems:
            found.setdefault(problem, set()).add(name)
    return tuple(Unfit(tuple(sorted(names)), problem) for problem, names in found.items())


def held_back(scanned: ScannedData) -> tuple[Unfit, ...]:
    """The errors of data that an earlier ftctl has made rows of, for those who train on it."""
    found: dict[Diagnostic, list[str]] = {}
    for name, document in scanned.located.symbols.finetunes.items():
        method = document.value.get("method", "supervised")
        for role in ROLES:
            source = scanned.located.source_of(document, role)
            for problem in () if source is None else scanned.held_for(source, method):
                found.setdefault(problem, []).append(name)
    return tuple(Unfit(tuple(dict.fromkeys(names)), one) for one, names in found.items())


def _root(document: Document, scanned: ScannedData) -> Document | None:
    """The fine-tune at the root of a chain; None where the chain leads nowhere."""
    finetunes = scanned.located.symbols.finetunes
    seen: set[str] = set()
    while (parent := parent_of(document)) is not None:
        if parent in seen or parent not in finetunes:
            return None
        seen.add(parent)
        document = finetunes[parent]
    return document if isinstance(document.value.get("base_model"), str) else None


def _at_model(misfit: Misfit, root: Document) -> Diagnostic:
    place = root.place(("base_model",))
    return Diagnostic(misfit.code, misfit.message, place, misfit.hint, misfit.severity)


def _of_rows(
    training: Training, document: Document, scanned: ScannedData, command: Command
) -> Iterator[Diagnostic]:
    rows: dict[str, tuple[DataSource, Dataset]] = {}
    for role in ROLES:
        source = scanned.located.source_of(document, role)
        dataset = scanned.datasets.get((source.source, training.method)) if source else None
        if source is not None and dataset is not None:
            rows[role] = source, dataset
    wrong = False
    cure = partial(_cure, scanned, command)
    for role, (source, dataset) in rows.items():
        for misfit in row_misfits(training, dataset):
            wrong = wrong or misfit.code == "wrong-format"
            yield _at_rows(misfit, role, source, scanned, cure)
    if len(rows) == len(ROLES) and not wrong:
        (_, learnt), (source, measured) = (rows[role] for role in ROLES)
        for misfit in pair_misfits(learnt, measured):
            yield _at_rows(misfit, "validation", source, scanned, cure)


def _at_rows(
    misfit: Misfit,
    role: str,
    source: DataSource,
    scanned: ScannedData,
    cure: Callable[[DataSource, str, Format], str],
) -> Diagnostic:
    hint = misfit.hint
    if misfit.to is not None and can_be_written(source.source, misfit.to):
        mend = cure(source, role, misfit.to)
        hint = f"{hint}; or {mend}" if hint else mend  # a command stands last, to be pasted
    span = Span(source.shown, 1)
    problem = Diagnostic(misfit.code, misfit.message, span, hint, misfit.severity)
    return scanned.located.at_source(problem)


def _cure(scanned: ScannedData, command: Command, source: DataSource, role: str, to: Format) -> str:
    """How the rows of a source become those of another format."""
    symbols = scanned.located.symbols
    named = symbols.datasets.get(source.name, source)  # what steps have made has no place here
    if named.url is not None:
        if to == "chat":
            return f"give a Dataset of this source: {_TO_CHAT}"
        return f"keep a copy of it, and convert that: ftctl dataset convert COPY NEW --to {to}"
    target = free_name(named.shown, to, symbols.project.root)
    words = ("dataset", "convert", named.shown, target, "--to", to)
    verb = "train" if role == "training" else "measure"
    return f"{verb} on what this writes: {command(*words)}"


def can_be_written(source: Path, to: Format) -> bool:
    """Whether rows, by the first of them, have what another format says.

    A prompt and its completion can be a chat, but few chats are one question and one answer.
    """
    if to != "completion":
        return True
    try:
        with source.open("rb") as stream:
            return all(map(_is_one_answer, islice(stream, _MOST_LOOKED_AT)))
    except (OSError, ValueError, RecursionError):
        return False


def _is_one_answer(line: bytes) -> bool:
    if not line.strip():
        return True
    row = json.loads(line)  # of a file whose rows have passed their checks
    said = [(one["role"], type(one.get("content"))) for one in row.get("messages", ())]
    return len(row) == 1 and said == [("user", str), ("assistant", str)]
