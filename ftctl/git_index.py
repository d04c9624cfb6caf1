"""A folder in; what of it git tracks, read from the repository's index itself, out.

git is not asked: it may not be there, and a process for each plan would cost more than the plan.
The form is that of git's Documentation/gitformat-index.txt, versions 2 to 4, split indexes too.
"""

from __future__ import annotations

import os
import struct
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ftctl.files import read_regular

_GIT = ".git"
_MOST_BYTES = 1 << 30
_SHORTEST = 62  # bytes of an entry before its name: stat data, hash of 20 bytes, flags
_EXTENDED = 0x4000  # there are two more bytes of flags
_NAME_LENGTH = 0xFFF
# What HFS+ leaves out of names: git guards its own folder against them, too.
_PASSED_OVER = dict.fromkeys((*range(0x200C, 0x2010), *range(0x202A, 0x202F),
                              *range(0x206A, 0x2070), 0xFEFF))  # fmt: skip


class UnreadableIndexError(Exception):
    """Nobody can tell what git tracks."""


class Tracked(NamedTuple):
    """A file that git tracks: by its path from the top of the repository."""

    top: Path
    path: str


def repositories_around(folder: Path) -> Iterator[Path]:
    """The tops of the repositories that a real folder lies in, the nearest first."""
    for place in (folder, *folder.parents):
        if os.path.lexists(place / _GIT):
            yield place


def index_of(top: Path) -> Path:
    """The index of the repository with that top, which need not be there.

    `UnreadableIndexError` where its `.git` leads nowhere.
    """
    place = top / _GIT
    if place.is_dir():
        return place / "index"
    text = read_regular(place, 65_536)  # a submodule's, or that of another work tree
    if text is None or not text.startswith(b"gitdir:"):
        raise UnreadableIndexError(place)
    folder = top / os.fsdecode(text.removeprefix(b"gitdir:").strip())
    if not folder.is_dir():
        raise UnreadableIndexError(place)
    return folder / "index"


def tracked_in(top: Path, way: str, *, around: bool = False) -> Tracked | None:
    """The first that git tracks at or below a path from the top, `around`: or on the way.

    Names that the file system takes for the same are the same. `UnreadableIndexError` where nobody
    can tell.
    """
    if way == ".":
        return next((Tracked(top, path) for path in index_paths(index_of(top))), None)
    wanted = tuple(folded(part) for part in way.split("/"))
    for path in index_paths(index_of(top), last_part="" if around else wanted[-1]):
        parts = path.split("/")
        length = min(len(parts), len(wanted))
        if length < len(wanted) and not around:
            continue
        if tuple(folded(part) for part in parts[:length]) != wanted[:length]:
            continue
        named = "/".join(parts[:length])
        if way == named or way.startswith(f"{named}/") or _same(top, named, way, length):
            return Tracked(top, path)
    return None


def _same(top: Path, named: str, way: str, length: int) -> bool:
    try:
        return (top / named).samefile(top / "/".join(way.split("/")[:length]))
    except (OSError, ValueError):
        return False


def folded(name: str) -> str:
    """What some file systems make of a name: no case, no marks, no dots and blanks at its end."""
    name = unicodedata.normalize("NFC", name.translate(_PASSED_OVER)).casefold()
    name = name.partition("::")[0].rstrip(". ")  # NTFS: a name with its stream
    short = name.partition("~")
    # FTCTL~1 may stand for .ftctl where NTFS keeps short names, as GIT~1 does for .git.
    return f".{short[0]}" if short[2].isdigit() else name


def index_paths(index: Path, last_part: str = "") -> Iterator[str]:
    """Every path of an index; none where a quick look finds no name like `last_part` in it."""
    if not os.path.lexists(index):
        return iter(())
    content = _read(index)
    if not _may_name(content, last_part):
        return iter(())
    for digest_bytes in (20, 32):
        try:
            return iter(_paths(index, content, digest_bytes))
        except (IndexError, ValueError, struct.error):
            continue
    raise UnreadableIndexError(index)


def _read(path: Path) -> bytes:
    content = read_regular(path, _MOST_BYTES)
    if content is None or content[:4] != b"DIRC":
        raise UnreadableIndexError(path)
    return content


def _may_name(content: bytes, last_part: str) -> bool:
    """Whether one of the paths may hold the name. Version 4 and links to others tell only parts."""
    if content[4:8] not in (b"\0\0\0\2", b"\0\0\0\3") or b"link" in content:
        return True
    if sys.platform == "darwin" or not last_part:
        return True
    text = content.lower()
    name = os.fsencode(last_part)
    return name in text or name.lstrip(b".") + b"~" in text


def _paths(index: Path, content: bytes, digest_bytes: int) -> list[str]:
    version, count = struct.unpack_from(">II", content, 4)
    if version not in (2, 3, 4):
        raise ValueError(version)
    names, at = _names(content, count, version, digest_bytes)
    for kind, body in _extensions(content, at, digest_bytes):
        if kind == b"link":
            names += _shared(index, body, digest_bytes)
    return [os.fsdecode(name) for name in names if name]


def _names(content: bytes, count: int, version: int, digest_bytes: int) -> tuple[list[bytes], int]:
    names: list[bytes] = []
    name = b""
    at = 12
    for _ in range(count):
        flags_at = at + 40 + digest_bytes
        (flags,) = struct.unpack_from(">H", content, flags_at)
        start = flags_at + (4 if flags & _EXTENDED else 2)
        if version == 4:
            dropped, start = _varint(content, start)
            if dropped > len(name):
                raise ValueError(at)
            end = content.index(b"\0", start)
            name = name[: len(name) - dropped] + content[start:end]
            following = end + 1
        else:
            end = content.index(b"\0", start)
            name = content[start:end]
            following = at + ((end - at + 8) & ~7)  # one to eight zeros
        length = flags & _NAME_LENGTH
        if length != min(len(name), _NAME_LENGTH):
            raise ValueError(at)
        names.append(name)
        at = following
    return names, at


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """As in git's pack files: each further byte counts one more than the bits say."""
    byte = content[at]
    value = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = content[at]
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, at + 1


def _extensions(content: bytes, at: int, digest_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    end = len(content) - digest_bytes
    while at < end:
        kind, size = struct.unpack_from(">4sI", content, at)
        if at + 8 + size > end or not kind.isalpha():
            raise ValueError(at)
        yield kind, content[at + 8 : at + 8 + size]
        at += 8 + size
    if at != end:
        raise ValueError(at)


def _shared(index: Path, link: bytes, digest_bytes: int) -> list[bytes]:
    """The names in the index that this one is a change of, but for those that were taken away."""
    base = link[:digest_bytes]
    if not any(base):
        return []
    content = _read(index.with_name(f"sharedindex.{base.hex()}"))
    version, count = struct.unpack_from(">II", content, 4)
    names, _ = _names(content, count, version, digest_bytes)
    gone = _bits(link[digest_bytes:]) if len(link) > digest_bytes else set()
    return [name for number, name in enumerate(names) if number not in gone]


def _bits(ewah: bytes) -> set[int]:
    """The bits that are set in the first of the bitmaps; their form is that of EWAH."""
    _size, words = struct.unpack_from(">II", ewah)
    found: set[int] = set()
    at, bit = 8, 0
    end = 8 + 8 * words
    while at < end:
        (run,) = struct.unpack_from(">Q", ewah, at)
        at += 8
        length = 64 * ((run >> 1) & 0xFFFFFFFF)
        if run & 1:
            found.update(range(bit, bit + length))
        bit += length
        for _ in range(run >> 33):
            (word,) = struct.unpack_from(">Q", ewah, at)
            found.update(bit + place for place in range(64) if word >> place & 1)
            at, bit = at + 8, bit + 64
    return found
