"""A folder in, the project out: settings and checked manifests, or every problem that they have."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from ftctl.cache import Documents
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import CUT_SHORT, Document, Where, find_manifests
from ftctl.manifest.layers import below, with_defaults
from ftctl.model import Config
from ftctl.schema import check_document, show_value

PROJECT_FILE = "ftctl.yaml"
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


def load_project(
    root: Path, environment: str | None = None, known: Documents | None = None
) -> tuple[Project | None, tuple[Diagnostic, ...]]:
    """The project in a folder. It is None when a problem leaves nothing to go on with.

    `known` remembers the documents of an earlier run.
    """
    known = known or Documents()
    document, problems = _read_project_file(root, known)
    if document is None:
        return None, problems
    file, problem = _choose_environment(document, environment)
    if problem is not None or file is None:
        return None, (*problems, *((problem,) if problem else ()))
    # Faults of ftctl.yaml end the work only after the manifests have told theirs.
    manifests = _read_manifests(root, file, known)
    told = {fault.span for fault in problems}
    problems += manifests.problems
    defaults = below(file, "defaults")
    contexts = {"Dataset": "dataset", "FineTune": f"finetune {defaults.value!r}"}
    fit: dict[str, list[Document]] = {kind: [] for kind in _KINDS}
    unfit = list(manifests.unfit)
    for found in manifests.documents:
        kind = found.value["kind"]
        merged = with_defaults(found, defaults) if kind == "FineTune" else found
        check = partial(check_document, merged, _KINDS[kind])
        faults = known.faults(found, contexts[kind], check)
        problems += tuple(fault for fault in faults if fault.span not in told)
        (unfit if faults else fit[kind]).append(merged)
    if told:
        return None, problems
    names = frozenset(str(one.value.get("name")) for one in unfit)
    datasets, finetunes = tuple(fit["Dataset"]), tuple(fit["FineTune"])
    readable = manifests.readable
    project = Project(
        root, _config(file), file, datasets, finetunes, tuple(unfit), names, readable
    )  # fmt: skip
    return project, problems


def _read_project_file(
    root: Path, known: Documents
) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    path = root / PROJECT_FILE
    if not path.exists():
        where = Span(PROJECT_FILE)
        hint = "run 'ftctl init' to make a project here, or go to one with 'ftctl -C DIR …'"
        return None, (Diagnostic("no-project", f"there is no project in {root}", where, hint),)
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
        near = get_close_matches(environment, known, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known) or 'none'}"
        place = file.place(("environments",))
        return None, Diagnostic(
            "unknown-environment", f"there is no environment '{environment}'", place, hint
        )
    over = below(file, "environments", environment)
    value = {**file.value, **over.value}
    places = {way: at for way, at in file.places.items() if way[:1] not in _tops(over)}
    keys = {way: at for way, at in file.keys.items() if way[:1] not in _tops(over)}
    return Document(file.path, value, {**places, **over.places}, {**keys, **over.keys}), None


def _tops(document: Document) -> set[Where]:
    return {(key,) for key in document.value}


def _config(file: Document) -> Config:
    known = file.value
    return Config(
        project=known["project"],
        manifests=known.get("manifests", "finetunes"),
        provider=known.get("provider"),
        prune=known.get("prune", False),
        reuse=known.get("reuse", "project"),
        policy=known.get("policy") or {},
        catalog=known.get("catalog") or {},
        sources=known.get("sources") or {},
        quality=known.get("quality") or {},
    )


@dataclass(frozen=True, slots=True)
class _Manifests:
    documents: tuple[Document, ...] = ()  # of a known kind
    unfit: tuple[Document, ...] = ()  # mappings without one
    problems: tuple[Diagnostic, ...] = ()
    readable: bool = True


def _read_manifests(root: Path, file: Document, known: Documents) -> _Manifests:
    name = file.value.get("manifests", "finetunes")
    if not isinstance(name, str) or not name:
        return _Manifests()  # the schema has told
    folder = root / name
    if not folder.is_dir():
        place = file.place(("manifests",)) if "manifests" in file.value else Span(name)
        another = "name another with 'manifests: DIR' in ftctl.yaml"
        hint = another if folder.exists() else f"make it, or {another}"
        what = "is a file" if folder.exists() else "does not exist"
        message = f"the manifests' folder '{name}' {what}"
        return _Manifests(problems=(Diagnostic("no-manifests", message, place, hint),))
    documents: list[Document] = []
    unfit: list[Document] = []
    problems: list[Diagnostic] = []
    for path in find_manifests(folder):
        found, faults = known.read(path, show_path(path, root))
        problems += faults
        for document in found:
            if (problem := _kind_problem(document)) is None:
                documents.append(document)
            else:
                problems.append(problem)
                unfit += [document] if isinstance(document.value, dict) else []
    readable = not any(problem.code in CUT_SHORT for problem in problems)
    return _Manifests(tuple(documents), tuple(unfit), tuple(problems), readable)


def absolute(path: Path) -> Path:
    """The path from the root, without dots. Links are not followed: they may form a loop."""
    return Path(_absolute(path))


def show_path(path: Path, root: Path) -> str:
    """A path as people in the project's folder would type it."""
    full, base = _absolute(path), _absolute(root)
    inside = full.startswith(base + os.sep)
    shown = full[len(base) + 1 :] if inside else os.path.relpath(full, base)
    return shown.replace(os.sep, "/")


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
    near = get_close_matches(str(kind)[:40].lower(), words, 1, 0.6) if isinstance(kind, str) else []
    return Diagnostic(
        "unknown-kind",
        f"'kind' is {show_value(kind)}; expected {kinds}",
        document.place(("kind",)),
        f"did you mean '{words[near[0]]}'?" if near else None,
    )
