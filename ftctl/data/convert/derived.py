"""A source and its recipe go in; the file that is trained on, kept under its hash, comes out.

What a source and steps give is made once. An entry is believed only while the file that it names
has the bytes that it says.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import sys
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ftctl.data.convert.changed_rows import MadeBefore, Watch, rows_before, was_possible
from ftctl.data.convert.fault import TemplateFault
from ftctl.data.convert.make import Piece, Pieces, at_source, at_training_source, make
from ftctl.data.convert.recipe import VERSION, Recipe
from ftctl.data.convert.row_draft import STEM
from ftctl.data.convert.source_rows import Rows
from ftctl.domain.desired import Before, DataSource, Origin
from ftctl.errors import Diagnostic, Finding, FtctlError, Span
from ftctl.files import (
    file_fault,
    mark_used,
    read_regular,
    sha256_of,
    sweep_drafts,
    write_atomically,
)
from ftctl.user_folders import make_private

_MOST_BYTES = 1 << 20  # of an entry
_MOST_PLACES = 1 << 30  # bytes
_SHA256 = re.compile("[0-9a-f]{64}")
_NAME_DIGITS = 16  # of the hash: enough to tell files apart, and the whole hash is compared

Hash = Callable[[Path], str | None]  # a file's SHA-256; None when it cannot be read


@dataclass(frozen=True, slots=True)
class Materialised:
    """What is uploaded in place of a source; `path` is None where problems stood against it.

    But where earlier versions have made rows of a source with problems, `path` has those, and
    `before` says that they are refused now.
    """

    path: Path | None
    sha256: str | None
    problems: tuple[Diagnostic, ...]
    notes: tuple[str, ...] = ()  # what was detected and decided
    shown: str = ""  # the source as people know it
    origin: Origin | None = None  # what it was made of; None where problems stood against it
    before: Before | None = None  # where earlier versions have made other rows
    _places: Path | None = field(default=None, repr=False)

    def at_source(self, problem: Diagnostic) -> Diagnostic:
        """A problem of the file that was made, at the source's row that it comes from."""
        return at_source(problem, self.shown, self._rows())

    def at_training_source(self, problem: Diagnostic) -> Diagnostic:
        """A problem of rows to measure on, with the rows of this file that its message names."""
        return at_training_source(problem, self._rows())

    def _rows(self) -> array[int]:
        return array("I") if self._places is None else _read_places(self._places)


def materialise(
    source: DataSource,
    recipe: Recipe,
    folder: Path,
    places: Mapping[str, Span],
    hash_of: Hash | None = None,
) -> Materialised:
    """The file that the steps make of the source, made now or found in `folder`.

    `folder` is the user's own. `places` says where the manifest has the steps, by their
    way joined with dots; "" is the document. `hash_of` may know hashes of unchanged files.
    """
    hash_of = hash_of or sha256_of
    before = hash_of(source.source)
    if before is not None and source.sha256 not in (None, before):
        return _refused(source, _pin_problem(source, before))
    _make_folder(folder)
    entry = folder / f"{_key(source, before, recipe)}.json"
    kept = None if before is None else _kept(entry, source, before, recipe, hash_of)
    if kept is not None:
        return kept
    sweep_drafts(folder, STEM)
    try:
        watch = Watch(recipe)
        reading = Rows(source.source, source.shown, recipe.convert, recipe.encoding, watch=watch)
        with make(source.source, source.shown, recipe, folder, reading=reading) as pieces:
            if not pieces.parts:
                problems = tuple(_at_step(one, places) for one in pieces.problems)
                refused = Materialised(None, None, problems, pieces.notes, source.shown)
                return _as_before(refused, source, before, recipe, folder)
            if sha256_of(source.source) != before:
                raise FtctlError(f"{source.shown} changed while it was read", "run it again")
            made = None
            if watch.why:
                place, shown = source.source, source.shown
                keep = partial(_keep_piece, folder)
                made = rows_before(place, shown, recipe, folder, keys=watch.keys, keep=keep)
            _keep(entry, pieces, _before_document(made, watch.why))
    except TemplateFault as fault:
        at = places.get(f"convert.template.{fault.role}", places.get("convert", source.span))
        return _refused(source, fault.finding.at(at))
    found = None if before is None else _kept(entry, source, before, recipe, hash_of)
    if found is None:
        raise FtctlError(f"what was made of {source.shown} was taken away", "run it again")
    return found


def _as_before(
    refused: Materialised, source: DataSource, sha256: str | None, recipe: Recipe, folder: Path
) -> Materialised:
    """What problems stand against, with the rows that earlier versions made all the same."""
    if sha256 is None or not was_possible(recipe):
        return refused
    keep = partial(_keep_piece, folder)
    made = rows_before(source.source, source.shown, recipe, folder, keep=keep)
    if made is None:
        return refused
    part = recipe.split.part if recipe.split is not None else None
    theirs = made.parts[part]
    why = next(one.message for one in refused.problems if one.severity == "error")
    path = _path(folder, theirs)
    return replace(
        refused,
        path=path,
        sha256=theirs,
        origin=Origin(source.shown, sha256, made.rows, made.taken[part], recipe.steps),
        before=Before(theirs, path, why, made.keeps, refused=True),
    )


def _refused(source: DataSource, problem: Diagnostic) -> Materialised:
    return Materialised(None, None, (problem,), (), source.shown)


def _pin_problem(source: DataSource, sha256: str) -> Diagnostic:
    return Diagnostic(
        "sha256-differs",
        f"{source.shown} has the SHA-256 {sha256}; the manifest pins another",
        source.span,
        "restore the file, or pin the new content if the change is meant",
    )


def _at_step(problem: Diagnostic, places: Mapping[str, Span]) -> Diagnostic:
    """A division that cannot be is mended in the manifest, not in the file."""
    step = "split" if "split" in places else "sample"
    if problem.code != "empty-part" or step not in places:
        return problem
    message = f"{problem.span.path}: {problem.message}"
    return Diagnostic(problem.code, message, places[step], problem.hint, problem.severity)


# The cache: KEY.json says which files hold the parts, KEY-PART.rows where their rows come from,
# HASH.jsonl are the files themselves.


def _key(source: DataSource, sha256: str | None, recipe: Recipe) -> str:
    """Changes with all that the result depends on."""
    facts = [VERSION, sha256, source.source.suffix.lower(), recipe.canonical()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:40]


def _kept(
    entry: Path, source: DataSource, before: str, recipe: Recipe, hash_of: Hash
) -> Materialised | None:
    part = _part(recipe)
    content = read_regular(entry, _MOST_BYTES)
    if content is None:
        return None
    try:
        known: Any = json.loads(content)
        (sha256, size), notes = known["parts"][part], tuple(str(note) for note in known["notes"])
        rows, taken = int(known["rows"]), int(known["taken"][part])
        problems = tuple(_read_warning(one, source.shown) for one in known["warnings"])
        earlier = _read_before(known["before"], part, sha256, entry.parent)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    places = _places_of(entry, recipe)
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256) or not places.is_file():
        return None
    path = _path(entry.parent, sha256)
    if earlier is not None and hash_of(earlier.path) != earlier.sha256:
        return None
    if not _has_size(path, size) or hash_of(path) != sha256:
        return None
    mark_used(entry)
    origin = Origin(source.shown, before, rows, taken, recipe.steps)
    return Materialised(path, sha256, problems, notes, source.shown, origin, earlier, places)


def _read_warning(kept: Any, shown: str) -> Diagnostic:
    code, message, hint, line = kept
    known = str(code), str(message), hint and str(hint), line and int(line), None, "warning"
    return Finding._make(known).in_file(shown)


def _has_size(path: Path, size: object) -> bool:
    """Whether the file may be the one that was kept: another is not worth reading."""
    try:
        return path.lstat().st_size == size
    except OSError:
        return False


def _path(folder: Path, sha256: str) -> Path:
    return folder / f"{sha256[:_NAME_DIGITS]}.jsonl"


def _keep_piece(folder: Path, piece: Piece) -> None:
    piece.draft.keep(_path(folder, piece.draft.sha256), replace=True)


def _before_document(made: MadeBefore | None, why: str) -> dict[str, Any] | None:
    if made is None:
        return None
    parts = {part or "all": sha256 for part, sha256 in made.parts.items()}
    return {"parts": parts, "why": why, "keeps": made.keeps}


def _read_before(kept: Any, part: str, sha256: str, folder: Path) -> Before | None:
    """What an entry says of earlier versions; None where they made the same."""
    if kept is None or kept["parts"].get(part) in (None, sha256):
        return None
    theirs, why, keeps = kept["parts"][part], kept["why"], kept["keeps"]
    if not _SHA256.fullmatch(theirs):
        raise ValueError("no hash")
    return Before(theirs, _path(folder, theirs), str(why), str(keeps))


def _keep(entry: Path, pieces: Pieces, before: dict[str, Any] | None) -> None:
    """The files first, then the entry that speaks of them."""
    parts = {}
    for part, piece in pieces.parts.items():
        sha256 = piece.draft.sha256
        _keep_piece(entry.parent, piece)
        _write_whole(_places_path(entry, part or "all"), _places_bytes(piece))
        parts[part or "all"] = (sha256, piece.draft.bytes)
    taken = {part or "all": piece.draft.rows for part, piece in pieces.parts.items()}
    warnings = [
        [one.code, one.message, one.hint_for_any or one.hint, one.span.line]
        for one in pieces.problems
    ]
    known = {
        "before": before,
        "notes": list(pieces.notes),
        "parts": parts,
        "rows": pieces.rows,
        "taken": taken,
        "warnings": warnings,
    }
    _write_whole(entry, json.dumps(known, sort_keys=True).encode())


def _write_whole(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, content)
    except OSError as fault:
        raise file_fault(path, fault, hint="check the folder and its free space") from None


def _part(recipe: Recipe) -> str:
    return (recipe.split.part if recipe.split is not None else None) or "all"


def _places_of(entry: Path, recipe: Recipe) -> Path:
    return _places_path(entry, _part(recipe))


def _places_path(entry: Path, part: str) -> Path:
    return entry.with_name(f"{entry.stem}-{part}.rows")


def _places_bytes(piece: Piece) -> bytes:
    places = array("I", piece.places)
    if sys.byteorder == "big":
        places.byteswap()
    return places.tobytes()


def _read_places(path: Path) -> array[int]:
    places = array("I")
    with contextlib.suppress(ValueError):
        places.frombytes(read_regular(path, _MOST_PLACES) or b"")
    if sys.byteorder == "big":
        places.byteswap()
    return places


def _make_folder(folder: Path) -> None:
    try:
        make_private(folder)
    except OSError as fault:
        raise file_fault(folder, fault) from None
