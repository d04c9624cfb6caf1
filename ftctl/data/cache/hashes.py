"""A file in, its SHA-256 out; a file that has not changed since is not read again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ftctl.data.cache.store import Store, path_key
from ftctl.files import is_racy, sha256_of, signature_of


class Hashes:
    """Hashes files, each state of them once."""

    def __init__(self, store: Store, now: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._now = now  # nanoseconds, the files' clock

    def of(self, source: Path) -> str | None:
        """The hash; None for what is no regular file or cannot be read."""
        before = signature_of(source)
        kept = self._store.get(path_key(source))
        if before is None or not source.is_file():
            return None
        if kept is not None and kept[0] == before:
            return str(kept[1])
        read_at = self._now()
        found = sha256_of(source)
        racy = is_racy(before, read_at)
        if found is not None and not racy and before == signature_of(source):
            self._store.put(path_key(source), [before, found])
        return found
