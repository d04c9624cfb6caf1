"""A project's folder in, its `ftctl.lock` read, or changed at once and by one writer at a time."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from ftctl.errors import FtctlError
from ftctl.files import file_fault, file_locks, sweep_drafts, write_atomically
from ftctl.lockfile.lock import Lock
from ftctl.lockfile.lock_codec import Malformed, TooNew, lock_text, read_lock
from ftctl.lockfile.merging import IsAncestor, merged
from ftctl.text.bounded_json import NotBounded, read_bounded

LOCK_FILE = "ftctl.lock"
_MOST_BYTES = 64 * 2**20  # some 60,000 fine-tunes
_PATIENCE_SECONDS = 10.0  # for another writer: one write takes milliseconds
_PAUSE_SECONDS = 0.02
_CURE = (
    "take it back from git ('git checkout -- ftctl.lock'), or delete it: apply writes it again;"
    " promotions are lost, git has them"
)
_CURE_OF_SIDE = "take a whole one from git: 'git log --oneline -- ftctl.lock' lists them"
_MARKERS = re.compile(rb"^(?:<{7}|\|{7}|>{7}) |^={7}\r?$", re.MULTILINE)


def read_lock_file(root: Path) -> Lock:
    """The project's release record; an empty one where there is no file. Raises `FtctlError`."""
    return _read(root / LOCK_FILE)


def merge_lock_files(
    base: Path, ours: Path, theirs: Path, is_ancestor: IsAncestor
) -> tuple[str, ...]:
    """Write into `ours` what either side changed since `base`; a line for each rule that decided.

    A `base` that is empty or not there is an empty record, and so is such an `ours`. Where one of
    the three is damaged, `ours` stays as it is. Raises `FtctlError`.
    """
    try:
        with _alone(ours.parent):
            if _content(theirs) is None:
                raise FtctlError(f"THEIRS, {theirs}, is not there", "check its path")
            before = _side("OURS", ours, empty=True)
            found = merged(
                _side("BASE", base, empty=True), before, _side("THEIRS", theirs), is_ancestor
            )
            if found.lock != before:
                write_atomically(ours, _checked(found.lock))
    except RecursionError:
        raise FtctlError(
            "nothing is merged: keys of a later version are nested too deeply", "upgrade ftctl"
        ) from None
    except OSError as fault:
        raise file_fault(ours, fault) from None
    return found.decided


def _side(role: str, path: Path, *, empty: bool = False) -> Lock:
    try:
        return _read(path, empty=empty)
    except FtctlError as fault:
        hint = fault.hint if fault.hint != _CURE else _CURE_OF_SIDE
        raise FtctlError(f"nothing is merged: {role}, {fault.message}", hint) from None


def _read(path: Path, *, empty: bool = False) -> Lock:
    """The record in a file. `empty`: one without a byte in it is none, as git hands one on."""
    content = _content(path)
    if content is None or (empty and not content):
        return Lock()
    try:
        return read_lock(read_bounded(content, _MOST_BYTES))
    except TooNew as fault:
        raise FtctlError(
            f"{path} was written by a later ftctl: its lock_version is {fault}", "upgrade ftctl"
        ) from None
    except (ValueError, OverflowError) as fault:
        raise _damaged(path, content, fault) from None


def update_lock_file(root: Path, change: Callable[[Lock], Lock]) -> Lock:
    """The record after `change`, written only if that changed it. Raises `FtctlError`.

    What is changed is what the file holds at that moment: of two writers none undoes the other.
    """
    try:
        with _alone(root):
            before = read_lock_file(root)
            after = change(before)
            if after != before:
                _replace(root / LOCK_FILE, _checked(after))
    except OSError as fault:
        raise file_fault(root / LOCK_FILE, fault) from None
    return after


def _content(path: Path) -> bytes | None:
    """What the file holds; None where there is none. Nothing but a plain file is opened."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FtctlError(f"{path} is not a regular file", "move it away")
        if status.st_size > _MOST_BYTES:
            raise FtctlError(f"{path} is damaged: it has {status.st_size:,} bytes", _CURE)
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise file_fault(path, fault, cannot_be="read") from None


def _damaged(path: Path, content: bytes, fault: Exception) -> FtctlError:
    """What is wrong with the file; never quoting it, since a link may lead anywhere."""
    if marker := _MARKERS.search(content):
        line = content[: marker.start()].count(b"\n") + 1
        return FtctlError(
            f"{path}:{line}: the marks of a merge conflict are still in the file",
            "git show :1:./ftctl.lock > base.lock; git show :2:./ftctl.lock > ftctl.lock;"
            " git show :3:./ftctl.lock > theirs.lock;"
            " ftctl lock merge base.lock ftctl.lock theirs.lock",
        )
    match fault:
        case json.JSONDecodeError():
            what = f"line {fault.lineno}, column {fault.colno} is not JSON"
        case Malformed() | NotBounded():
            what = str(fault)
        case UnicodeDecodeError():
            what = "it is not UTF-8"
        case _:
            what = "it is no record of ftctl"
    return FtctlError(f"{path} is damaged: {what}", _CURE)


def _checked(lock: Lock) -> bytes:
    """The file's bytes. What could not be read again is not written."""
    try:
        text = lock_text(lock)
        read_lock(json.loads(text))
    except (ValueError, RecursionError) as fault:
        raise FtctlError(f"{LOCK_FILE} would not be readable: {fault}") from None
    return text.encode("ascii")


def _replace(path: Path, content: bytes) -> None:
    """Put the new file in the old one's place, and take away what a killed writer left."""
    sweep_drafts(path.parent, f"{LOCK_FILE}-", alone=True)
    write_atomically(path, content)


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Until the block ends, no other ftctl writes here. The system ends it with our process.

    The folder itself is locked: a file for it would lie about in the project.
    """
    locks = file_locks()
    if locks is None:
        yield
        return
    folder = os.open(root, os.O_RDONLY)
    try:
        _wait_for(locks, folder, root)
        yield
    finally:
        os.close(folder)


def _wait_for(locks: ModuleType, folder: int, root: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            locks.flock(folder, locks.LOCK_EX | locks.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = f"another ftctl has been writing {root / LOCK_FILE} for too long"
                raise FtctlError(message, "wait for it to end, or end it") from None
            time.sleep(_PAUSE_SECONDS)
            continue
        except OSError:
            return  # some network drives have no locks
        return
