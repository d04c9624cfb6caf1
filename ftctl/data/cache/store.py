"""Keys and JSON values in one file: written whole, believed only when whole, free to be deleted.

JSON and not pickle or marshal: what somebody else put into the file must not run, nor crash us.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from ftctl.files import read_regular, sweep_drafts, write_atomically
from ftctl.user_folders import make_private

# What decides how a manifest or a row is read. A change of one makes all that was kept stale.
_DECIDING = (
    "data/cache", "data/encodings", "data/formats", "data/quality", "data/scanning", "data/sources",
    "data/tokens",
    "manifest", "manifest/schema", "text", "text/escape",
    "catalog/services.py", "catalog/variables.py",
    "errors.py", "files.py", "git_index.py", "user_folders.py",
    "domain/config.py", "domain/desired.py", "domain/observed.py",
    "domain/quality_settings.py", "domain/variables.py",
    "project/document_cache.py", "project/load.py", "project/tracked_state.py",
    "project/written_keys.py",
)  # fmt: skip

# Whose own data decide too: which telephone numbers there are, what a text is in.
_LIBRARIES = frozenset({"chardet", "jsonschema_rs", "phonenumberslite", "py3langid"})

_MOST_BYTES = 512 * 1024 * 1024  # of a file that is read back


class Store:
    """Nothing here fails: what cannot be read is not there, what cannot be written is not kept."""

    def __init__(self, path: Path | None, stamp: str) -> None:
        self._path = path
        self._stamp = stamp.encode()
        self._kept: dict[bytes, bytes] | None = None
        self._used: dict[bytes, bytes] = {}
        self._new = False

    def get(self, key: str) -> Any:
        """The value, or None."""
        found = self._find(key.encode())
        if found is None:
            return None
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(found)
        return None

    def has(self, key: str) -> bool:
        """Whether there is a value."""
        return self._find(key.encode()) is not None

    def _find(self, name: bytes) -> bytes | None:
        if self._path is None:
            return None
        if self._kept is None:
            self._kept = _load(self._path, self._stamp)
        found = self._used.get(name) or self._kept.get(name)
        if found is not None:
            self._used[name] = found
        return found

    def put(self, key: str, value: Any) -> None:
        """Keep a value that JSON can hold."""
        if self._path is None:
            return
        with contextlib.suppress(ValueError, RecursionError):
            self._used[key.encode()] = json.dumps(value, separators=(",", ":")).encode("ascii")
            self._new = True

    def drop(self, key: str) -> None:
        """Keep it no longer."""
        name = key.encode()
        if self._find(name) is not None:
            del self._used[name]
            if self._kept:
                self._kept.pop(name, None)
            self._new = True

    def save(self) -> None:
        """Write what this run has used or found out; nothing, where all was known."""
        if self._path is None or not self._new:
            return
        body = b"".join(b"%b\t%b\n" % pair for pair in self._used.items())
        with contextlib.suppress(OSError):
            write_whole(self._path, b"%b %b\n%b" % (self._stamp, _hash(body), body))
        self._new = False


def open_store(folder: Path | None, name: str) -> Store:
    """What is kept under a name in a cache's folder, as far as today's code can believe it.

    That the folder is its user's own is for `ftctl.user_folders`. None: nothing is kept.
    """
    deciding = _fingerprint() if folder is not None else None
    if folder is None or deciding is None:
        return Store(None, "")
    return Store(folder / name, deciding)


def path_key(source: Path) -> str:
    """The path in ASCII, for a key."""
    return str(source).encode("unicode_escape").decode("ascii")


def _load(path: Path, stamp: bytes) -> dict[bytes, bytes]:
    content = read_regular(path, _MOST_BYTES)
    if content is None:
        return {}
    head, _, body = content.partition(b"\n")
    if head != b"%b %b" % (stamp, _hash(body)):
        return {}
    return dict(line.split(b"\t", 1) for line in body.splitlines() if b"\t" in line)


def _hash(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def write_whole(path: Path, content: bytes) -> None:
    """Put a file into the cache at once; OSError if it cannot be.

    A power cut may cost it: what is not whole is not believed.
    """
    make_private(path.parent)
    sweep_drafts(path.parent)
    write_atomically(path, content, durable=False, private=True)


@cache
def _fingerprint() -> str | None:
    """A hash of the code and the schemas that decide; None where they cannot be read."""
    package = Path(__file__).parents[2]
    schemas = next(
        (f for f in (package / "schemas", package.parent / "schemas") if f.is_dir()), None
    )
    found = hashlib.sha256(sys.version.encode())
    found.update("\0".join(_versions()).encode())
    try:
        for place in (*(package / name for name in _DECIDING), schemas):
            if place is None:
                return None
            files = sorted(place.iterdir()) if place.is_dir() else [place]
            for file in files:
                if file.suffix in (".py", ".json"):
                    found.update(b"%b\0%b\0" % (os.fsencode(file.name), file.read_bytes()))
    except OSError:
        return None
    return found.hexdigest()


def _versions() -> list[str]:
    """The names and versions of the libraries, as their installer has written them down.

    importlib.metadata, which knows more ways, would cost every command a twentieth of a second.
    """
    found = set()
    for place in sys.path:
        with contextlib.suppress(OSError):
            for name in (entry.name for entry in os.scandir(place or os.curdir)):
                if name.endswith(".dist-info") and name.partition("-")[0].lower() in _LIBRARIES:
                    found.add(name)
    return sorted(found)
