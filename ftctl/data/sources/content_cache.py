"""Downloaded files, each under the SHA-256 of its bytes; believed only when they still have it.

Safe with several commands at once and with the end of any of them at any moment: a file is written
under a name of its own, brought to the disk, and only then renamed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ftctl.files import (
    AtomicWriter,
    is_racy,
    mark_used,
    read_regular,
    sha256_of,
    signature_of,
    sweep_drafts,
    write_atomically,
)
from ftctl.user_folders import make_private

_MOST_BYTES = 65_536  # of a note
_MOST_FETCHED = 1 << 30  # bytes: no download is larger


class ContentCache:
    """The files in a folder, and from which addresses they came."""

    def __init__(self, folder: Path, now: Callable[[], int] = time.time_ns) -> None:
        self._folder = folder
        self._now = now  # nanoseconds; the files' clock, and so never the project's
        self._notes = folder / "known"

    def find(self, sha256: str) -> Path | None:
        """The file with that content, if it is there and still has it."""
        if not _is_sha256(sha256):
            return None
        path = self._folder / sha256
        mark = self._notes / f"{sha256}.seen"
        now = _signature(path)
        if now is None or now[0] > _MOST_FETCHED:
            return None
        if _read_json(mark) == now:
            mark_used(mark)
            return path
        if sha256_of(path) != sha256:
            return None
        # A change so soon after the last one might leave no trace in the file's times.
        if not is_racy(now, self._now()) and _signature(path) == now:
            self._write_json(mark, now)
        return path

    @contextmanager
    def draft(self) -> Iterator[AtomicWriter]:
        """A new download; it leaves nothing behind unless it is kept."""
        make_private(self._notes)
        sweep_drafts(self._folder)
        with AtomicWriter(self._folder, "part", private=True) as draft:
            yield draft

    def keep(self, draft: AtomicWriter) -> Path:
        """The file that a complete download has become."""
        return draft.keep(self._folder / draft.sha256)

    def recall(self, url: str, validators: Mapping[str, str]) -> str | None:
        """The SHA-256 of what the address had when its keeper said the same of it."""
        found = _read_json(self._note(url))
        if not validators or not isinstance(found, dict):
            return None
        mark_used(self._note(url))
        sha256 = found.get("sha256")
        same = found.get("telling") == dict(validators)
        return sha256 if same and isinstance(sha256, str) and _is_sha256(sha256) else None

    def remember(self, url: str, validators: Mapping[str, str], sha256: str) -> None:
        """Finding what the address has while its keeper says this of it."""
        if validators:
            note = {"sha256": sha256, "telling": dict(validators)}
            self._write_json(self._note(url), note)

    def _note(self, url: str) -> Path:
        # By its hash: an address may say more than a cache should tell.
        name = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
        return self._notes / f"{name}.json"

    @staticmethod
    def _write_json(path: Path, value: Any) -> None:
        """Nothing depends on a note: where it cannot be written, the next run does more."""
        with suppress(OSError):
            make_private(path.parent)
            text = json.dumps(value, sort_keys=True)
            write_atomically(path, text, durable=False, private=True)


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _signature(path: Path) -> list[int] | None:
    """As `signature_of`; None for a link, too, which somebody else has put there."""
    return None if path.is_symlink() or not path.is_file() else signature_of(path)


def _read_json(path: Path) -> Any:
    content = read_regular(path, _MOST_BYTES)
    with suppress(ValueError, RecursionError):
        return None if content is None else json.loads(content)
    return None
