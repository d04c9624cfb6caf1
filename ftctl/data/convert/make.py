"""A source and a recipe go in; the parts that come of it, as files not yet kept, come out."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ftctl.data.convert.manner import Manner
from ftctl.data.convert.recipe import Part, Recipe, Split
from ftctl.data.convert.row_draft import RowDraft
from ftctl.data.convert.row_similarity import RowSimilarity
from ftctl.data.convert.source_rows import Rows
from ftctl.data.convert.splitting import Division, split_or_sample
from ftctl.data.formats.findings import FindingLog
from ftctl.data.formats.format_codes import WARNINGS
from ftctl.data.scanning import read_dataset
from ftctl.errors import Diagnostic, Finding, Span

_CHECKED = frozenset({"chat", "completion", "preference"})
_MANIFEST = Manner()


@dataclass(frozen=True, slots=True)
class Piece:
    """One part: its rows in a draft, and the line or row of the source that each came from."""

    draft: RowDraft
    places: array[int]


@dataclass(frozen=True, slots=True)
class Pieces:
    """What came of a source. With an error among the problems there are no parts."""

    parts: Mapping[Part | None, Piece]
    problems: tuple[Diagnostic, ...]
    notes: tuple[str, ...]  # what was detected and decided, in sentences
    form: str | None
    rows: int = 0  # of the source, before any are left out


@contextmanager
def make(
    path: Path,
    shown: str,
    recipe: Recipe,
    folder: Path,
    *,
    check: bool = False,
    samples: bool = False,
    manner: Manner = _MANIFEST,
    reading: Rows | None = None,
) -> Iterator[Pieces]:
    """The parts, until the block ends; what is not kept by then is gone.

    `check` reads the rows back as training data and tells their problems at the source's rows.
    `samples` shows a piece of a source that is in another encoding than it should be, and `manner`
    is how the steps are asked for. `reading` has the source's rows, where they are read otherwise.
    `TemplateFault` when the recipe's template does not fit the source.
    """
    with ExitStack() as drafts:
        rows = reading or Rows(
            path, shown, recipe.convert, recipe.encoding, samples=samples, manner=manner
        )
        work = Piece(drafts.enter_context(RowDraft(folder)), array("I"))
        similarity = _write(
            rows, work, sample=recipe.sample is not None, split=recipe.split is not None
        )
        problems = [*rows.findings.diagnostics(shown, WARNINGS)]
        sound = not any(problem.severity == "error" for problem in problems)
        if check and sound and rows.form in _CHECKED:
            problems += _checked(work, shown)
        notes = list(rows.notes)
        parts: dict[Part | None, Piece] = {}
        if not any(problem.severity == "error" for problem in problems):
            parts[None] = work
            if similarity is not None:
                division = split_or_sample(similarity, recipe.sample, recipe.split)
                problems += _empty_parts(division, shown)
                notes += _division_notes(division, recipe.split, len(similarity))
                parts = _deal(work, division, drafts, folder)
        if any(problem.severity == "error" for problem in problems):
            parts = {}
        yield Pieces(parts, tuple(problems), tuple(notes), rows.form, work.draft.rows)


def _write(rows: Rows, work: Piece, *, sample: bool, split: bool) -> RowSimilarity | None:
    """Every row into one draft, noting what division must know of them."""
    similarity = RowSimilarity(signed=split) if split or sample else None
    for number, row, line in rows:
        work.draft.write(line)
        work.places.append(number)
        if similarity is not None:
            similarity.add(row, line)
    work.draft.finish()
    return similarity


def _deal(
    work: Piece, division: Division, drafts: ExitStack, folder: Path
) -> dict[Part | None, Piece]:
    """The rows of the one draft, each to its part."""
    parts = {
        part: Piece(drafts.enter_context(RowDraft(folder)), array("I")) for part in division.parts
    }
    target: list[Part | str | None] = ["nowhere"] * work.draft.rows
    for part, rows in division.parts.items():
        for row in rows:
            target[row] = part
    with work.draft.path.open("rb") as lines:
        for row, line in enumerate(lines):
            for part, piece in parts.items():
                if target[row] == part:
                    piece.draft.write(line)
                    piece.places.append(work.places[row])
    for piece in parts.values():
        piece.draft.finish()
    return parts


def _checked(work: Piece, shown: str) -> list[Diagnostic]:
    """What is wrong with the rows as training data, each at its row of the source."""
    _, found = read_dataset("", work.draft.path, shown, None, 1)
    return [at_source(problem, shown, work.places) for problem in found]


def at_source(problem: Diagnostic, shown: str, places: array[int]) -> Diagnostic:
    """A problem with a row that was made, at the row that it was made of.

    So are the rows of the same file that its message speaks of.
    """
    line = problem.span.line
    span = Span(shown, places[line - 1] if line is not None and line <= len(places) else None)
    message = _OWN_LINE.sub(partial(_in_source, places), problem.message)
    hint = problem.hint_for_any or problem.hint  # with the source's path in it
    return Finding(problem.code, message, hint, severity=problem.severity).at(span)


def at_training_source(problem: Diagnostic, places: array[int]) -> Diagnostic:
    """A problem of validation rows with the training rows that it speaks of, where those are."""
    message = _TRAINING_LINE.sub(partial(_in_source, places), problem.message)
    return replace(problem, message=message)


# How messages speak of other rows, with nothing of a row before them.
_TRAINING_LINE = re.compile(r"(?<=\bline )([0-9,]+)(?= of the training file)")
_OWN_LINE = re.compile(r"(?<=\bline )([0-9,]+)\b(?! of the training file)")


def _in_source(places: array[int], found: re.Match[str]) -> str:
    line = int(found[0].replace(",", "") or 0)
    return f"{places[line - 1]:,}" if 0 < line <= len(places) else found[0]


def _empty_parts(division: Division, shown: str) -> tuple[Diagnostic, ...]:
    log = FindingLog()
    for part, rows in division.parts.items():
        if not rows:
            message = f"the division leaves no rows for {part or 'the sample'}"
            hint = "ask for another number of rows, or another seed"
            log.add(Finding("empty-part", message, hint))
    return log.diagnostics(shown)


def _division_notes(division: Division, split: Split | None, count: int) -> list[str]:
    taken = sum(len(rows) for rows in division.parts.values())
    notes = [f"{taken:,} of {count:,} rows taken"] if taken < count else []
    notes += division.notes
    if split is not None:
        sizes = ", ".join(f"{part} {len(rows):,}" for part, rows in division.parts.items())
        notes.append(f"{sizes} rows")
    return notes
