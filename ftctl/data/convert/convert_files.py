"""A file and one step go in; new files, whole or not there at all, and what they hold come out."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ftctl.data.convert.fault import TemplateFault
from ftctl.data.convert.make import Pieces, make
from ftctl.data.convert.manner import Manner
from ftctl.data.convert.recipe import Convert, Part, Recipe, Sample, Split
from ftctl.data.convert.row_draft import RowDraft
from ftctl.errors import Diagnostic, FtctlError, Span

_MANIFEST = Manner()

Target = Path | BinaryIO  # a stream gets the rows only once all of them are known to be good


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written."""

    target: Path | None  # None: a stream
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What came of a step. With an error among the problems nothing was written."""

    written: Mapping[Part | None, Written]
    problems: tuple[Diagnostic, ...]
    notes: tuple[str, ...]  # what was detected and decided, to be said on stderr
    form: str | None

    @property
    def ok(self) -> bool:
        return bool(self.written)


def convert_file(
    source: Path,
    shown: str,
    target: Target,
    convert: Convert,
    *,
    encoding: str | None = None,
    check: bool = False,
    replace: bool = False,
    manner: Manner = _MANIFEST,
) -> StepOutcome:
    """The rows in the wanted form. `check` reads them back as training data first.

    `manner` has the command that asks for it, so that a cure is one to paste; keys that nothing is
    made of are errors then.
    """
    recipe = Recipe(convert, encoding=encoding)
    return _carry_out(
        source, shown, {None: target}, recipe, check=check, replace=replace, manner=manner
    )


def sample_file(
    source: Path,
    shown: str,
    target: Target,
    sample: Sample,
    *,
    encoding: str | None = None,
    replace: bool = False,
) -> StepOutcome:
    """Fewer rows, in their order, byte for byte; in UTF-8 where they are in another encoding."""
    recipe = Recipe(sample=sample, encoding=encoding)
    return _carry_out(source, shown, {None: target}, recipe, replace=replace)


def split_file(
    source: Path,
    shown: str,
    targets: Mapping[Part, Path],
    split: Split,
    *,
    encoding: str | None = None,
    replace: bool = False,
) -> StepOutcome:
    """A file for each of `split.parts`, rows as in `sample_file`."""
    parts: dict[Part | None, Target] = {part: targets[part] for part in split.parts}
    return _carry_out(source, shown, parts, Recipe(split=split, encoding=encoding), replace=replace)


def _carry_out(
    source: Path,
    shown: str,
    targets: Mapping[Part | None, Target],
    recipe: Recipe,
    *,
    check: bool = False,
    replace: bool,
    manner: Manner = _MANIFEST,
) -> StepOutcome:
    paths = [target for target in targets.values() if isinstance(target, Path)]
    if not replace:
        for path in paths:
            if path.exists():
                hint = "name another file, or add --force to replace it"
                raise FtctlError(f"{path} is there already", hint)
    try:
        with (
            _workplace(paths) as folder,
            make(source, shown, recipe, folder, check=check, samples=True, manner=manner) as pieces,
        ):
            written = _keep(pieces, targets, replace=replace) if pieces.parts else {}
            return StepOutcome(written, pieces.problems, pieces.notes, pieces.form)
    except TemplateFault as fault:
        span = Span(f"template.{fault.role}" if fault.role else "template")
        return StepOutcome({}, (fault.finding.at(span),), (), None)


@contextmanager
def _workplace(paths: list[Path]) -> Iterator[Path]:
    """Beside the target, so that its name can be given without a copy."""
    if paths:
        yield paths[0].parent
    else:
        with tempfile.TemporaryDirectory(prefix="ftctl-") as folder:
            yield Path(folder)


def _keep(
    pieces: Pieces, targets: Mapping[Part | None, Target], *, replace: bool
) -> dict[Part | None, Written]:
    written = {}
    for part, piece in pieces.parts.items():
        target = targets[part]
        if isinstance(target, Path):
            _name(piece.draft, target, replace=replace)
        else:
            _copy(piece.draft, target)
        draft = piece.draft
        path = target if isinstance(target, Path) else None
        written[part] = Written(path, draft.rows, draft.bytes, draft.sha256)
    return written


def _name(draft: RowDraft, target: Path, *, replace: bool) -> None:
    if target.parent.resolve() == draft.path.parent.resolve():
        draft.keep(target, replace=replace)
        return
    with RowDraft(target.parent) as other:  # perhaps on another disk
        with draft.path.open("rb") as lines:
            for line in lines:
                other.write(line)
        other.keep(target, replace=replace)


def _copy(draft: RowDraft, stream: BinaryIO) -> None:
    with draft.path.open("rb") as lines:
        shutil.copyfileobj(lines, stream)
    stream.flush()
