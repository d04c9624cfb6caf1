"""A git revision in; ftctl.yaml and the data files as they are there out."""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from ftctl.data.scanning.source import MAX_FILE_BYTES
from ftctl.data.sources import pointer_of
from ftctl.engine.git import Entry, Repository, repository_around
from ftctl.errors import Diagnostic, FtctlError, Span
from ftctl.manifest import MOST_BYTES, Document, parse_documents, shorten
from ftctl.manifest.layers import changed_settings
from ftctl.project.load import PROJECT_FILE, closed_settings

_LFS_ID = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_POINTER_BYTES = 1024
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BaseFile:
    """ftctl.yaml at the revision that a change goes to."""

    revision: str  # as the user names it
    commit: str
    document: Document | None  # None: the project is new there
    problems: tuple[Diagnostic, ...] = ()  # that leave nothing to go by

    @property
    def is_silent(self) -> bool:
        """Whether it says nothing of this project, so that a change's own settings count."""
        return self.document is None and not self.problems

    @property
    def shown(self) -> str:
        """The file, as people know it."""
        return f"{self.revision}:{PROJECT_FILE}"

    def note(self, own: Document | None) -> str | None:
        """What to tell of a project that is new, and of what its own file does not set yet."""
        if not self.is_silent:
            return None
        closed = closed_settings(own) if own is not None else ()
        but = f", but for {', '.join(closed)}: reviewed first" if closed else ""
        return (
            f"{self.revision} has no {PROJECT_FILE} here: what this change's own says counts{but}"
        )


def read_base(folder: Path, revision: str) -> BaseFile:
    """ftctl.yaml of the project in a folder as it is at a git revision, or `FtctlError`."""
    repository = repository_around(folder)
    if (around := repository.superproject) is not None:
        raise FtctlError(
            f"{folder} is a submodule of {around}: a change there chooses which repository it is",
            "clone it by itself to plan with --base",
        )
    commit = repository.commit(revision)
    repository.require_one_meaning(revision)
    shown = f"{revision}:{PROJECT_FILE}"
    entry = repository.entry(commit, PROJECT_FILE)
    if entry is None:
        return BaseFile(revision, commit, None)
    if entry.is_link or entry.size > MOST_BYTES:
        what = "is a link" if entry.is_link else f"has {entry.size:,} bytes"
        fault = Diagnostic("no-project", f"{PROJECT_FILE} {what}", Span(shown), _MEND_THERE)
        return BaseFile(revision, commit, None, (fault,))
    documents, problems = parse_documents(repository.content(entry), shown)
    if not problems and (len(documents) != 1 or not isinstance(documents[0].value, dict)):
        message = "the file must hold one mapping"
        problems = (Diagnostic("no-project", message, Span(shown), _MEND_THERE),)
    return BaseFile(revision, commit, None if problems else documents[0], problems)


_MEND_THERE = "mend it on that branch first: its settings are what counts"


def note_of_differences(base: BaseFile, own: Document) -> str | None:
    """What to tell of settings that differ and do not count yet; None where all are alike."""
    if base.document is None or not isinstance(own.value, dict):
        return None
    changed = [shorten(key) for key in changed_settings(own, base.document)]
    if not changed:
        return None
    return (
        f"{PROJECT_FILE} changes {', '.join(changed)} with this change:"
        f" what {base.revision} says counts until it is merged"
    )


def rows_at(folder: Path, revision: str, path: str, scratch: Path) -> Path | None:
    """A data file as it is at a revision, copied to `scratch`, where no file is yet.

    `path` counts from `folder`. None: the revision has no file there. Where git has only a pointer
    of git-lfs, the content comes from the clone's own git-lfs store.
    """
    repository = repository_around(folder)
    entry = repository.entry(repository.commit(revision), path)
    if entry is None:
        return None
    shown = f"{shorten(path, 200)} at {revision}"
    if entry.is_link:
        raise FtctlError(f"{shown} is a link", "keep the data itself in the repository")
    if entry.size > MAX_FILE_BYTES:
        raise FtctlError(f"{shown} has {entry.size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
    if entry.size > _POINTER_BYTES or not _from_lfs(repository, entry, shown, revision, scratch):
        with scratch.open("xb") as copy:
            repository.content(entry, copy)
    return scratch


def sha256_at(folder: Path, revision: str, path: str) -> str | None:
    """The SHA-256 of a data file as it is at a revision; None where it cannot be told.

    Of a file that git-lfs keeps, git itself knows it: the object need not be there.
    """
    repository = repository_around(folder)
    entry = repository.entry(repository.commit(revision), path)
    if entry is None or entry.is_link or entry.size > MAX_FILE_BYTES:
        return None
    if entry.size <= _POINTER_BYTES:
        head = repository.content(entry)
        found = _LFS_ID.search(head) if pointer_of(head, path) is not None else None
        return found[1].decode() if found is not None else hashlib.sha256(head).hexdigest()
    with TemporaryFile() as scratch:
        repository.content(entry, scratch)
        scratch.seek(0)
        return hashlib.file_digest(scratch, "sha256").hexdigest()


def _from_lfs(
    repository: Repository, entry: Entry, shown: str, revision: str, scratch: Path
) -> bool:
    """Whether the file is a pointer of git-lfs; if so, its content has been copied."""
    head = repository.content(entry)
    note = pointer_of(head, shown)
    if note is None:
        return False
    found = _LFS_ID.search(head)
    name = found[1].decode() if found else ""
    common = repository.ask(["rev-parse", "--git-common-dir"]).text.strip()
    store = repository.top / common / "lfs" / "objects" / name[:2] / name[2:4] / name
    if not name or not store.is_file() or store.is_symlink():
        fetch = f"fetch it: git lfs fetch origin {shlex.quote(revision)}"
        raise FtctlError(f"{shown}: {note.message}", fetch)
    if _copy(store, scratch) != name:
        scratch.unlink()
        raise FtctlError(f"{shown}: git-lfs keeps a damaged copy", "fetch it anew: git lfs fsck")
    return True


def _copy(source: Path, target: Path) -> str:
    """Copy a file; the SHA-256 of what was copied, of which there is never more than allowed."""
    found, size = hashlib.sha256(), 0
    with source.open("rb") as original, target.open("xb") as copy:
        while size <= MAX_FILE_BYTES and (piece := original.read(_PIECE_BYTES)):
            found.update(piece)
            copy.write(piece)
            size += len(piece)
    return found.hexdigest()
