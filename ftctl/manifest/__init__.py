"""YAML files in, documents out: plain values that remember where each of them stands."""

from ftctl.manifest.document import Document, Where
from ftctl.manifest.files import CUT_SHORT, find_manifests, parse_documents, read_documents
from ftctl.manifest.text import DEEPEST, LARGEST, read_bytes

__all__ = [
    "CUT_SHORT",
    "DEEPEST",
    "LARGEST",
    "Document",
    "Where",
    "find_manifests",
    "parse_documents",
    "read_bytes",
    "read_documents",
]
