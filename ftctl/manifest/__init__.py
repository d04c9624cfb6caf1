"""YAML files in, documents out: plain values that remember where each of them stands."""

from ftctl.manifest.document import Document, Where
from ftctl.manifest.files import CUT_SHORT, find_manifests, read_documents
from ftctl.manifest.reader import DEEPEST, LARGEST

__all__ = [
    "CUT_SHORT",
    "DEEPEST",
    "LARGEST",
    "Document",
    "Where",
    "find_manifests",
    "read_documents",
]
