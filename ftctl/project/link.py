"""A checked project in; its symbol table, who is called what and trains on what, out.

Every problem of naming is found on the way: names used twice, references that lead nowhere, cycles.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ftctl.data.convert.recipe import Recipe, recipe_of
from ftctl.data.encodings.names import UnknownEncoding, text_encoding
from ftctl.data.sources import is_remote, show_source
from ftctl.domain.desired import DataSource, Format
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import Document, shorten
from ftctl.project.load import Project, absolute, show_path
from ftctl.text.suggest import did_you_mean

_NAME = re.compile("[a-z0-9][a-z0-9-]{0,62}")
_LONGEST_PATH = 200  # characters of a path in a message
ROLES = ("training", "validation")


@dataclass(frozen=True, slots=True)
class Steps:
    """What is done to a Dataset's file before it is uploaded, and where the manifest says so."""

    recipe: Recipe
    places: Mapping[str, Span]  # by the way to the step, joined with dots


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """The project's documents by name, with every problem of naming found on the way."""

    project: Project
    datasets: Mapping[str, DataSource]
    finetunes: Mapping[str, Document]
    problems: tuple[Diagnostic, ...]
    steps: Mapping[str, Steps] = field(default_factory=dict)  # of Datasets that have any
    formats: Mapping[str, tuple[Format, Span]] = field(default_factory=dict)  # where declared

    @property
    def users_of_data(self) -> tuple[Document, ...]:
        """The fine-tunes, those with problems too: their data is looked at as well."""
        return (*self.finetunes.values(), *_unfit_finetunes(self.project))

    def inline_source(self, document: Document, role: str) -> DataSource | None:
        """The file or address that a fine-tune names itself, without a Dataset."""
        match document.value.get(role):
            case {"source": str(text)} if text:
                name = f"{document.value.get('name')}-{role}"
                return _source(document, name, (role,), self.project)
        return None

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """What the manifests name as data: each place that names a file or an address."""
        inline = (
            source
            for document in self.users_of_data
            for role in ROLES
            if (source := self.inline_source(document, role)) is not None
        )
        return (*self.datasets.values(), *inline)


def link(project: Project) -> SymbolTable:
    """Who is called what: names used twice, references that lead nowhere, cycles."""
    problems: list[Diagnostic] = []
    datasets = _unique(project.datasets, problems)
    sources = {name: _source(document, name, (), project) for name, document in datasets.items()}
    finetunes = _unique(project.finetunes, problems)
    # A name may stand in what could not be read, and then it would be wrong to call it unknown.
    if project.readable:
        for document in (*project.finetunes, *_unfit_finetunes(project)):
            problems += _loose_ends(document, sources, finetunes, project.faulty)
    problems += _cycles(finetunes)
    steps = {name: found for name, one in datasets.items() if (found := _steps(one)) is not None}
    problems += _unlike_splits(steps, sources)
    for document in datasets.values():
        problems += _unknown_encoding(document)
    formats = {
        name: (one.value["format"], one.place(("format",)))
        for name, one in datasets.items()
        if "format" in one.value
    }
    return SymbolTable(project, sources, finetunes, tuple(problems), steps, formats)


def _steps(document: Document) -> Steps | None:
    recipe = recipe_of(document.value)
    if recipe.empty:
        return None
    ways: list[tuple[str, ...]] = [
        (step,) for step in ("encoding", "convert", "sample", "split") if step in document.value
    ]
    roles = document.value.get("convert", {}).get("template", {})
    ways += [("convert", "template", role) for role in roles]
    return Steps(recipe, {".".join(way): document.place(way) for way in ways})


def _unknown_encoding(document: Document) -> Iterator[Diagnostic]:
    """A name that is of no text encoding."""
    name = document.value.get("encoding")
    if name is not None:
        try:
            text_encoding(name)
        except UnknownEncoding as fault:
            message = f"'encoding' is '{shorten(name)}', which {fault.message}"
            yield Diagnostic("wrong-value", message, document.place(("encoding",)), fault.hint)


def _unlike_splits(
    steps: Mapping[str, Steps], sources: Mapping[str, DataSource]
) -> Iterator[Diagnostic]:
    """Parts of one file that were cut in different ways share rows."""
    first: dict[Path, str] = {}
    for name, one in steps.items():
        if one.recipe.split is None:
            continue
        other = first.setdefault(sources[name].source, name)
        if one.recipe.canonical() != steps[other].recipe.canonical():
            shown = shorten(sources[name].shown, _LONGEST_PATH)
            yield Diagnostic(
                "split-differs",
                f"'{name}' splits {shown} otherwise than '{other}', so that rows may be in both",
                one.places["split"],
                "give both the same steps; only 'part' may differ",
            )


def _unfit_finetunes(project: Project) -> list[Document]:
    return [document for document in project.unfit if document.value.get("kind") == "FineTune"]


def _loose_ends(
    document: Document,
    sources: Collection[str],
    finetunes: Collection[str],
    faulty: Collection[str],
) -> Iterator[Diagnostic]:
    """The references of one document that lead nowhere."""
    for role in ROLES:
        name = document.value.get(role)
        well_formed = isinstance(name, str) and _NAME.fullmatch(name)
        if well_formed and name not in sources and name not in faulty:
            yield _leads_nowhere("Dataset", name, sources, document.place((role,)))
    parent = parent_of(document)
    well_formed = isinstance(parent, str) and _NAME.fullmatch(parent)
    if parent is not None and well_formed and parent not in finetunes and parent not in faulty:
        place = document.place(("base_model", "finetune"))
        yield _leads_nowhere("FineTune", parent, finetunes, place)


def parent_of(document: Document) -> str | None:
    """The name of the fine-tune that this one continues from."""
    base = document.value.get("base_model")
    return base.get("finetune") if isinstance(base, dict) else None


def _unique(documents: Iterable[Document], problems: list[Diagnostic]) -> dict[str, Document]:
    known: dict[str, Document] = {}
    for document in documents:
        name = document.value["name"]
        first = known.setdefault(name, document)
        if first is not document:
            kind = document.value["kind"]
            problems.append(
                Diagnostic(
                    "name-used-twice",
                    f"there are two {kind}s named '{name}'",
                    document.place(("name",)),
                    f"the other one is at {first.place(('name',))}; rename one",
                )
            )
    return known


def _source(document: Document, name: str, way: tuple[str, ...], project: Project) -> DataSource:
    value = document.value
    for step in way:
        value = value[step]
    place = document.place((*way, "source"))
    text = value["source"]
    if is_remote(text):
        return DataSource(name, Path(), show_source(text), place, value.get("sha256"), text)
    # Relative to the file that names it, which for a project's defaults is ftctl.yaml.
    folder = (project.root / place.path).parent
    source = absolute(folder / text)
    return DataSource(name, source, show_path(source, project.root), place, value.get("sha256"))


def _leads_nowhere(kind: str, name: str, known: Iterable[str], place: Span) -> Diagnostic:
    names = sorted(known)
    hint = did_you_mean(name, names)
    if hint is None:
        hint = f"known: {', '.join(names[:10])}" if names else f"declare one with 'kind: {kind}'"
    return Diagnostic("unknown-name", f"there is no {kind} named '{name}'", place, hint)


def _cycles(finetunes: Mapping[str, Document]) -> list[Diagnostic]:
    problems = []
    seen: set[str] = set()
    for start in finetunes:
        way: list[str] = []
        name: str | None = start
        while name is not None and name in finetunes and name not in seen and name not in way:
            way.append(name)
            name = parent_of(finetunes[name])
        if name in way:
            ring = [*way[way.index(name) :], name]
            problems.append(
                Diagnostic(
                    "cycle",
                    f"base models form a cycle: {' → '.join(ring)}",
                    finetunes[name].place(("base_model", "finetune")),
                    "one of them must start from a model that the service has",
                )
            )
        seen.update(way)
    return problems
