"""A folder in, its manifests out; one of those in, its documents and their problems out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ftctl.errors import Diagnostic
from ftctl.manifest.comments import keys_beside_values
from ftctl.manifest.decoding import decode, place_after, read_bytes
from ftctl.manifest.document import Document

# Problems after which the rest of a file is not read.
CUT_SHORT = frozenset(
    {
        "unreadable-file",
        "not-utf-8",
        "control-character",
        "invisible-character",
        "yaml-syntax",
        "yaml-tab",
        "yaml-too-large",
    }
)
MOST_FILES = 20_000  # manifests of a project
MOST_ENTRIES = 200_000  # files and folders that are looked through for them
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
# JSON writes a character beyond U+FFFF as two escapes, which libyaml does not put together.
_PAIR = r"\\\\|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands below a folder, by path; hidden files and folders are left out."""

    files: tuple[Path, ...]  # YAML and JSON, links to such among them
    links: frozenset[Path]  # those of them that are links, and links to folders
    whole: bool  # whether everything was looked at


def find_manifests(folder: Path) -> Listing:
    """Every YAML or JSON file below a folder. Links to folders are not followed: they may loop."""
    files: list[str] = []
    links: list[str] = []
    for seen, entry in enumerate(_below(str(folder)), 1):
        linked = entry.is_symlink()
        suffix = os.path.splitext(entry.name)[1]  # noqa: PTH122 - as fast as can be
        folder_behind = (linked or suffix in _SUFFIXES) and _is_folder(entry)
        named = suffix in _SUFFIXES and not folder_behind
        files += [Path(entry.path).as_posix()] if named else []
        links += [entry.path] if linked and (named or folder_behind) else []
        if len(files) > MOST_FILES or seen > MOST_ENTRIES:
            return Listing((), frozenset(), whole=False)
    return Listing(
        tuple(Path(found) for found in sorted(files)),
        frozenset(Path(found) for found in links),
        whole=True,
    )


def _below(folder: str) -> Iterator[os.DirEntry[str]]:
    waiting = [folder]  # and no recursion: folders nest deeper than calls can
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                yield entry


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False


def read_documents(path: Path, shown: str) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """The documents of a file and every problem of its form. `shown` is its path for people."""
    raw = read_bytes(path, shown)
    if isinstance(raw, Diagnostic):
        return (), (raw,)
    return parse_documents(raw, shown, json=path.suffix == ".json")


def parse_documents(
    raw: bytes, shown: str, *, json: bool = False
) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """The same for a file that has been read; JSON is read by its own rules."""
    import yaml  # noqa: PLC0415 - nothing is parsed where all is known from before: 27 ms

    from ftctl.manifest.reader import Reader, TooMuch  # noqa: PLC0415
    from ftctl.manifest.syntax import syntax_problem  # noqa: PLC0415

    text, unseen = decode(raw, shown)
    if unseen:
        return (), unseen
    text = re.sub(_PAIR, _as_one_escape, text) if json else text
    reader = Reader(shown, json=json, end=place_after(text, shown))
    documents: list[Document] = []
    try:
        documents.extend(reader.documents(text))  # keeps those before a fault
    except yaml.MarkedYAMLError as fault:
        reader.problems.append(syntax_problem(fault, text, shown))
        if "<document start>" in str(fault.problem):  # that document was not at its end
            documents = documents[:-1]
    except TooMuch as fault:
        reader.problems.append(fault.problem)
    return tuple(documents), (*reader.problems, *keys_beside_values(text, shown))


def _as_one_escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    high, low = int(found[1], 16) - 0xD800, int(found[2], 16) - 0xDC00
    return f"\\U{0x10000 + high * 0x400 + low:08x}"
