"""Paths go in; a file's hash, its state, or a file that is written whole or not at all, come out.

Whoever writes a file that others may read, or that must outlive a crash, does it here: into a draft
beside it, which then takes its name. A link is never written through. What fails is an `OSError`.
"""

from __future__ import annotations

import atexit
import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Self

from ftctl.errors import FtctlError

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

RACY_NANOSECONDS = 2_000_000_000  # FAT keeps times to two seconds

_DRAFT = ".tmp"
_JUST_MADE_SECONDS = 60.0  # a draft so young may not be locked yet by its owner
_DAY_SECONDS = 24 * 3600.0
_STALE_SECONDS = 24 * 3600.0  # where there are no locks
_LONGEST_STEM = 40  # characters of a draft's name that say whose it is: four bytes each fit


def sha256_of(path: Path) -> str | None:
    """The SHA-256 of a file's bytes; None for what is no regular file or cannot be read."""
    try:
        if not path.is_file():  # a pipe would wait for whoever writes into it
            return None
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError):
        return None


def free_name(path: str, word: str, folder: Path) -> str:
    """A file of rows beside another that is not there yet: `data/faq-chat.jsonl`.

    `path` is as people know it, from `folder` on.
    """
    beside = PurePosixPath(path)
    names = [f"{beside.stem}-{word}{number}.jsonl" for number in ("", *range(2, 10))]
    shown = [str(beside.with_name(name)) for name in names]
    return next((one for one in shown if not (folder / one).exists()), shown[0])


def read_regular(path: Path, most_bytes: int) -> bytes | None:
    """The bytes of a file; None for what is none, is larger, or cannot be read.

    Nothing is waited for: a pipe, a device or a link is no file here.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        with os.fdopen(os.open(path, flags), "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > most_bytes:
                return None
            content = stream.read(most_bytes + 1)
            return content if len(content) <= most_bytes else None
    except (OSError, ValueError):
        return None


def mark_used(path: Path) -> None:
    """Say by its time, to the day, that a file of a cache is still of use; see `upkeep`."""
    with suppress(OSError):
        if time.time() - path.lstat().st_mtime > _DAY_SECONDS:
            os.utime(path, follow_symlinks=False)


def signature_of(path: Path) -> list[int] | None:
    """Changes when the file does; None for what is no file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev]


def is_racy(signature: list[int], read_at: int) -> bool:
    """Whether a later change could bear the same times as the state that was read then.

    `read_at` is in nanoseconds of the files' clock.
    """
    return max(signature[1], signature[2]) + RACY_NANOSECONDS >= read_at


def write_atomically(
    path: Path,
    content: bytes | str,
    *,
    durable: bool = True,
    private: bool = False,
    replace: bool = True,
) -> None:
    """Put a whole file there at once; see `AtomicWriter`. Text is written as UTF-8."""
    _refuse_odd(path)
    with AtomicWriter(path.parent, path.name, durable=durable, private=private) as draft:
        draft.write(content.encode() if isinstance(content, str) else content)
        draft.keep(path, replace=replace)


class AtomicWriter:
    """A file under a name of its own until it is kept; without that it goes with its block.

    Whoever reads meanwhile, or after we were killed, finds the old file or the new one. A file that
    is replaced hands on its permissions; a new one gets what the umask leaves, or, if `private`,
    those of its owner alone. `durable` brings the bytes and then the name to the disk: without it
    a power cut may cost the new file, and the old one too.
    """

    def __init__(
        self, folder: Path, stem: str = "draft", *, durable: bool = True, private: bool = False
    ) -> None:
        name = f".{stem[:_LONGEST_STEM]}-{os.getpid()}-{os.urandom(6).hex()}{_DRAFT}"
        self.path = folder / name
        self.bytes = 0
        self._hash = hashlib.sha256()
        self._synced = -1  # bytes that were brought to the disk
        self._durable = durable
        self._private = private
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._stream = os.fdopen(os.open(self.path, flags, 0o600 if private else 0o666), "wb")
        _lock(self._stream.fileno())

    @property
    def sha256(self) -> str:
        """Of what was written so far."""
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        """Add to the file."""
        self._stream.write(piece)
        self._hash.update(piece)
        self.bytes += len(piece)

    def head(self, size: int) -> bytes:
        """The first bytes of what was written."""
        self._stream.flush()
        with self.path.open("rb") as stream:
            return stream.read(size)

    def finish(self) -> None:
        """Bring what was written to the file, and to the disk if it is to be durable."""
        if self._synced == self.bytes:
            return
        self._stream.flush()
        if self._durable:
            os.fsync(self._stream.fileno())
        self._synced = self.bytes

    def keep(self, target: Path, *, replace: bool = True) -> Path:
        """Give it its name in the same file system; `FileExistsError` where it may replace none."""
        self.finish()
        self._stream.close()  # only now: a draft that is open is locked, and nobody sweeps it away
        if replace:
            if not self._private and (mode := _mode_of(target)) is not None:
                self.path.chmod(mode)
            self.path.replace(target)
        else:
            _link(self.path, target)
        if self._durable:
            _sync_folder(target.parent)
        return target

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def discard(self) -> None:
        """Take the draft away, unless it was kept."""
        with suppress(OSError):
            self._stream.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def sweep_drafts(folder: Path, stem: str = "", *, alone: bool = False) -> None:
    """Take away the drafts of writers that were killed. `alone`: nobody else can be writing."""
    with suppress(OSError):
        for draft in folder.iterdir():
            if draft.name.startswith(f".{stem}") and draft.suffix == _DRAFT:
                with suppress(OSError):
                    if alone or _is_abandoned(draft):
                        draft.unlink()


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of our own until the block ends; `FtctlError` where the system has no place."""
    with _temporary() as folder:
        yield Path(folder)


def run_folder() -> Path:
    """A folder of our own until the process ends, or `FtctlError`."""
    folder = _temporary()
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _temporary() -> TemporaryDirectory[str]:
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - 5 ms, and seldom needed

    try:
        return TemporaryDirectory(prefix="ftctl-", ignore_cleanup_errors=True)
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise FtctlError(
            f"there is no place for temporary files: {reason}",
            "name a folder that can be written in the variable TMPDIR",
        ) from None


def keep_out_of_git(folder: Path) -> None:
    """Make the folder, with a file that has git pass over all that is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not os.path.lexists(ignore):
        write_atomically(ignore, "*\n", durable=False)


def file_fault(
    path: Path | str, fault: OSError, *, cannot_be: str = "written", hint: str | None = None
) -> FtctlError:
    """What to tell people of a file that the system does not let be written, or read."""
    reason = fault.strerror or type(fault).__name__
    return FtctlError(f"{path} cannot be {cannot_be}: {reason}", hint)


def file_locks() -> ModuleType | None:
    """The module for locks that end with their process; Windows has none."""
    with suppress(ImportError):
        import fcntl  # noqa: PLC0415

        return fcntl
    return None


def _refuse_odd(target: Path) -> None:
    """A pipe or a device has no place to give, nor has a link to one, such as /dev/stdout."""
    try:
        mode = target.stat().st_mode
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "Not a regular file", str(target))


def _mode_of(target: Path) -> int | None:
    """The permissions of a file that is to be replaced; None for a link and where there is none."""
    try:
        found = target.lstat()
    except (OSError, ValueError):
        return None
    return stat.S_IMODE(found.st_mode) & 0o777 if stat.S_ISREG(found.st_mode) else None


def _link(draft: Path, target: Path) -> None:
    """Unlike a rename, this never takes another file's place."""
    try:
        os.link(draft, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "File exists", str(target)) from None
        draft.replace(target)


def _sync_folder(folder: Path) -> None:
    """So that a power cut does not take the new name; Windows opens no folders."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _lock(number: int) -> None:
    """Held as long as the process lives, whatever ends it."""
    locks = file_locks()
    if locks is not None:
        with suppress(OSError):  # some network drives have no locks
            locks.flock(number, locks.LOCK_EX | locks.LOCK_NB)


def _is_abandoned(draft: Path) -> bool:
    found = draft.lstat()
    if not stat.S_ISREG(found.st_mode):  # a pipe would wait
        return False
    age = time.time() - found.st_mtime
    locks = file_locks()
    if locks is None:
        return age > _STALE_SECONDS
    if age < _JUST_MADE_SECONDS:
        return False
    with draft.open("rb") as stream, suppress(OSError):
        locks.flock(stream, locks.LOCK_EX | locks.LOCK_NB)
        return True
    return False
