"""A file's first bytes in; whether they only point to the data, and how to get that, out."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from shlex import quote

from ftctl.errors import Finding

HEAD_BYTES = 1024  # enough for any of them to show

_GIT_LFS = re.compile(rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/")
_DVC = re.compile(
    rb"(?:#[^\n]*\n|[a-z0-9_]+:[^\n]*\n|[ \t][^\n]*\n|- [^\n]*\n)*outs:[ \t]*\r?\n\s*- "
)
_DVC_PATH = re.compile(rb"^[ \t-]+path:[ \t]*(\S[^\r\n]*?)[ \t]*\r?$", re.MULTILINE)
_XET = re.compile(rb"# xet version \d")
_GIT_ANNEX = re.compile(rb"/annex/objects/\S+\s*\Z|/annex/objects/\S+\n")
_WEB_PAGE = re.compile(rb"<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)


def pointer_of(head: bytes, shown: str) -> Finding | None:
    """What to say of a file that only points to the data; `shown` is the path as people know it."""
    if _GIT_LFS.match(head):
        return _note("git-lfs", "git lfs pull")
    if found := _DVC.match(head):
        return _dvc(head[found.end() - len("- ") :], shown)
    if _XET.match(head):
        return _note("Xet", f"git xet materialize {quote(shown)}")
    if _GIT_ANNEX.match(head):
        return _note("git-annex", f"git annex get {quote(shown)}")
    return None


def missing_hint(source: Path, shown: str) -> str | None:
    """How to get a file that is not there but left a trace; None where nothing is known of it."""
    try:
        if source.with_name(f"{source.name}.dvc").is_file():
            return f"DVC keeps it: dvc pull {quote(f'{shown}.dvc')}"
        if source.is_symlink() and "/annex/objects/" in source.readlink().as_posix():
            return f"git-annex keeps it: git annex get {quote(shown)}"
    except (OSError, ValueError):
        pass
    return None


def stand_in_of(head: bytes) -> Finding | None:
    """What to say of what came over the network in place of the data."""
    if head.lstrip().startswith(b"<") and _WEB_PAGE.search(head):
        return Finding(
            "web-page",
            "the address leads to a web page, not to the data",
            "copy the address of the raw file; on Hugging Face and GitHub it has /resolve/ and"
            " /raw/ where the page has /blob/",
        )
    pointer = pointer_of(head, "FILE")
    if pointer is None:
        return None
    message = pointer.message.replace("the file", "what the address leads to", 1)
    hint = (
        "name the data itself: hf://datasets/… or /resolve/ for /raw/ on Hugging Face,"
        " https://media.githubusercontent.com/media/… for GitHub"
    )
    return Finding("pointer-file", message, hint)


def _dvc(outs: bytes, shown: str) -> Finding:
    if not shown.endswith(".dvc"):
        return _note("DVC", "dvc pull")
    found = _DVC_PATH.search(outs)
    meant = found[1].decode("utf-8", "replace").strip("'\"") if found else ""
    name = meant if meant.isprintable() and meant else PurePosixPath(shown).name[: -len(".dvc")]
    return Finding(
        "pointer-file",
        "the file is a DVC pointer, not the data",
        f"name '{name}' as the source, and fetch it: dvc pull {quote(shown)}",
    )


def _note(keeper: str, command: str) -> Finding:
    message = f"the file is a {keeper} pointer, not the data"
    return Finding("pointer-file", message, f"fetch the data: {command}")
