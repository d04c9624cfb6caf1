"""A checked project in; who is called what, and where its data lies, out.

Every problem of naming is found on the way: names used twice, references that lead nowhere, cycles.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from ftctl.data.convert.recipe import Recipe, recipe_of
from ftctl.data.sources import is_remote, show_source
from ftctl.domain.desired import Dataset, DataSource, Format, Method
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import Document, shorten
from ftctl.project.load import Project, absolute, show_path

_NAME = re.compile("[a-z0-9][a-z0-9-]{0,62}")
_LONGEST_PATH = 200  # characters of a path in a message
_METHODS = ("supervised", "dpo", "reinforcement")

# The services want ten rows to train on, and some to measure on (OpenAI's guides, 2026-07).
_LEAST_ROWS: Mapping[str, int] = {"training": 10, "validation": 1}


@dataclass(frozen=True, slots=True)
class DataNeed:
    """A file that must be read, and the method that its rows must suit (None: no one uses it)."""

    sources: tuple[DataSource, ...]  # all who name it
    method: Method | None
    least: int  # rows that there must be


@dataclass(frozen=True, slots=True)
class Steps:
    """What is done to a Dataset's file before it is uploaded, and where the manifest says so."""

    recipe: Recipe
    places: Mapping[str, Span]  # by the way to the step, joined with dots


@dataclass(frozen=True, slots=True)
class References:
    """The project's documents by name, with every problem of naming found on the way."""

    datasets: Mapping[str, DataSource]
    finetunes: Mapping[str, Document]
    problems: tuple[Diagnostic, ...]
    steps: Mapping[str, Steps] = field(default_factory=dict)  # of Datasets that have any
    formats: Mapping[str, tuple[Format, Span]] = field(default_factory=dict)  # where declared
    fetched: Mapping[tuple[str, str | None], Path] = field(default_factory=dict)  # by URL and pin
    refused: frozenset[Path] = frozenset()  # files that may not be read

    def without(self, refused: frozenset[Path]) -> References:
        """The same without what names these files."""
        datasets = {
            name: source
            for name, source in self.datasets.items()
            if source.url is not None or source.source not in refused
        }
        return replace(self, datasets=datasets, refused=refused)

    def with_fetched(self, fetched: Mapping[tuple[str, str | None], Path]) -> References:
        """The same with the files that were fetched, and without the Datasets that could not be."""
        placed = {name: _placed(source, fetched) for name, source in self.datasets.items()}
        datasets = {name: source for name, source in placed.items() if source is not None}
        return replace(self, datasets=datasets, fetched=fetched)

    def with_made(self, made: Mapping[str, Path | None], root: Path) -> References:
        """The same with the files that the steps have made; None: nothing could be made."""
        datasets = dict(self.datasets)
        for name, path in made.items():
            source = datasets.pop(name)
            if path is not None:
                # The pin is of the source, and has been compared with it.
                datasets[name] = replace(
                    source, source=absolute(path), shown=show_path(path, root), sha256=None
                )
        return replace(self, datasets=datasets)


def follow_names(project: Project) -> References:
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
    formats = {
        name: (one.value["format"], one.place(("format",)))
        for name, one in datasets.items()
        if "format" in one.value
    }
    return References(sources, finetunes, tuple(problems), steps, formats)


def _steps(document: Document) -> Steps | None:
    recipe = recipe_of(document.value)
    if recipe.empty:
        return None
    ways: list[tuple[str, ...]] = [
        (step,) for step in ("convert", "sample", "split") if step in document.value
    ]
    roles = document.value.get("convert", {}).get("template", {})
    ways += [("convert", "template", role) for role in roles]
    return Steps(recipe, {".".join(way): document.place(way) for way in ways})


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
    for role in ("training", "validation"):
        name = document.value.get(role)
        well_formed = isinstance(name, str) and _NAME.fullmatch(name)
        if well_formed and name not in sources and name not in faulty:
            yield _leads_nowhere("Dataset", name, sources, document.place((role,)))
    parent = parent_of(document)
    well_formed = isinstance(parent, str) and _NAME.fullmatch(parent)
    if parent is not None and well_formed and parent not in finetunes and parent not in faulty:
        place = document.place(("base_model", "finetune"))
        yield _leads_nowhere("FineTune", parent, finetunes, place)


def data_needs(project: Project, names: References) -> tuple[DataNeed, ...]:
    """Every file to read, once for each method that uses it."""
    needs: dict[tuple[Path, Method | None], DataNeed] = {}

    def add(source: DataSource, method: Method | None, least: int) -> None:
        known = needs.get((source.source, method), DataNeed((), method, least))
        sources = known.sources if source in known.sources else (*known.sources, source)
        needs[source.source, method] = DataNeed(sources, method, max(known.least, least))

    used: set[str] = set()
    # The data of a document with problems is read too, so that all problems are told at once.
    for document in (*names.finetunes.values(), *_unfit_finetunes(project)):
        method = document.value.get("method", "supervised")
        for role, least in _LEAST_ROWS.items():
            source = data_of(document, role, project, names)
            if source is not None:
                used.add(source.name)
                add(source, method if method in _METHODS else None, least)
    for name, source in names.datasets.items():
        if name not in used:
            add(source, None, _LEAST_ROWS["training"])
    return tuple(needs.values())


def data_of(
    document: Document, role: str, project: Project, names: References
) -> DataSource | None:
    """The file behind a fine-tune's training or validation field."""
    match document.value.get(role):
        case str(name):
            return names.datasets.get(name)
        case {"source": str(source)} if source:
            inline = _source(document, f"{document.value.get('name')}-{role}", (role,), project)
            if inline.url is None and inline.source in names.refused:
                return None
            return _placed(inline, names.fetched)
    return None


def remote_sources(project: Project, names: References) -> tuple[DataSource, ...]:
    """What the manifests name by an address, once for each address and pin."""
    found: dict[tuple[str | None, str | None], DataSource] = {}
    for source in every_source(project, names):
        if source.url is not None:
            found.setdefault((source.url, source.sha256), source)
    return tuple(found.values())


def every_source(project: Project, names: References) -> tuple[DataSource, ...]:
    """What the manifests name as data: each place that names a file or an address."""
    sources = list(names.datasets.values())
    for document in (*names.finetunes.values(), *_unfit_finetunes(project)):
        for role in _LEAST_ROWS:
            match document.value.get(role):
                case {"source": str(text)} if text:
                    sources.append(_source(document, "", (role,), project))
    return tuple(sources)


def _placed(
    source: DataSource, fetched: Mapping[tuple[str, str | None], Path]
) -> DataSource | None:
    """The source with its file on this machine, or None where none could be fetched."""
    if source.url is None:
        return source
    path = fetched.get((source.url, source.sha256))
    return None if path is None else replace(source, source=path)


def parent_of(document: Document) -> str | None:
    """The name of the fine-tune that this one continues from."""
    base = document.value.get("base_model")
    return base.get("finetune") if isinstance(base, dict) else None


def pin_problem(source: DataSource, dataset: Dataset) -> Diagnostic | None:
    """A file whose content is not what the manifest pins."""
    if source.sha256 in (None, dataset.sha256):
        return None
    return Diagnostic(
        "sha256-differs",
        f"{source.shown} has the SHA-256 {dataset.sha256}; the manifest pins another",
        source.span,
        "restore the file, or pin the new content if the change is meant",
    )


def format_problem(names: References, source: DataSource, dataset: Dataset) -> Diagnostic | None:
    """A file whose rows are in another format than the manifest declares."""
    wanted, place = names.formats.get(source.name, (dataset.format, None))
    if place is None or wanted == dataset.format:
        return None
    return Diagnostic(
        "wrong-format",
        f"the rows of {source.shown} are in the format {dataset.format}, not {wanted}",
        place,
        f"write 'format: {dataset.format}', or name another file",
    )


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
    near = get_close_matches(name, names, 1, 0.5)
    if near:
        hint = f"did you mean '{near[0]}'?"
    else:
        hint = f"known: {', '.join(names[:10])}" if names else f"declare one with 'kind: {kind}'"
    return Diagnostic("unknown-name", f"there is no {kind} named '{name}'", place, hint)


def _cycles(finetunes: Mapping[str, Document]) -> list[Diagnostic]:
    problems = []
    settled: set[str] = set()
    for start in finetunes:
        way: list[str] = []
        name: str | None = start
        while name is not None and name in finetunes and name not in settled and name not in way:
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
        settled.update(way)
    return problems
