"""A folder in, the project out: settings and checked manifests, or every problem that they have."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from ftctl.errors import Diagnostic, Span
from ftctl.manifest import Document, Where, find_manifests, read_documents
from ftctl.model import Config
from ftctl.schema import check_document, show_value

PROJECT_FILE = "ftctl.yaml"
_KINDS = {"Dataset": "dataset", "FineTune": "finetune"}
# Mappings whose keys stand for themselves are merged key by key, all else is replaced whole.
_MERGED = frozenset({"hyperparameters", "metadata", "integrations", "extra"})


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose every document fits its schema."""

    root: Path
    config: Config
    file: Document  # ftctl.yaml, with the environment laid over it
    datasets: tuple[Document, ...]
    finetunes: tuple[Document, ...]  # with the project's defaults merged under them
    faulty: frozenset[str] = frozenset()  # names of documents left out for their problems


def load_project(
    root: Path, environment: str | None = None
) -> tuple[Project | None, tuple[Diagnostic, ...]]:
    """The project in a folder. It is None when a problem leaves nothing to go on with."""
    documents, problems = _read_project_file(root)
    if documents is None:
        return None, problems
    file, problem = _choose_environment(documents, environment)
    if problem is not None or file is None:
        return None, (*problems, *((problem,) if problem else ()))
    config = _config(file)
    manifests, found = _read_manifests(root, config, file)
    problems += found
    defaults = _below(file, "defaults")
    datasets = [document for document in manifests if document.value["kind"] == "Dataset"]
    finetunes = [
        _with_defaults(document, defaults)
        for document in manifests
        if document.value["kind"] == "FineTune"
    ]
    fit: dict[str, list[Document]] = {"dataset": [], "finetune": []}
    faulty: set[str] = set()
    for schema, group in (("dataset", datasets), ("finetune", finetunes)):
        for document in group:
            faults = check_document(document, schema)
            problems += faults
            if faults:
                faulty.add(str(document.value.get("name")))
            else:
                fit[schema].append(document)
    return (
        Project(
            root,
            config,
            file,
            tuple(fit["dataset"]),
            tuple(fit["finetune"]),
            frozenset(faulty),
        ),
        problems,
    )


def _read_project_file(root: Path) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    path = root / PROJECT_FILE
    if not path.exists():
        where = Span(PROJECT_FILE)
        hint = "run 'ftctl init' to make a project here, or go to one with 'ftctl -C DIR …'"
        return None, (Diagnostic("no-project", f"there is no project in {root}", where, hint),)
    documents, problems = read_documents(path, PROJECT_FILE)
    if problems:
        return None, problems
    if len(documents) != 1:
        count = f"{len(documents)} documents" if documents else "no document"
        return None, (
            Diagnostic(
                "no-project", f"the file holds {count}; it needs one", Span(PROJECT_FILE, 1, 1),
                "start with 'project: NAME'",
            ),
        )  # fmt: skip
    faults = check_document(documents[0], "project")
    return (None if faults else documents[0]), faults


def _choose_environment(
    file: Document, environment: str | None
) -> tuple[Document | None, Diagnostic | None]:
    """The settings with those of the environment laid over them, key by key."""
    if environment is None:
        return file, None
    known = file.value.get("environments") or {}
    if environment not in known:
        near = get_close_matches(environment, known, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known) or 'none'}"
        place = file.place(("environments",))
        return None, Diagnostic(
            "unknown-environment", f"there is no environment '{environment}'", place, hint
        )
    over = _below(file, "environments", environment)
    value = {**file.value, **over.value}
    places = {way: at for way, at in file.places.items() if way[:1] not in _tops(over)}
    keys = {way: at for way, at in file.keys.items() if way[:1] not in _tops(over)}
    return Document(file.path, value, {**places, **over.places}, {**keys, **over.keys}), None


def _tops(document: Document) -> set[Where]:
    return {(key,) for key in document.value}


def _below(document: Document, *way: str) -> Document:
    """A part of a document as a document of its own; an empty one where the part is missing."""
    value: Any = document.value
    for step in way:
        value = value.get(step) or {}
    depth = len(way)

    def moved(places: Mapping[Where, Span]) -> dict[Where, Span]:
        return {full[depth:]: at for full, at in places.items() if full[:depth] == way}

    return Document(document.path, value, moved(document.places), moved(document.keys))


def _config(file: Document) -> Config:
    known = file.value
    return Config(
        project=known["project"],
        manifests=known.get("manifests", "finetunes"),
        provider=known.get("provider"),
        prune=known.get("prune", False),
        policy=known.get("policy") or {},
    )


def _read_manifests(
    root: Path, config: Config, file: Document
) -> tuple[list[Document], tuple[Diagnostic, ...]]:
    folder = root / config.manifests
    if not folder.is_dir():
        place = file.place(("manifests",)) if "manifests" in file.value else Span(config.manifests)
        hint = "make it, or name another with 'manifests: DIR' in ftctl.yaml"
        message = f"the manifests' folder '{config.manifests}' does not exist"
        return [], (Diagnostic("no-manifests", message, place, hint),)
    documents: list[Document] = []
    problems: tuple[Diagnostic, ...] = ()
    for path in find_manifests(folder):
        found, faults = read_documents(path, show_path(path, root))
        problems += faults
        for document in found:
            if (problem := _kind_problem(document)) is not None:
                problems += (problem,)
            else:
                documents.append(document)
    return documents, problems


def show_path(path: Path, root: Path) -> str:
    """A path as people in the project's folder would type it."""
    return Path(os.path.relpath(path, root)).as_posix()


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
        return Diagnostic("missing-key", "'kind' is missing", document.place(), f"write {kinds}")
    near = get_close_matches(str(kind).title(), _KINDS, 1, 0.5) or get_close_matches(
        str(kind), _KINDS, 1, 0.5
    )
    return Diagnostic(
        "unknown-kind",
        f"'kind' is {show_value(kind)}; expected {kinds}",
        document.place(("kind",)),
        f"did you mean '{near[0]}'?" if near else None,
    )


def _with_defaults(document: Document, defaults: Document) -> Document:
    """A FineTune with the project's defaults under it; each value keeps the place that set it."""
    value = dict(document.value)
    places, keys = dict(document.places), dict(document.keys)
    for key, default in defaults.value.items():
        own = value.get(key)
        if key not in value:
            value[key] = default
            taken: list[Where] = [(key,)]
        elif key in _MERGED and isinstance(own, dict) and isinstance(default, dict):
            value[key] = {**default, **own}
            taken = [(key, inner) for inner in default if inner not in own]
        else:
            continue
        for way in taken:
            depth = len(way)
            places.update((w, at) for w, at in defaults.places.items() if w[:depth] == way)
            keys.update((w, at) for w, at in defaults.keys.items() if w[:depth] == way)
    return Document(document.path, cast(dict[str, Any], value), places, keys, document.trapped)
