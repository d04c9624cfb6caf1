"""`FILE` or `REVISION:FILE` goes in; a file of rows, from the disk or from git, comes out."""

from __future__ import annotations

from pathlib import Path

from ftctl.data.encodings.diagnosis import is_utf8
from ftctl.data.scanning import RowFile
from ftctl.engine.git import Answer, ask_git
from ftctl.errors import FtctlError, UsageError


def open_side(text: str, folder: Path, scratch: Path, encoding: str | None = None) -> RowFile:
    """The rows of a path, or of a path in a revision of the repository around `folder`.

    A file of that very name goes first. What git has is copied to `scratch`, which must be a path
    where no file is yet. As everywhere in git, the path counts from the repository's top unless it
    starts with `./` or `../`. `encoding` is that of a side that is not UTF-8.
    """
    revision, colon, path = text.partition(":")
    if not colon or (folder / text).exists():
        return _row_file(folder / text, text, encoding)
    if revision.startswith("-") or not path:
        raise UsageError(
            f"'{text}' is neither a file nor a file in a git revision",
            "write FILE, or REVISION:FILE as in main:data/train.jsonl",
        )
    blob = _blob(text, folder)
    with scratch.open("xb") as copy:
        _said(ask_git(["cat-file", "blob", blob], folder, copy), text)
    return _row_file(scratch, text, encoding)


def _row_file(path: Path, shown: str, encoding: str | None) -> RowFile:
    """The file; where one side was turned into UTF-8, the encoding is the other's alone."""
    if encoding is not None and path.is_file():
        with path.open("rb") as stream:
            encoding = None if is_utf8(stream) else encoding
    return RowFile(path, shown, encoding, samples=True)


def _blob(text: str, folder: Path) -> str:
    """The id of the file's content: letters and digits alone, so it can be no option."""
    wanted = ["rev-parse", "--verify", "--quiet", "--end-of-options", text]
    blob = _said(_asked(wanted, folder, text), text)
    kind = _said(ask_git(["cat-file", "-t", blob], folder), text) if blob.isalnum() else ""
    if kind != "blob":
        what = {"tree": "a directory", "commit": "a commit"}.get(kind, "no file")
        raise FtctlError(f"{text} is {what} in git, not a file", _HINT)
    return blob


_HINT = "name a file from the repository's top, or with ./ from here: main:./train.jsonl"


def _asked(arguments: list[str], folder: Path, text: str) -> Answer:
    try:
        return ask_git(arguments, folder)
    except FtctlError as fault:
        raise FtctlError(f"{text} is no file, and {fault.message}", fault.hint) from None


def _said(answer: Answer, text: str) -> str:
    if answer.status == 0:
        return answer.text.strip()
    reason = answer.complaint if answer.errors.strip() else "it has no such revision or file"
    raise FtctlError(f"{text} is no file, and git does not have it: {reason}", _HINT)
