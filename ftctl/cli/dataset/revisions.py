"""`FILE` or `REVISION:FILE` goes in; a file of rows, from the disk or from git, comes out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ftctl.cli.dataset.rowfile import RowFile
from ftctl.errors import FtctlError, UsageError

_TIMEOUT_SECONDS = 120


def open_side(text: str, folder: Path, scratch: Path) -> RowFile:
    """The rows of a path, or of a path in a revision of the repository around `folder`.

    A file of that very name goes first. What git has is copied to `scratch`, which must be a path
    where no file is yet. As everywhere in git, the path counts from the repository's top unless it
    starts with `./` or `../`.
    """
    revision, colon, path = text.partition(":")
    if not colon or (folder / text).exists():
        return RowFile(folder / text, text)
    if revision.startswith("-") or not path:
        raise UsageError(
            f"'{text}' is neither a file nor a file in a git revision",
            "write FILE, or REVISION:FILE as in main:data/train.jsonl",
        )
    blob = _blob(text, folder)
    with scratch.open("xb") as copy:
        _git(["cat-file", "blob", blob], text, folder, copy.fileno())
    return RowFile(scratch, text)


def _blob(text: str, folder: Path) -> str:
    """The id of the file's content: letters and digits alone, so it can be no option."""
    found = _git(["rev-parse", "--verify", "--quiet", "--end-of-options", text], text, folder)
    blob = found.decode().strip()
    kind = _git(["cat-file", "-t", blob], text, folder).decode().strip() if blob.isalnum() else ""
    if kind != "blob":
        what = {"tree": "a directory", "commit": "a commit"}.get(kind, "no file")
        raise FtctlError(f"{text} is {what} in git, not a file", _HINT)
    return blob


_HINT = "name a file from the repository's top, or with ./ from here: main:./train.jsonl"


def _git(arguments: list[str], text: str, folder: Path, output: int = subprocess.PIPE) -> bytes:
    # A clone without all its files asks its server for them, which must not ask for a password.
    surroundings = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - no option can be made of what the user wrote
            ["git", *arguments],  # noqa: S607 - the user's own git
            cwd=folder,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        reason = "git is not installed" if folder.is_dir() else f"there is no folder {folder}"
        raise FtctlError(f"{text} is no file, and {reason}", "check the path") from None
    except (OSError, ValueError, subprocess.TimeoutExpired) as fault:
        raise FtctlError(f"{text} cannot be had from git: {type(fault).__name__}") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0].removeprefix("fatal: ") if said else "it has no such revision or file"
        raise FtctlError(f"{text} is no file, and git does not have it: {reason}", _HINT)
    return done.stdout or b""
