"""A project and a git revision in; the fine-tunes that a change since then touches out.

A fine-tune is touched where its document, with the project's defaults under it, is another one than
at the revision, or a Dataset that it names, or the content of a data file; and where its parent is.
What the revision cannot tell of counts as touched: a manifest that was broken there, a data file
that git does not have. Who plans what has changed must not miss anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ftctl.data.cache import open_store
from ftctl.domain.desired import DataSource
from ftctl.engine.base_revision import sha256_at
from ftctl.engine.git import Entry, Repository, repository_around
from ftctl.engine.session import Session
from ftctl.files import scratch_folder, sha256_of
from ftctl.manifest import MOST_BYTES, MOST_FILES, Document, parse_documents
from ftctl.project.document_cache import Documents
from ftctl.project.link import ROLES, SymbolTable, link, parent_of
from ftctl.project.load import MANIFESTS, PROJECT_FILE, Project, load_project

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def changed_finetunes(session: Session, revision: str) -> frozenset[str]:
    """The names of the fine-tunes that differ from what they are at a git revision."""
    now = link(session.project)
    with scratch_folder() as scratch:
        project = _project_at(session, revision, scratch)
        if project is None:
            return frozenset(now.finetunes)
        before = link(project)
    data = _Data(session.root, revision)
    own = {
        name
        for name, document in now.finetunes.items()
        if _is_another(document, before.finetunes.get(name))
        or any(_data_is_another(document, role, now, before, data) for role in ROLES)
    }
    return frozenset(_with_children(now.finetunes, own))


def _with_children(finetunes: Mapping[str, Document], own: Collection[str]) -> set[str]:
    """Those that are touched themselves, and all that continue from them."""
    touched = set(own)
    while True:
        more = {name for name, one in finetunes.items() if parent_of(one) in touched} - touched
        if not more:
            return touched
        touched |= more


def _is_another(document: Document, before: Document | None) -> bool:
    return before is None or before.value != document.value


def _data_is_another(
    document: Document, role: str, now: SymbolTable, before: SymbolTable, data: _Data
) -> bool:
    """Whether a fine-tune's data is another, where its document says the same as before."""
    name = document.value.get(role)
    if isinstance(name, str):
        if _is_another(_dataset(now, name), _dataset(before, name)):
            return True
        source, old = now.datasets[name], before.datasets[name]
    else:
        inline = now.inline_source(document, role)
        theirs = before.inline_source(before.finetunes[str(document.value["name"])], role)
        if inline is None or theirs is None:
            return inline is not theirs
        source, old = inline, theirs
    if source.url is not None:
        return False  # the same address: what lies there is no change of this repository
    return data.is_another(source, old)


def _dataset(symbols: SymbolTable, name: str) -> Document:
    found = (one for one in symbols.project.datasets if one.value["name"] == name)
    return next(found, Document("", None, {}, {}))


@dataclass(frozen=True, slots=True)
class _Data:
    """The data files of a project beside those of a revision; each is read once."""

    root: Path
    revision: str
    known: dict[tuple[str, str], bool] = field(default_factory=dict)

    def is_another(self, source: DataSource, before: DataSource) -> bool:
        """Whether a file's content differs from that before, or cannot be compared with it."""
        pair = (source.shown, before.shown)
        if pair not in self.known:
            there = sha256_at(self.root, self.revision, before.shown)
            self.known[pair] = there is None or there != sha256_of(source.source)
        return self.known[pair]


def _project_at(session: Session, revision: str, folder: Path) -> Project | None:
    """The project as the revision has it, with its manifests copied to a folder.

    None where there is none, or none that can be read. A document with problems is left out.
    """
    repository = repository_around(session.root)
    commit = repository.commit(revision)
    entry = repository.entry(commit, PROJECT_FILE)
    if entry is None or not _is_readable(entry):
        return None
    content = repository.content(entry)
    (folder / PROJECT_FILE).write_bytes(content)
    for place in _places(content):
        files = repository.entries(commit, place)
        if len(files) > MOST_FILES:
            return None
        for path, one in files.items():
            if _is_manifest(path) and _is_readable(one):
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_content(session.root, repository, path, one))
    # What was read of the same content a moment ago need not be parsed again.
    known = Documents(open_store(session.cache, "documents"))
    return load_project(folder, session.context.environment, known)[0]


def _places(content: bytes) -> list[str]:
    """The folders where an ftctl.yaml may look for its manifests, that of any environment too."""
    documents, _problems = parse_documents(content, PROJECT_FILE)
    settings = documents[0].value if documents else None
    settings = settings if isinstance(settings, dict) else {}
    environments = settings.get("environments")
    layers = [settings, *(environments.values() if isinstance(environments, dict) else ())]
    named = [layer.get("manifests") for layer in layers if isinstance(layer, dict)]
    return sorted({MANIFESTS, *(one for one in named if isinstance(one, str) and one)})


def _is_readable(entry: Entry) -> bool:
    return not entry.is_link and entry.size <= MOST_BYTES


def _is_manifest(path: str) -> bool:
    """Whether it is looked at: nothing hidden, and nothing that would leave the folder."""
    parts = PurePosixPath(path).parts
    plain = not path.startswith("/") and not any(part.startswith(".") for part in parts)
    return plain and PurePosixPath(path).suffix in _SUFFIXES


def _content(root: Path, repository: Repository, path: str, entry: Entry) -> bytes:
    """The file's bytes; those on the disk where they are the same, as git need not be asked."""
    try:
        here = (root / path).read_bytes() if (root / path).is_file() else b""
    except OSError:
        here = b""
    return here if _blob_id(here, len(entry.id)) == entry.id else repository.content(entry)


def _blob_id(content: bytes, digits: int) -> str:
    """What git calls a file of this content, in a repository whose ids have so many digits."""
    name = "sha256" if digits == 64 else "sha1"
    return hashlib.new(
        name, b"blob %d\0" % len(content) + content, usedforsecurity=False
    ).hexdigest()
