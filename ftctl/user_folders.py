"""A project's folder in; the places that are the user's own, outside of any checkout, out.

What a plan believes is kept there: nobody who only brings a checkout can put anything into it. A
place is none where it is somebody else's, where the system says none, or where git tracks what is
in it: then nothing is kept.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from ftctl.files import read_regular, write_atomically
from ftctl.git_index import UnreadableIndexError, repositories_around, tracked_in

CACHE_VARIABLE = "FTCTL_CACHE_DIR"
STATE_VARIABLE = "FTCTL_STATE_DIR"
PROJECTS = "projects"  # the folder of the cache that has one for each project

_LONGEST_NAME = 40  # characters of a project's folder, for people who look into the cache
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
ABOUT = "project"  # the file that says whose a folder is, and by its time when it was used last
_LONGEST_ABOUT = 65_536  # bytes
_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This folder holds what ftctl can find out again. It may be deleted at any time.\n"
)


class NoPlace(Exception):
    """Why there is no place, in words for people."""


def cache_folder(project: Path) -> Path | None:
    """Where what can be found out again is kept for the project at that path.

    Two checkouts have two, whatever leads to them. It need not exist; see `make_private`.
    """
    try:
        return find_cache_folder(project)
    except NoPlace:
        return None


def find_cache_folder(project: Path) -> Path:
    """As `cache_folder`; `NoPlace` says why there is none."""
    home = cache_home()
    folder = home / PROJECTS / _name(os.path.realpath(project))
    for place in (home, home / PROJECTS, folder):
        _require_ours(place)
    _require_untracked(folder)
    return folder


def _name(project: str) -> str:
    key = hashlib.sha256(os.fsencode(project)).hexdigest()[:32]
    words = _ODD.sub("-", Path(project).name)[:_LONGEST_NAME].strip(".-")
    return f"{words}-{key}" if words else key


def cache_home() -> Path:
    """Where the caches of all projects are, whether or not they may be used. `NoPlace`: nowhere."""
    return _place(CACHE_VARIABLE, "user_cache_dir", "caches")


def state_folder() -> Path | None:
    """Where is kept what ftctl remembers of its user's decisions. It need not exist."""
    try:
        folder = _place(STATE_VARIABLE, "user_state_dir", "its own state")
        _require_ours(folder)
        _require_untracked(folder)
    except NoPlace:
        return None
    return folder


def _place(variable: str, kind: str, what: str) -> Path:
    named = os.environ.get(variable)
    if named:
        return Path(os.path.abspath(named))  # noqa: PTH100 - pathlib would follow links
    import platformdirs  # noqa: PLC0415 - not where the variable names the place

    none = NoPlace(f"this user has no folder for {what}; {variable} can name one")
    try:
        folder = Path(getattr(platformdirs.PlatformDirs("ftctl", appauthor=False), kind))
    except RuntimeError:  # a user whom no list knows, without HOME, as in containers
        raise none from None
    if not folder.is_absolute():  # no home, or a variable that the standard says to pass over
        raise none
    return folder


def _require_ours(folder: Path) -> None:
    """A link is nobody's; how one gets to the folder does not matter."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or type(fault).__name__
        raise NoPlace(f"{folder} cannot be looked at: {reason}") from None
    if not stat.S_ISDIR(found.st_mode):
        what = "a link" if stat.S_ISLNK(found.st_mode) else "no folder"
        raise NoPlace(f"{folder} is {what}; move it away")
    if os.name == "nt":  # its rights are not in the mode, and a profile is its user's alone
        return
    if found.st_uid not in (os.geteuid(), 0):
        raise NoPlace(f"{folder} belongs to another user")
    if found.st_mode & _OTHERS_WRITE:
        raise NoPlace(f"others can write to {folder}; delete it, or name a folder within it")


def is_ours(folder: Path) -> bool:
    """Whether nobody but its user (or root) can write to the folder; True where none is yet."""
    try:
        _require_ours(folder)
    except NoPlace:
        return False
    return True


def _require_untracked(folder: Path) -> None:
    """A place inside a repository is believed only where what is there cannot come from it.

    So it is where CI keeps caches of a checkout: `XDG_CACHE_HOME: $CI_PROJECT_DIR/.cache`.
    """
    real = Path(os.path.realpath(folder))
    nearest = True
    for top in repositories_around(real):
        way = real.relative_to(top).as_posix()
        try:
            tracked = tracked_in(top, way, around=nearest)
        except UnreadableIndexError:
            raise NoPlace(f"nobody can tell what git tracks in {top}, where {folder} is") from None
        if tracked is not None:
            raise NoPlace(
                f"git tracks '{_shown(tracked.path)}', and {folder} is to be the user's own;"
                f" name another place with {CACHE_VARIABLE}"
            )
        nearest = False
    if not nearest:
        _require_no_repository_in(real)


def _require_no_repository_in(folder: Path) -> None:
    """A submodule that a checkout left behind has its own index, and maybe none any more."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if os.path.lexists(os.path.join(entry.path, ".git")):  # noqa: PTH118 - a folder a run
                raise NoPlace(f"{entry.path} is a git repository of its own; delete it")


def _shown(path: str) -> str:
    return path.encode("unicode_escape", "surrogateescape").decode("ascii")[:200]


def open_cache(project: Path) -> Path:
    """The folder of `find_cache_folder`, made if it is missing, and marked as used.

    `NoPlace` where it cannot be read, or made. Whether it can be written to is another question.
    """
    folder = find_cache_folder(project)
    _require_own_home(folder.parents[1])
    try:
        make_private(folder)
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise NoPlace(f"{folder} cannot be made: {reason}") from None
    about = folder / ABOUT
    text = os.fsencode(os.path.realpath(project)) + b"\n"
    if read_regular(about, _LONGEST_ABOUT) != text:
        with suppress(OSError):
            # So that git passes over it, and programs that make backups do.
            write_atomically(folder / ".gitignore", "*\n", durable=False)
            write_atomically(folder / "CACHEDIR.TAG", _TAG, durable=False)
            write_atomically(about, text, durable=False, private=True)
    return folder


def is_cache(folder: Path) -> bool:
    """Whether a folder was made by `open_cache`, so that it may be deleted: it says for whom."""
    if folder.is_symlink():
        return False
    text = read_regular(folder / ABOUT, _LONGEST_ABOUT) or b""
    return folder.name == _name(os.fsdecode(text.removesuffix(b"\n")))


def _require_own_home(home: Path) -> None:
    """With sudo, the home may be another user's, who could not write to what root makes there."""
    if os.name == "nt" or os.geteuid() != 0 or os.environ.get(CACHE_VARIABLE):
        return
    nearest = next((one for one in (home, *home.parents) if one.exists()), home)
    with suppress(OSError):
        if nearest.stat().st_uid != 0:
            raise NoPlace(f"{nearest} belongs to another user")


def make_private(folder: Path) -> None:
    """Make a folder for its user alone, and what leads to it; OSError where it is not ours."""
    try:
        folder.mkdir(mode=0o700)
    except FileNotFoundError:
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        if not is_ours(folder):
            raise OSError(errno.EPERM, "is not this user's own folder", str(folder)) from None
