"""References in; the same with a file on this machine behind each: fetched, converted, split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.data.cache import Hashes, open_store
from ftctl.data.sources import Note, unprintable
from ftctl.errors import Diagnostic
from ftctl.project.link import References, every_source, remote_sources
from ftctl.project.load import Project

if TYPE_CHECKING:
    from ftctl.data.convert import Materialised


@dataclass(frozen=True, slots=True)
class Located:
    """What the stages after this one read, and what was found wrong on the way."""

    names: References
    problems: tuple[Diagnostic, ...]
    made: Mapping[str, Materialised] = field(default_factory=dict)  # by the Dataset's name

    def at_source(self, problem: Diagnostic) -> Diagnostic:
        """A problem of a file that was made, at the row of the source that it comes from."""
        for name, one in self.made.items():
            known = self.names.datasets.get(name)
            if known is not None and problem.span.path == known.shown:
                return one.at_source(problem)
        return problem


def locate_data(project: Project, names: References, root: Path, cache: Path) -> Located:
    """Fetch what lies elsewhere and carry out the steps of Datasets; both are kept in the cache.

    What may not be read is refused before anybody opens it.
    """
    refused, problems = _refused(project, names)
    names = names.without(refused)
    fetched, more = _fetched(project, names, cache / "sources")
    problems += more
    names = names.with_fetched(fetched)
    made = _made(names, cache)
    problems += tuple(problem for one in made.values() for problem in one.problems)
    names = names.with_made({name: one.path for name, one in made.items()}, root)
    return Located(names, problems, made)


def _refused(project: Project, names: References) -> tuple[frozenset[Path], tuple[Diagnostic, ...]]:
    """The files that may not be read, and why at each place that names them."""
    reach = project.reach
    told: dict[Path, Note | None] = {}
    problems: list[Diagnostic] = []
    for source in every_source(project, names):
        if source.url is not None:
            continue
        if source.source not in told:
            told[source.source] = unprintable(source.shown) or reach.refuses(
                source.source, source.shown
            )
        if (note := told[source.source]) is not None:
            problems.append(note.at(source.span))
    refused = frozenset(path for path, note in told.items() if note is not None)
    return refused, tuple(problems)


def _fetched(
    project: Project, names: References, folder: Path
) -> tuple[dict[tuple[str, str | None], Path], tuple[Diagnostic, ...]]:
    """A file for each address and pin that could be had."""
    found: dict[tuple[str, str | None], Path] = {}
    problems: tuple[Diagnostic, ...] = ()
    sources = remote_sources(project, names)
    if sources:
        from ftctl.data.sources.fetch import fetch_at

        for source in sources:
            assert source.url is not None
            one, more = fetch_at(
                source.span, source.url, source.sha256, folder, allowed=project.allowed
            )
            problems += more
            if one is not None:
                found[source.url, source.sha256] = one.path
    return found, problems


def _made(names: References, cache: Path) -> dict[str, Materialised]:
    """What is uploaded in place of the files of Datasets that have steps."""
    if not names.steps:
        return {}
    from ftctl.data.convert import materialise

    hashes = open_store(cache, "hashes")
    hash_of = Hashes(hashes).of
    made = {
        name: materialise(
            names.datasets[name], steps.recipe, cache / "derived", steps.places, hash_of
        )
        for name, steps in names.steps.items()
        if name in names.datasets
    }
    hashes.save()
    return made
