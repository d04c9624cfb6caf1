"""Downloaded files, each under the SHA-256 of its bytes; believed only when they still have it.

Safe with several commands at once and with the end of any of them at any moment: a file is written
under a name of its own, brought to the disk, and only then renamed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import ModuleType
from typing import IO, Any

_PART = ".part-"
_JUST_MADE_SECONDS = 60.0  # a part so young may not be locked yet by its owner
_RACY_NANOSECONDS = 2_000_000_000  # FAT keeps times to two seconds
_PIECE_BYTES = 1024 * 1024


class Part:
    """A download under way, which is no file of the cache yet."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.path = Path(file.name)
        self.size = 0  # bytes

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def close(self) -> str:
        """Bring the content to the disk; its SHA-256."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._hash.hexdigest()

    def head(self, size: int) -> bytes:
        """The first bytes of what was written."""
        self._file.flush()
        with self.path.open("rb") as file:
            return file.read(size)


class Kept:
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
        if now is None:
            return None
        if _read_json(mark) == now:
            return path
        if _hash_of(path) != sha256:
            return None
        # A change so soon after the last one might leave no trace in the file's times.
        if max(now[1], now[2]) + _RACY_NANOSECONDS < self._now() and _signature(path) == now:
            self._write_json(mark, now)
        return path

    @contextmanager
    def part(self) -> Iterator[Part]:
        """A new download; it leaves nothing behind unless it is kept."""
        self._make_folder()
        self._sweep()
        with NamedTemporaryFile(dir=self._folder, prefix=_PART, delete=False) as file:
            _lock(file)
            part = Part(file)
            try:
                yield part
            finally:
                part.path.unlink(missing_ok=True)

    def keep(self, part: Part, sha256: str) -> Path:
        """The file that a complete download has become."""
        path = self._folder / sha256
        part.path.replace(path)
        _sync_folder(self._folder)
        return path

    def recall(self, url: str, telling: Mapping[str, str]) -> str | None:
        """The SHA-256 of what the address had when its keeper said the same of it."""
        found = _read_json(self._note(url))
        if not telling or not isinstance(found, dict) or found.get("home") != self._home():
            return None
        sha256 = found.get("sha256")
        same = found.get("telling") == dict(telling)
        return sha256 if same and isinstance(sha256, str) and _is_sha256(sha256) else None

    def remember(self, url: str, telling: Mapping[str, str], sha256: str) -> None:
        """Note what the address has while its keeper says this of it."""
        if telling:
            note = {"home": self._home(), "sha256": sha256, "telling": dict(telling)}
            self._write_json(self._note(url), note)

    def _note(self, url: str) -> Path:
        # By its hash: an address may say more than a cache should tell.
        name = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
        return self._notes / f"{name}.json"

    def _home(self) -> list[int] | None:
        """Which folder this is: notes that came with a checkout are somebody else's word."""
        with suppress(OSError):
            found = self._folder.stat()
            return [found.st_dev, found.st_ino]
        return None

    def _make_folder(self) -> None:
        self._notes.mkdir(parents=True, exist_ok=True)
        ignore = self._folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", "utf-8")

    def _sweep(self) -> None:
        """Take away what commands left behind that were killed."""
        for path in self._folder.glob(f"{_PART}*"):
            with suppress(OSError):
                if _is_abandoned(path):
                    path.unlink()

    def _write_json(self, path: Path, value: Any) -> None:
        """Nothing depends on a note: where it cannot be written, the next run does more."""
        with suppress(OSError):
            self._notes.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(
                "w", dir=self._folder, prefix=_PART, encoding="utf-8", delete=False
            ) as file:
                try:
                    json.dump(value, file, sort_keys=True)
                    file.close()
                    Path(file.name).replace(path)
                finally:
                    Path(file.name).unlink(missing_ok=True)


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _signature(path: Path) -> list[int] | None:
    """Changes when the file does; None where there is no plain file."""
    if path.is_symlink() or not path.is_file():
        return None
    with suppress(OSError):
        found = path.stat()
        return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev]
    return None


def _hash_of(path: Path) -> str | None:
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                found.update(piece)
    except OSError:
        return None
    return found.hexdigest()


def _read_json(path: Path) -> Any:
    with suppress(OSError, ValueError, RecursionError):
        return json.loads(path.read_bytes())
    return None


def _is_abandoned(path: Path) -> bool:
    age = time.time() - path.stat().st_mtime
    if age < _JUST_MADE_SECONDS:
        return False
    locks = _locks()
    if locks is None:
        return age > 24 * 3600
    with path.open("rb") as file, suppress(OSError):
        locks.flock(file, locks.LOCK_EX | locks.LOCK_NB)
        return True
    return False


def _lock(file: Any) -> None:
    """Held as long as the process lives, whatever ends it."""
    locks = _locks()
    if locks is not None:
        with suppress(OSError):  # some network drives have no locks
            locks.flock(file, locks.LOCK_EX | locks.LOCK_NB)


def _locks() -> ModuleType | None:
    with contextlib.suppress(ImportError):
        import fcntl  # noqa: PLC0415 - Windows has none

        return fcntl
    return None


def _sync_folder(folder: Path) -> None:
    """So that a power cut does not take the new name; Windows opens no folders."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
