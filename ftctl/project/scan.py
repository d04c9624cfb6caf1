"""Located data in; the datasets, and every problem in their files, out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.catalog import Catalog, load_catalog
from ftctl.catalog.services import SERVICES
from ftctl.catalog.terms import terms_of
from ftctl.data.cache import Datasets, Known, open_store
from ftctl.data.formats.reserved_tokens import REFUSED_CODE
from ftctl.data.scanning.scan_request import TRAINING_CONTEXT, Counting, ScanRequest, ScanResult
from ftctl.data.tokens.model_encodings import encoding_for
from ftctl.domain.desired import Before, Dataset, DataSource, Method, ServiceInfo
from ftctl.errors import Diagnostic
from ftctl.manifest import Document
from ftctl.project.link import ROLES, SymbolTable, parent_of
from ftctl.project.load import Project
from ftctl.project.locate import Located

if TYPE_CHECKING:
    from ftctl.data.formats.row_checks import Demands
    from ftctl.data.scanning.workers import Workers

_UNREADABLE = frozenset({"missing-file", "not-a-regular-file", "unreadable-file"})

# The services want ten rows to train on, and some to measure on (OpenAI's guides, 2026-07).
_LEAST_ROWS: Mapping[str, int] = {"training": 10, "validation": 1}
METHODS = ("supervised", "dpo", "reinforcement")

DEFAULT_ENCODING = "o200k_base"  # of every base model that can still be trained at OpenAI

_Place = tuple[Path, Method | None]


@dataclass(frozen=True, slots=True)
class ScannedData:
    """The datasets by their file and the method that uses them, and the problems of all files."""

    located: Located
    datasets: Mapping[_Place, Dataset]
    problems: tuple[Diagnostic, ...]
    # What the policy asks of data, where it does: how many rows of how many.
    leaks: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # by fine-tune
    duplicates: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # by path
    # Errors of rows in whose place those of an earlier ftctl stand: they stop a purchase alone.
    held: Mapping[_Place, tuple[Diagnostic, ...]] = field(default_factory=dict)
    refused: Mapping[_Place, Before] = field(default_factory=dict)  # those rows
    # What the project's service is known to refuse in rows: it stops a purchase alone.
    unwanted: Mapping[_Place, tuple[Diagnostic, ...]] = field(default_factory=dict)

    def dataset_of(self, source: DataSource, method: Method | None) -> Dataset:
        """The rows behind a name. Several may have steps that make the same."""
        place = (source.source, method)
        dataset = self.datasets[place]
        if source.origin is None:
            return dataset
        return replace(
            dataset,
            name=source.name,
            path=source.shown,
            origin=source.origin,
            before=self.refused.get(place, source.before),
        )

    def held_for(self, source: DataSource, method: Method | None) -> tuple[Diagnostic, ...]:
        """What stands against training on a source by a method, and stops a purchase alone."""
        place = (source.source, method)
        unwanted = map(self.located.at_source, self.unwanted.get(place, ()))
        if place not in self.held:
            return (*self.located.held.get(source.name, ()), *unwanted)
        return (*map(self.located.at_source, self.held[place]), *unwanted)

    @property
    def files(self) -> Mapping[tuple[str, str], Path]:
        """Where the datasets lie on this machine, by their path and content."""
        found = {(one.path, one.sha256): source for (source, _), one in self.datasets.items()}
        contents = {source: one.sha256 for (source, _), one in self.datasets.items()}
        for made in self.located.datasets.values():
            if made.origin is not None and made.source in contents:
                found[made.shown, contents[made.source]] = made.source
        return found


@dataclass(frozen=True, slots=True)
class _DataNeed:
    """A file that must be read, and the method that its rows must suit (None: no one uses it)."""

    sources: tuple[DataSource, ...]  # all who name it
    method: Method | None
    least: int  # rows that there must be


@dataclass(frozen=True, slots=True)
class _Found:
    scan: ScanResult
    source: DataSource
    request: ScanRequest

    @property
    def known(self) -> Known | None:
        """The file, if it was read to its end."""
        if self.scan.sha256 is None:
            return None
        return Known(self.source.source, self.scan.sha256, self.request)


OnProgress = Callable[[str, int, int], None]  # a file as people know it, bytes read, bytes in all
OnNote = Callable[[str], None]


def scan(
    located: Located,
    folder: Path | None,
    *,
    count: bool,
    on_progress: OnProgress = lambda _path, _done, _size: None,
    on_note: OnNote = lambda _note: None,
) -> ScannedData:
    """Every data file of the project. With `count`, the datasets have their tokens.

    `folder` is the cache; None: nothing is known from before, and nothing is kept.

    Without, a file is only counted where a row may be too long for training: that is what
    `validate` asks, and a small project is validated before a vocabulary would be loaded.
    """
    project = located.symbols.project
    store = open_store(folder, "datasets")
    base = ScanRequest(totals=count, quality=project.config.quality)
    requests = _requests(located, base)
    found: dict[_Place, _Found] = {}
    problems: list[Diagnostic] = []
    held: dict[_Place, tuple[Diagnostic, ...]] = {}
    refused: dict[_Place, Before] = {}
    unwanted: dict[_Place, tuple[Diagnostic, ...]] = {}
    refuses = _refuses_tokens(project)
    with ExitStack() as stack:
        data = Datasets(store, folder and folder / "fingerprints", workers=_opener(stack))
        for need in _data_needs(located):
            source = need.sources[0]
            place = (source.source, need.method)
            request = replace(requests.get(place, base), method=need.method, least=need.least)
            on_progress(source.shown, 0, 0)
            on_read = partial(on_progress, source.shown)
            result = data.scan(source.name, source.source, source.shown, request, on_read)
            told = tuple(_problems(result, need, located.symbols))
            if (theirs := _may_stand(source, need, told)) is not None:
                then = replace(source, source=theirs.path)
                before = data.scan(source.name, then.source, source.shown, request, on_read)
                if before.dataset is not None and not any(map(_is_error, before.diagnostics)):
                    why = next(one.message for one in told if _is_error(one))
                    refused[place] = replace(theirs, why=why, refused=True)
                    source, result = then, before
                    held[place] = tuple(filter(_is_error, told))
                    told = tuple(one for one in told if not _is_error(one))
            elif any(map(_is_error, told)) and (errors := _refusals(need, located)):
                told = errors  # the rows of then stand for nothing either: this is what is wrong
                held[place] = ()
            if refuses and need.method is not None:
                unwanted[place] = tuple(map(as_error, filter(is_refused, told)))
                told = tuple(one for one in told if not is_refused(one))
            found[place] = _Found(result, source, request)
            problems += told
            for note in result.notes:
                on_note(note)
        problems += _leaks(located, found, data)
        policy = project.config.policy
        leaking = (
            dict(_leaking(located, found, data)) if policy.max_leakage_share is not None else {}
        )
        repeated = (
            dict(_repeated(located, found, data)) if policy.max_duplicate_share is not None else {}
        )
    store.save()
    datasets = {place: one.scan.dataset for place, one in found.items() if one.scan.dataset}
    return ScannedData(
        located, datasets, tuple(problems), leaking, repeated, held, refused, unwanted
    )


def _data_needs(located: Located) -> tuple[_DataNeed, ...]:
    """Every file to read, once for each method that uses it."""
    needs: dict[tuple[Path, Method | None], _DataNeed] = {}

    def add(source: DataSource, method: Method | None, least: int) -> None:
        known = needs.get((source.source, method), _DataNeed((), method, least))
        sources = known.sources if source in known.sources else (*known.sources, source)
        needs[source.source, method] = _DataNeed(sources, method, max(known.least, least))

    used: set[str] = set()
    for document in located.symbols.users_of_data:
        method = document.value.get("method", "supervised")
        for role, least in _LEAST_ROWS.items():
            source = located.source_of(document, role)
            if source is not None:
                used.add(source.name)
                add(source, method if method in METHODS else None, least)
    for name, source in located.datasets.items():
        if name not in used:
            add(source, None, _LEAST_ROWS["training"])
    return tuple(needs.values())


def _is_error(problem: Diagnostic) -> bool:
    return problem.severity == "error"


def is_refused(problem: Diagnostic) -> bool:
    """Whether it is about rows that a service may be known to refuse."""
    return problem.code == REFUSED_CODE


def as_error(problem: Diagnostic) -> Diagnostic:
    """The same at a service that refuses such rows."""
    return replace(problem, severity="error")


def _refuses_tokens(project: Project) -> bool:
    catalog = load_catalog().with_overrides(project.config.catalog)
    return "tokens" in catalog.service(project.config.provider.type).refuses


def _may_stand(source: DataSource, need: _DataNeed, told: Collection[Diagnostic]) -> Before | None:
    """The rows of an earlier ftctl that may have been trained on in place of those with errors."""
    if need.method is None or source.before is None or source.before.refused:
        return None
    if any(one.before != source.before for one in need.sources):
        return None  # what one of them has made says nothing of another
    return source.before if any(map(_is_error, told)) else None


def _refusals(need: _DataNeed, located: Located) -> tuple[Diagnostic, ...]:
    """The errors for which the rows of an earlier ftctl stand in a file."""
    return tuple(one for source in need.sources for one in located.held.get(source.name, ()))


def _opener(stack: ExitStack) -> Callable[[], Workers]:
    """Opens the workers when they are first asked for; the stack ends them."""

    @cache
    def opened() -> Workers:
        from ftctl.data.scanning.workers import Workers

        return stack.enter_context(Workers())

    return opened


def _problems(result: ScanResult, need: _DataNeed, symbols: SymbolTable) -> Iterator[Diagnostic]:
    source = need.sources[0]
    for problem in result.diagnostics:
        yield _at_manifest(problem, source)
    if result.dataset is not None:
        for named in need.sources:
            if pin := _pin_problem(named, result.dataset):
                yield pin
            if other := _format_problem(symbols, named, result.dataset):
                yield other


def _at_manifest(problem: Diagnostic, source: DataSource) -> Diagnostic:
    """A file that cannot be read is mended where it is named, not where it is not."""
    if problem.span.line is not None or problem.code not in _UNREADABLE:
        return problem
    return replace(problem, span=source.span, message=f"{source.shown}: {problem.message}")


def _requests(located: Located, base: ScanRequest) -> dict[_Place, ScanRequest]:
    """What the fine-tunes that use a file want to know of it."""
    found: dict[_Place, ScanRequest] = {}
    symbols = located.symbols
    project = symbols.project
    base = replace(base, demands=_images(project))
    catalog = load_catalog().with_overrides(project.config.catalog)
    row = SERVICES[project.config.provider.type]
    service = ServiceInfo(row.type, "", row.billed)
    for document in symbols.finetunes.values():
        counting = _counting(_base_model(document, symbols), catalog, service)
        for role in ROLES:
            source = located.source_of(document, role)
            if source is not None:
                place = (source.source, document.value.get("method", "supervised"))
                known = found.get(place, base)
                found[place] = replace(
                    known,
                    countings=_with(known.countings, counting),
                    demands=_joined(known, document, role),
                )
    return found


def _counting(model: str, catalog: Catalog, service: ServiceInfo) -> Counting | None:
    """How the rows for a base model are counted; None where its vocabulary is not known."""
    facts = terms_of(model, catalog, service).facts
    guess = DEFAULT_ENCODING if facts.price else None  # better than no price; the estimate says so
    encoding = facts.encoding or encoding_for(facts.name) or guess
    return Counting(encoding, facts.training_context or TRAINING_CONTEXT) if encoding else None


def _with(countings: tuple[Counting, ...], counting: Counting | None) -> tuple[Counting, ...]:
    return countings if counting is None or counting in countings else (*countings, counting)


def _images(project: Project) -> Demands | None:
    """How many images the project's service takes in a row, where it is not the usual number."""
    service = SERVICES[project.config.provider.type]
    if service.images_per_example == SERVICES["openai"].images_per_example:
        return None
    from ftctl.data.formats.row_checks import Demands

    return Demands(images=service.images_per_example, validation=True)  # until somebody trains


def _joined(known: ScanRequest, document: Document, role: str) -> Demands | None:
    """The demands of one more who uses the file. It is for validation while nobody trains on it."""
    grader = document.value.get("grader")
    if not isinstance(grader, dict):
        return known.demands
    from ftctl.data.formats.grader_fields import fields_of
    from ftctl.data.formats.row_checks import Demands

    asked = known.demands or Demands(validation=True)
    fields = tuple(dict.fromkeys((*asked.fields, *fields_of(grader))))
    return replace(asked, fields=fields, validation=asked.validation and role == "validation")


def _base_model(document: Document, symbols: SymbolTable) -> str:
    """The model at the root of a chain of fine-tunes; "" where the chain leads nowhere."""
    seen: set[str] = set()
    while (parent := parent_of(document)) is not None:
        if parent in seen or parent not in symbols.finetunes:
            return ""
        seen.add(parent)
        document = symbols.finetunes[parent]
    base = document.value.get("base_model")
    return base if isinstance(base, str) else ""


def _leaks(
    located: Located, found: Mapping[_Place, _Found], data: Datasets
) -> Iterator[Diagnostic]:
    """What stands in both of a fine-tune's files."""
    told: set[tuple[_Place, _Place]] = set()
    for _name, pair, training, validation in _pairs(located, found):
        if pair not in told:
            told.add(pair)
            for problem in data.leaks(training, validation):
                shown = found[pair[1]].source.shown
                made = located.made.get(found[pair[0]].source.name)
                placed = problem if made is None else made.at_training_source(problem)
                yield replace(placed, span=replace(problem.span, path=shown))


def _pairs(
    located: Located, found: Mapping[_Place, _Found]
) -> Iterator[tuple[str, tuple[_Place, _Place], Known, Known]]:
    """Each fine-tune that has two files which were read to their ends."""
    for name, document in located.symbols.finetunes.items():
        method = document.value.get("method", "supervised")
        sources = [located.source_of(document, role) for role in ROLES]
        places = [(one.source, method) for one in sources if one is not None]
        files = [found[place].known for place in places if place in found]
        if len(files) == 2 and files[0] is not None and files[1] is not None:
            yield name, (places[0], places[1]), files[0], files[1]


def _leaking(
    located: Located, found: Mapping[_Place, _Found], data: Datasets
) -> Iterator[tuple[str, tuple[int, int]]]:
    for name, pair, training, validation in _pairs(located, found):
        count = data.leaked_rows(training, validation)
        dataset = found[pair[1]].scan.dataset
        if count is not None and dataset is not None:
            yield name, (count, dataset.examples)


def _repeated(
    located: Located, found: Mapping[_Place, _Found], data: Datasets
) -> Iterator[tuple[str, tuple[int, int]]]:
    """By every path that people know a file by: steps of several Datasets may make the same."""
    shown: dict[Path, list[str]] = {}
    for source in located.datasets.values():
        shown.setdefault(source.source, []).append(source.shown)
    for (path, _method), one in found.items():
        count = data.repeated_rows(one.known) if one.known is not None else None
        if count is not None and one.scan.dataset is not None:
            for name in {one.source.shown, *shown.get(path, ())}:
                yield name, (count, one.scan.dataset.examples)


def _pin_problem(source: DataSource, dataset: Dataset) -> Diagnostic | None:
    """A file whose content is not what the manifest pins."""
    if source.sha256 in (None, dataset.sha256):
        return None
    return Diagnostic(
        "sha256-differs",
        f"{source.shown} has the SHA-256 {dataset.sha256}; the manifest pins another",
        source.span,
        "restore the file, or pin the new content if the change is meant",
    )


def _format_problem(
    symbols: SymbolTable, source: DataSource, dataset: Dataset
) -> Diagnostic | None:
    """A file whose rows are in another format than the manifest declares."""
    wanted, place = symbols.formats.get(source.name, (dataset.format, None))
    if place is None or wanted == dataset.format:
        return None
    return Diagnostic(
        "wrong-format",
        f"the rows of {source.shown} are in the format {dataset.format}, not {wanted}",
        place,
        f"write 'format: {dataset.format}', or name another file",
    )
