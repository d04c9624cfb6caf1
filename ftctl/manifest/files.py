"""A folder in, its manifests out; one of those in, its documents and their problems out."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ftctl.errors import Diagnostic
from ftctl.manifest.document import Document
from ftctl.manifest.reader import Reader, TooMuch
from ftctl.manifest.syntax import syntax_problem
from ftctl.manifest.text import place_after, read_text

# Problems after which the rest of a file is not read.
CUT_SHORT = frozenset(
    {
        "unreadable-file",
        "not-utf-8",
        "control-character",
        "yaml-syntax",
        "yaml-tab",
        "yaml-too-large",
    }
)
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
# JSON writes a character beyond U+FFFF as two escapes, which libyaml does not put together.
_PAIR = r"\\\\|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"


def find_manifests(folder: Path) -> tuple[Path, ...]:
    """Every YAML or JSON file below a folder by its path; hidden ones are left out."""
    found = (
        path
        for path in folder.rglob("*")
        if path.suffix in _SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not path.is_dir()
    )
    return tuple(sorted(found, key=lambda path: path.as_posix()))


def read_documents(path: Path, shown: str) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """The documents of a file and every problem of its form. `shown` is its path for people."""
    text, problem = read_text(path, shown)
    if problem is not None:
        return (), (problem,)
    json = path.suffix == ".json"
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
    return tuple(documents), tuple(reader.problems)


def _as_one_escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    high, low = int(found[1], 16) - 0xD800, int(found[2], 16) - 0xDC00
    return f"\\U{0x10000 + high * 0x400 + low:08x}"
