"""A symbol table in; a file on this machine behind each name, fetched, converted or split, out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.data.cache import Hashes, open_store
from ftctl.data.convert.recipe import Recipe
from ftctl.data.sources import unprintable
from ftctl.domain.desired import DataSource
from ftctl.errors import Diagnostic, Finding
from ftctl.manifest import Document
from ftctl.project.link import ROLES, SymbolTable
from ftctl.project.load import absolute

if TYPE_CHECKING:
    from ftctl.data.convert import Materialised

_Address = tuple[str, str | None]  # a URL and its pin


@dataclass(frozen=True, slots=True)
class Located:
    """Where the data of a project lies on this machine, and what was found wrong on the way."""

    symbols: SymbolTable
    datasets: Mapping[str, DataSource]  # those that there is a file for
    problems: tuple[Diagnostic, ...]
    refused: frozenset[Path]  # files that may not be read
    fetched: Mapping[_Address, Path]
    made: Mapping[str, Materialised]  # by the Dataset's name: what its steps have made
    # By the Dataset's name, errors of one that is trained on: the rows of earlier versions stand
    # for it, and only a purchase is stopped.
    held: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)

    def source_of(self, document: Document, role: str) -> DataSource | None:
        """The file behind a fine-tune's training or validation field; None where there is none."""
        name = document.value.get(role)
        if isinstance(name, str):
            return self.datasets.get(name)
        inline = self.symbols.inline_source(document, role)
        return None if inline is None else _placed(inline, self.refused, self.fetched)

    def at_source(self, problem: Diagnostic) -> Diagnostic:
        """A problem of a file that was made, at the row of the source that it comes from."""
        for name, made in self.made.items():
            dataset = self.datasets.get(name)
            if dataset is not None and problem.span.path == dataset.shown:
                return made.at_source(problem)
        return problem


def makes_data(symbols: SymbolTable) -> bool:
    """Whether some of the data must be fetched or made, and so needs a place."""
    return bool(symbols.steps) or any(source.url is not None for source in symbols.sources)


def locate(symbols: SymbolTable, cache: Path) -> Located:
    """Fetch what lies elsewhere and carry out the steps of Datasets; both are kept in the cache.

    What may not be read is refused before anybody opens it.
    """
    refused, refusals = _refused(symbols)
    fetched, faults = _fetched(symbols, cache / "sources")
    placed = {
        name: source
        for name, named in symbols.datasets.items()
        if (source := _placed(named, refused, fetched)) is not None
    }
    made = _made(symbols, placed, cache)
    named = (document.value.get(role) for document in symbols.users_of_data for role in ROLES)
    used = {name for name in named if isinstance(name, str)}
    held = {
        name: tuple(problem for problem in one.problems if problem.severity == "error")
        for name, one in made.items()
        if name in used and _is_refused(one)
    }
    problems = (*refusals, *faults)
    for name, one in made.items():
        problems += tuple(one_of for one_of in one.problems if one_of not in held.get(name, ()))
    datasets = {name: source for name, source in placed.items() if name not in made}
    datasets |= _made_sources(made, placed, held)
    return Located(symbols, datasets, problems, refused, fetched, made, held)


def _placed(
    source: DataSource, refused: frozenset[Path], fetched: Mapping[_Address, Path]
) -> DataSource | None:
    """The source with its file on this machine, or None where none may be read or could be had."""
    if source.url is None:
        return None if source.source in refused else source
    path = fetched.get((source.url, source.sha256))
    return None if path is None else replace(source, source=path)


def _refused(symbols: SymbolTable) -> tuple[frozenset[Path], tuple[Diagnostic, ...]]:
    """The files that may not be read, and why at each place that names them."""
    scope = symbols.project.read_scope
    notes: dict[Path, Finding | None] = {}
    problems: list[Diagnostic] = []
    for source in symbols.sources:
        if source.url is not None:
            continue
        path = source.source
        if path not in notes:  # ten thousand manifests may name one file
            notes[path] = unprintable(source.shown) or scope.refuses(path, source.shown)
        if (note := notes[path]) is not None:
            problems.append(note.at(source.span))
    refused = frozenset(path for path, note in notes.items() if note is not None)
    return refused, tuple(problems)


def _fetched(
    symbols: SymbolTable, folder: Path
) -> tuple[dict[_Address, Path], tuple[Diagnostic, ...]]:
    """A file for each address and pin that could be had."""
    wanted: dict[_Address, DataSource] = {}
    for source in symbols.sources:
        if source.url is not None:
            wanted.setdefault((source.url, source.sha256), source)
    if not wanted:
        return {}, ()
    from ftctl.data.sources.fetch import fetch_at

    allowed = symbols.project.allowed_urls
    fetched: dict[_Address, Path] = {}
    problems: tuple[Diagnostic, ...] = ()
    for (url, pin), source in wanted.items():
        file, faults = fetch_at(source.span, url, pin, folder, allowed=allowed)
        problems += faults
        if file is not None:
            fetched[url, pin] = file.path
    return fetched, problems


def _made(
    symbols: SymbolTable, placed: Mapping[str, DataSource], cache: Path
) -> dict[str, Materialised]:
    """What is uploaded in place of the files of Datasets that have steps."""
    if not symbols.steps:
        return {}
    from ftctl.data.convert import materialise

    hashes = open_store(cache, "hashes")
    hash_of = Hashes(hashes).of
    made = {
        name: materialise(placed[name], steps.recipe, cache / "derived", steps.places, hash_of)
        for name, steps in symbols.steps.items()
        if name in placed and not _changes_nothing(steps.recipe, placed[name].source)
    }
    hashes.save()
    return made


def _changes_nothing(recipe: Recipe, source: Path) -> bool:
    """Whether the encoding alone is named of a file that reads the same without: it is no step.

    Else naming it would give the rows other line ends, and so buy what is trained already.
    """
    from ftctl.data.encodings.names import keeps_ascii

    encoding = recipe.encoding
    if encoding is None or recipe != Recipe(encoding=encoding) or not keeps_ascii(encoding):
        return False
    if not source.is_file():  # a pipe would be waited for
        return False
    try:
        with source.open("rb") as stream:
            return all(chunk.isascii() for chunk in iter(partial(stream.read, 1 << 20), b""))
    except OSError:
        return False


def _is_refused(made: Materialised) -> bool:
    return made.before is not None and made.before.refused


def _made_sources(
    made: Mapping[str, Materialised], placed: Mapping[str, DataSource], held: Collection[str]
) -> dict[str, DataSource]:
    """The sources that steps have made; the pin is of the original, and was compared with it."""
    return {
        name: replace(
            placed[name],
            source=absolute(one.path),
            shown=one.origin.face(name),  # the same on every machine
            sha256=None,
            origin=one.origin,
            before=one.before,
        )
        for name, one in made.items()
        if one.path is not None
        and one.origin is not None
        and (name in held or not _is_refused(one))
    }
