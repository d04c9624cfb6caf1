"""A folder in, the project out: settings and checked manifests, or every problem that they have."""

from __future__ import annotations

import itertools
import os
import shlex
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ftctl.data.sources import AllowedUrls, ReadScope, read_scope_of, unprintable
from ftctl.domain.config import (
    Config,
    PolicySettings,
    ProviderSettings,
    SourceSettings,
    catalog_overrides,
)
from ftctl.domain.quality_settings import QualitySettings
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import CUT_SHORT, MOST_FILES, Document, Listing, Where, find_manifests, shorten
from ftctl.manifest.layers import apply_base_settings, below, with_defaults
from ftctl.manifest.schema import check_document, show_value
from ftctl.project.document_cache import Documents
from ftctl.project.tracked_state import STATE_FOLDER, tracked_state
from ftctl.project.written_keys import keys_written_in
from ftctl.text.invisible import name_of
from ftctl.text.lookalike import plain_form
from ftctl.text.suggest import nearest

PROJECT_FILE = "ftctl.yaml"
MANIFESTS = "finetunes"  # the folder, where ftctl.yaml names none
MOST_PROBLEMS = 1_000  # after them, the rest says nothing new
_LONGEST_PATH = 200  # characters of a path in a message
_MOST_FOLDERS = 500  # that are looked into for a project, where there is none here
_UNSEEN = CUT_SHORT | {"source-outside", "unprintable-path", "too-many-manifests"}
_OWN_FILE = "make it a file of the repository"
_FIRST_LINE = "start with 'project: NAME'"
_KINDS = {"Dataset": "dataset", "FineTune": "finetune"}


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose every document fits its schema."""

    root: Path
    config: Config
    file: Document  # ftctl.yaml, with the environment laid over it
    datasets: tuple[Document, ...]
    finetunes: tuple[Document, ...]  # with the project's defaults merged under them
    unfit: tuple[Document, ...] = ()  # those left out for their problems
    faulty: frozenset[str] = frozenset()  # their names
    readable: bool = True  # whether every file could be read to its end
    base: str | None = None  # where the settings are from, if not from the project's own file
    own: Document | None = None  # that file, without environment
    environment: str | None = None  # that is laid over it

    @property
    def has_environments(self) -> bool:
        """Whether ftctl.yaml declares environments, so that jobs say for which they are."""
        return bool(self.file.value.get("environments"))

    @property
    def sharing_environments(self) -> frozenset[str]:
        """The other environments of ftctl.yaml that have the same project at the same service."""
        top = self.own.value if self.own is not None else self.file.value
        declared = top.get("environments")
        if not isinstance(declared, dict):
            return frozenset()
        here = _place({**top, **declared.get(self.environment or "", {})})
        return frozenset(
            name
            for name, over in declared.items()
            if name != self.environment and _place({**top, **over}) == here
        )

    @property
    def read_scope(self) -> ReadScope:
        """From where files may be read."""
        return read_scope_of(self.root, self.config.sources.outside, self.base or PROJECT_FILE)

    @property
    def allowed_urls(self) -> AllowedUrls | None:
        """From where may be fetched; None where nobody else than the user asks for it."""
        if self.base is None:
            return None
        return AllowedUrls(self.config.sources.addresses, self.base)


def load_project(
    root: Path,
    environment: str | None = None,
    known: Documents | None = None,
    base: Document | None = None,
    *,
    unreviewed: str | None = None,
) -> tuple[Project | None, tuple[Diagnostic, ...]]:
    """The project in a folder. It is None when a problem leaves nothing to go on with.

    `known` remembers the documents of an earlier run. `base` is ftctl.yaml as it is where a change
    goes to: all but its `defaults` and `manifests` counts, and that of the project's own does not.
    `unreviewed` names that file where it is not there yet: nothing but this change speaks for
    what it says, so it opens nothing (see `_CLOSED`).
    """
    known = known or Documents()
    own, problems = _read_project_file(root, known)
    if own is None:
        return None, problems
    settings, faults = (own, ()) if base is None else _with_base_settings(own, base, known)
    problems += faults
    file, problem = _choose_environment(settings, environment)
    if problem is not None or file is None:
        return None, (*problems, *((problem,) if problem else ()))
    told_by = base.path if base is not None else unreviewed
    if unreviewed is not None:
        file = _closed(file)
    scope = _read_scope(root, file, told_by)
    problems += tracked_state(root, known) + _linked_state(root, scope)
    # Faults of ftctl.yaml end the work only after the manifests have told theirs.
    told = frozenset(fault.span for fault in problems)
    problems += known.faults(own, "keys", partial(keys_written_in, own))
    manifests = _read_manifests(root, file, known, scope)
    problems += manifests.problems
    checked = _check_manifests(manifests, file, known, told, MOST_PROBLEMS - len(problems))
    problems += checked.problems
    if len(problems) > MOST_PROBLEMS:
        return None, (*problems[:MOST_PROBLEMS], _TOO_MANY_PROBLEMS)
    if told:
        return None, problems
    config = _config(file, strict=unreviewed is not None)
    project = Project(
        root, config, file, checked.datasets, checked.finetunes, checked.unfit,
        frozenset(str(one.value.get("name")) for one in checked.unfit), manifests.readable,
        told_by, own, environment,
    )  # fmt: skip
    return project, problems


def _with_base_settings(
    own: Document, base: Document, known: Documents
) -> tuple[Document, tuple[Diagnostic, ...]]:
    """The settings that count while a change to them waits for its review."""
    faults = known.faults(base, "project", partial(check_document, base, "project"))
    return apply_base_settings(own, base), faults


@dataclass(frozen=True, slots=True)
class _Checked:
    datasets: tuple[Document, ...]
    finetunes: tuple[Document, ...]
    unfit: tuple[Document, ...]
    problems: tuple[Diagnostic, ...]


def _check_manifests(
    manifests: _Manifests, file: Document, known: Documents, told: Collection[Span], most: int
) -> _Checked:
    """Each document with the defaults under it, held against its schema, until `most` problems."""
    defaults = below(file, "defaults")
    contexts = {"Dataset": "dataset", "FineTune": f"finetune {defaults.value!r}"}
    fit: dict[str, list[Document]] = {kind: [] for kind in _KINDS}
    unfit = list(manifests.unfit)
    problems: list[Diagnostic] = []
    for found in manifests.documents:
        if len(problems) > most:
            break
        kind = found.value["kind"]
        merged = with_defaults(found, defaults) if kind == "FineTune" else found
        check = partial(_check, merged, _KINDS[kind], found)
        faults = known.faults(found, contexts[kind], check)
        problems += [fault for fault in faults if fault.span not in told]
        (unfit if faults else fit[kind]).append(merged)
    datasets, finetunes = tuple(fit["Dataset"]), tuple(fit["FineTune"])
    return _Checked(datasets, finetunes, tuple(unfit), tuple(problems))


def _check(document: Document, schema: str, own: Document) -> tuple[Diagnostic, ...]:
    """What is against a document: in its form, and the keys that stand in what its file says."""
    return (*check_document(document, schema), *keys_written_in(own))


def _one_nearby(root: Path) -> str:
    """How one gets to a project: to one close below this folder or above it, if there is any."""
    below: list[Path] = [root]
    found: list[Path] = []
    with suppress(OSError):
        for _ in range(2):
            below = [path for folder in below for path in _folders_in(folder)][:_MOST_FOLDERS]
            found += below
    found += (root / "..", root / ".." / "..")
    for folder in found:
        name = Path(os.path.normpath(folder)).as_posix()
        # Only a name that can be typed as it stands.
        if len(name) > _LONGEST_PATH or shlex.quote(name) != name or unprintable(name):
            continue
        with suppress(OSError):
            if (folder / PROJECT_FILE).is_file():
                return f"the one in {name} with 'ftctl -C {name} …'"
    return "one with 'ftctl -C DIR …'"


def _folders_in(folder: Path) -> list[Path]:
    """What stands in a folder and is a folder itself, by name; none that begins with a dot."""
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in itertools.islice(entries, _MOST_FOLDERS)
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        ]
    return [folder / name for name in sorted(names)]


def _read_project_file(
    root: Path, known: Documents
) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    path = root / PROJECT_FILE
    if not os.path.lexists(path):
        where = Span(PROJECT_FILE)
        hint = f"run 'ftctl init' to make a project here, or go to {_one_nearby(root)}"
        return None, (Diagnostic("no-project", f"there is no project in {root}", where, hint),)
    if (note := read_scope_of(root).refuses(path, PROJECT_FILE)) is not None:
        return None, (note._replace(hint=_OWN_FILE).at(Span(PROJECT_FILE)),)
    documents, problems = known.read(path, PROJECT_FILE)
    if not documents:
        message = "the file holds no document; it needs one"
        first = Diagnostic("no-project", message, Span(PROJECT_FILE, 1, 1), _FIRST_LINE)
        return None, problems or (first,)
    document, *others = documents
    if others:
        message = f"the file holds {len(documents)} documents; it needs one"
        hint = "take out the '---' and what does not belong here"
        return None, (*problems, Diagnostic("no-project", message, others[0].place(), hint))
    if not isinstance(document.value, dict):
        message = f"the document is {show_value(document.value)}; expected a mapping"
        return None, (*problems, Diagnostic("no-project", message, document.place(), _FIRST_LINE))
    check = partial(check_document, document, "project")
    return document, (*problems, *known.faults(document, "project", check))


def _choose_environment(
    file: Document, environment: str | None
) -> tuple[Document | None, Diagnostic | None]:
    """The settings with those of the environment laid over them, key by key."""
    if environment is None:
        return file, None
    known = file.value.get("environments")
    known = known if isinstance(known, dict) else {}
    if environment not in known:
        near = nearest(environment, known)
        names = ", ".join(shorten(str(name)) for name in [*known][:10])
        hint = f"did you mean '{shorten(near)}'?" if near else f"known here: {names or 'none'}"
        place = file.place(("environments",))
        return None, Diagnostic(
            "unknown-environment", f"there is no environment '{environment}'", place, hint
        )
    over = below(file, "environments", environment)
    value = {**file.value, **over.value}
    places = {way: at for way, at in file.places.items() if way[:1] not in _tops(over)}
    keys = {way: at for way, at in file.keys.items() if way[:1] not in _tops(over)}
    return Document(file.path, value, {**places, **over.places}, {**keys, **over.keys}), None


def _place(settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """Which project, at which service, settings are for."""
    provider = settings.get("provider") or {"type": "emulator"}
    keys = ("type", "base_url", "base_url_env", "api_key_env", "organization", "project")
    return (settings.get("project"), *(provider.get(key) for key in keys))


def _tops(document: Document) -> set[Where]:
    return {(key,) for key in document.value}


# What lets files and addresses outside be read, models be deleted, and prices be told: what nobody
# has reviewed sets none of it.
_CLOSED = ("sources", "prune", "catalog")


def _closed(file: Document) -> Document:
    value = {key: entry for key, entry in file.value.items() if key not in _CLOSED}
    return Document(file.path, value, file.places, file.keys, file.trapped)


def closed_settings(own: Document) -> tuple[str, ...]:
    """What of an ftctl.yaml does not count before it was reviewed, by the names of its keys."""
    return tuple(sorted(key for key in _CLOSED if key in own.value))


def _config(file: Document, *, strict: bool = False) -> Config:
    """The settings; with `strict`, their policy is no looser than that of a project without one."""
    known = file.value
    policy = PolicySettings.from_config(known.get("policy") or {})
    return Config(
        project=known["project"],
        manifests=known.get("manifests", MANIFESTS),
        provider=ProviderSettings.from_config(known.get("provider") or {}),
        prune=known.get("prune", False),
        reuse=known.get("reuse", "project"),
        policy=policy.no_looser() if strict else policy,
        catalog=catalog_overrides(known.get("catalog") or {}),
        sources=SourceSettings.from_config(known.get("sources") or {}),
        quality=QualitySettings.from_config(known.get("quality") or {}),
    )


@dataclass(frozen=True, slots=True)
class _Manifests:
    documents: tuple[Document, ...] = ()  # of a known kind
    unfit: tuple[Document, ...] = ()  # mappings without one
    problems: tuple[Diagnostic, ...] = ()
    readable: bool = True


_TOO_MANY_PROBLEMS = Diagnostic(
    "too-many-problems",
    f"there are more than {MOST_PROBLEMS:,} problems; not all are listed",
    Span(PROJECT_FILE),
    "mend these first",
)


def _read_scope(root: Path, file: Document, base: str | None) -> ReadScope:
    """From where files may be read. The settings may have problems of their own."""
    known = file.value.get("sources")
    listed = known.get("outside") if isinstance(known, dict) else None
    folders = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    return read_scope_of(root, folders, base or PROJECT_FILE)


def _linked_state(root: Path, scope: ReadScope) -> tuple[Diagnostic, ...]:
    """Links in the folder for the state that would have us write elsewhere."""
    folder = root / STATE_FOLDER
    links = [folder] if folder.is_symlink() else []
    with suppress(OSError):
        links += [Path(one.path) for one in os.scandir(folder) if one.is_symlink()]
    problems = []
    for link in links:
        shown = shorten(show_path(link, root), _LONGEST_PATH)
        if (note := scope.refuses(link, shown)) is not None:
            problems.append(note._replace(hint="remove the link").at(Span(shown)))
    return tuple(problems)


def _read_manifests(root: Path, file: Document, known: Documents, scope: ReadScope) -> _Manifests:
    name = file.value.get("manifests", MANIFESTS)
    if not isinstance(name, str) or not name:
        return _Manifests()  # the schema has told
    listing = _listing(root, name, file, scope)
    if isinstance(listing, Diagnostic):
        return _Manifests(problems=(listing,), readable=listing.code not in _UNSEEN)
    documents: list[Document] = []
    unfit: list[Document] = []
    problems = _refused_links(listing.links - {*listing.files}, root, scope)
    for path in listing.files:
        if len(problems) > MOST_PROBLEMS:
            return _Manifests(problems=tuple(problems), readable=False)
        shown = show_path(path, root)
        note = unprintable(shown)
        if note is None and path in listing.links:
            note = scope.refuses(path, shown)
        if note is not None:
            problems.append(note.at(Span(shorten(shown, _LONGEST_PATH))))
            continue
        found, faults = known.read(path, shown)
        problems += faults
        for document in found:
            if (problem := _kind_problem(document)) is None:
                documents.append(document)
            else:
                problems.append(problem)
                unfit += [document] if isinstance(document.value, dict) else []
    readable = not any(problem.code in _UNSEEN for problem in problems)
    return _Manifests(tuple(documents), tuple(unfit), tuple(problems), readable)


def _listing(root: Path, name: str, file: Document, scope: ReadScope) -> Listing | Diagnostic:
    """What stands in the manifests' folder, or why it cannot be one."""
    folder, shown = root / name, shorten(name, _LONGEST_PATH)
    place = file.place(("manifests",)) if "manifests" in file.value else Span(shown)
    if (note := unprintable(name) or scope.refuses(folder, shown)) is not None:
        return note.at(place)
    if not os.path.isdir(folder):  # noqa: PTH112 - pathlib raises at names that are too long
        another = "name another with 'manifests: DIR' in ftctl.yaml"
        there = os.path.lexists(folder)
        hint = another if there else f"make it, or {another}"
        what = "is a file" if there else "does not exist"
        return Diagnostic("no-manifests", f"the manifests' folder '{shown}' {what}", place, hint)
    listing = find_manifests(folder)
    if listing.whole:
        return listing
    message = f"the manifests' folder '{shown}' holds more than {MOST_FILES:,} manifests"
    cure = "make several projects of it; is 'manifests' the right folder?"
    return Diagnostic("too-many-manifests", message, place, cure)


def _refused_links(links: Iterable[Path], root: Path, scope: ReadScope) -> list[Diagnostic]:
    """Links to folders outside; others are passed over, as their manifests stand elsewhere too."""
    problems = []
    for link in sorted(links):
        shown = shorten(show_path(link, root), _LONGEST_PATH)
        if (note := scope.refuses(link, shown)) is not None:
            problems.append(note.at(Span(shown)))
    return problems


def absolute(path: Path) -> Path:
    """The path from the root, without dots. Links are not followed: they may form a loop."""
    return Path(_absolute(path))


def show_path(path: Path, root: Path) -> str:
    """A path as people in the project's folder would type it."""
    full, base = _absolute(path), _absolute(root)
    inside = full.startswith(base + os.sep)
    shown = full[len(base) + 1 :] if inside else os.path.relpath(full, base)
    shown = shown.replace(os.sep, "/")
    # A line that begins with '::' would command the runner of a workflow.
    return f"./{shown}" if shown.startswith(":") else shown


def _absolute(path: Path) -> str:
    # Not by pathlib: this is done for each of ten thousand manifests.
    return os.path.normpath(os.path.join(os.getcwd(), path))  # noqa: PTH109, PTH118


def _kind_problem(document: Document) -> Diagnostic | None:
    if not isinstance(document.value, dict):
        return Diagnostic(
            "not-a-manifest",
            f"the document is {show_value(document.value)}; expected a mapping",
            document.place(),
            "a manifest starts with 'apiVersion: ftctl/v1', 'kind: …' and 'name: …'",
        )
    kind = document.value.get("kind")
    if isinstance(kind, str) and kind in _KINDS:
        return None
    kinds = " or ".join(_KINDS)
    if "kind" not in document.value:
        if near := [key for key in document.value if key.lower() in ("kind", "type")]:
            hint, place = "did you mean 'kind'?", document.key_place((near[0],))
            return Diagnostic("unknown-key", f"unknown key '{near[0]}'", place, hint)
        hint = "add " + " or ".join(f"'kind: {name}'" for name in _KINDS)
        return Diagnostic("missing-key", "'kind' is missing", document.place(), hint)
    words = {name.lower(): name for name in _KINDS}
    text = kind if isinstance(kind, str) else ""
    odd = next((f"it holds {name_of(one)}; " for one in text if not one.isascii()), "")
    meant = nearest(plain_form(text[:_LONGEST_PATH]).lower(), words)
    return Diagnostic(
        "unknown-kind",
        f"'kind' is {show_value(kind)}; expected {kinds}",
        document.place(("kind",)),
        f"{odd}did you mean '{words[meant]}'?" if meant else None,
    )
